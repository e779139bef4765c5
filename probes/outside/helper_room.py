"""Whether one more helper process may be started here: the supervisor shares its limit of tasks with the target.

A target that leaks threads fills the control group that both are in; a helper would then be refused, and the refusal is
the target's own story, not ours. Source: the kernel's cgroup-v1/pids.rst and cgroup-v2.rst.
"""

from __future__ import annotations

from pathlib import Path

MEMBERSHIP = Path("/proc/self/cgroup")
ROOT = Path("/sys/fs/cgroup")
NEEDED = 4  # tasks: the helper, what it starts, our timer's thread, and one that the target may start meanwhile


def missing(membership: Path = MEMBERSHIP, root: Path = ROOT) -> str | None:
    """Return why no helper should be started now, or None where there is room."""
    lines = membership.read_text(encoding="utf-8").splitlines() if membership.exists() else []
    groups = (group for line in lines for group in _groups(line, root))
    tight = next((group for group in groups if _left(group) < NEEDED), None)
    return None if tight is None else f"no room for a helper under the limit of tasks in {tight}"


def _groups(line: str, root: Path) -> list[Path]:
    _, controllers, path = line.split(":", 2)
    if controllers and "pids" not in controllers.split(","):
        return []
    base = root / "pids" if controllers else (root / "unified" if (root / "unified").is_dir() else root)
    group = base / path.lstrip("/")
    return [folder for folder in (group, *group.parents) if folder.is_relative_to(base) and folder != base]


def _left(group: Path) -> float:
    most, used = group / "pids.max", group / "pids.current"
    text = most.read_text().strip() if most.exists() else "max"
    return int(text) - int(used.read_text()) if text.isdigit() and used.exists() else float("inf")
