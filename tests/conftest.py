"""What every test finds: the checkout on the import path, and a quiet environment for the processes that it starts."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [] if str(ROOT) in sys.path else [str(ROOT)]


@pytest.fixture(autouse=True, scope="session")
def one_core_a_process() -> None:
    """Keep real processes from taking every core of the machine that runs the tests."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(autouse=True, scope="session")
def signals_as_on_a_terminal() -> None:
    """Give ignored signals their default back: under `nohup` or `&` the tests' children would inherit them ignored."""
    for name in ("SIGHUP", "SIGQUIT", "SIGTERM", "SIGXCPU"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
