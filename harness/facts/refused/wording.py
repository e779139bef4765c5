"""Which words and which error numbers name which resource: the C library's, the runtimes' and the languages' own.

Sources: strerror(3); libgomp's config/posix/team.c and LLVM's kmp_i18n (en_US.txt); OpenBLAS's blas_server.c; torch's
MapAllocator.cpp and DataLoader.cpp; CPython's thread.c; OpenJDK's os_linux.cpp; Go's runtime/proc.go; inotify(7).
"""

from __future__ import annotations

import errno
import re

THREADS, FILES, FILE_SIZE, CPU_TIME = "threads and processes", "open files", "file size", "processor time"
LOCKED, SHARED, INOTIFY = "locked memory", "shared memory", "inotify watches"
QUOTA, MAPPINGS, ADDRESSES = "disk quota", "memory mappings", "address space"
DISK, STORAGE, MEMORY = "disk space", "storage", "memory"

WORDS = (  # the telling before the general
    (SHARED, re.compile(
        r"out of shared memory|insufficient shared memory|unable to (?:allocate|resize) shared memory"
        r"|(?:unable to \w+|No space left on device)[^\n]*(?:/dev/shm|</?torch_)", re.IGNORECASE,
    )),
    (INOTIFY, re.compile(r"inotify[^\n]*(?:limit|No space|Too many open)|limit[^\n]*inotify", re.IGNORECASE)),
    (MAPPINGS, re.compile(r"max_map_count|too many memory mappings", re.IGNORECASE)),
    (LOCKED, re.compile(r"RLIMIT_MEMLOCK|(?:mlock|lock memory|memlock)[^\n]*(?:Cannot|limit|fail)", re.IGNORECASE)),
    (QUOTA, re.compile(r"Disk quota exceeded")),
    (FILES, re.compile(r"Too many open files")),
    (FILE_SIZE, re.compile(r"File size limit exceeded|File too large")),
    (CPU_TIME, re.compile(r"CPU time limit exceeded")),
    (THREADS, re.compile(
        r"can't start new thread|[Tt]hread creation failed|pthread_create(?:\(\))? (?:failed|error)"
        r"|unable to create (?:new )?native thread|failed to create new OS thread|failed to spawn thread"
        r"|resources for OMP (?:thread|monitor)|fork: (?:retry: )?Resource temporarily unavailable"
        r"|what\(\):  +(?:thread: )?Resource temporarily unavailable",
    )),
    (DISK, re.compile(r"No space left on device|unexpected pos \d+ vs|file write failed")),
)  # fmt: skip
NUMBERS = {
    errno.EMFILE: FILES, errno.ENFILE: FILES, errno.EFBIG: FILE_SIZE, 122: QUOTA, errno.ENOSPC: DISK,
    errno.ENOMEM: MEMORY, errno.EIO: STORAGE, errno.EROFS: STORAGE, 116: STORAGE,
}  # fmt: skip
FORKS = ("os.fork", "fork_exec", "forkpty", "os.posix_spawn")
NUMBER = re.compile(r"^(?:\w+\.)*(?P<type>\w+): \[Errno (?P<number>\d+)\] (?P<message>.*)$", re.MULTILINE)


def named_by_text(text: str) -> str | None:
    """Return the resource that a text names, or None."""
    return next((resource for resource, words in WORDS if words.search(text)), None)


def named_by_number(number: int | None, message: str, place: str) -> str | None:
    """Return the resource that an error number stands for; `place`: the file's name, or the code that called.

    EAGAIN is a refusal only where a process was to be made: elsewhere it asks for patience.
    """
    if number == errno.EAGAIN:
        return THREADS if any(word in place for word in FORKS) else None
    if number == errno.ENOSPC and ("/dev/shm" in message + place or "/torch_" in message):
        return SHARED
    if number in (errno.ENOSPC, errno.EMFILE) and "inotify" in message + place:
        return INOTIFY
    return NUMBERS.get(number) if number is not None else None
