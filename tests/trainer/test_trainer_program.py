"""The program from outside: what it writes, what it says, how it ends."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.torch

CHECKOUT = Path(__file__).resolve().parents[2]

PHASES = [
    "Forward: Starting backbone for img1...",
    "Forward: Got feat1 with shape torch.Size([4, 512])",
    "Forward: Starting backbone for img2...",
    "Forward: Got feat2 with shape torch.Size([4, 512])",
    "Loss: Got loss",
    "Backward: Starting...",
    "Backward: Done",
    "Optimizer: Starting step...",
    "Optimizer: Done with step 1",
]


@pytest.fixture
def config_file(small: dict[str, object], tmp_path: Path) -> Path:
    """The small configuration as a file, its output folder named in more than ASCII."""
    path = tmp_path / "config.yaml"
    values = {**small, "output": str(tmp_path / "Läufe"), "progress": True}
    path.write_text(yaml.safe_dump(values, allow_unicode=True), encoding="utf-8")
    return path


def test_a_whole_run(program, config_file: Path, tmp_path: Path) -> None:
    """All output files, the phases in order on stderr and in the log, and a refusal to do it again over them."""
    done = program("trainer", "--config", config_file, "--log-level", "debug", "--quick-experiment", 0.9)
    assert (done.returncode, done.stdout) == (0, "")
    out = tmp_path / "Läufe"
    assert sorted(path.name for path in out.iterdir()) == [
        "best.pt", "config.yaml", "history.json", "results.json", "training.log",
    ]  # fmt: skip
    log = (out / "training.log").read_bytes().decode("utf-8")
    assert "Läufe" in log and "\x1b" not in done.stderr
    for text in (log, done.stderr):
        places = [text.index(phase) for phase in PHASES]
        assert places == sorted(places)
    results = json.loads((out / "results.json").read_text(encoding="utf-8"))
    assert results["stopped_because"] == "epochs" and 0 <= results["test_accuracy"] <= 1
    assert yaml.safe_load((out / "config.yaml").read_text(encoding="utf-8"))["quick_experiment"] == 0.9
    before = {path: path.read_bytes() for path in out.iterdir()}
    again = program("trainer", "--config", config_file)
    assert again.returncode == 2
    assert "already holds an earlier run (results.json, history.json, best.pt)" in again.stderr
    assert {path: path.read_bytes() for path in out.iterdir()} == before
    assert program("trainer", "--config", config_file, "--overwrite", "--set", "max_steps=1").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--set", "bach_size=4"], "did you mean batch_size?"),
        (["--set", "batch_size=[1"], "not valid YAML"),
        (["--set", "batch_size"], "expected key=value"),
        (["--set", "weights=no/such.pth"], "there is no file no/such.pth"),
        (["--quick-experiment", "2"], "quick_experiment: expected a number greater than 0 and at most 1"),
        (["--log-level", "loud"], "invalid choice"),
    ],
)
def test_user_errors(program, config_file: Path, arguments: list[str], words: str) -> None:
    """One message, exit code 2, no traceback, nothing written."""
    ended = program("trainer", "--config", config_file, *arguments)
    assert ended.returncode == 2
    assert words in ended.stderr and "Traceback" not in ended.stderr
    assert not (config_file.parent / "Läufe").exists()


def test_bad_images_end_the_run_before_it_starts(program, config_file: Path, drawn: Path) -> None:
    """A truncated JPEG is one message with file, series and line."""
    image = sorted((drawn / "train_val" / "train_val_imgs").iterdir())[0]
    image.write_bytes(image.read_bytes()[:-100])
    ended = program("trainer", "--config", config_file)
    assert ended.returncode == 2 and "Traceback" not in ended.stderr
    assert f"{image} (series {int(image.name[:6])}, " in ended.stderr and "truncated" in ended.stderr


def test_weights_that_do_not_fit(program, config_file: Path, tmp_path: Path) -> None:
    """The keys are listed, in the log too."""
    torch = pytest.importorskip("torch")
    torch.save({"conv1.weight": torch.zeros(1)}, tmp_path / "w.pth")
    ended = program("trainer", "--config", config_file, "--set", f"weights={tmp_path / 'w.pth'}")
    assert ended.returncode == 2 and "missing: bn1.weight" in ended.stderr and "Traceback" not in ended.stderr
    assert "missing: bn1.weight" in (tmp_path / "Läufe" / "training.log").read_text(encoding="utf-8")


def test_a_defect_is_kept_in_the_log(program, config_file: Path, tmp_path: Path) -> None:
    """An exception has its traceback on stderr once, and in training.log."""
    ended = program("trainer", "--config", config_file, "--set", "backbone_lr=1e30")
    assert ended.returncode == 1 and ended.stderr.count("Traceback") == 1
    log = (tmp_path / "Läufe" / "training.log").read_text(encoding="utf-8")
    assert log.count("Traceback") == 1 and "FloatingPointError" in log


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process")
def test_interrupt(config_file: Path) -> None:
    """Ctrl-C ends the run with 130 and one line."""
    command = [sys.executable, "-m", "trainer", "--config", str(config_file), "--set", "epochs=99"]
    command += ["--set", "patience=99"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, cwd=CHECKOUT, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        next(line for line in process.stderr if "Epoch 1: train loss" in line)
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
    assert process.returncode == 130
    assert rest.endswith("Interrupted.\n") and "Traceback" not in rest


def test_help_needs_no_torch(program) -> None:
    """The help teaches, and importing the command line loads neither torch nor Pillow."""
    helped = program("trainer", "--help")
    assert helped.returncode == 0 and "--quick-experiment" in helped.stdout and "exit codes" in helped.stdout
    code = "import sys, trainer.cli; sys.exit(bool({'torch', 'torchvision', 'PIL', 'numpy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT).returncode == 0


def test_the_series_maker(program, tmp_path: Path) -> None:
    """`python -m trainer.series` makes a set, and refuses in one message to make it again."""
    arguments = ("--out", tmp_path / "set", "--series", 3, "--size", 32)
    assert program("trainer.series", *arguments).returncode == 0
    again = program("trainer.series", *arguments)
    assert again.returncode == 2 and "--force" in again.stderr and "Traceback" not in again.stderr
