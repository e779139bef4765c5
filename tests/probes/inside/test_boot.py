"""The program under the boot behaves as it does alone, on every Python that is supported and found here."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from pythons import VERSIONS, find  # noqa: E402

from harness.launch.command import split_options  # noqa: E402

ROOT = Path(__file__).resolve().parents[3]
BOOT = ROOT / "probes" / "inside" / "boot.py"
# What the boot needs, and a fresh interpreter without `site` has not loaded: the standard library, one name of ours.
BESIDES = {
    "__future__", "_collections", "_collections_abc", "_colorize", "_ctypes", "_functools", "_heapq", "_inquest_inside",
    "_json", "_locale", "_operator", "_sre", "_stat", "_struct", "_tokenize", "_typing", "_weakrefset", "atexit",
    "collections", "contextlib", "copyreg", "ctypes", "enum", "faulthandler", "functools", "genericpath", "heapq",
    "importlib", "itertools", "json", "keyword", "linecache", "mmap", "operator", "os", "pkgutil", "posixpath", "re",
    "reprlib", "runpy", "signal", "sre_compile", "sre_constants", "sre_parse", "stat", "struct", "textwrap",
    "threading", "token", "tokenize", "traceback", "types", "typing", "warnings", "weakref",
}  # fmt: skip
LIKELY = ("ctypes", "json", "linecache", "mmap", "pkgutil", "signal", "struct", "textwrap", "token", "traceback")
SHOW = """
import sys
modules, finders = sorted(sys.modules), sorted(sys.path_importer_cache)
import __main__, atexit, hashlib, os, random, signal, threading, warnings
def plain(value):
    return value if isinstance(value, (str, int, type(None))) else type(value).__name__
print("argv", sys.argv, getattr(sys, "orig_argv", [])[1:])
print("name", __name__, __package__, __doc__, __spec__ and __spec__.name)
print("file", globals().get("__file__"), globals().get("__cached__", "none"), plain(__loader__))
print("path", sys.path, os.getcwd(), [entry for entry in finders if "probes" in entry])
print("finders", [plain(finder) for finder in sys.meta_path if "inquest" not in repr(finder)], len(sys.path_hooks))
print("dir", sorted(name for name in dir(__main__) if name not in vars(sys.modules["builtins"])))
print("is main", sys.modules["__main__"] is __main__, __builtins__ is sys.modules["builtins"])
print("hooks", sys.excepthook is sys.__excepthook__, sys.displayhook is sys.__displayhook__, sys.unraisablehook)
print("traces", sys.gettrace(), sys.getprofile(), sys.getswitchinterval(), sys.getdlopenflags())
print("filters", warnings.filters, warnings.showwarning.__module__, getattr(warnings, "onceregistry", None))
print("random", hashlib.sha256(repr(random.Random(7).random()).encode()).hexdigest())
print("signals", [(int(number), str(signal.getsignal(number))) for number in signal.valid_signals()])
print("mask", signal.pthread_sigmask(signal.SIG_BLOCK, []), signal.getitimer(signal.ITIMER_REAL))
print("threads", [thread.name for thread in threading.enumerate()], threading.stack_size())
print("streams", sys.stdout.encoding, sys.stdout.line_buffering, sys.stdin.read(), sys.flags, sys.executable)
print("recursion", sys.getrecursionlimit(), sys.dont_write_bytecode, sys.pycache_prefix, sys.warnoptions, sys._xoptions)
print("descriptor", os.dup(0), os.umask(0o22), os.getpriority(os.PRIO_PROCESS, 0))
print("environment", sorted(os.environ.items()))
print("modules", *modules, sep="\\n")
"""
RAISE = """
def outer(n):
    inner(n)

def inner(n):
    raise ValueError(f"n is {n}: \\u00b5")

outer(3)
"""
HOOKS = """
import sys, threading, traceback
def own(*args):
    kind, error, trace = args[0][:3] if len(args) == 1 else args
    print("own hook", kind, error, *traceback.format_exception(kind, error, trace))
    sys.__excepthook__(kind, error, trace)
{hook} = own
def fail():
    raise ValueError("here")
thread = threading.Thread(target=fail)
if "threading" in "{hook}":
    thread.start()
    thread.join()
else:
    fail()
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


def run(directory: Path, command: list[str], path: str = "") -> subprocess.CompletedProcess[bytes]:
    """Run a command to its end."""
    variables = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    variables |= {"PYTHONIOENCODING": "utf-8"} | ({"PYTHONPATH": str(directory / path)} if path else {})
    return subprocess.run(command, cwd=directory, env=variables, input=b"typed", capture_output=True, timeout=60)


