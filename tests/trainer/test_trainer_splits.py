"""Splits are filtered, counted and never share a series."""

import shutil
from pathlib import Path

import pytest

from trainer.config import Config, build
from trainer.splits import read_splits


def configured(data: Path, **values: object) -> Config:
    """A configuration for a data folder."""
    return build({"data": str(data), "output": "unused", **values}, "test")


def write_lists(data: Path, train: str, val: str, test: str | None = None) -> Path:
    """A data folder with lists and no images."""
    (data / "train_val").mkdir(parents=True)
    (data / "train_val" / "train_pairlist.txt").write_text(train, encoding="utf-8")
    (data / "train_val" / "val_pairlist.txt").write_text(val, encoding="utf-8")
    if test is not None:
        (data / "test").mkdir()
        (data / "test" / "test_pairlist.txt").write_text(test, encoding="utf-8")
    return data


@pytest.fixture
def real_folder(real_data: Path, tmp_path: Path) -> Path:
    """The real lists in the layout of PhotoTriage."""
    (tmp_path / "train_val").mkdir()
    for name in ("train", "val"):
        shutil.copy(real_data / "phototriage" / f"{name}_pairlist.txt", tmp_path / "train_val")
    return tmp_path


def test_real_counts(real_folder: Path) -> None:
    """Ties are dropped and counted; the real lists share no series; without a test list there is a reason."""
    splits, problems = read_splits(configured(real_folder))
    assert problems == []
    assert (splits.train.listed, splits.train.ties, len(splits.train.pairs)) == (12075, 91, 11984)
    assert (splits.val.listed, splits.val.ties, len(splits.val.pairs)) == (483, 1, 482)
    assert len(splits.val.series) == 195
    assert splits.test is None
    assert splits.no_test is not None and "there is no test list" in splits.no_test


def test_min_agreement(real_folder: Path) -> None:
    """Only pairs on which enough people agree stay, and the counts add up."""
    train = read_splits(configured(real_folder, min_agreement=0.7))[0].train
    assert min(pair.agreement for pair in train.pairs) >= 0.7
    assert train.ties + train.below_agreement + len(train.pairs) == train.listed
    assert train.below_agreement > 0


def test_quick_experiment(real_folder: Path) -> None:
    """A tenth of the series, whole series only, the same for the same seed, others for another."""
    tenth = read_splits(configured(real_folder, quick_experiment=0.1))[0]
    whole = read_splits(configured(real_folder))[0]
    assert len(tenth.train.series) == round(0.1 * len(whole.train.series))
    kept = set(tenth.train.series)
    assert list(tenth.train.pairs) == [pair for pair in whole.train.pairs if pair.series in kept]
    assert tenth == read_splits(configured(real_folder, quick_experiment=0.1))[0]
    assert tenth.train.series != read_splits(configured(real_folder, quick_experiment=0.1, seed=1))[0].train.series
    assert tenth.train.left_out + len(tenth.train.pairs) == len(whole.train.pairs)


def test_at_least_one_series_a_split(real_folder: Path) -> None:
    """However small the fraction, each split keeps a series."""
    splits = read_splits(configured(real_folder, quick_experiment=1e-9))[0]
    assert [len(split.series) for split in splits.present] == [1, 1]


def test_shared_series_are_refused(tmp_path: Path) -> None:
    """Two lists that share a series are a problem that names it."""
    line = "{} 1 2 0.9 1 2\n"
    data = write_lists(tmp_path / "d", line.format(1) + line.format(7), line.format(7), line.format(1))
    problems = read_splits(configured(data))[1]
    assert len(problems) == 2
    assert "train_pairlist.txt" in problems[0] and "val_pairlist.txt" in problems[0]
    assert "test_pairlist.txt" in problems[1]
    assert [problem.rpartition(": ")[2] for problem in problems] == ["7", "1"]


def test_a_test_list_without_preferences(tmp_path: Path) -> None:
    """A test list of three columns gives no test split, and says why."""
    data = write_lists(tmp_path / "d", "1 1 2 0.9 1 2\n", "2 1 2 0.9 1 2\n", "3 1 2\n")
    splits, problems = read_splits(configured(data))
    assert (splits.test, problems) == (None, [])
    assert splits.no_test is not None and splits.no_test.endswith("has no preferences")


def test_missing_and_empty_lists(tmp_path: Path) -> None:
    """A missing folder, a missing list and a list of nothing but ties are problems."""
    nowhere = tmp_path / "nowhere"
    assert [problem.partition(";")[0] for problem in read_splits(configured(nowhere))[1]] == [
        f"there is no data folder {nowhere}"
    ]
    data = write_lists(tmp_path / "d", "1 1 2 0.5 1 1\n", "2 1 2 0.9 1 2\n")
    (data / "train_val" / "val_pairlist.txt").unlink()
    problems = read_splits(configured(data))[1]
    assert ["leaves no pair to use" in problems[0], "there is no list of pairs" in problems[1]] == [True, True]


def test_drawn_set(drawn_once: Path) -> None:
    """A drawn set has three splits, and a file for each photo in use."""
    splits, problems = read_splits(configured(drawn_once))
    assert problems == []
    assert [split.name for split in splits.present] == ["train", "val", "test"]
    for split in splits.present:
        assert all(split.image(pair, photo).is_file() for pair in split.pairs for photo in (pair.photo_1, pair.photo_2))


def test_list_of_the_user_s_own(tmp_path: Path) -> None:
    """It takes the place of the data folder's own training list; the other lists stay."""
    rows = "1 1 2 0.9 1 2\n1 1 3 0.1 2 1\n2 1 2 0.9 1 2\n"
    data, own = write_lists(tmp_path / "data", rows, "3 1 2 0.9 1 2\n"), tmp_path / "own.txt"
    own.write_text("1 1 3 0.1 2 1\n", encoding="utf-8")
    splits, problems = read_splits(configured(data, train_list=str(own)))
    assert problems == [] and [pair.photo_2 for pair in splits.train.pairs] == [3]
    assert (len(splits.val.pairs), len(read_splits(configured(data))[0].train.pairs)) == (1, 3)
    _, problems = read_splits(configured(data, train_list=str(tmp_path / "gone.txt")))
    assert problems == [f"there is no list of pairs {tmp_path / 'gone.txt'}"]
