"""The limits of one process, each with its use, read at the instant of a refusal; without a helper program.

Sources: getrlimit(2), proc_pid_limits(5), proc_pid_status(5), proc_meminfo(5), proc_sys_kernel(5), proc_sys_vm(5),
proc_sys_fs(5), inotify(7), the kernel's cgroup-v1/pids.rst and cgroup-v2.rst. A row is {"name", "limit", "used"};
sizes in bytes. What cannot be read has no row.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from probes.outside.memory import control_group_limits as control_groups
from probes.outside.system import quiet
from probes.outside.threads import thread_ceilings as thread_limits

Limit = dict[str, Any]


def of_threads(pid: int, root: Path = thread_limits.ROOT) -> list[Limit]:
    """Return what bounds threads and processes, the tightest first: control groups, RLIMIT_NPROC, the machine."""
    found = [*_pids_groups(pid, root), *_nproc(pid), *_machine_threads()]
    return sorted(found, key=_left)


def of_memory(pid: int) -> list[Limit]:
    """Return what bounds a mapping: address space, data, locked memory, number of mappings, commit, control groups."""
    status, limits = _status(pid), quiet.read_text(f"/proc/{pid}/limits")
    rlimits = (
        ("RLIMIT_AS", "Max address space", "VmSize"), ("RLIMIT_DATA", "Max data size", "VmData"),
        ("RLIMIT_MEMLOCK", "Max locked memory", "VmLck"),
    )  # fmt: skip
    found = [
        _limit(name, soft, status[key] * 1024)
        for name, words, key in rlimits
        if (soft := _soft(limits, words)) is not None and key in status
    ]
    return [*found, *_mappings(pid), *_commit(), *_memory_groups(pid)]


def of_descriptors(pid: int) -> list[Limit]:
    """Return what bounds open files: the process' own limit, and the machine's."""
    soft = _soft(quiet.read_text(f"/proc/{pid}/limits"), "Max open files")
    names = quiet.names_in(f"/proc/{pid}/fd")
    own = [_limit("RLIMIT_NOFILE", soft, len(names))] if soft is not None and names else []
    machine = quiet.read_text("/proc/sys/fs/file-nr").split()
    return [*own, *([_limit("fs.file-max", int(machine[2]), int(machine[0]))] if len(machine) == 3 else [])]


def of_watches(pid: int) -> list[Limit]:
    """Return what bounds inotify: instances of the user (here: those of this process), and watches."""
    own = [(name, quiet.read_text(f"/proc/{pid}/fdinfo/{name}")) for name in quiet.names_in(f"/proc/{pid}/fd")]
    watching = [text.count("inotify wd:") for name, text in own if _is_inotify(pid, name)]
    used = {"max_user_instances": len(watching), "max_user_watches": sum(watching)}
    rows = ((name, quiet.read_text(f"/proc/sys/fs/inotify/{name}").strip()) for name in used)
    return [_limit(f"fs.inotify.{name}", int(text), used[name]) for name, text in rows if text.isdigit()]


def of_file_size(pid: int) -> list[Limit]:
    """Return the largest size that a file may have; its use is told by the file itself."""
    soft = _soft(quiet.read_text(f"/proc/{pid}/limits"), "Max file size")
    return [_limit("RLIMIT_FSIZE", soft, None)] if soft is not None else []


def of_processor_time(pid: int) -> list[Limit]:
    """Return the hard limit of processor time, at which the kernel kills, with what a process had used (seconds).

    A process that has ended has both until it is reaped. Source: setrlimit(2), proc_pid_stat(5), fields 14 and 15.
    """
    hard = re.search(r"^Max cpu time\s+\S+\s+(\d+)\s", quiet.read_text(f"/proc/{pid}/limits"), re.MULTILINE)
    fields = quiet.read_text(f"/proc/{pid}/stat").rpartition(") ")[2].split()
    if hard is None or len(fields) < 13:
        return []
    used = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return [{"name": "RLIMIT_CPU", "limit": int(hard[1]), "used": used}]


def is_there(pid: int) -> bool:
    """Return whether there is such a process, and it has not ended."""
    return bool(quiet.read_text(f"/proc/{pid}/maps", 1))


def _pids_groups(pid: int, root: Path) -> Iterator[Limit]:
    for group in thread_limits.groups(quiet.read_text(f"/proc/{pid}/cgroup"), root):
        most, used = (quiet.read_text(group / name).strip() for name in ("pids.max", "pids.current"))
        if most.isdigit() and used.isdigit():
            yield _limit(f"{group}/pids.max", int(most), int(used))


def _nproc(pid: int) -> Iterator[Limit]:
    """Yield RLIMIT_NPROC, which does not bind root (setrlimit(2)), with the threads of the process' real user."""
    soft, user = _soft(quiet.read_text(f"/proc/{pid}/limits"), "Max processes"), _status(pid).get("Uid")
    if soft is not None and user:
        statuses = (_status(int(name)) for name in quiet.names_in("/proc") if name.isdigit())
        used = sum(status.get("Threads", 0) for status in statuses if status.get("Uid") == user)
        yield _limit("RLIMIT_NPROC", soft, used)


def _machine_threads() -> Iterator[Limit]:
    used = quiet.read_text("/proc/loadavg").partition("/")[2].split()
    for name in ("threads-max", "pid_max"):
        most = quiet.read_text(f"/proc/sys/kernel/{name}").strip()
        if most.isdigit() and used:
            yield _limit(f"kernel.{name}", int(most), int(used[0]))


def _mappings(pid: int) -> Iterator[Limit]:
    most = quiet.read_text("/proc/sys/vm/max_map_count").strip()
    used = quiet.read_text(f"/proc/{pid}/maps", 1 << 25).count("\n")
    if most.isdigit() and used:
        yield _limit("vm.max_map_count", int(most), used)


def _commit() -> Iterator[Limit]:
    """Yield the commit limit; without strict accounting (vm.overcommit_memory 2) it is no limit."""
    sizes = _numbers(quiet.read_text("/proc/meminfo"))
    if quiet.read_text("/proc/sys/vm/overcommit_memory").strip() == "2" and "CommitLimit" in sizes:
        yield _limit("CommitLimit", sizes["CommitLimit"] * 1024, sizes["Committed_AS"] * 1024)


def _memory_groups(pid: int) -> Iterator[Limit]:
    for file, most in control_groups.limits_of(quiet.read_text(f"/proc/{pid}/cgroup")).items():
        used = control_groups.use_bytes(Path(file))
        if used is not None:
            yield _limit(file, most, used)


def _status(pid: int) -> dict[str, int]:
    return _numbers(quiet.read_text(f"/proc/{pid}/status"))


def _numbers(text: str) -> dict[str, int]:
    """Return the first number of each line `Name: number ...`."""
    return {name: int(number) for name, number in re.findall(r"^(\w+):\s+(\d+)", text, re.MULTILINE)}


def _soft(limits: str, words: str) -> int | None:
    """Return a soft limit that is set, from the text of /proc/PID/limits."""
    found = re.search(rf"^{words}\s+(\d+)\s", limits, re.MULTILINE)
    return int(found.group(1)) if found else None


def _is_inotify(pid: int, name: str) -> bool:
    return "inotify" in quiet.link_target(f"/proc/{pid}/fd/{name}")


def _limit(name: str, most: int, used: int | None) -> Limit:
    return {"name": name, "limit": most, "used": used}


def _left(limit: Limit) -> int:
    left: int = limit["limit"] - limit["used"]
    return left
