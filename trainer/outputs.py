"""The output folder: what a run writes, and the refusal to write over an earlier run."""

import json
import os
from pathlib import Path
from typing import Any

from trainer.config import Config, as_yaml

CHECKPOINT = "best.pt"
HISTORY = "history.json"
RESULTS = "results.json"
CONFIG = "config.yaml"
LOG = "training.log"
PROTECTED = (RESULTS, HISTORY, CHECKPOINT)


def refusals(config: Config) -> list[str]:
    """Why the output folder cannot be used: it is a file, or holds an earlier run and `overwrite` is not set."""
    if config.output.exists() and not config.output.is_dir():
        return [f"output: {config.output} is not a folder"]
    earlier = [name for name in PROTECTED if (config.output / name).exists()]
    if not earlier or config.overwrite:
        return []
    return [
        f"output: {config.output} already holds an earlier run ({', '.join(earlier)}); "
        "choose another with --output, or pass --overwrite"
    ]


def prepare(config: Config) -> Path:
    """Make the folder, remove an earlier run's results if that was asked for, and write the resolved configuration."""
    config.output.mkdir(parents=True, exist_ok=True)
    for name in PROTECTED:  # a run that dies must not leave its predecessor's results beside its own log
        (config.output / name).unlink(missing_ok=True)
    write_text(config.output / CONFIG, as_yaml(config))
    return config.output


def log_mode(config: Config) -> str:
    """Replace the log only where `overwrite` asks for it: a run that died left nothing but its log."""
    return "w" if config.overwrite else "a"


def write_text(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    unfinished = path.with_name(path.name + ".unfinished")
    unfinished.write_text(text, encoding="utf-8", newline="\n")
    os.replace(unfinished, path)


def write_json(path: Path, value: Any) -> None:
    """Write readable JSON, whole or not at all."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")
