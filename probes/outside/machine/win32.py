"""Reads another process through the Win32 API: what psutil reads, but a process that has gone gives zeros.

The one home of the structures that describe a process; those of a job are with the five verbs, which alone use them.

A handle that was opened while the process was there, or while anybody held a handle to it, stays valid after its end.
Sources: "Process Status API", "Tool Help Library" and GlobalMemoryStatusEx in the Win32 reference.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from ctypes import wintypes
from typing import Any

assert sys.platform == "win32"

PROCESS_QUERY_INFORMATION = 0x0400
PROCESS_VM_READ = 0x0010
THREAD_QUERY_LIMITED_INFORMATION = 0x0800
TH32CS_SNAPTHREAD = 0x00000004
LIST_MODULES_ALL = 0x03
MOST_MODULES = 4096
PATH_LETTERS = 1024
UNITS_PER_SECOND = 1e7  # FILETIME counts 100 ns


class MemoryCounters(ctypes.Structure):
    """PROCESS_MEMORY_COUNTERS."""

    _fields_ = [
        ("cb", wintypes.DWORD),
        ("PageFaultCount", wintypes.DWORD),
        ("PeakWorkingSetSize", ctypes.c_size_t),
        ("WorkingSetSize", ctypes.c_size_t),
        ("Quotas", ctypes.c_size_t * 4),
        ("PagefileUsage", ctypes.c_size_t),
        ("PeakPagefileUsage", ctypes.c_size_t),
    ]


class _ThreadEntry(ctypes.Structure):
    """THREADENTRY32."""

    _fields_ = [
        ("dwSize", wintypes.DWORD),
        ("cntUsage", wintypes.DWORD),
        ("th32ThreadID", wintypes.DWORD),
        ("th32OwnerProcessID", wintypes.DWORD),
        ("tpBasePri", wintypes.LONG),
        ("tpDeltaPri", wintypes.LONG),
        ("dwFlags", wintypes.DWORD),
    ]


class _MemoryStatus(ctypes.Structure):
    """MEMORYSTATUSEX."""

    _fields_ = [
        ("dwLength", wintypes.DWORD),
        ("dwMemoryLoad", wintypes.DWORD),
        ("ullTotalPhys", ctypes.c_uint64),
        ("ullAvailPhys", ctypes.c_uint64),
        ("ullTotalPageFile", ctypes.c_uint64),
        ("ullAvailPageFile", ctypes.c_uint64),
        ("ullTotalVirtual", ctypes.c_uint64),
        ("ullAvailVirtual", ctypes.c_uint64),
        ("ullAvailExtendedVirtual", ctypes.c_uint64),
    ]


def _library() -> Any:
    """Return kernel32 with the types of what is called here: handles do not fit ctypes' default int."""
    library = ctypes.WinDLL("kernel32", use_last_error=True)
    handle, pointer, word = wintypes.HANDLE, wintypes.LPVOID, wintypes.DWORD
    for name in ("OpenProcess", "OpenThread"):
        getattr(library, name).argtypes, getattr(library, name).restype = [word, wintypes.BOOL, word], handle
    for name in ("GetProcessTimes", "GetThreadTimes"):
        getattr(library, name).argtypes = [handle, pointer, pointer, pointer, pointer]
    library.CreateToolhelp32Snapshot.argtypes, library.CreateToolhelp32Snapshot.restype = [word, word], handle
    library.Thread32First.argtypes = library.Thread32Next.argtypes = [handle, pointer]
    library.K32GetProcessMemoryInfo.argtypes = [handle, pointer, word]
    library.K32EnumProcessModulesEx.argtypes = [handle, pointer, word, pointer, word]
    library.K32GetModuleFileNameExW.argtypes = [handle, handle, wintypes.LPWSTR, word]
    library.GlobalMemoryStatusEx.argtypes = library.CloseHandle.argtypes = [pointer]
    return library


_kernel32 = _library()


