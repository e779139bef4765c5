"""bpf(2): maps, programs and links, which live as long as their descriptors, whatever becomes of us; never raises.

Each answers with a descriptor, which no child inherits, or with a negative error number.
Sources: bpf(2); include/uapi/linux/bpf.h (`union bpf_attr`); the kernel's Documentation/bpf/map_hash.rst, ringbuf.rst.
"""

from __future__ import annotations

import ctypes
import functools
import struct
from typing import Any

from probes.outside.system import calls

MAP_CREATE, LOOK_UP, UPDATE, LOAD, ATTACH = 0, 1, 2, 5, 17
HASH, ARRAY, RING = 1, 2, 27
RAW_TRACEPOINT = 17
LICENSE = b"Dual MIT/GPL"  # of the instructions: the kernel gives its clock and its memory to such alone
MAP = struct.Struct("=5I")
ELEMENT = struct.Struct("=IxxxxQQQ")
PROGRAM = struct.Struct("=IIQQ24x16s8x")
LINK = struct.Struct("=QIxxxx")
NAME_BYTES = 15


def create_map(kind: int, key_size: int, value_size: int, entries: int) -> int:
    """Make a map; a ring has no keys and values, and `entries` bytes."""
    return _call(MAP_CREATE, MAP.pack(kind, key_size, value_size, entries, 0))


def load(code: bytes, name: str) -> int:
    """Have the kernel check and compile a program for a tracepoint."""
    text, license_ = ctypes.create_string_buffer(code, len(code)), ctypes.create_string_buffer(LICENSE)
    words = (RAW_TRACEPOINT, len(code) // 8, _address(text), _address(license_), name.encode()[:NAME_BYTES])
    return _call(LOAD, PROGRAM.pack(*words))


def attach(program: int, tracepoint: str) -> int:
    """Have a program run at a tracepoint, from now on, until the descriptor that is returned is closed."""
    name = ctypes.create_string_buffer(tracepoint.encode())
    return _call(ATTACH, LINK.pack(_address(name), program))


def look_up(map_: int, key: bytes, size: int) -> bytes | None:
    """Return a value; None where the map has none."""
    value = ctypes.create_string_buffer(size)
    return None if _element(LOOK_UP, map_, key, value) else value.raw


def update(map_: int, key: bytes, value: bytes) -> int:
    """Set a value; return 0, or the negative error number."""
    return _element(UPDATE, map_, key, ctypes.create_string_buffer(value, len(value)))


def _element(command: int, map_: int, key: bytes, value: Any) -> int:
    name = ctypes.create_string_buffer(key, len(key))
    return _call(command, ELEMENT.pack(map_, _address(name), _address(value), 0))


def _call(command: int, attributes: bytes) -> int:
    room = ctypes.create_string_buffer(attributes, len(attributes))
    found = int(_system_call()(_number(), command, room, len(attributes)))
    return found if found >= 0 else -ctypes.get_errno()


@functools.cache
def _number() -> int:
    return next(number for number, name in calls.names().items() if name == "bpf")


@functools.cache
def _system_call() -> Any:
    return ctypes.CDLL(None, use_errno=True).syscall


def _address(buffer: Any) -> int:
    return ctypes.addressof(buffer)
