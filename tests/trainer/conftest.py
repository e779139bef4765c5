"""Small data sets, and the program itself as a subprocess."""

import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from trainer import logs
from trainer.series.cli import main as make_series

CHECKOUT = Path(__file__).resolve().parents[2]
SHARED_DATA = CHECKOUT.parent / "shared" / "data"

Program = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real annotations, photos and weights; not part of a checkout."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"the real data is not at {SHARED_DATA}")
    return SHARED_DATA


@pytest.fixture(autouse=True)
def fresh_logging() -> Iterator[None]:
    """Leave the project's loggers as a new process finds them."""
    yield
    for name in ("trainer", "trainer.uncaught"):
        logs.close(logging.getLogger(name))
    logging.getLogger("trainer").propagate = True
    logging.getLogger("trainer").setLevel(logging.NOTSET)


@pytest.fixture(scope="session")
def drawn_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small drawn data set that no test may change."""
    out = tmp_path_factory.mktemp("drawn") / "set"
    make_series(["--out", str(out), "--series", "8", "--size", "48", "--no-progress"])
    return out


@pytest.fixture
def drawn(drawn_once: Path, tmp_path: Path) -> Path:
    """A small drawn data set of the test's own."""
    return Path(shutil.copytree(drawn_once, tmp_path / "drawn"))


@pytest.fixture
def small(drawn: Path, tmp_path: Path) -> dict[str, object]:
    """The values of a configuration that trains in a second."""
    return {
        "data": str(drawn),
        "output": str(tmp_path / "run"),
        "backbone": "resnet18",
        "weights": "none",
        "image_size": 40,
        "batch_size": 4,
        "epochs": 1,
        "progress": False,
    }


@pytest.fixture
def program() -> Program:
    """Run `python -m MODULE ARGUMENTS` in the checkout on one thread."""

    def run(module: str, *arguments: object, **extra: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", module, *map(str, arguments)]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", **extra}
        return subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, encoding="utf-8")

    return run
