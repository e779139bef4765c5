"""The configuration: flat YAML keys into one frozen dataclass, all problems reported at once."""

import difflib
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml

from trainer import rules
from trainer.errors import ConfigError
from trainer.rules import Rule

BACKBONES = ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152")
PREPROCESSINGS = ("paper", "scale_crop")


def required(rule: Rule) -> Any:
    """A key that has no default."""
    return field(metadata={"rule": rule})


def setting(default: Any, rule: Rule) -> Any:
    """A key with its default and its rule."""
    return field(default=default, metadata={"rule": rule})


@dataclass(frozen=True)
class Config:
    """Everything that decides a training run; paths are relative to the current working directory."""

    data: Path = required(rules.path())
    output: Path = required(rules.path())
    train_list: Path | None = setting(None, rules.optional(rules.path()))
    backbone: str = setting("resnet50", rules.choice(*BACKBONES))
    weights: str = setting("imagenet", rules.weights())
    hidden: tuple[int, ...] = setting((), rules.wholes())
    dropout: float = setting(0.0, rules.number(0, 1, below=True))
    preprocessing: str = setting("paper", rules.choice(*PREPROCESSINGS))
    image_size: int = setting(224, rules.whole(32))
    batch_size: int = setting(8, rules.whole(1))
    num_workers: int = setting(0, rules.whole(0))
    epochs: int = setting(100, rules.whole(1))
    max_steps: int | None = setting(None, rules.optional(rules.whole(1)))
    evaluate: bool = setting(True, rules.flag())
    patience: int = setting(10, rules.whole(1))
    backbone_lr: float = setting(1e-5, rules.number(0))
    head_lr_factor: float = setting(10.0, rules.number(0))
    momentum: float = setting(0.9, rules.number(0, 1, below=True))
    weight_decay: float = setting(5e-4, rules.number(0))
    lr_step: int | None = setting(25, rules.optional(rules.whole(1)))
    lr_gamma: float = setting(0.1, rules.number(0, 1, above=True))
    min_agreement: float = setting(0.5, rules.number(0.5, 1))
    quick_experiment: float = setting(1.0, rules.number(0, 1, above=True))
    seed: int = setting(0, rules.whole(0))
    device: str = setting("cpu", rules.choice("cpu", "cuda"))
    check_images: bool = setting(True, rules.flag())
    overwrite: bool = setting(False, rules.flag())
    progress: bool = setting(True, rules.flag())


def known_keys() -> dict[str, Field[Any]]:
    """Every key by its name, in the order of the documentation."""
    return {key.name: key for key in fields(Config)}


def load(path: Path, overrides: Mapping[str, Any]) -> Config:
    """The configuration in a YAML file, with `overrides` in place of its values.

    Raises ConfigError with every problem found, and yaml.YAMLError where the file is not YAML.
    """
    if not path.is_file():
        raise ConfigError(f"there is no configuration file {path}")
    with path.open(encoding="utf-8") as stream:  # a stream has a name, which YAML's own errors quote
        values = yaml.safe_load(stream)
    if not isinstance(values, dict):
        raise ConfigError(f"{path} must hold `key: value` lines, not {type(values).__name__}")
    return build({**values, **overrides}, str(path))


def build(values: Mapping[Any, Any], source: str) -> Config:
    """The configuration from plain values; ConfigError names `source` and lists every problem."""
    known = known_keys()
    problems = [unknown_key(key) for key in values if key not in known]
    problems += [f"{name}: is required" for name, key in known.items() if is_required(key) and name not in values]
    given = {name: value for name, value in values.items() if name in known}
    problems += [wrong_value(known[name], value) for name, value in given.items() if not accepts(known[name], value)]
    if problems:
        raise ConfigError(f"the configuration {source} cannot be used", problems)
    return Config(**{name: known[name].metadata["rule"].convert(value) for name, value in given.items()})


def is_required(key: Field[Any]) -> bool:
    """Whether the key has no default."""
    return key.default is MISSING


def accepts(key: Field[Any], value: Any) -> bool:
    """Whether the key's rule accepts the value."""
    return bool(key.metadata["rule"].accepts(value))


def unknown_key(key: Any) -> str:
    """The problem with a key that nobody reads, with the nearest known one."""
    near = difflib.get_close_matches(str(key), known_keys(), n=1)
    return f"{key}: is not a known key" + (f"; did you mean {near[0]}?" if near else "")


def wrong_value(key: Field[Any], value: Any) -> str:
    """The problem with a value: the key, what it expects, what it got."""
    return f"{key.name}: expected {key.metadata['rule'].expected}, got {value!r} ({type(value).__name__})"


def plain(config: Config) -> dict[str, Any]:
    """The configuration as values that YAML and JSON can write; `build` reads them back."""
    values = {name: getattr(config, name) for name in known_keys()}
    simple = {name: str(value) for name, value in values.items() if isinstance(value, Path)}
    return {**values, **simple, "hidden": list(config.hidden)}


def as_yaml(config: Config) -> str:
    """The configuration as YAML text, every key written out."""
    return yaml.safe_dump(plain(config), sort_keys=False, allow_unicode=True)
