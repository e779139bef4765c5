"""Everything that can be asked before training starts, so that a night's run does not die of a missing file."""

import logging
from collections.abc import Iterable
from pathlib import Path

from trainer import outputs
from trainer.check_images import examine
from trainer.config import Config
from trainer.errors import ConfigError
from trainer.progress import track
from trainer.splits import Split, Splits, read_splits

log = logging.getLogger(__name__)

SMALLEST_SIZE_FOR_ONE = 33  # at 32 pixels the last stage of a ResNet is 1 x 1: one value a channel and image


def check(config: Config) -> Splits:
    """The splits to train on; ConfigError with every reason why this configuration cannot run."""
    problems = [*outputs.refusals(config), *weights_problems(config)]
    splits, list_problems = read_splits(config)
    problems += list_problems
    problems += [] if list_problems else batch_problems(config, splits.train)
    if problems:
        raise ConfigError("this run cannot start", problems)
    bad_images = image_problems(splits.present, config)
    if bad_images:
        raise ConfigError("some images cannot be used", bad_images)
    return splits


def weights_problems(config: Config) -> list[str]:
    """A weights file that does not exist."""
    if config.weights in ("imagenet", "none") or Path(config.weights).is_file():
        return []
    return [f"weights: there is no file {config.weights} (or write imagenet, or none)"]


def batch_problems(config: Config, train: Split) -> list[str]:
    """A batch of one pair whose last feature map is a single value, which batch normalisation cannot normalise."""
    alone = config.batch_size == 1 or len(train.pairs) % config.batch_size == 1
    if config.image_size >= SMALLEST_SIZE_FOR_ONE or not alone:
        return []
    return [
        f"image_size {config.image_size} cannot be trained with a batch of one pair ({len(train.pairs)} pairs in "
        f"batches of {config.batch_size}): use an image_size of at least {SMALLEST_SIZE_FOR_ONE}, or another batch_size"
    ]


def where_used(splits: Iterable[Split]) -> dict[Path, str]:
    """Every image in use, once, with the first line of a list that names it."""
    used: dict[Path, str] = {}
    for split in splits:
        for pair in split.pairs:
            for photo in (pair.photo_1, pair.photo_2):
                place = f"series {pair.series}, {split.list_file}, line {pair.line}"
                used.setdefault(split.image(pair, photo), place)
    return used


def image_problems(splits: Iterable[Split], config: Config) -> list[str]:
    """One problem for each image that is missing or, unless `check_images` is off, does not decode in full."""
    used = where_used(splits)
    if not config.check_images:
        return [f"{path} ({place}): the file does not exist" for path, place in used.items() if not path.is_file()]
    log.info("Checking %d images", len(used))
    checked = track(examine(list(used)), len(used), "Checking images", config.progress)
    return [f"{path} ({used[path]}): {problem}" for path, problem in checked if problem]
