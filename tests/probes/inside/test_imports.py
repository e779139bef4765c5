"""Calling back when a module has been imported."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

from source_files import ROOT

PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
from probes.inside import imports
imports.when_imported("outer", lambda module: print("called with", module.__name__))
import outer
"""


def test_a_module_in_a_zip_file_is_told_from_those_that_it_imports(tmp_path: Path) -> None:
    """One loader serves all modules of a zip file; only the one that is waited for counts."""
    with zipfile.ZipFile(tmp_path / "both.zip", "w") as archive:
        archive.writestr("outer.py", "import inner\nprint('outer has run')\n")
        archive.writestr("inner.py", "print('inner has run')\n")
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "both.zip")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["inner has run", "outer has run", "called with outer"]
