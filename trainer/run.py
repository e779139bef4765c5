"""One training run, from the seed to `results.json`."""

import logging
import random
import time
from typing import Any

import numpy
import torch

from trainer import logs, outputs, weights
from trainer.config import Config
from trainer.dataset import build_loader
from trainer.errors import ConfigError
from trainer.evaluate import accuracy
from trainer.loop import Progress, train
from trainer.model import SiameseRanker, build_backbone
from trainer.splits import Splits

log = logging.getLogger(__name__)


def run(config: Config, splits: Splits) -> dict[str, Any]:
    """Train, test the best checkpoint, write everything to the output folder; the content of `results.json`."""
    started = time.monotonic()
    device = choose_device(config.device)
    seed_everything(config.seed)
    folder = outputs.prepare(config)
    logs.add_file(folder / outputs.LOG, outputs.log_mode(config))
    describe(config, splits)
    model = build_model(config).to(device)
    progress = train(config, splits, model, device)
    test_accuracy, reason = test(config, splits, model, device)
    results = summary(splits, progress, test_accuracy, reason)
    results["seconds"] = round(time.monotonic() - started, 3)
    outputs.write_json(folder / outputs.RESULTS, results)
    log.info("Done: %s", folder / outputs.RESULTS)
    return results


def choose_device(name: str) -> torch.device:
    """The device; ConfigError where this machine, or this build of PyTorch, has no CUDA."""
    if name == "cuda" and not torch.cuda.is_available():
        raise ConfigError("device: cuda is not available here; use device: cpu")
    return torch.device(name)


def seed_everything(seed: int) -> None:
    """Seed the generators of python, numpy and torch."""
    random.seed(seed)
    numpy.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def build_model(config: Config) -> SiameseRanker:
    """The model with its weights loaded."""
    backbone, features = build_backbone(config.backbone)
    weights.load(backbone, config.backbone, config.weights)
    return SiameseRanker(backbone, features, config.hidden, config.dropout)


def describe(config: Config, splits: Splits) -> None:
    """Log what is about to be trained."""
    log.info("PyTorch %s, %s, %d threads", torch.__version__, config.device, torch.get_num_threads())
    log.info("Model: %s, weights %s, hidden %s", config.backbone, config.weights, list(config.hidden))
    for split in splits.present:
        log.info("Split %s: %s", split.name, ", ".join(f"{name} {count}" for name, count in split.counts.items()))
    if splits.no_test:
        log.info("No test accuracy: %s", splits.no_test)


def test(config: Config, splits: Splits, model: SiameseRanker, device: torch.device) -> tuple[float | None, str | None]:
    """The test accuracy of the best checkpoint, or None and the reason why there is none."""
    if not config.evaluate:
        return None, "evaluate is false"
    if splits.test is None:
        return None, splits.no_test
    saved = torch.load(config.output / outputs.CHECKPOINT, map_location=device, weights_only=True)
    model.load_state_dict(saved["model"])
    loader = build_loader(splits.test, config, shuffle=False)
    result = accuracy(model, loader, device, "Test", config.progress)
    log.info("Test accuracy of the checkpoint of epoch %d: %.4f", saved["epoch"], result)
    return result, None


def summary(splits: Splits, progress: Progress, test_accuracy: float | None, reason: str | None) -> dict[str, Any]:
    """What `results.json` says; accuracies from 0 to 1."""
    return {
        "best_epoch": progress.best_epoch,
        "best_val_accuracy": progress.best_val_accuracy,
        "test_accuracy": test_accuracy,
        "test_accuracy_missing_because": reason,
        "stopped_because": progress.stopped_because,
        "epochs": len(progress.history),
        "steps": progress.steps,
        "counts": {split.name: split.counts for split in splits.present},
    }