class Process:
    """One process, held open: every question has an answer, before and after its end."""

    def __init__(self, pid: int) -> None:
        """Open the process; one that cannot be opened answers zeros."""
        self.pid = pid
        self._handle = _kernel32.OpenProcess(PROCESS_QUERY_INFORMATION | PROCESS_VM_READ, False, pid)

    def __del__(self) -> None:
        """Close the handle."""
        _kernel32.CloseHandle(self._handle)

    def memory(self) -> tuple[int, int]:
        """Return the working set and the private commit, in bytes."""
        counters = memory_counters(self._handle)
        return counters.WorkingSetSize, counters.PagefileUsage

    def cpu_seconds(self) -> float:
        """Return user and system time together."""
        return sum(cpu_seconds(self._handle))

    def threads(self) -> list[tuple[int, float, float]]:
        """Return each thread's id, user and system seconds."""
        return [(thread, *_thread_times(thread)) for thread in self.thread_ids()]

    def thread_ids(self) -> list[int]:
        """Return the ids of the threads."""
        return [entry.th32ThreadID for entry in _all_threads() if entry.th32OwnerProcessID == self.pid]

    def modules(self) -> list[str]:
        """Return the paths of the program and of all DLLs that are loaded."""
        found, needed = (wintypes.HMODULE * MOST_MODULES)(), wintypes.DWORD(0)
        size = ctypes.sizeof(found)
        _kernel32.K32EnumProcessModulesEx(self._handle, found, size, ctypes.byref(needed), LIST_MODULES_ALL)
        count = min(MOST_MODULES, needed.value // ctypes.sizeof(wintypes.HMODULE))
        return [path for module in found[:count] if module and (path := self._module_path(module))]

    def _module_path(self, module: int | None) -> str:
        path = ctypes.create_unicode_buffer(PATH_LETTERS)
        _kernel32.K32GetModuleFileNameExW(self._handle, module, path, PATH_LETTERS)
        return path.value


def memory_counters(handle: int | None) -> MemoryCounters:
    """Return the memory accounts of a process; zeros where its handle says nothing."""
    counters = MemoryCounters()
    _kernel32.K32GetProcessMemoryInfo(handle, ctypes.byref(counters), ctypes.sizeof(counters))
    return counters


def cpu_seconds(handle: int | None) -> tuple[float, float]:
    """Return the user and the system time of a process; zeros where its handle says nothing."""
    return _times(_kernel32.GetProcessTimes, handle)


def machine() -> tuple[int, int]:
    """Return what the machine still has, in bytes: physical memory, and commit (memory and pagefile together)."""
    status = _MemoryStatus(dwLength=ctypes.sizeof(_MemoryStatus))
    _kernel32.GlobalMemoryStatusEx(ctypes.byref(status))
    return status.ullAvailPhys, status.ullAvailPageFile


def _all_threads() -> Iterator[_ThreadEntry]:
    snapshot = _kernel32.CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0)  # of all processes: it cannot be asked of one
    entry = _ThreadEntry(dwSize=ctypes.sizeof(_ThreadEntry))
    more = _kernel32.Thread32First(snapshot, ctypes.byref(entry))
    while more:
        yield entry
        more = _kernel32.Thread32Next(snapshot, ctypes.byref(entry))
    _kernel32.CloseHandle(snapshot)


def _thread_times(thread: int) -> tuple[float, float]:
    handle = _kernel32.OpenThread(THREAD_QUERY_LIMITED_INFORMATION, False, thread)
    times = _times(_kernel32.GetThreadTimes, handle)
    _kernel32.CloseHandle(handle)
    return times


def _times(ask: Any, handle: int | None) -> tuple[float, float]:
    """Return user and system seconds."""
    created, exited, system, user = (ctypes.c_uint64() for _ in range(4))
    ask(handle, ctypes.byref(created), ctypes.byref(exited), ctypes.byref(system), ctypes.byref(user))
    return user.value / UNITS_PER_SECOND, system.value / UNITS_PER_SECOND
