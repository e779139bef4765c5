"""`python -m tests`: everything that must hold, the quick first. Stops at the first that does not.

Two run at a time: they mostly wait for small programs. Those with torch stay together file by file: they share runs.

Further arguments go to pytest, e.g. `python -m tests -k flight`.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STAGES = (
    ("lint", ["-m", "ruff", "check", "."]),
    ("format", ["-m", "ruff", "format", "--check", "--quiet", "."]),
    ("types", ["-m", "mypy"]),
    ("tests without torch", ["-m", "pytest", "-q", "-m", "not torch", "-n", "2"]),
    ("tests with torch", ["-m", "pytest", "-q", "-m", "torch", "-n", "2", "--dist", "loadfile"]),
)


def main() -> int:
    """Run the stages in order; return the first exit code that is not 0 (pytest's 5, nothing selected, is fine)."""
    for name, command in STAGES:
        print(f"== {name}", flush=True)
        more = sys.argv[1:] if "pytest" in command else []
        code = subprocess.run([sys.executable, *command, *more], cwd=ROOT).returncode
        if code not in (0, 5 if more else 0):
            print(f"== {name}: failed with exit code {code}", flush=True)
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
