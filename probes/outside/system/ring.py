"""A ring into which the kernel's programs put records: read from memory that is shared with the kernel; never raises.

One page holds how far we have read, the next how far there is something; the records follow, eight bytes before each
that tell its length, twice in a row, so that none is ever cut.
Source: the kernel's Documentation/bpf/ringbuf.rst; kernel/bpf/ringbuf.c (`struct bpf_ringbuf_hdr`).
"""

from __future__ import annotations

import ctypes
import errno
import mmap
from collections.abc import Iterator

from probes.outside.system import quiet

BUSY, DISCARDED = 1 << 31, 1 << 30
HEADER_BYTES = 8


class Ring:
    """Reads the ring of that descriptor; `error`: why it cannot, as a number, or 0."""

    def __init__(self, descriptor: int, size: int) -> None:
        """Map it; `size` is the number of bytes for records."""
        self._size = size
        page, both = mmap.PAGESIZE, mmap.PROT_READ | mmap.PROT_WRITE
        self._parts = ((0, page, both), (page, page + 2 * size, mmap.PROT_READ))  # offset, length, access
        self._places = [quiet.map_memory(descriptor, *part) for part in self._parts]
        self.error = max(0, -min(self._places))

    def read(self) -> Iterator[bytes]:
        """Yield the records that have come, each once."""
        if self.error:
            return
        ours, theirs = self._places
        done, end = ctypes.c_uint64.from_address(ours), ctypes.c_uint64.from_address(theirs).value
        while done.value < end:
            place = theirs + mmap.PAGESIZE + done.value % self._size
            length = ctypes.c_uint32.from_address(place).value
            if length & BUSY:  # somebody is still writing it: at the next read
                return
            text = ctypes.string_at(place + HEADER_BYTES, length & ~DISCARDED)
            done.value += HEADER_BYTES + (len(text) + 7) // 8 * 8
            if not length & DISCARDED:
                yield text

    def close(self) -> None:
        """Give the memory back; nothing can be read from now on."""
        for place, (_, length, _) in zip(self._places, self._parts, strict=True):
            if place > 0:
                quiet.unmap_memory(place, length)
        self._places, self.error = [0, 0], self.error or errno.EBADF
