"""Real texts of real crashes, parsed: torch's, py-spy's, gdb's, faulthandler's."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.facts.crash import faulthandler_text, gdb_text, pyspy_text, torch_text
from harness.facts.crash.frames import Frame

DATA = Path(__file__).parent / "stacks_data"
LIBRARIES = "/opt/venv/lib/python3.11/site-packages/torch/lib"


def data(name: str) -> str:
    """Return a captured text."""
    return (DATA / name).read_text(encoding="utf-8")


class TestTorch:
    """torch_stacks.txt: native stacks of all threads."""

    def test_marks_the_thread_that_the_signal_came_to(self) -> None:
        """The others run a handler of another name, and a pool's worker is seen as any other thread."""
        main, worker = torch_text.parse(data("worker_torch.txt"))
        assert (main.thread_id, main.process, main.is_faulting, main.at) == (2020, 2020, False, 1)
        assert (worker.thread_id, worker.process, worker.is_faulting) == (2068, 2020, True)
        assert data("worker_torch.txt").splitlines()[worker.at - 1].endswith("Thread 2068: ")

    def test_reads_a_frame(self) -> None:
        """Function, library, offset and address; a function without a name is ""."""
        worker = torch_text.parse(data("worker_torch.txt"))[1]
        unnamed = Frame("", f"{LIBRARIES}/libtorch_cpu.so", offset=0x7B1CA00, address=0x7F17ECF1CA00)
        assert worker.frames[3] == unnamed
        named = worker.frames[5]
        assert named.function.startswith("at::TensorIteratorBase::serial_for_each(c10::function_ref<void (char**")
        assert (named.library, named.offset) == ("libtorch_cpu.so", 0x1D0)

    def test_keeps_the_place_of_python_frames(self) -> None:
        """One mark stands where torch left them out."""
        (stack,) = torch_text.parse(data("null_torch.txt"))
        assert [frame.function for frame in stack.python_frames] == ["<python frames>"]
        assert stack.frames[-1].function == "_start"

    def test_reads_a_frame_outside_of_any_library(self) -> None:
        """Machine code that was made at run time has an address and no more."""
        (stack,) = torch_text.parse("SIGILL(4), PID: 7, Thread 7: \n frame #0: [0x7f49957a8009]\n\nnot a frame\n")
        assert stack.frames == (Frame("", address=0x7F49957A8009),)


class TestPySpy:
    """python_stacks.json and native_stacks.json."""

    def test_tells_python_frames_from_native_ones(self) -> None:
        """Python frames have a file and a line; native ones a library."""
        (stack,) = pyspy_text.parse(data("null_native_stacks.json"))
        assert (stack.thread_id, stack.process, stack.name) == (1905, 1905, "MainThread")
        assert stack.frames[0].native and stack.frames[0].function == ""
        names = [(frame.function, frame.line) for frame in stack.python_frames]
        assert names[:3] == [("string_at", 519), ("null_read", 20), ("<module>", 95)]
        assert '"os_thread_id"' in data("null_native_stacks.json").splitlines()[stack.at - 1]

    @pytest.mark.parametrize("text", ["", "Error: no such process", "[\n {\n"])
    def test_gives_nothing_where_py_spy_did_not_get_through(self, text: str) -> None:
        """A dump that was cut off is no dump."""
        assert pyspy_text.parse(text) == ()


class TestGdb:
    """gdb.txt: everything, where gdb is installed."""

    def test_reads_threads_and_frames(self) -> None:
        """The held thread is the faulting one; values of arguments are not part of a name."""
        faulting, waiting = gdb_text.parse(data("worker_gdb.txt"))
        assert (faulting.thread_id, faulting.is_faulting) == (21899, True)
        assert (waiting.thread_id, waiting.is_faulting) == (21869, False)
        assert faulting.frames[1].function == "<signal handler called>"
        assert faulting.frames[6].function.startswith("void c10::function_ref<void (char**, long const*, long, long)>")
        assert faulting.frames[6].library == "libtorch_cpu.so"
        start = faulting.frames[11]
        assert (start.function, start.file, start.line) == ("start_thread", "./nptl/pthread_create.c", 442)

    @pytest.mark.parametrize(
        ("line", "name"),
        [
            ("#1  0x00007f in ?? () from /lib/libc.so.6", ""),
            ("#1  0x00007f in f(int) (x=3) at a.cc:7", "f(int)"),
            ("#0  syscall () at ../sysdeps/syscall.S:38", "syscall"),
            ("#3  0x00007f in g<int>(char**) const () from /lib/g.so", "g<int>(char**) const"),
        ],
    )
    def test_names(self, line: str, name: str) -> None:
        """What gdb prints of a frame, without the values."""
        (stack,) = gdb_text.parse(f'Thread 1 (Thread 0x1 (LWP 5) "python"):\n{line}\n')
        assert stack.frames[0].function == name


class TestFaulthandler:
    """fault.log: Python stacks."""

    def test_names_the_current_thread(self) -> None:
        """The thread that raised the signal, of those that Python knows."""
        log = faulthandler_text.parse(data("thread_fault.log"))
        assert log is not None and log.current is not None
        assert (log.signal, len(log.threads)) == ("Segmentation fault", 2)
        assert [frame.function for frame in log.current.frames[:2]] == ["string_at", "null_read"]

    def test_has_no_current_thread_where_python_does_not_know_it(self) -> None:
        """A pool's worker is not Python's."""
        log = faulthandler_text.parse(data("worker_fault.log"))
        assert log is not None and log.current is None and len(log.threads) == 1

    def test_takes_the_first_of_several_crashes(self) -> None:
        """What crashed later may have crashed of the first."""
        log = faulthandler_text.parse(data("null_fault.log") + data("thread_fault.log"))
        assert log is not None and log.current is not None and log.current.thread_id == 0x7FC6F109DB80

    def test_takes_the_last_on_windows(self) -> None:
        """There, exceptions that were handled are printed too."""
        frames = 'Current thread 0x00001a2b (most recent call first):\n  File "a.py", line 1 in f\n\n'
        block = "Windows fatal exception: %s\n\n" + frames
        log = faulthandler_text.parse(block % "code 0xe06d7363" + block % "access violation")
        assert log is not None and (log.signal, log.at) == ("access violation", 6)

    def test_is_none_where_nothing_crashed(self) -> None:
        """An empty log."""
        assert faulthandler_text.parse("") is None
