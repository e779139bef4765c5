"""What last words name, the C++ exception of a terminate, and how full limits were, from written records."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from record_folders import Records

from harness.facts.memory import allocators
from harness.facts.refused import last_words, limit_use, watched, wording
from probes import records

TERMINATED = (
    "step 7\nterminate called after throwing an instance of 'c10::Error'\n"
    "  what():  [enforce fail at inline_container.cc:672] . unexpected pos 64 vs 0\n"
)


def wants(folder: Records) -> dict[str, Any]:
    """Return what the last words name, by resource."""
    found = last_words.facts(folder.folder())
    return {fact.value["resource"]: fact for fact in found if fact.name == "named_want"}


def error(**keys: Any) -> dict[str, Any]:
    """Return one line of python_error.json."""
    return {"pid": 77, "t": 11.0, "is_main": True, "thread": "MainThread", "traceback": [], **keys}


class TestWords:
    """The C library's, the runtimes' and torch's own."""

    @pytest.mark.parametrize(
        ("line", "resource"),
        [
            ("RuntimeError: can't start new thread", wording.THREADS),
            ("libgomp: Thread creation failed: Resource temporarily unavailable", wording.THREADS),
            ("OpenBLAS blas_thread_init: pthread_create failed for thread 3 of 8", wording.THREADS),
            ("OMP: Error #34: System unable to allocate necessary resources for OMP thread:", wording.THREADS),
            ("bash: fork: retry: Resource temporarily unavailable", wording.THREADS),
            ("java.lang.OutOfMemoryError: unable to create native thread", wording.THREADS),
            ("OSError: [Errno 24] Too many open files: 'x.jpg'", wording.FILES),
            ("File size limit exceeded (core dumped)", wording.FILE_SIZE),
            ("ERROR: Unexpected bus error ... insufficient shared memory (shm).", wording.SHARED),
            ("RuntimeError: unable to write to file </torch_7_1>: No space left on device (28)", wording.SHARED),
            ("OSError: [Errno 28] inotify watch limit reached", wording.INOTIFY),
            ("OSError: [Errno 122] Disk quota exceeded", wording.QUOTA),
            ("OSError: [Errno 28] No space left on device: '/data/a'", wording.DISK),
            ("ImportError: libgomp.so.1: cannot allocate memory in static TLS block", None),
            ("ValueError: too many values to unpack", None),
            ("epoch 3: opened 24 files", None),
        ],
    )
    def test_of_a_line(self, line: str, resource: str | None) -> None:
        """Each names its resource, and none another's."""
        assert wording.named_by_text(line) == resource

    def test_only_the_end_of_stderr_counts(self, tmp_path: Path) -> None:
        """What was said long before the death, the program has survived."""
        early = "Too many open files, trying again\n" + "step\n" * 80
        assert not wants(Records(tmp_path).exit(signal="SIGKILL", code=None).text(records.STDERR, early))

    def test_exception_has_its_chain(self, tmp_path: Path) -> None:
        """The first error is deeper: its number counts, from the recorded chain or from the printed one."""
        chained = [{"type": "OSError", "message": "x", "errno": 24, "filename": None}]
        rows = [error(type="RuntimeError", message="worker failed", errno=None, chain=chained)]
        found = wants(Records(tmp_path).exit(code=1).lines(records.PYTHON_ERROR, rows))
        assert found[wording.FILES].value["errno"] == 24
        printed = ["OSError: [Errno 28] No space left on device\n", "The above exception was the direct cause\n"]
        rows = [error(type="RuntimeError", message="saving failed", errno=None, traceback=printed)]
        other = Records(tmp_path / "other").exit(code=1).lines(records.PYTHON_ERROR, rows)
        assert wants(other)[wording.DISK].value["said_by"] == "exception"

    @pytest.mark.parametrize(
        ("place", "resource"), [("self.pid = os.fork()", wording.THREADS), ("stream.read(1)", None)]
    )
    def test_eagain_is_a_refusal_of_forks_alone(self, place: str, resource: str | None) -> None:
        """Of a read it asks for patience."""
        assert wording.named_by_number(11, "Resource temporarily unavailable", place) == resource


class TestTerminate:
    """libstdc++ prints the exception that nobody caught."""

    def test_type_and_what(self, tmp_path: Path) -> None:
        """Both, with the line."""
        found = last_words.facts(Records(tmp_path).exit(signal="SIGABRT").text(records.STDERR, TERMINATED).folder())
        (fact,) = [fact for fact in found if fact.name == "terminate_exception"]
        assert fact.value["type"] == "c10::Error" and "unexpected pos 64 vs 0" in fact.value["what"]
        assert fact.sources[0].line == 2


class TestLimitUse:
    """How full each limit was."""

    def test_highest_use(self, tmp_path: Path) -> None:
        """With the row that shows it; threads from their own record."""
        rows = [
            {"t": one, "limits": [{"name": "RLIMIT_NOFILE", "limit": 64, "used": used}]}
            for one, used in ((1, 9), (2, 63), (3, 20))
        ]
        threads = [{"t": 1, "count": 3, "pids_max": 100, "pids_current": 98, "pids_group": "/g", "threads": []}]
        folder = Records(tmp_path).exit().lines(records.LIMIT_USE, rows).lines(records.THREADS, threads).folder()
        found = {fact.value["name"]: fact for fact in limit_use.facts(folder)}
        assert found["RLIMIT_NOFILE"].value["used"] == 63 and found["RLIMIT_NOFILE"].sources[0].line == 2
        (other,) = set(found) - {"RLIMIT_NOFILE"}
        assert (found[other].value["used"], found[other].value["resource"]) == (98, wording.THREADS)

    @pytest.mark.parametrize(("rows", "expected"), [([], []), (["watching"], [True]), (["watching", "lost"], [False])])
    def test_watched(self, tmp_path: Path, rows: list[str], expected: list[bool]) -> None:
        """A trace that lost rows cannot say that nothing was refused."""
        folder = Records(tmp_path).lines(records.REFUSALS, [{"t": 1.0, "event": one} for one in rows]).folder()
        assert [fact.value for fact in watched.facts(folder)] == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("memory allocation of 553648144 bytes failed", ("memory allocation failed", 553648144)),
        ("DefaultCPUAllocator: can't allocate memory: you tried to allocate 4096 bytes", ("DefaultCPUAllocator", 4096)),
        ("MemoryError: Unable to allocate 1.50 KiB for an array with shape (3,)", ("Unable to allocate", 1536)),
        ("# Native memory allocation (mmap) failed to map 65536 bytes.", ("Java", 65536)),
        ("runtime: out of memory: cannot allocate 4194304-byte block (7 in use)", ("Go", 4194304)),
        ("what():  std::bad_alloc", ("std::bad_alloc", None)),
        ("<jemalloc>: Error in malloc(): out of memory", ("jemalloc", None)),
        ("java.lang.OutOfMemoryError: unable to create native thread", None),
        ("x.so: Cannot allocate memory in static TLS block", None),
        ("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.", None),
    ],
)
def test_allocators_say_how_much(line: str, expected: tuple[str, int | None] | None) -> None:
    """Whose words they are, and the bytes that were asked for."""
    assert allocators.failure(line) == expected
