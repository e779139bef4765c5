"""The training, validation and test pairs of a PhotoTriage folder, filtered and counted; no image is opened here."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path

from trainer.config import Config
from trainer.pairs import Pair, image_name, read_columns, read_pairs

UNLABELLED_COLUMNS = 3


@dataclass(frozen=True)
class Place:
    """Where a split lies in the data folder."""

    name: str
    list_file: Path
    images: Path


TRAIN = Place("train", Path("train_val/train_pairlist.txt"), Path("train_val/train_val_imgs"))
VALIDATION = Place("val", Path("train_val/val_pairlist.txt"), Path("train_val/train_val_imgs"))
TEST = Place("test", Path("test/test_pairlist.txt"), Path("test/test_imgs"))


@dataclass(frozen=True)
class Split:
    """The pairs that one split uses, and what became of the others.

    `listed` = `ties` + `below_agreement` + `left_out` (by the quick experiment) + the pairs used.
    """

    name: str
    list_file: Path
    images: Path
    pairs: tuple[Pair, ...] = ()
    listed: int = 0
    ties: int = 0
    below_agreement: int = 0
    left_out: int = 0
    all_series: frozenset[int] = field(default=frozenset(), repr=False)

    @property
    def series(self) -> list[int]:
        """The series in use, ascending."""
        return sorted({pair.series for pair in self.pairs})

    @property
    def counts(self) -> dict[str, int]:
        """What `results.json` says about the split."""
        return {
            "listed": self.listed,
            "dropped_ties": self.ties,
            "below_min_agreement": self.below_agreement,
            "left_out_by_quick_experiment": self.left_out,
            "pairs": len(self.pairs),
            "series": len(self.series),
        }

    def image(self, pair: Pair, photo: int) -> Path:
        """The file of one of the pair's photos."""
        return self.images / image_name(pair.series, photo)


@dataclass(frozen=True)
class Splits:
    """The three splits; where there is no test split, `no_test` says why."""

    train: Split
    val: Split
    test: Split | None
    no_test: str | None

    @property
    def present(self) -> list[Split]:
        """The splits that exist."""
        return [self.train, self.val, *([self.test] if self.test else [])]


def quick_series(series: Sequence[int], fraction: float, seed: int, name: str) -> set[int]:
    """A fraction of the series, at least one, chosen by the seed alone."""
    keep = max(1, round(fraction * len(series)))
    return set(random.Random(f"{seed}/{name}").sample(sorted(series), min(keep, len(series))))


def select(place: Place, pairs: Sequence[Pair], config: Config) -> Split:
    """The pairs of one list that training can use, with counts of the others."""
    decided = [pair for pair in pairs if not pair.is_tie]
    agreed = [pair for pair in decided if pair.agreement >= config.min_agreement]
    chosen = quick_series(sorted({pair.series for pair in agreed}), config.quick_experiment, config.seed, place.name)
    used = tuple(pair for pair in agreed if pair.series in chosen)
    return Split(
        name=place.name,
        list_file=config.data / place.list_file,
        images=config.data / place.images,
        pairs=used,
        listed=len(pairs),
        ties=len(pairs) - len(decided),
        below_agreement=len(decided) - len(agreed),
        left_out=len(agreed) - len(used),
        all_series=frozenset(pair.series for pair in pairs),
    )


def train_place(config: Config) -> Place:
    """Where the training pairs are listed: in the data folder, or in a list of the user's own."""
    if config.train_list is None:
        return TRAIN
    return replace(TRAIN, list_file=config.train_list.absolute())


def read_split(place: Place, config: Config) -> tuple[Split, list[str]]:
    """One split and the problems of its list; a missing list and an empty split are problems too."""
    path = config.data / place.list_file
    if not path.is_file():
        return Split(place.name, path, config.data / place.images), [f"there is no list of pairs {path}"]
    pairs, problems = read_pairs(path)
    split = select(place, pairs, config)
    if not split.pairs and not problems:
        problems = [f"{path} leaves no pair to use (of {split.listed}; min_agreement {config.min_agreement:g})"]
    return split, problems


def reason_for_no_test(path: Path) -> str | None:
    """Why there can be no test accuracy; None where the list has preferences."""
    if not path.is_file():
        return f"there is no test list {path.as_posix()}"
    if all(len(columns) == UNLABELLED_COLUMNS for _, columns in read_columns(path)):
        return f"the test list {path.as_posix()} has no preferences"
    return None


def shared_series(splits: Sequence[Split]) -> list[str]:
    """One problem for each two lists that have series in common: a series seen in training proves nothing in a test."""
    shared = [(one, two, sorted(one.all_series & two.all_series)) for one, two in combinations(splits, 2)]
    return [
        f"{one.list_file} and {two.list_file} share {len(both)} series: "
        + ", ".join(map(str, both[:10]))
        + (", ..." if len(both) > 10 else "")
        for one, two, both in shared
        if both
    ]


def read_splits(config: Config) -> tuple[Splits, list[str]]:
    """All splits of the data folder, and every problem of its lists."""
    if not config.data.is_dir():
        empty = Split("none", config.data, config.data)
        advice = "`python -m trainer.series --out DIR` makes one to try with"
        return Splits(empty, empty, None, None), [f"there is no data folder {config.data}; {advice}"]
    train, train_problems = read_split(train_place(config), config)
    val, val_problems = read_split(VALIDATION, config)
    no_test = reason_for_no_test(config.data / TEST.list_file)
    test, test_problems = (None, []) if no_test else read_split(TEST, config)
    splits = Splits(train, val, test, no_test)
    return splits, [*train_problems, *val_problems, *test_problems, *shared_series(splits.present)]
