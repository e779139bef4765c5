"""Pretrained weights for the backbone: torchvision's own, a local state_dict, or none."""

import logging
import zipfile
from pathlib import Path

import torch
from torch import Tensor, nn
from torchvision import models

from trainer.errors import ConfigError

log = logging.getLogger(__name__)

PICKLE_START = b"\x80"
CLASSIFIER = "fc."
COUNTER = ".num_batches_tracked"  # absent from checkpoints older than PyTorch 0.4.1; training counts it anew


def load(backbone: nn.Module, name: str, weights: str) -> None:
    """Fill the backbone as the key `weights` says; ConfigError lists the keys that are missing or do not match."""
    if weights == "none":
        log.info("Backbone %s starts from random weights", name)
        return
    state = download(name) if weights == "imagenet" else read(Path(weights))
    fill(backbone, state, weights)
    log.info("Backbone %s starts from the weights %s", name, weights)


def download(name: str) -> dict[str, Tensor]:
    """Torchvision's ImageNet weights, from its cache or the network; URLError where there is neither.

    IMAGENET1K_V1: what `pretrained=True` used to mean, hence comparable with older results.
    """
    entry = models.get_model_weights(name)["IMAGENET1K_V1"]
    return dict(entry.get_state_dict(progress=False, check_hash=True))


def read(path: Path) -> dict[str, Tensor]:
    """The tensors of a local state_dict; nothing in the file is executed."""
    with path.open("rb") as stream:
        start = stream.read(1)
    if not zipfile.is_zipfile(path) and start != PICKLE_START:
        raise ConfigError(f"weights: {path} is not a file that torch.save has written")
    state = torch.load(path, map_location="cpu", weights_only=True)
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise ConfigError(f"weights: {path} does not hold a state_dict (a mapping of names to tensors)")
    return state


def fill(backbone: nn.Module, state: dict[str, Tensor], source: str) -> None:
    """Copy a state_dict into the backbone, cast to the backbone's own types; a classifier `fc.*` is left aside."""
    given = {name: value for name, value in state.items() if not name.startswith(CLASSIFIER)}
    problems = mismatches(backbone.state_dict(), given)
    if problems:
        raise ConfigError(f"the weights {source} do not fit the backbone", problems)
    cast = {name: given.get(name, own).to(own.dtype) for name, own in backbone.state_dict().items()}
    backbone.load_state_dict(cast)


def mismatches(expected: dict[str, Tensor], given: dict[str, Tensor]) -> list[str]:
    """One problem for each key that is missing, unknown, of another shape, or not finite."""
    missing = [name for name in expected if name not in given and not name.endswith(COUNTER)]
    both = [name for name in expected if name in given]
    wrong = [name for name in both if expected[name].shape != given[name].shape]
    return [
        *(f"missing: {name}" for name in missing),
        *(f"unexpected: {name}" for name in given if name not in expected),
        *(f"{name}: expected shape {list(expected[name].shape)}, got {list(given[name].shape)}" for name in wrong),
        *(f"{name}: holds values that are not finite" for name in both if not torch.isfinite(given[name]).all()),
    ]
