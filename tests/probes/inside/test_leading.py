"""Fresh interpreters that the target starts are observed, and none of them can tell; on every Python found here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pythons import VERSIONS, find  # noqa: E402

from probes import records  # noqa: E402

ROOT = Path(__file__).resolve().parents[3]
BOOT = ROOT / "probes" / "inside" / "boot.py"
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="paths and descriptors of POSIX")
CHILD = """
import json, os, sys
print(json.dumps([sys.argv, getattr(sys, "orig_argv", [None])[1:], sys.path[0], os.getcwd(), sys.flags.optimize,
                  __name__, os.environ.get("ONLY"), os.dup(0)]))
sys.stdout.flush()
sys.exit(int(sys.argv[-1]))
"""
PARENT = """
import json, os, subprocess, sys
os.makedirs("sub", exist_ok=True)
open("child.py", "w").write({child!r})
open("sub/child.py", "w").write({child!r})
base = os.path.basename(sys.executable)
def show(words, **more):
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more) as done:
        said = done.communicate()[0].decode()
    same = done.args is words
    print(json.dumps([said.splitlines(), done.returncode, same]))
show([sys.executable, "child.py", "a", "3"])
show((sys.executable, "-u", "-O", "child.py", "--", "4"))
show([sys.executable, "-W", "ignore", "-X", "dev", "-m", "child", "5"])
show([sys.executable, "-c", {child!r}, "6"])
show([sys.executable, "child.py", "7"], cwd="sub", env={{"ONLY": "this"}})
show([base, "child.py", "8"], executable=sys.executable)
show([base, "child.py", "9"], env={{**os.environ, "PATH": os.path.dirname(sys.executable)}})
show([sys.executable, "none.py", "1"])
show([sys.executable, "-V"])
show([sys.executable, "-m"])
show([sys.executable + " child.py 2"], shell=True)
show(["sh", "-c", "echo sh; exit 5"])
show([os.fsencode(sys.executable), b"child.py", b"10"])
"""
WORKERS = """
import multiprocessing, os, sys
def work(number):
    os._exit(number)
if __name__ == "__main__":
    codes = []
    for number, method in enumerate(("spawn", "forkserver", "fork"), 1):
        worker = multiprocessing.get_context(method).Process(target=work, args=(number,))
        worker.start()
        worker.join(30)
        codes.append(worker.exitcode)
    print(codes)
"""


def run(folder: Path, python: str, text: str, observed: bool) -> subprocess.CompletedProcess[str]:
    """Run a script alone, or under the boot with the folder's records."""
    folder.mkdir()
    (folder / "records").mkdir()
    (folder / "script.py").write_text(text)
    spec = {"folder": str(folder / "records"), "inside_probes": True, "supervisor": os.getpid()}
    (folder / "records" / "spec.json").write_text(json.dumps(spec))
    boot = [str(BOOT), str(folder / "records" / "spec.json"), "--"] if observed else []
    variables = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    return subprocess.run(
        [python, *boot, "script.py"], cwd=folder, env=variables, capture_output=True, text=True, timeout=60
    )


def processes(folder: Path) -> list[dict[str, Any]]:
    """Return process.json of every process that has a folder, in the order in which they began."""
    found = [json.loads(path.read_text()) for path in (folder / "records").glob("processes/*/process.json")]
    return sorted(found, key=lambda row: float(row["t"]))


@POSIX
@pytest.mark.parametrize("version", VERSIONS)
class TestSubprocess:
    """subprocess.Popen of this very Python."""

    def test_children_and_parent_see_no_difference(self, tmp_path: Path, version: str) -> None:
        """Whatever way it is started; what Python refuses, it refuses in its own words."""
        python = find(version)
        text = PARENT.format(child=CHILD)
        alone = run(tmp_path / "alone", python, text, observed=False)
        observed = run(tmp_path / "observed", python, text, observed=True)
        assert (alone.returncode, alone.stderr) == (0, "")
        expected = alone.stdout.replace(str(tmp_path / "alone"), str(tmp_path / "observed"))
        assert observed.stdout.splitlines() == expected.splitlines()
        assert observed.stderr == ""

    def test_each_has_records_of_its_own(self, tmp_path: Path, version: str) -> None:
        """Eight of them are Python programs that can be led; each has its end, and its parent knows its code."""
        python = find(version)
        run(tmp_path / "observed", python, PARENT.format(child=CHILD), observed=True)
        found = processes(tmp_path / "observed")
        assert [row["how"] for row in found] == ["subprocess"] * 8
        folders = [tmp_path / "observed" / "records" / "processes" / str(row["pid"]) for row in found]
        rows = [records.read_lines(folder / records.EXITS).rows for folder in folders]
        assert [[row.value["code"] for row in own if row.value["call"] == "sys.exit"] for own in rows] == [
            [3], [4], [5], [6], [7], [8], [9], [10],
        ]  # fmt: skip
        told = records.read_lines(tmp_path / "observed" / "records" / records.CHILDREN).rows
        ends = {row.value["child"]: row.value["code"] for row in told if row.value["event"] == "ended"}
        assert [ends[row["pid"]] for row in found] == [3, 4, 5, 6, 7, 8, 9, 10]
        assert len({row["parent"] for row in found}) == 1


@POSIX
@pytest.mark.parametrize("version", VERSIONS)
def test_workers_of_every_kind_are_observed(tmp_path: Path, version: str) -> None:
    """spawn, forkserver and fork: how each came to be, who is its parent, and its own last call."""
    python = find(version)
    done = run(tmp_path / "observed", python, WORKERS, observed=True)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "[1, 2, 3]", "")
    found = processes(tmp_path / "observed")
    kinds = [row["how"] for row in found]
    assert kinds == ["spawn", "forkserver", "fork", "fork"]
    server = found[1]["pid"]
    assert found[2]["parent"] == server
    assert {found[at]["parent"] for at in (0, 1, 3)} == {found[0]["parent"]}
    for row in (found[0], found[2], found[3]):
        own = records.read_lines(tmp_path / "observed" / "records" / "processes" / str(row["pid"]) / records.EXITS)
        assert "os._exit" in [line.value["call"] for line in own.rows]
