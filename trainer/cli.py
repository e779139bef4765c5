"""The command line of `python -m trainer`."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from trainer import config, logs
from trainer.config import Config

DESCRIPTION = """Train a Siamese ranker that says which of two photos of one scene is better.

One shared ResNet looks at both photos; the difference of their features decides. The data folder has the
PhotoTriage layout; without one, draw a small data set first:

  python -m trainer.series --out data/drawn
  python -m trainer --config configs/siamese_quick.yaml --set data=data/drawn
"""

EPILOG = """examples:
  python -m trainer --config configs/siamese_resnet50.yaml --quick-experiment 0.1
  python -m trainer --config configs/siamese_resnet50.yaml --set batch_size=4 --set weights=none
  python -m trainer --config configs/siamese_resnet50.yaml --log-level DEBUG --output runs/debug

The output folder receives training.log, config.yaml (as resolved), history.json (one entry an epoch),
best.pt (the best checkpoint) and results.json.

exit codes: 0 done, 2 usage or configuration error, 130 interrupted
"""


def assignment(text: str) -> tuple[str, Any]:
    """A `key=value` argument; the value is read as YAML."""
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise argparse.ArgumentTypeError(f"expected key=value, got {text!r}")
    return key.strip(), yaml.safe_load(value)


def build_parser() -> argparse.ArgumentParser:
    """The parser, whose help teaches."""
    parser = argparse.ArgumentParser(
        "python -m trainer",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="the YAML configuration")
    parser.add_argument(
        "--quick-experiment", type=float, metavar="F", help="keep this fraction of the series, 0 < F <= 1 (by the seed)"
    )
    parser.add_argument("--output", metavar="DIR", help="where the run is written (key `output`)")
    parser.add_argument("--overwrite", action="store_true", help="write over an earlier run in the output folder")
    parser.add_argument(
        "--log-level", type=str.upper, choices=logs.LEVELS, default="INFO", help="DEBUG logs each phase of each step"
    )
    parser.add_argument(
        "--set", type=assignment, action="append", default=[], metavar="KEY=VALUE", dest="assignments",
        help="set any key of the configuration, value in YAML; may be repeated",
    )  # fmt: skip
    return parser


def overrides(arguments: argparse.Namespace) -> dict[str, Any]:
    """The keys that the command line sets; an option of its own wins over `--set`."""
    own = {"quick_experiment": arguments.quick_experiment, "output": arguments.output}
    given = {key: value for key, value in own.items() if value is not None}
    return {**dict(arguments.assignments), **given, **({"overwrite": True} if arguments.overwrite else {})}


def main(argv: Sequence[str] | None = None) -> int:
    """Train as the arguments say; 0 when done. ConfigError and KeyboardInterrupt are left to the excepthook."""
    arguments = build_parser().parse_args(argv)
    resolved: Config = config.load(arguments.config, overrides(arguments))
    logs.start(arguments.log_level)
    from trainer import preflight  # the help and a misspelt key need neither Pillow nor torch

    splits = preflight.check(resolved)
    from trainer import run

    run.run(resolved, splits)
    return 0
