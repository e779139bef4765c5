"""Real controls, through the command line and the workers."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from observing import harness

from harness.controls import reuse, store
from harness.controls.pool import Pool
from harness.controls.score import Score
from harness.facts import proven
from probes import records

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="most faults are planted for Linux")
FEW = ("segv-main", "os-exit", "sigkill", "exception", "healthy-exit")


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Score], list[str]]:
    """Run a few quick ones; return their folder, the scores, and the order in which they ended."""
    folder, ended = tmp_path_factory.mktemp("few"), []
    wanted = reuse.chosen(list(FEW), True)
    scores = Pool(folder, None, lambda _: None, lambda found: ended.append(found.id)).run(wanted, lambda: True)
    return folder, scores, ended


class TestPool:
    """Workers, two at a time."""

    def test_all_are_proven(self, few: tuple[Path, list[Score], list[str]]) -> None:
        """Each by its own family."""
        assert {found.id: (found.observed, found.proven) for found in few[1]} == {
            "segv-main": ("native-fault", True), "sigkill": ("external-kill", True),
            "os-exit": ("deliberate-exit", True), "exception": ("python-exception", True),
            "healthy-exit": ("no-failure", True),
        }  # fmt: skip

    def test_order_is_the_catalogue_s(self, few: tuple[Path, list[Score], list[str]]) -> None:
        """Whoever ends first."""
        assert [found.id for found in few[1]] == [planted.id for planted in reuse.chosen(list(FEW), True)]
        assert sorted(few[2]) == sorted(FEW)

    def test_each_is_an_inquest_that_can_be_reviewed(self, few: tuple[Path, list[Score], list[str]]) -> None:
        """Its folder has what an inquest's has."""
        root = few[0] / "sigkill"
        assert (root / records.JOURNAL).exists() and (root / records.PLAN).exists()
        done = harness(few[0], "review", root)
        assert done.returncode == 3, done.stdout + done.stderr

    def test_killer_is_outside(self, few: tuple[Path, list[Score], list[str]]) -> None:
        """Nobody recorded the sending: neither the program nor a child of its own."""
        folder = few[0] / "sigkill" / "trials" / "as-is" / "1"
        record = records.read_json(folder / records.EXIT) or {}
        assert (record["signal"], record["ended_by"]) == ("SIGKILL", "outside")
        sent = [row.value for row in records.read_lines(folder / records.EXITS).rows]
        assert not any(row["call"] in ("os.kill", "os.killpg") for row in sent)
        assert not (folder / "processes").exists()

    def test_proven_ones_are_handed_down(self, tmp_path: Path) -> None:
        """In full, each is judged with what is proven so far."""
        known = tmp_path / "proven.json"
        store.save(known, [], quick=True)
        pool = Pool(tmp_path, known, lambda _: None, lambda _: None)
        scores = pool.run(reuse.chosen(["os-exit"], False), lambda: True)
        assert scores[0].established == ("deliberate-exit",) and scores[0].trials > 1
        assert (tmp_path / "os-exit" / proven.NAME).read_text() == known.read_text()


class TestCommand:
    """`harness controls`."""

    def test_quick_and_only(self, tmp_path: Path) -> None:
        """The lines, the table, the matrix, and the path of controls.json last; no inquest reuses a part."""
        done = harness(tmp_path, "controls", "--quick", "--only", "healthy-exit", "os-exit", "--out", "out")
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        assert "  proven      os-exit: deliberate-exit" in done.stdout
        assert "2 of 2 proven here" in done.stdout and "planted (rows) and found (columns)" in done.stdout
        path = tmp_path / done.stdout.splitlines()[-1]
        assert [control.id for control in proven.load(path)] == ["os-exit", "healthy-exit"]
        assert not (tmp_path / "out" / proven.NAME).exists()

    def test_unknown_id(self, tmp_path: Path) -> None:
        """One message, which lists those that there are."""
        done = harness(tmp_path, "controls", "--only", "nothing")
        assert done.returncode == 2 and done.stdout == ""
        assert done.stderr.startswith("harness: --only nothing: there is no such control; there are: oom-kill, ")
        assert not (tmp_path / "reports").exists()

    def test_out_that_is_no_folder(self, tmp_path: Path) -> None:
        """Nothing is run first."""
        (tmp_path / "file").write_text("")
        assert harness(tmp_path, "controls", "--quick", "--out", "file").returncode == 2
