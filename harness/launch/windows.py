"""The five verbs on Windows.

The child cannot vanish: the open process handle keeps its pid, exit code and times until `reap`. Its descendants cannot
outlive the supervisor: they share one Job Object, which the kernel terminates when the last handle to it is closed, by
`reap` or by the supervisor's own death. Sources: "Job Objects" and "Process Creation Flags" of the Win32 reference.
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import sys
import threading
import time
from ctypes import wintypes
from pathlib import Path
from typing import Any

from harness.facts.ended.ntstatus import ENDED_BY_HARNESS, is_status
from harness.launch.process import Child, Launch, Reaped
from probes.outside.machine import win32

assert sys.platform == "win32"

SWEEP_SECONDS = 5.0
CHUNK_BYTES = 1 << 16
CREATE_SUSPENDED = 0x00000004
SEM_FAILCRITICALERRORS = 0x0001
SEM_NOGPFAULTERRORBOX = 0x0002
SEM_NOOPENFILEERRORBOX = 0x8000
JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE = 0x2000
JOB_OBJECT_BASIC_PROCESS_ID_LIST = 3
JOB_OBJECT_EXTENDED_LIMIT_INFORMATION = 9
MOST_PROCESSES = 4096
WAIT_OBJECT_0 = 0


def start(launch: Launch) -> Child:
    """Start the child suspended, put it into its job, and only then let it run, so that it starts nothing outside.

    Its output goes through pipes and comes unchanged into the record files: a pipe is the one kind of stream that the
    supervisor can hand over on every Windows, whoever else has the file open.
    """
    job = _create_job()
    popen = _create_suspended(launch)
    handle = _handle(popen)
    if not _kernel32.AssignProcessToJobObject(job, handle):
        popen.kill()  # else it would stay suspended for ever
        raise ctypes.WinError(ctypes.get_last_error())
    pumps = [_pump(popen.stdout, launch.stdout), _pump(popen.stderr, launch.stderr)]
    _ntdll.NtResumeProcess(handle)  # by handle; Popen has closed the first thread's. psutil's resume() calls it too
    return Child(popen.pid, popen, {"job": job, "pumps": pumps, "peak_rss_bytes": 0})


def has_ended(child: Child) -> bool:
    """Whether the child has ended: asked of the handle, since 259 (STILL_ACTIVE) can be a real exit code."""
    ended: bool = _kernel32.WaitForSingleObject(_handle(child.popen), 0) == WAIT_OBJECT_0
    if not ended:
        _note_peak(child)
    return ended


def end(child: Child) -> None:
    """Terminate every process of the child's job, with an exit code that nobody else uses."""
    _checked(_kernel32.TerminateJobObject(child.extra["job"], ENDED_BY_HARNESS))


def sweep(child: Child) -> list[int]:
    """Terminate whatever the child has left behind in its job, wait for the last output; return those pids."""
    left = set(_pids(child)) - {child.pid}
    end(child)
    deadline = time.monotonic() + SWEEP_SECONDS
    while _pids(child) and time.monotonic() < deadline:
        time.sleep(0.002)
    for pump in child.extra["pumps"]:
        pump.join(max(0.0, deadline - time.monotonic()))
    return sorted(left)


def reap(child: Child) -> Reaped:
    """Read the exit code (unsigned, 32 bits), times and peak of RSS from the handle, once, and close the job."""
    code = child.popen.wait()
    user, system = win32.cpu_seconds(_handle(child.popen))
    _note_peak(child)
    _kernel32.CloseHandle(child.extra["job"])
    return Reaped(
        code=code,
        signal=None,
        ntstatus=code if is_status(code) else None,
        core=None,
        max_rss_bytes=child.extra["peak_rss_bytes"] or None,
        user_seconds=user,
        system_seconds=system,
    )


def _create_suspended(launch: Launch) -> subprocess.Popen[bytes]:
    """Create the child, its first thread not yet running; Ctrl-C in the console is the supervisor's alone.

    No crash dialog may hold a dead child. The error mode is inherited; it also keeps Windows Error Reporting, with its
    event log entry and its dumps, from being run at all (MicrosoftDocs/sdk-api, pull request 1838).
    """
    mode = _kernel32.GetErrorMode()
    _kernel32.SetErrorMode(mode | SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX | SEM_NOOPENFILEERRORBOX)
    executable, environment = _past_launcher(launch)
    return subprocess.Popen(
        list(launch.command), executable=executable, env=environment, cwd=launch.directory, bufsize=0,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        creationflags=CREATE_SUSPENDED | subprocess.CREATE_NEW_PROCESS_GROUP,
    )  # fmt: skip


def _past_launcher(launch: Launch) -> tuple[str | None, dict[str, str]]:
    """Return the program to start where it is not the command's first word, and the environment.

    The python.exe of a virtual environment only starts the real one as its child: the pid observed would not be the
    program's. So the real one is started, as that launcher (PC/launcher.c) and multiprocessing.popen_spawn_win32 do.
    """
    environment = {**_console_encoding(launch), **launch.environment}
    program = Path(shutil.which(launch.command[0]) or launch.command[0])
    config = program.parent.parent / "pyvenv.cfg"
    rows = config.read_text(encoding="utf-8").splitlines() if config.is_file() else []
    values = {key.strip().lower(): value.strip() for key, _, value in (row.partition("=") for row in rows)}
    real = Path(values.get("home", "")) / program.name
    if "home" not in values or not real.is_file():
        return None, environment
    return str(real), {**environment, "__PYVENV_LAUNCHER__": str(program)}


