"""Training in process: learning rates, steps, early stopping, repeatability."""

import json
import logging
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from trainer import loop, preflight, run  # noqa: E402
from trainer.config import build  # noqa: E402
from trainer.errors import ConfigError  # noqa: E402
from trainer.model import SiameseRanker, build_backbone  # noqa: E402

pytestmark = pytest.mark.torch

Values = dict[str, object]


def train(values: Values, **changes: object) -> tuple[dict, list[dict]]:
    """The results and the history of a run."""
    config = build({**values, **changes}, "test")
    results = run.run(config, preflight.check(config))
    return results, json.loads((config.output / "history.json").read_text(encoding="utf-8"))


def test_two_runs_agree(small: Values, tmp_path: Path) -> None:
    """The same seed gives the same losses and accuracies; another seed gives others."""
    histories = [
        train(small, output=str(tmp_path / name), epochs=2, max_steps=9, seed=seed)[1]
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    ]
    told = ("train_loss", "train_accuracy", "val_accuracy")
    one, same, other = ([[row[name] for name in told] for row in history] for history in histories)
    assert one == same != other


def test_max_steps_ends_cleanly(small: Values) -> None:
    """Training stops after so many optimizer steps in total, over epochs, and still evaluates."""
    results, history = train(small, epochs=50, max_steps=9, patience=50)
    assert (results["stopped_because"], results["steps"], history[-1]["steps"]) == ("max_steps", 9, 9)
    assert results["best_val_accuracy"] is not None and results["test_accuracy"] is not None


def test_without_evaluation(small: Values) -> None:
    """`evaluate: false` measures nothing, keeps no checkpoint, and says why there is no test accuracy."""
    results, history = train(small, evaluate=False, max_steps=2)
    assert results["test_accuracy"] is results["best_epoch"] is None
    assert results["test_accuracy_missing_because"] == "evaluate is false"
    assert history[0]["val_accuracy"] is None
    assert not (Path(str(small["output"])) / "best.pt").exists()


def test_early_stopping(small: Values) -> None:
    """A model that does not learn has its best epoch first, and stops `patience` epochs later."""
    results, history = train(small, epochs=30, patience=3, backbone_lr=0, lr_step="off", quick_experiment=0.2)
    rows = [row["val_accuracy"] for row in history]
    best = rows.index(max(rows)) + 1
    assert (results["stopped_because"], results["best_epoch"]) == ("patience", best)
    assert (results["epochs"], results["best_val_accuracy"]) == (best + 3, max(rows))
    checkpoint = torch.load(Path(str(small["output"])) / "best.pt", weights_only=True)
    assert (checkpoint["epoch"], checkpoint["val_accuracy"]) == (best, max(rows))


def test_epochs_end_training(small: Values) -> None:
    """Otherwise the number of epochs ends it; without a test list the results say so."""
    for path in (Path(str(small["data"])) / "test").glob("*.txt"):
        path.unlink()
    results, history = train(small, epochs=2, quick_experiment=0.2)
    assert (results["stopped_because"], results["epochs"], len(history)) == ("epochs", 2, 2)
    assert results["test_accuracy"] is None and "no test list" in results["test_accuracy_missing_because"]


def test_learning_rates_fall_by_steps(small: Values) -> None:
    """Both rates fall by `lr_gamma` every `lr_step` epochs; the head's stays ten times the backbone's."""
    history = train(small, epochs=5, lr_step=2, patience=9, backbone_lr=1e-3, quick_experiment=0.2)[1]
    assert [row["backbone_lr"] for row in history] == pytest.approx([1e-3, 1e-3, 1e-4, 1e-4, 1e-5])
    assert [row["head_lr"] for row in history] == pytest.approx([1e-2, 1e-2, 1e-3, 1e-3, 1e-4])


def test_learning_rates_may_stay(small: Values) -> None:
    """`lr_step: off` keeps them."""
    history = train(small, epochs=3, lr_step="off", patience=9, max_steps=3, evaluate=False, quick_experiment=0.1)[1]
    assert {row["backbone_lr"] for row in history} == {1e-5}


def test_the_optimizer(small: Values) -> None:
    """SGD with momentum and weight decay on two named groups."""
    model = SiameseRanker(*build_backbone("resnet18"))
    optimizer = loop.build_optimizer(build(small, "test"), model)
    told = [(group["name"], group["lr"], group["momentum"], group["weight_decay"]) for group in optimizer.param_groups]
    assert told == [("backbone", 1e-5, 0.9, 5e-4), ("head", pytest.approx(1e-4), 0.9, 5e-4)]


def test_one_optimizer_step_a_training_step(small: Values, monkeypatch: pytest.MonkeyPatch) -> None:
    """The steps in the results are calls of `optimizer.step()`."""
    calls: list[int] = []
    step = torch.optim.SGD.step
    monkeypatch.setattr(torch.optim.SGD, "step", lambda self, closure=None: (calls.append(1), step(self, closure))[1])
    assert train(small, evaluate=False)[0]["steps"] == len(calls) > 1


def test_counts_add_up(small: Values) -> None:
    """The results count what was listed, dropped and used, for each split."""
    counts = train(small, min_agreement=0.6, quick_experiment=0.5, max_steps=1, evaluate=False)[0]["counts"]
    assert list(counts) == ["train", "val", "test"]
    for split in counts.values():
        out = split["dropped_ties"] + split["below_min_agreement"] + split["left_out_by_quick_experiment"]
        assert split["listed"] == split["pairs"] + out


def test_workers_give_the_same_batches(small: Values, tmp_path: Path) -> None:
    """Loading images in processes changes no loss."""
    losses = [
        train(small, output=str(tmp_path / str(workers)), num_workers=workers, max_steps=2, evaluate=False)[1]
        for workers in (0, 1)
    ]
    assert losses[0][0]["train_loss"] == losses[1][0]["train_loss"]


def test_a_loss_that_is_no_number_surfaces(small: Values) -> None:
    """Training does not go on with a model that is lost."""
    with pytest.raises(FloatingPointError, match="the loss of step"):
        train(small, backbone_lr=1e30, epochs=3)


def test_no_cuda_here(small: Values) -> None:
    """Asking for a device that is not there is a user error."""
    if torch.cuda.is_available():
        pytest.skip("this machine has CUDA")
    with pytest.raises(ConfigError, match="cuda is not available"):
        train(small, device="cuda")


def test_a_second_run_does_not_write_into_the_first_log(small: Values, tmp_path: Path) -> None:
    """Each run's log is its own; a log that a dead run left is continued, not replaced."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "training.log").write_text("left by a run that died\n", encoding="utf-8")
        logging.getLogger("trainer").setLevel("INFO")
        train(small, output=str(tmp_path / name), max_steps=1, evaluate=False, overwrite=name == "b")
    first, second = ((tmp_path / name / "training.log").read_text(encoding="utf-8") for name in ("a", "b"))
    assert first.startswith("left by a run that died\n")
    assert "left by" not in second
    assert first.count("Done: ") == second.count("Done: ") == 1
