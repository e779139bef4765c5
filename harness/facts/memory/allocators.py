"""The words of allocators that could not give what was asked for, and how much that was; pure.

Sources: c10/core/impl/alloc_cpu.cpp; Rust's alloc::alloc::handle_alloc_error; numpy's _ArrayMemoryError; jemalloc;
OpenJDK's debug.cpp and vmError.cpp; Go's runtime/malloc.go; OpenBLAS's memory.c; Arrow's memory_pool.cc.
"""

from __future__ import annotations

import re

UNITS = {"bytes": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
WORDS = (  # sign, pattern; the first group, if any, is the size, the second its unit
    ("DefaultCPUAllocator", re.compile(r"DefaultCPUAllocator(?:[^\n]*tried to allocate (\d+) (bytes))?")),
    ("memory allocation failed", re.compile(r"memory allocation of (\d+) (bytes) failed")),
    ("Unable to allocate", re.compile(r"Unable to allocate (\d+(?:\.\d+)?) ([KMGT]iB|bytes) for an array")),
    ("std::bad_alloc", re.compile(r"std::bad_alloc")),
    ("could not create a primitive", re.compile(r"could not create a primitive")),
    ("Java", re.compile(r"Native memory allocation \(\w+\) failed to (?:map|allocate) (\d+) (bytes)")),
    ("Java", re.compile(r"java\.lang\.OutOfMemoryError(?!: unable to create)|insufficient memory for the Java")),
    ("Go", re.compile(r"runtime: out of memory: cannot allocate (\d+)-(byte) block")),
    ("Go", re.compile(r"fatal error: (?:runtime: )?(?:out of memory|cannot allocate memory)")),
    ("jemalloc", re.compile(r"<jemalloc>: [^\n]*out of memory", re.IGNORECASE)),
    ("malloc of size", re.compile(r"\b(?:re|aligned_|m)alloc of size (\d+) failed")),
    ("OpenBLAS", re.compile(r"OpenBLAS[^\n]*Memory allocation still failed")),
    ("not enough memory", re.compile(r"not enough memory(?:[^\n]*tried to allocate (\d+) (bytes))?")),
    ("Cannot allocate memory", re.compile(r"Cannot allocate memory(?! in static TLS)")),
    ("paging file is too small", re.compile(r"paging file is too small")),
    ("MemoryError", re.compile(r"(?<!OutOf)\bMemoryError")),
)  # fmt: skip


def failure(text: str) -> tuple[str, int | None] | None:
    """Return whose words a text has and how many bytes were asked for (None: not said); None where it has none."""
    for sign, pattern in WORDS:
        match = pattern.search(text)
        if match:
            return sign, _bytes(*match.groups()[:2])
    return None


def _bytes(number: str | None = None, unit: str | None = None) -> int | None:
    return None if number is None else int(float(number) * UNITS.get(unit or "bytes", 1))