def seen(done: subprocess.CompletedProcess[bytes]) -> list[str]:
    """Return what SHOW printed, but for the modules."""
    lines = done.stdout.decode().splitlines()
    return lines[: lines.index("modules")]


def modules(done: subprocess.CompletedProcess[bytes]) -> set[str]:
    """Return the modules that were loaded when SHOW began."""
    lines = done.stdout.decode().splitlines()
    return set(lines[lines.index("modules") + 1 :])


def alone_and_observed(
    directory: Path, python: str, *words: str, path: str = ""
) -> tuple[subprocess.CompletedProcess[bytes], subprocess.CompletedProcess[bytes]]:
    """Run `python WORDS` twice: without us and under the boot."""
    (directory / "records").mkdir()
    spec = {"folder": str(directory / "records"), "inside_probes": True, "supervisor": os.getpid()}
    (directory / "records" / "spec.json").write_text(json.dumps(spec))
    boot = [str(BOOT), str(directory / "records" / "spec.json"), "--"]
    options, rest = split_options(words)
    return run(directory, [python, *words], path), run(directory, [python, *options, *boot, *rest], path)


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
        assert seen(observed) == seen(alone)
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
        assert seen(observed) == seen(alone)
        assert (observed.returncode, observed.stderr) == (0, alone.stderr)

    @pytest.mark.parametrize("options", [["-c"], ["-u", "-c"], ["-I", "-c"], ["-W", "error", "-X", "dev", "-c"]])
    def test_code_and_options_see_no_difference(self, tmp_path: Path, version: str, options: list[str]) -> None:
        """`-c CODE`, and the interpreter's own options in front of the boot."""
        python = find(version)
        alone, observed = alone_and_observed(tmp_path, python, *options[:-1], "-c", SHOW, "one")
        assert alone.returncode == 0, alone.stderr
        assert seen(observed) == seen(alone)
        assert (observed.returncode, observed.stderr) == (0, alone.stderr)

    @pytest.mark.parametrize("kind", ["folder", "archive.zip"])
    def test_folder_and_archive_see_no_difference(self, tmp_path: Path, version: str, kind: str) -> None:
        """Python runs the `__main__` in it."""
        python = find(version)
        (tmp_path / "folder").mkdir()
        (tmp_path / "folder" / "__main__.py").write_text(SHOW)
        with zipfile.ZipFile(tmp_path / "archive.zip", "w") as archive:
            archive.write(tmp_path / "folder" / "__main__.py", "__main__.py")
        alone, observed = alone_and_observed(tmp_path, python, kind, "one")
        assert alone.returncode == 0, alone.stderr
        assert seen(observed) == seen(alone)

    def test_only_these_modules_are_loaded_besides(self, tmp_path: Path, version: str) -> None:
        """Of the standard library, what the records need; everything of ours lies under one private name."""
        python = find(version)
        (tmp_path / "show.py").write_text(SHOW)
        alone, observed = alone_and_observed(tmp_path, python, "-S", "show.py")
        more = {name.partition(".")[0] for name in modules(observed) - modules(alone)}
        assert more - BESIDES == set()
        assert modules(alone) - modules(observed) == set()

    def test_modules_of_its_own_are_found_first(self, tmp_path: Path, version: str) -> None:
        """A file named as a module of the standard library is imported, whether beside the script or on the path."""
        python = find(version)
        (tmp_path / "more").mkdir()
        for number, name in enumerate(LIKELY):
            (tmp_path / ("more" if number % 2 else ".") / f"{name}.py").write_text(f"own = {name!r}\n")
        lines = [f"import {name}\nprint({name!r}, getattr({name}, 'own', None))" for name in LIKELY]
        (tmp_path / "main.py").write_text("\n".join(lines))
        alone, observed = alone_and_observed(tmp_path, python, "main.py", path="more")
        assert observed.stdout == alone.stdout
        assert observed.stderr == alone.stderr
        assert b"json json" in alone.stdout and b"traceback traceback" in alone.stdout
        assert "end of main" in (tmp_path / "records" / "exits.jsonl").read_text()

    @pytest.mark.parametrize("hook", ["sys.excepthook", "threading.excepthook"])
    def test_hooks_of_its_own_are_called(self, tmp_path: Path, version: str, hook: str) -> None:
        """With the traceback that it would have without us; exit code and output are the same."""
        python = find(version)
        (tmp_path / "hooks.py").write_text(HOOKS.format(hook=hook))
        alone, observed = alone_and_observed(tmp_path, python, "hooks.py")
        assert observed.stderr.decode().splitlines() == alone.stderr.decode().splitlines()
        assert (observed.returncode, observed.stdout) == (alone.returncode, alone.stdout)
        assert b"own hook" in alone.stdout

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
