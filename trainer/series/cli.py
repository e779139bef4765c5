"""The command line of `python -m trainer.series`."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from trainer import check_images, logs
from trainer.errors import ConfigError
from trainer.progress import track
from trainer.series import layout, maker
from trainer.series.maker import Source

DESCRIPTION = """Make a data set of photo series, in the layout of PhotoTriage, to train and try the ranker on.

Each photo of a folder becomes a series of two to five takes with graded camera faults: defocus, motion blur,
wrong exposure, noise, tilt, bad framing. The preference of a pair follows from the difference in severity.
Without --photos the scenes are drawn, so that no photo and no network is needed.
The same seed gives the same bytes.
"""

EPILOG = """examples:
  python -m trainer.series --out data/drawn
  python -m trainer.series --photos ~/Pictures --out data/mine --seed 1

exit codes: 0 done, 2 usage or configuration error, 130 interrupted
"""


def whole(low: int) -> "argparse._ActionType":
    """A type for argparse: an integer of at least `low`."""

    def convert(text: str) -> int:
        if not text.isdecimal() or int(text) < low:
            raise argparse.ArgumentTypeError(f"expected a whole number of at least {low}, got {text!r}")
        return int(text)

    return convert


def build_parser() -> argparse.ArgumentParser:
    """The parser, whose help teaches."""
    parser = argparse.ArgumentParser(
        "python -m trainer.series",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder to make")
    parser.add_argument("--photos", type=Path, metavar="DIR", help="a folder of photos; without it, scenes are drawn")
    parser.add_argument("--series", type=whole(1), metavar="N", help="scenes to draw (40), or photos to use (all)")
    parser.add_argument("--size", type=whole(32), default=320, metavar="PX", help="larger side of a take (320)")
    parser.add_argument("--seed", type=whole(0), default=0, metavar="N", help="decides everything (0)")
    for name, share in (("train", 0.7), ("val", 0.15), ("test", 0.15)):
        text = f"fraction of the series for {name} ({share})"
        parser.add_argument(f"--{name}", type=float, default=share, metavar="F", help=text)
    parser.add_argument("--force", action="store_true", help="replace a data set that this program made")
    parser.add_argument("--no-progress", action="store_true", help="no progress bar and no progress lines")
    return parser


def fraction_problems(fractions: dict[str, float]) -> list[str]:
    """Fractions that cannot divide a data set; only the test may be left out."""
    problems = [f"--{name} must be from 0 to 1" for name, share in fractions.items() if not 0 <= share <= 1]
    problems += [f"--{name} must be greater than 0" for name in ("train", "val") if fractions[name] == 0]
    if abs(sum(fractions.values()) - 1) > 1e-6:
        problems.append(f"--train, --val and --test must add up to 1, not {sum(fractions.values()):g}")
    return problems


def read_sources(arguments: argparse.Namespace) -> tuple[list[Source], list[str]]:
    """The scenes to use, and the problems of the photo folder."""
    if arguments.photos is None:
        return maker.drawn_sources(arguments.series or 40), []
    if not arguments.photos.is_dir():
        return [], [f"there is no folder {arguments.photos}"]
    sources = maker.photo_sources(arguments.photos)[: arguments.series]
    checked = check_images.examine([source.photo for source in sources if source.photo])
    return sources, [f"{path}: {problem}" for path, problem in checked if problem]


def check(arguments: argparse.Namespace, fractions: dict[str, float]) -> list[Source]:
    """The scenes to use; ConfigError with every reason why the set cannot be made."""
    problems = [*layout.refusals(arguments.out, arguments.force), *fraction_problems(fractions)]
    sources, photo_problems = read_sources(arguments)
    needed = sum(share > 0 for share in fractions.values())
    if len(sources) < needed and not photo_problems:
        problems.append(f"{needed} splits need at least {needed} series, there are {len(sources)}")
    if problems or photo_problems:
        raise ConfigError("the data set cannot be made", [*problems, *photo_problems])
    return sources


def main(argv: Sequence[str] | None = None) -> int:
    """Make the data set that the arguments describe; 0 when done. ConfigError is left to the excepthook."""
    arguments = build_parser().parse_args(argv)
    logs.start("INFO")
    fractions = {"train": arguments.train, "val": arguments.val, "test": arguments.test}
    sources = check(arguments, fractions)
    split_of = layout.divide([source.number for source in sources], fractions, arguments.seed)
    made = (maker.make_series(source, arguments.size, arguments.seed) for source in sources)
    shown = track(made, len(sources), "Making series", not arguments.no_progress)
    about = {"made_by": "trainer.series", "seed": arguments.seed, "size": arguments.size, "fractions": fractions}
    layout.write(arguments.out, shown, split_of, about)
    counts = ", ".join(f"{name} {list(split_of.values()).count(name)}" for name in fractions)
    print(f"Made {len(sources)} series in {arguments.out} ({counts})")
    print(f"Train on it: python -m trainer --config configs/siamese_quick.yaml --set data={arguments.out}")
    return 0
