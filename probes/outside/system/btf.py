"""Where a field lies in one of the kernel's structures, by the kernel's own description of its types; pure.

Source: the kernel's Documentation/bpf/btf.rst ("BTF Type and String Encoding"). A walk over its hundred thousand types
would take a quarter of a second; the one that is wanted is found by its name.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

PLACE = "/sys/kernel/btf/vmlinux"
MAGIC = 0xEB9F
HEADER = struct.Struct("=HBBIIIII")  # magic, version, flags, length; types: offset, length; strings: offset, length
TYPE = struct.Struct("=III")  # name, info (bits 0-15: how many members, 24-28: kind, 31: bit fields), size
MEMBER = struct.Struct("=III")  # name, type, offset in bits (of a struct with bit fields: the lower 24)
STRUCT = 4
MOST_BYTES = 1 << 26


def byte_of(text: bytes, structure: str, member: str) -> int | None:
    """Return where a member begins, in bytes; None where the text does not tell it, or tells it twice."""
    if len(text) < HEADER.size or HEADER.unpack_from(text)[0] != MAGIC:
        return None
    _, _, _, length, types, size, strings, names = HEADER.unpack_from(text)
    words = text[length + strings : length + strings + names]
    part = text[length + types : length + types + size]
    wanted = [_word(words, name) for name in (structure, member)]
    found = {bits for place in _places(part, wanted[0]) for name, bits in _members(part, place) if name == wanted[1]}
    return found.pop() // 8 if len(found) == 1 and min(wanted) > 0 else None


def _word(words: bytes, name: str) -> int:
    """Return a name's offset among the strings; 0, which is the empty one's, where it is not there."""
    return words.find(b"\0" + name.encode() + b"\0") + 1


def _places(part: bytes, name: int) -> Iterator[int]:
    """Yield where a struct of that name is described: each is a multiple of four bytes from the start."""
    text, place = struct.pack("=I", name), -1
    while (place := part.find(text, place + 1)) >= 0:
        is_whole = place % 4 == 0 and place + TYPE.size <= len(part)
        if is_whole and TYPE.unpack_from(part, place)[1] >> 24 & 31 == STRUCT:
            yield place


def _members(part: bytes, place: int) -> Iterator[tuple[int, int]]:
    _, info, _ = TYPE.unpack_from(part, place)
    end = place + TYPE.size + (info & 0xFFFF) * MEMBER.size
    for at in range(place + TYPE.size, min(end, len(part) - MEMBER.size + 1), MEMBER.size):
        name, _, bits = MEMBER.unpack_from(part, at)
        yield name, bits & 0xFFFFFF if info >> 31 else bits
