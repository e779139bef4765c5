"""Everything that can be read from one live process from outside, each tool bounded, each failure a Gap.

The process may vanish at any instant, so nothing of it is opened here: tools read it, and a tool that fails says why.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from probes import records
from probes.outside.ends import halted
from probes.outside.machine import stack_tools
from probes.outside.probe import ToolResult, run_tool

PROC_FILES = ("maps", "status", "limits", "smaps_rollup")
THREAD_FILES = ("comm", "stat", "syscall", "wchan")
REFUSED = ("permission denied", "operation not permitted", "eperm", "eacces")
GDB = ("-batch", "-nx", "-iex", "set debuginfod enabled off", "-iex", "set auto-load no", "-ex", "set pagination off")
GDB_FRAMES = 256  # a thread; a stack that has overflowed has tens of thousands, which takes gdb minutes
LONGEST_REASON = 400


class Snapshot:
    """Takes one process' state into `folder`; what cannot be had becomes a line in the file `gaps`.

    All tools together get `seconds`, so the cheap ones are to be asked first.
    """

    def __init__(self, pid: int, folder: Path, gaps: Path, seconds: float = 8.0) -> None:
        """Make the folder and start the clock."""
        self.pid, self.folder, self._gaps = pid, folder, gaps
        self._deadline = time.monotonic() + seconds
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def left(self) -> float:
        """The seconds that are left for further tools; 0 where the time is up."""
        return max(0.0, self._deadline - time.monotonic())

    def proc(self) -> None:
        """Copy what /proc says: {maps,status,limits,smaps_rollup}.txt, and threads.txt, one line a thread and file."""
        self.files()
        self.threads()

    def files(self) -> None:
        """Copy the files that tell of the process as a whole."""
        if sys.platform != "linux":
            self.gap("proc", "there is no /proc on this system")
            return
        for name in PROC_FILES:
            self.take(f"proc {name}", ["cat", f"/proc/{self.pid}/{name}"], f"{name}.txt")

    def threads(self) -> None:
        """Copy the files that tell of each thread, as grep(1) prints them."""
        if sys.platform != "linux":
            return
        wanted = " ".join(f"/proc/{self.pid}/task/*/{name}" for name in THREAD_FILES)
        self.take("proc threads", ["sh", "-c", f"grep -aH . {wanted}"], "threads.txt")

    def python(self) -> None:
        """Take the Python stacks of all threads that Python knows: python_stacks.json."""
        self._py_spy("python stacks", "python_stacks.json")

    def native(self) -> None:
        """Take the same with the native frames between: native_stacks.json; stops the process meanwhile."""
        self._py_spy("native stacks", "native_stacks.json", "--native")

    def gdb(self) -> None:
        """Take the native stacks of all threads, known to Python or not: gdb.txt, where gdb is installed."""
        path = stack_tools.gdb()
        if path is not None and not halted.is_frozen(self.pid):
            command = [path, *GDB, "-p", str(self.pid), "-ex", f"thread apply all bt {GDB_FRAMES}"]
            self.take("gdb", command, "gdb.txt")

    def take(self, probe: str, command: list[str], name: str) -> ToolResult:
        """Run one tool in the time that is left; its output into the file `name`, its failure into the gaps."""
        left = self.left
        if left <= 0.0:
            self.gap(probe, "no time was left for it")
            return ToolResult(None, "", "")
        result = run_tool(command, left)
        if result.stdout:
            (self.folder / name).write_text(result.stdout, encoding="utf-8", errors="replace")
        if result.code != 0:
            words = result.stderr.partition("\nStack backtrace:")[0].strip()
            self.gap(probe, words[:LONGEST_REASON] or f"exit code {result.code}")
        return result

    def gap(self, probe: str, reason: str) -> None:
        """Note evidence that is missing."""
        records.append(self._gaps, {"probe": probe, "reason": f"process {self.pid}: {reason}"})

    def _py_spy(self, probe: str, name: str, *options: str) -> None:
        path = stack_tools.py_spy()
        if path is None or halted.is_frozen(self.pid):
            self.gap(probe, "py-spy is not installed" if path is None else "its control group is frozen")
            return
        result = self.take(probe, [path, "dump", *options, "--json", "--pid", str(self.pid)], name)
        if result.code != 0 and any(word in result.stderr.lower() for word in REFUSED):
            self.gap(probe, f"reading another process' stacks: {stack_tools.ptrace_setting()}")
