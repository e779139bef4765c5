"""The files that a process has open for writing, and the file systems behind them: which of them is full, or too long.

Sources: proc_pid_fd(5), proc_pid_fdinfo(5) (`flags`, `pos`), proc_pid_mountinfo(5), statvfs(3). File systems behind a
network or a program of a user are not asked: the answer may never come.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from probes.outside.system import quiet

LOCAL = (
    "ext2", "ext3", "ext4", "xfs", "btrfs", "tmpfs", "f2fs", "zfs", "overlay", "vfat", "exfat", "bcachefs", "jfs",
    "devtmpfs",
)  # fmt: skip
WRITABLE = os.O_WRONLY | os.O_RDWR
FLAGS = re.compile(r"^flags:\s+(?P<flags>[0-7]+)$", re.MULTILINE)
POSITION = re.compile(r"^pos:\s+(?P<position>\d+)$", re.MULTILINE)
MOUNT = re.compile(r"^mnt_id:\s+(?P<mount>\d+)$", re.MULTILINE)
LEAST_BYTES = 1 << 16  # less free than this is full: some writes need several blocks
MOST_FILES = 4096
ALWAYS_FULL = "/dev/full"  # full(4)


class OpenFile(NamedTuple):
    """One regular file that is open for writing."""

    path: str
    position: int
    space: quiet.Space | None

    @property
    def is_full(self) -> bool:
        """Whether its file system has no room, or it is the device that never has."""
        return self.path == ALWAYS_FULL or (self.space is not None and is_full(self.space))


def is_full(space: quiet.Space) -> bool:
    """Whether a file system has no room, or can hold no further file."""
    return space.bytes > 0 and (space.free_bytes < LEAST_BYTES or (space.inodes > 0 and space.free_inodes == 0))


def open_for_writing(pid: int) -> list[OpenFile]:
    """Return the regular files that a process may write to now; none where it has gone."""
    local = _local_mounts(quiet.read_text(f"/proc/{pid}/mountinfo"))
    found = (_open_file(pid, name, local) for name in quiet.names_in(f"/proc/{pid}/fd")[:MOST_FILES])
    return [file for file in found if file]


def full_file_systems(pid: int) -> list[tuple[str, quiet.Space]]:
    """Return the writable local file systems without room, as the process sees them, or else as we do."""
    text = quiet.read_text(f"/proc/{pid}/mountinfo") or quiet.read_text("/proc/self/mountinfo")
    spaces = ((place, quiet.space_of(place)) for place in dict.fromkeys(_mounts(text)))
    return [(place, space) for place, space in spaces if space is not None and is_full(space)]


def described(path: str, space: quiet.Space | None) -> dict[str, Any]:
    """Return a path with the free bytes and inodes of its file system; inodes only where it counts them."""
    if path == ALWAYS_FULL:
        return {"path": path, "free_bytes": 0}  # what statvfs tells is of the file system that the device's name is on
    if space is None:
        return {"path": path}
    inodes = {"free_inodes": space.free_inodes} if space.inodes else {}
    return {"path": path, "free_bytes": space.free_bytes, **inodes}


def _open_file(pid: int, name: str, local: frozenset[str]) -> OpenFile | None:
    info = quiet.read_text(f"/proc/{pid}/fdinfo/{name}")
    flags, position = FLAGS.search(info), POSITION.search(info)
    path = quiet.link_target(f"/proc/{pid}/fd/{name}") if flags and int(flags["flags"], 8) & WRITABLE else ""
    if not path.startswith("/") or path.startswith(("/dev/null", "/dev/pts", "/proc/", "/sys/")) or not position:
        return None
    mount = MOUNT.search(info)
    may_ask = mount is not None and mount["mount"] in local
    return OpenFile(path, int(position["position"]), quiet.space_of(f"/proc/{pid}/fd/{name}") if may_ask else None)


def _local_mounts(text: str) -> frozenset[str]:
    """Return the ids of the mounts whose file system answers by itself."""
    parts = (line.partition(" - ") for line in text.splitlines())
    return frozenset(left.split()[0] for left, _, right in parts if right.split()[:1] and right.split()[0] in LOCAL)


def _mounts(text: str) -> Iterator[str]:
    """Yield the places of the local file systems that can be written to."""
    for line in text.splitlines():
        left, _, right = line.partition(" - ")
        fields, (kind, _, options, *_) = left.split(), [*right.split(), "", "", ""]
        if kind in LOCAL and "ro" not in (*fields[5].split(","), *options.split(",")):
            yield fields[4].encode().decode("unicode_escape")  # a space is spelt \040
