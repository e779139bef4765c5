"""System calls that answer with an error number and never raise: what is read here may vanish, or be forbidden.

No helper program is started either: where threads or processes are refused, a helper would be refused as well.
"""

from __future__ import annotations

import ctypes
import functools
import mmap
import os
import struct
from pathlib import Path
from typing import Any, NamedTuple

CHUNK = 1 << 16
STATVFS = struct.Struct("8Q")  # bsize, frsize, blocks, bfree, bavail, files, ffree, favail: statvfs(3), 64-bit systems
NO_PLACE = ctypes.c_void_p(-1).value  # MAP_FAILED, mmap(2)
NO_ACCESS = 0  # PROT_NONE
ROOM = 512  # more than any system's struct statvfs


class Space(NamedTuple):
    """A file system: its size, and what an ordinary user can still get of it; `inodes` 0: it counts none."""

    bytes: int
    free_bytes: int
    inodes: int
    free_inodes: int


def open_file(path: Path | str, flags: int = os.O_RDONLY) -> int:
    """Return a descriptor that no child inherits, or a negative error number."""
    descriptor = int(_libc().open(os.fsencode(path), flags | os.O_CLOEXEC))
    return descriptor if descriptor >= 0 else -ctypes.get_errno()


def read_some(descriptor: int, size: int = CHUNK) -> bytes:
    """Return what can be read now; b"" at the end, or where there is nothing, or on an error."""
    buffer = ctypes.create_string_buffer(size)
    count = int(_libc().read(descriptor, buffer, size))
    return ctypes.string_at(buffer, max(0, count))


def read_bytes(path: Path | str, most: int) -> bytes:
    """Return a file's content; b"" where it has gone or may not be read."""
    descriptor = open_file(path)
    if descriptor < 0:
        return b""
    found = bytearray()
    while len(found) < most and (part := read_some(descriptor)):
        found += part
    os.close(descriptor)
    return bytes(found)


def read_text(path: Path | str, most: int = 1 << 18) -> str:
    """Return a small file's text; "" where it has gone or may not be read."""
    return read_bytes(path, most).decode(errors="replace")


def write_text(path: Path | str, text: str, more: int = os.O_TRUNC) -> int:
    """Write a setting, in place of what it was (`more`: or in addition); return 0, or the error number."""
    descriptor = open_file(path, os.O_WRONLY | more)
    if descriptor < 0:
        return -descriptor
    content = text.encode()
    written = int(_libc().write(descriptor, content, len(content)))
    error = 0 if written == len(content) else ctypes.get_errno()
    os.close(descriptor)
    return error


def make_directory(path: Path | str) -> int:
    """Make a directory; return 0, or the error number."""
    return 0 if _libc().mkdir(os.fsencode(path), 0o750) == 0 else ctypes.get_errno()


def remove_directory(path: Path | str) -> int:
    """Remove a directory; return 0, or the error number."""
    return 0 if _libc().rmdir(os.fsencode(path)) == 0 else ctypes.get_errno()


def link_target(path: Path | str) -> str:
    """Return where a symbolic link leads; "" where it has gone."""
    buffer = ctypes.create_string_buffer(4096)
    count = int(_libc().readlink(os.fsencode(path), buffer, len(buffer)))
    return os.fsdecode(buffer.raw[: max(0, count)])


def names_in(path: Path | str) -> list[str]:
    """Return the names in a directory of /proc; none where it has gone or may not be read."""
    libc, names = _libc(), []
    libc.opendir.restype, libc.readdir.restype = ctypes.c_void_p, ctypes.c_void_p
    stream = libc.opendir(os.fsencode(path))
    while stream and (entry := libc.readdir(ctypes.c_void_p(stream))):
        names.append(os.fsdecode(ctypes.string_at(entry + 19)))  # struct dirent: the name follows 19 bytes, readdir(3)
    if stream:
        libc.closedir(ctypes.c_void_p(stream))
    return [name for name in names if name not in (".", "..")]


def space_of(path: Path | str) -> Space | None:
    """Return the space of the file system that holds a path; None where it cannot be told."""
    buffer = ctypes.create_string_buffer(ROOM)
    if _libc().statvfs(os.fsencode(path), buffer) != 0:
        return None
    _, unit, blocks, _, available, files, _, free_files = STATVFS.unpack_from(buffer.raw)
    return Space(blocks * unit, available * unit, files, free_files)


def map_memory(descriptor: int, offset: int, length: int, access: int) -> int:
    """Share a part of a file with this process; return its place, or a negative error number."""
    place = _libc().mmap(None, length, access, mmap.MAP_SHARED, descriptor, offset)
    return int(place) if place != NO_PLACE else -ctypes.get_errno()


def unmap_memory(place: int, length: int) -> None:
    """Give such a part back."""
    _libc().munmap(place, length)


def ask_for_memory(size: int) -> int:
    """Ask for so many bytes and give them back; return 0, or the error number."""
    place = _libc().mmap(None, size, NO_ACCESS, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, 0)
    if place == NO_PLACE:
        return ctypes.get_errno()
    unmap_memory(place, size)
    return 0


@functools.cache
def _libc() -> Any:
    libc = ctypes.CDLL(None, use_errno=True)
    number, size = ctypes.c_int, ctypes.c_size_t
    libc.mmap.restype, libc.munmap.argtypes = ctypes.c_void_p, (ctypes.c_void_p, size)
    libc.mmap.argtypes = (ctypes.c_void_p, size, number, number, number, ctypes.c_long)
    return libc
