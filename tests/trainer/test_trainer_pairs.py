"""The winner of a pair comes from its preference; malformed lines are named by file and number."""

from pathlib import Path

import pytest

from trainer.pairs import Pair, image_name, read_pairs


def test_image_names() -> None:
    """Photo 7 of series 261 is `000261-07.JPG`."""
    assert image_name(261, 7) == "000261-07.JPG"


@pytest.mark.parametrize(("preference", "winner", "agreement"), [(0.949, 0, 0.949), (0.25, 1, 0.75), (1.0, 0, 1.0)])
def test_winner_and_agreement(preference: float, winner: int, agreement: float) -> None:
    """A preference above one half is for photo 1, and photo 1 winning is label 0; ranks are not asked."""
    pair = Pair(1, 1, 2, preference, 9, 1, 1)
    assert (pair.winner, pair.agreement, pair.is_tie) == (winner, agreement, False)


def test_every_malformed_line_is_reported(tmp_path: Path) -> None:
    """Each problem has its line number; sound lines are read all the same; empty lines do not count."""
    path = tmp_path / "list.txt"
    rows = ["1 1 2 0.9 1 2", "", "1 1 2 0.9 1", "x 1 2 0.9 1 2", "1 1 2 1.1 1 2", "1 2 2 0.4 1 2", "1 1 2 nan 1 2"]
    path.write_text("\n".join(rows), encoding="utf-8")
    pairs, problems = read_pairs(path)
    assert [pair.line for pair in pairs] == [1]
    assert [problem.removeprefix(f"{path}, ").partition(":")[0] for problem in problems] == [
        "line 3", "line 4", "line 5", "line 6", "line 7",
    ]  # fmt: skip


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    """A binary file is a list of malformed lines, not a crash."""
    path = tmp_path / "list.txt"
    path.write_bytes(b"\xff\xfe\x00\n")
    assert read_pairs(path)[1] != []


@pytest.mark.parametrize(("name", "count", "ties", "trapped"), [("train", 12075, 91, 0.269), ("val", 483, 1, 0.261)])
def test_the_real_lists(real_data: Path, name: str, count: int, ties: int, trapped: float) -> None:
    """Counts of the real lists; column 5 taken for the winner's photo id would mislabel more than a quarter."""
    pairs, problems = read_pairs(real_data / "phototriage" / f"{name}_pairlist.txt")
    assert (len(pairs), problems) == (count, [])
    assert sum(pair.is_tie for pair in pairs) == ties
    wrong = [pair for pair in pairs if (0 if pair.rank_1 == pair.photo_1 else 1) != pair.winner]
    assert round(len(wrong) / len(pairs), 3) == trapped


@pytest.mark.parametrize("name", ["train", "val"])
def test_ranks_of_the_real_lists_agree_with_the_preference(real_data: Path, name: str) -> None:
    """Where there is a winner it has the better rank, every time: columns 5 and 6 are ranks, 1 the best."""
    pairs, _ = read_pairs(real_data / "phototriage" / f"{name}_pairlist.txt")
    decided = [pair for pair in pairs if not pair.is_tie]
    assert [pair for pair in decided if (pair.rank_1 > pair.rank_2) != bool(pair.winner)] == []


def test_agreement_of_the_real_validation_list(real_data: Path) -> None:
    """One person agrees with the majority on 75.0 % of the validation pairs."""
    pairs, _ = read_pairs(real_data / "phototriage" / "val_pairlist.txt")
    assert round(sum(pair.agreement for pair in pairs) / len(pairs), 3) == 0.750
