"""Control groups' memory limits, on trees as the kernel lays them out."""

from __future__ import annotations

from pathlib import Path

import pytest

from probes.outside.memory.control_group_limits import memory_limits


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return an empty /sys/fs/cgroup."""
    (tmp_path / "cgroup").mkdir()
    return tmp_path / "cgroup"


def limits(root: Path, membership: str, files: dict[str, str]) -> dict[str, int]:
    """Make the tree, and return the limits relative to its root."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root.parent / "membership").write_text(membership)
    found = memory_limits(root.parent / "membership", root)
    return {str(Path(file).relative_to(root)): limit for file, limit in found.items()}


class TestVersion2:
    """One tree, memory.max."""

    def test_every_group_up_to_the_root_is_asked(self, root: Path) -> None:
        """A parent's limit holds for its children; "max" is none."""
        files = {"a/b/memory.max": "max\n", "a/memory.max": "1000\n", "memory.max": "5000\n"}
        assert limits(root, "0::/a/b\n", files) == {"a/memory.max": 1000, "memory.max": 5000}

    def test_other_groups_do_not_count(self, root: Path) -> None:
        """A sibling's limit is not ours."""
        assert limits(root, "0::/a\n", {"b/memory.max": "1\n", "a/memory.max": "2\n"}) == {"a/memory.max": 2}

    def test_group_may_lie_outside_of_what_is_mounted(self, root: Path) -> None:
        """In a container the path may be unknown here: the root's own limit is read."""
        assert limits(root, "0::/docker/abc\n", {"memory.max": "7\n"}) == {"memory.max": 7}
        assert limits(root, "0::/\n", {"memory.max": "8\n"}) == {"memory.max": 8}


class TestVersion1:
    """A tree a controller, memory.limit_in_bytes."""

    def test_only_the_memory_controller_counts(self, root: Path) -> None:
        """The other hierarchies' paths are not looked at, whoever shares the line."""
        membership = "12:cpu,cpuacct:/x\n9:memory:/a/b\n1:name=systemd:/y\n"
        files = {
            "memory/a/b/memory.limit_in_bytes": "500\n", "memory/memory.limit_in_bytes": "9223372036854771712\n",
            "memory/x/memory.limit_in_bytes": "1\n", "cpu/x/memory.limit_in_bytes": "2\n",
        }  # fmt: skip
        assert limits(root, membership, files) == {"memory/a/b/memory.limit_in_bytes": 500}

    def test_shared_hierarchy(self, root: Path) -> None:
        """`memory` may stand beside other controllers."""
        files = {"memory/g/memory.limit_in_bytes": "600\n"}
        assert limits(root, "3:memory,hugetlb:/g\n", files) == {"memory/g/memory.limit_in_bytes": 600}

    def test_hybrid(self, root: Path) -> None:
        """With both versions mounted, version 2 lies under `unified`."""
        files = {"memory/g/memory.limit_in_bytes": "600\n", "unified/h/memory.max": "700\n"}
        expected = {"memory/g/memory.limit_in_bytes": 600, "unified/h/memory.max": 700}
        assert limits(root, "3:memory:/g\n0::/h\n", files) == expected


class TestNone:
    """No limits, no groups."""

    def test_no_membership_file(self, root: Path) -> None:
        """A system without control groups has no limits."""
        assert memory_limits(root / "missing", root) == {}

    @pytest.mark.parametrize("text", ["max\n", "", "9223372036854771712\n", "garbage\n"])
    def test_no_number_is_no_limit(self, root: Path, text: str) -> None:
        """What does not limit is not reported."""
        assert limits(root, "0::/a\n", {"a/memory.max": text}) == {}

    def test_path_with_colons(self, root: Path) -> None:
        """A group's name may hold colons; only the first two part the line."""
        assert limits(root, "0::/a:b\n", {"a:b/memory.max": "5\n"}) == {"a:b/memory.max": 5}
