"""Runs the Windows tests in a Windows interpreter under Wine, where one has been prepared.

INQUEST_WINE names a folder with `prefix` (the WINEPREFIX) and `py/cp311/python.exe`, with psutil and pytest installed.
Wine's standard streams must be pipes, and only the Windows interpreter sees whole exit codes: it asserts, not we.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FOLDER = Path(os.environ.get("INQUEST_WINE", ""))
PYTHON = FOLDER / "py" / "cp311" / "python.exe"
SECONDS = 300.0

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="Windows itself runs those tests directly"),
    pytest.mark.skipif("INQUEST_WINE" not in os.environ, reason="INQUEST_WINE names no prepared folder"),
    pytest.mark.skipif(shutil.which("wine") is None, reason="Wine is not installed"),
]


def wine_environment() -> dict[str, str]:
    """Return the environment of a headless Wine with Microsoft's C runtime, and without our own Python's variables."""
    kept = {name: value for name, value in os.environ.items() if name != "DISPLAY" and not name.startswith("PYTHON")}
    return kept | {
        "WINEPREFIX": str(FOLDER / "prefix"),
        "WINEARCH": "win64",
        "WINEDEBUG": "-all",
        "WINEDLLOVERRIDES": "mscoree,mshtml=;ucrtbase,vcruntime140,vcruntime140_1,msvcp140=n,b",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


@pytest.fixture(autouse=True, scope="module")
def wine_server() -> Iterator[None]:
    """Leave no process of Wine behind."""
    yield
    subprocess.run(["wineserver", "-k"], env=wine_environment())


def run_pytest(*names: str) -> tuple[int, str]:
    """Run test files in the Windows interpreter; return pytest's exit code and its output."""
    options = ["-q", "-p", "no:cacheprovider", "-o", "addopts=", "--noconftest", "-W", "error"]
    with ExitStack() as stack:
        process = subprocess.Popen(
            ["wine", str(PYTHON), "-m", "pytest", *options, *names], cwd=ROOT, env=wine_environment(), text=True,
            errors="replace", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        timer = threading.Timer(SECONDS, process.kill)
        stack.callback(timer.cancel)
        timer.start()
        output, _ = process.communicate()
    return process.returncode, output


@pytest.mark.parametrize("name", sorted(path.name for path in HERE.glob("test_windows_*.py")))
def test_the_windows_tests_pass_under_wine(name: str) -> None:
    """Each file passes, and none of its tests is skipped."""
    code, output = run_pytest(f"tests/windows/{name}")
    assert code == 0, output
    assert " passed" in output
    assert " skipped" not in output
