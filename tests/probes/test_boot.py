"""The program under the boot behaves as it does alone, on every Python that is supported and found here."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "harness"))

from pythons import VERSIONS, find  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
BOOT = ROOT / "probes" / "inside" / "boot.py"
SHOW = """
import __main__, hashlib, os, random, signal, sys, threading, warnings
print("argv", sys.argv)
print("name", __name__, __package__, __doc__, __spec__ and __spec__.name)
print("file", __file__, getattr(__main__, "__cached__", "none"), type(__loader__).__name__)
print("path", sys.path[0], os.getcwd())
print("dir", sorted(name for name in dir(__main__) if name not in vars(sys.modules["builtins"])))
print("is main", sys.modules["__main__"] is __main__, __builtins__ is sys.modules["builtins"])
print("hooks", sys.excepthook is sys.__excepthook__, sys.displayhook is sys.__displayhook__)
print("traces", sys.gettrace(), sys.getprofile())
print("filters", warnings.filters)
print("random", hashlib.sha256(repr(random.Random(7).random()).encode()).hexdigest())
print("signals", [(number.name, str(signal.getsignal(number))) for number in (signal.SIGINT, signal.SIGTERM)])
print("threads", [thread.name for thread in threading.enumerate()])
print("streams", sys.stdout.encoding, sys.stdout.line_buffering, sys.stdin.read(), sys.flags, sys.executable)
print("recursion", sys.getrecursionlimit(), sys.dont_write_bytecode, sys.pycache_prefix)
"""
RAISE = """
def outer(n):
    inner(n)

def inner(n):
    raise ValueError(f"n is {n}: \\u00b5")

outer(3)
"""
CHAIN = """
class Quiet(Exception):
    pass

def f():
    g()

class Closing:
    def __enter__(self):
        return self
    def __exit__(self, *args):
        raise Quiet("second")

def g():
    with Closing():
        {}["first"]

f()
"""


def run(directory: Path, command: list[str]) -> subprocess.CompletedProcess[bytes]:
    """Run a command to its end."""
    variables = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    return subprocess.run(
        command, cwd=directory, env={**variables, "PYTHONIOENCODING": "utf-8"}, input=b"typed", capture_output=True,
        timeout=60,
    )  # fmt: skip


def alone_and_observed(
    directory: Path, python: str, *words: str
) -> tuple[subprocess.CompletedProcess[bytes], subprocess.CompletedProcess[bytes]]:
    """Run `python WORDS` twice: without us and under the boot."""
    (directory / "records").mkdir()
    spec = {"folder": str(directory / "records"), "inside_probes": True, "threads": None, "plant": None}
    (directory / "records" / "spec.json").write_text(json.dumps(spec))
    boot = [python, str(BOOT), str(directory / "records" / "spec.json"), "--"]
    return run(directory, [python, *words]), run(directory, [*boot, *words])


@pytest.mark.parametrize("version", VERSIONS)
class TestSameProgram:
    """Everything that a program can ask of itself."""

    @pytest.mark.parametrize("place", ["show.py", "sub/show.py", "./show.py"])
    def test_script_sees_no_difference(self, tmp_path: Path, version: str, place: str) -> None:
        """Arguments, names, paths, hooks, filters, signals, threads and streams are as without us."""
        python = find(version)
        (tmp_path / "sub").mkdir()
        (tmp_path / place).write_text(SHOW)
        alone, observed = alone_and_observed(tmp_path, python, place, "one", "--two", "ä b")
        assert alone.returncode == 0, alone.stderr
        assert observed.stdout.decode().splitlines() == alone.stdout.decode().splitlines()
        assert (observed.returncode, observed.stderr) == (0, alone.stderr)

    @pytest.mark.parametrize("name", ["module_alone", "package", "package.part"])
    def test_module_sees_no_difference(self, tmp_path: Path, version: str, name: str) -> None:
        """A module, a package with __main__, and a submodule."""
        python = find(version)
        (tmp_path / "package").mkdir()
        for file in ("module_alone.py", "package/__main__.py", "package/part.py"):
            (tmp_path / file).write_text(SHOW)
        (tmp_path / "package" / "__init__.py").write_text("")
        alone, observed = alone_and_observed(tmp_path, python, "-m", name, "one")
        assert alone.returncode == 0, alone.stderr
        assert observed.stdout.decode().splitlines() == alone.stdout.decode().splitlines()
        assert (observed.returncode, observed.stderr) == (0, alone.stderr)

    @pytest.mark.parametrize("text", [RAISE, CHAIN], ids=["plain", "chained"])
    def test_traceback_reads_the_same(self, tmp_path: Path, version: str, text: str) -> None:
        """Letter by letter, for a script and for a module, and the exit code is 1."""
        python = find(version)
        (tmp_path / "raises.py").write_text(text)
        alone, observed = alone_and_observed(tmp_path, python, "raises.py")
        assert observed.stderr.decode().splitlines() == alone.stderr.decode().splitlines()
        assert (observed.returncode, alone.returncode) == (1, 1)
        shutil.rmtree(tmp_path / "records")
        alone, observed = alone_and_observed(tmp_path, python, "-m", "raises")
        assert observed.stderr.decode().splitlines() == alone.stderr.decode().splitlines()
        assert (observed.returncode, alone.returncode) == (1, 1)

    @pytest.mark.parametrize("text", ["def f(:\n", "import sys\nsys.exit('words')\n", "import no_such_module_here\n"])
    def test_other_ends_are_the_same(self, tmp_path: Path, version: str, text: str) -> None:
        """A syntax error, sys.exit with words, a missing import."""
        python = find(version)
        (tmp_path / "ends.py").write_text(text)
        alone, observed = alone_and_observed(tmp_path, python, "ends.py")
        assert observed.stderr.decode().splitlines() == alone.stderr.decode().splitlines()
        assert (observed.returncode, observed.stdout) == (alone.returncode, alone.stdout)


def test_modules_of_the_target_are_not_shadowed(tmp_path: Path) -> None:
    """A target whose own modules are called as ours are gets its own."""
    names = ("boot", "session", "flight", "lines", "target", "tracker", "imports", "faults", "endings", "plant")
    for name in names:
        (tmp_path / f"{name}.py").write_text(f"own = {name!r}\n")
    (tmp_path / "main.py").write_text("".join(f"import {name}\nprint({name}.own)\n" for name in names))
    alone, observed = alone_and_observed(tmp_path, sys.executable, "main.py")
    assert observed.stdout == alone.stdout
    assert observed.stdout.decode().split() == list(names)
