"""The memory limits that control groups set for this process and its children (cgroup v1 and v2).

Source: the kernel's Documentation/admin-guide/cgroup-v1/memory.rst and cgroup-v2.rst. A limit holds for all
descendants, so every group up to the root is asked.
"""

from __future__ import annotations

from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
COUNTING = ("memory.current", "memory.usage_in_bytes")
UNLIMITED = 1 << 60  # v1 spells "no limit" as a number near 2 ** 63


def memory_limits(membership: Path = Path("/proc/self/cgroup"), root: Path = ROOT) -> dict[str, int]:
    """Return file -> limit in bytes, for each group that limits memory; empty where none does."""
    return limits_of(membership.read_text() if membership.exists() else "", root)


def limits_of(membership: str, root: Path = ROOT) -> dict[str, int]:
    """Return the same for the text of a /proc/PID/cgroup."""
    files = [file for line in membership.splitlines() for file in _limit_files(line, root)]
    texts = ((file, file.read_text().strip()) for file in files if file.exists())
    return {str(file): int(text) for file, text in texts if text.isdigit() and int(text) < UNLIMITED}


def memory_groups(membership: Path = Path("/proc/self/cgroup"), root: Path = ROOT) -> list[Path]:
    """Return the groups that count a process' memory, its own first, then its parents up to the root."""
    lines = membership.read_text().splitlines() if membership.exists() else []
    groups = [file.parent for line in lines for file in _limit_files(line, root)]
    return [group for group in groups if any((group / name).exists() for name in COUNTING)]


def counting_group(membership: Path = Path("/proc/self/cgroup"), root: Path = ROOT) -> tuple[Path | None, bool]:
    """Return the group that counts a process' memory (None: there is none) and whether it is one of version 1."""
    own = next(iter(memory_groups(membership, root)), None)
    return own, own is not None and (own / "memory.usage_in_bytes").exists()


def _limit_files(line: str, root: Path) -> list[Path]:
    """Return the files that may hold a limit for one line of proc_pid_cgroup(5): hierarchy:controllers:path."""
    _, controllers, path = line.split(":", 2)
    if controllers and "memory" not in controllers.split(","):
        return []
    base, name = (root / "memory", "memory.limit_in_bytes") if controllers else (_unified(root), "memory.max")
    group = base / path.lstrip("/")
    return [folder / name for folder in (group, *group.parents) if folder.is_relative_to(base)]


def _unified(root: Path) -> Path:
    return root / "unified" if (root / "unified").is_dir() else root


def use_bytes(limit_file: Path) -> int | None:
    """Return what a group uses and cannot give back at once; None where it is gone.

    The page cache that nobody reads any more (`inactive_file`) counts as free: the kernel takes it before it kills.
    """
    name = "memory.current" if limit_file.name == "memory.max" else "memory.usage_in_bytes"
    used, stat = limit_file.with_name(name), limit_file.with_name("memory.stat")
    if not (used.exists() and stat.exists()):
        return None
    rows = dict(line.split(" ", 1) for line in stat.read_text().splitlines())
    cache = int(rows.get("total_inactive_file", rows.get("inactive_file", "0")))
    return max(0, int(used.read_text()) - cache)
