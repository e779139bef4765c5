"""From scenes to series: takes, preferences, ranks."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy
from PIL import Image

from trainer.images import open_upright
from trainer.series.draw import draw_scene
from trainer.series.faults import another_take, spoil
from trainer.series.preference import graded_severities, preference, ranks

PHOTO_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")
FEWEST_TAKES, MOST_TAKES = 2, 5


@dataclass(frozen=True)
class Source:
    """Where one scene comes from: a photo, or the number of a drawing."""

    number: int
    photo: Path | None = None

    @property
    def name(self) -> str:
        """The photo's file name, or the drawing's number; the same on every machine."""
        return self.photo.name if self.photo else f"drawing {self.number}"


@dataclass(frozen=True)
class Take:
    """One photo of a series, with the faults that it was given."""

    image: Image.Image
    severity: float
    faults: dict[str, float]


@dataclass(frozen=True)
class Series:
    """All takes of one scene; photo numbers count from 1."""

    number: int
    source: str
    takes: Sequence[Take]

    @property
    def lines(self) -> Iterator[str]:
        """The lines of a list of pairs: each take with each later one."""
        severities = [take.severity for take in self.takes]
        places = ranks(severities)
        for one, two in combinations(range(len(self.takes)), 2):
            share = preference(severities[one], severities[two])
            yield f"{self.number} {one + 1} {two + 1} {share:.3f} {places[one]} {places[two]}"


def photo_sources(folder: Path) -> list[Source]:
    """Every photo of a folder, by name."""
    found = [path for path in folder.iterdir() if path.suffix.lower() in PHOTO_SUFFIXES and path.is_file()]
    return [Source(number, path) for number, path in enumerate(sorted(found, key=lambda path: path.name), start=1)]


def drawn_sources(count: int) -> list[Source]:
    """So many drawings."""
    return [Source(number) for number in range(1, count + 1)]


def scene(source: Source, size: int, seed: int) -> Image.Image:
    """The scene without faults, its larger side at most `size` pixels."""
    if source.photo is None:
        return draw_scene(source.number, size, seed)
    photo = open_upright(source.photo)
    photo.thumbnail((size, size), Image.Resampling.LANCZOS)
    return photo


def make_series(source: Source, size: int, seed: int) -> Series:
    """The series of one scene; the seed and the scene's number alone decide it."""
    rng = random.Random(f"{seed}/series/{source.number}")
    original = scene(source, size, seed)
    severities = graded_severities(rng.randint(FEWEST_TAKES, MOST_TAKES), rng)
    takes = [make_take(original, severity, rng) for severity in severities]
    return Series(source.number, source.name, takes)


def make_take(original: Image.Image, severity: float, rng: random.Random) -> Take:
    """One take of a scene with faults of a severity."""
    generator = numpy.random.default_rng(rng.getrandbits(64))
    image, faults = spoil(another_take(original, generator), severity, generator)
    return Take(image, severity, faults)
