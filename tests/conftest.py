"""What every test finds: the checkout on the import path, and a quiet environment for the processes that it starts."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [] if str(ROOT) in sys.path else [str(ROOT)]


@pytest.fixture(autouse=True, scope="session")
def one_core_a_process() -> None:
    """Keep real processes from taking every core of the machine that runs the tests."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
