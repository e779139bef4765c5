"""Writing series in the PhotoTriage layout, whole or not at all."""

import json
import random
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from trainer.pairs import image_name
from trainer.series.maker import Series
from trainer.splits import TEST, TRAIN, VALIDATION, Place

PLACES = {place.name: place for place in (TRAIN, VALIDATION, TEST)}
ABOUT = "series.json"  # says how the set was made, and marks a folder as one that this program may replace
QUALITY = 92


def divide(numbers: Sequence[int], fractions: Mapping[str, float], seed: int) -> dict[int, str]:
    """The split of each series: at least one for each split whose fraction is not 0, the rest to training."""
    wanted = {name: max(1, round(share * len(numbers))) for name, share in fractions.items() if share > 0}
    shuffled = random.Random(f"{seed}/splits").sample(list(numbers), len(numbers))
    held_out = [name for name in ("val", "test") if name in wanted for _ in range(wanted[name])]
    names = held_out[: len(numbers) - 1] + ["train"] * len(numbers)
    return dict(zip(shuffled, names, strict=False))


def refusals(out: Path, force: bool) -> list[str]:
    """Why the data set cannot be written to `out`."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return []
    if not out.is_dir() or not (out / ABOUT).is_file():
        return [f"{out} exists and was not made by this program; it is not replaced, even with --force"]
    return [] if force else [f"{out} already holds a data set; choose another folder, or pass --force to replace it"]


def write(out: Path, series: Iterable[Series], split_of: Mapping[int, str], about: Mapping[str, Any]) -> None:
    """Write the series beside `out` and rename at the end: an interrupted run never leaves half a data set."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}.partial-", dir=out.parent) as partial:
        folder = Path(partial) / "set"
        folder.mkdir()
        described = [write_series(folder, one, PLACES[split_of[one.number]]) for one in series]
        text = json.dumps({**about, "series": described}, indent=1) + "\n"
        (folder / ABOUT).write_text(text, encoding="utf-8", newline="\n")
        if out.exists():
            out.rename(Path(partial) / "replaced")
        folder.rename(out)


def write_series(folder: Path, series: Series, place: Place) -> dict[str, Any]:
    """Save the takes and append the pairs of one series; what `series.json` says about it."""
    (folder / place.images).mkdir(parents=True, exist_ok=True)
    for photo, take in enumerate(series.takes, start=1):
        take.image.save(folder / place.images / image_name(series.number, photo), "JPEG", quality=QUALITY)
    with (folder / place.list_file).open("a", encoding="utf-8", newline="\n") as stream:
        stream.writelines(f"{line}\n" for line in series.lines)
    takes = [{"severity": round(take.severity, 4), "faults": take.faults} for take in series.takes]
    return {"series": series.number, "split": place.name, "source": series.source, "takes": takes}