def _console_encoding(launch: Launch) -> dict[str, str]:
    """Return what gives print() the encoding that it has in a console.

    Into a pipe, Python writes the ANSI code page by default, and a character that it lacks would end the program.
    """
    return {} if "PYTHONUTF8" in launch.environment else {"PYTHONIOENCODING": "utf-8"}


def _pump(source: Any, path: Path) -> threading.Thread:
    """Copy a pipe's bytes to the end of a file until every writer has closed it, in a thread of its own."""
    path.touch()
    thread = threading.Thread(target=_copy, args=(source, path), name=f"pump {path.name}", daemon=True)
    thread.start()
    return thread


def _copy(source: Any, path: Path) -> None:
    with source, open(path, "ab", buffering=0) as target:  # closes the pipe if the disk is full: no silent hang
        shutil.copyfileobj(source, target, CHUNK_BYTES)


class _BasicLimits(ctypes.Structure):
    """JOBOBJECT_BASIC_LIMIT_INFORMATION."""

    _fields_ = [
        ("PerProcessUserTimeLimit", ctypes.c_int64),
        ("PerJobUserTimeLimit", ctypes.c_int64),
        ("LimitFlags", wintypes.DWORD),
        ("MinimumWorkingSetSize", ctypes.c_size_t),
        ("MaximumWorkingSetSize", ctypes.c_size_t),
        ("ActiveProcessLimit", wintypes.DWORD),
        ("Affinity", ctypes.c_size_t),
        ("PriorityClass", wintypes.DWORD),
        ("SchedulingClass", wintypes.DWORD),
    ]


class _ExtendedLimits(ctypes.Structure):
    """JOBOBJECT_EXTENDED_LIMIT_INFORMATION."""

    _fields_ = [
        ("BasicLimitInformation", _BasicLimits),
        ("IoInfo", ctypes.c_uint64 * 6),
        ("ProcessMemoryLimit", ctypes.c_size_t),
        ("JobMemoryLimit", ctypes.c_size_t),
        ("PeakProcessMemoryUsed", ctypes.c_size_t),
        ("PeakJobMemoryUsed", ctypes.c_size_t),
    ]


class _ProcessIds(ctypes.Structure):
    """JOBOBJECT_BASIC_PROCESS_ID_LIST."""

    _fields_ = [
        ("NumberOfAssignedProcesses", wintypes.DWORD),
        ("NumberOfProcessIdsInList", wintypes.DWORD),
        ("ProcessIdList", ctypes.c_size_t * MOST_PROCESSES),
    ]


def _kernel_library() -> Any:
    """Return kernel32 with the argument types of what is called here: handles do not fit ctypes' default int."""
    library = ctypes.WinDLL("kernel32", use_last_error=True)
    handle, pointer, word = wintypes.HANDLE, wintypes.LPVOID, wintypes.DWORD
    library.CreateJobObjectW.argtypes, library.CreateJobObjectW.restype = [pointer, wintypes.LPCWSTR], handle
    library.SetInformationJobObject.argtypes = [handle, ctypes.c_int, pointer, word]
    library.QueryInformationJobObject.argtypes = [handle, ctypes.c_int, pointer, word, pointer]
    library.AssignProcessToJobObject.argtypes = [handle, handle]
    library.TerminateJobObject.argtypes = [handle, wintypes.UINT]
    library.WaitForSingleObject.argtypes, library.WaitForSingleObject.restype = [handle, word], word
    library.CloseHandle.argtypes = [handle]
    return library


_kernel32 = _kernel_library()
_ntdll: Any = ctypes.WinDLL("ntdll")
_ntdll.NtResumeProcess.argtypes = [wintypes.HANDLE]


def _checked(result: Any) -> Any:
    """Return what a Win32 function returned; raise its error where that is zero."""
    if not result:
        raise ctypes.WinError(ctypes.get_last_error())
    return result


def _handle(popen: subprocess.Popen[bytes]) -> int:
    return int(popen._handle)  # type: ignore[attr-defined]  # the one handle that Popen keeps


def _create_job() -> int:
    """Create a job that is terminated when its last handle is closed; children do not inherit this one."""
    job: int = _checked(_kernel32.CreateJobObjectW(None, None))
    limits = _ExtendedLimits()
    limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE
    size = ctypes.sizeof(limits)
    _checked(_kernel32.SetInformationJobObject(job, JOB_OBJECT_EXTENDED_LIMIT_INFORMATION, ctypes.byref(limits), size))
    return job


def _pids(child: Child) -> list[int]:
    """Return the live processes of the child's job."""
    ids = _ProcessIds()
    arguments = (JOB_OBJECT_BASIC_PROCESS_ID_LIST, ctypes.byref(ids), ctypes.sizeof(ids), None)
    _checked(_kernel32.QueryInformationJobObject(child.extra["job"], *arguments))
    return list(ids.ProcessIdList[: ids.NumberOfProcessIdsInList])


def _note_peak(child: Child) -> None:
    """Keep the kernel's peak of RSS while it can be had: some systems forget it when the process ends."""
    peak = win32.memory_counters(_handle(child.popen)).PeakWorkingSetSize
    child.extra["peak_rss_bytes"] = max(child.extra["peak_rss_bytes"], peak)
