"""From a target and one trial's values to what is started: the words, and the configuration's copy."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.plan import config_text
from harness.plan.target_section import Target

OPTION = re.compile(r"-[bBdEIOPqsSuv]+|-[WX].+")
NUMBER = re.compile(r"-\d+(\.\d+)?(e-?\d+)?")


@dataclasses.dataclass(frozen=True)
class Values:
    """What one trial sets: the plan's settings, then the cell's factors; `folder` is the trial's, for `{trial}`."""

    folder: Path
    settings: Mapping[str, Any]
    factors: Mapping[str, Any]

    def of_kind(self, target: Target, kind: str) -> list[tuple[str, Any]]:
        """Return (variable, key or option; value) of everything that is set in one way, in order."""
        pairs = [*self.settings.items(), *self.factors.items()]
        return [
            (way.name, self.filled(value)) for name, value in pairs for way in target.ways(name) if way.kind == kind
        ]

    def filled(self, value: Any) -> Any:
        """Return a text with `{trial}` replaced; anything else as it is."""
        return value.replace("{trial}", str(self.folder.resolve())) if isinstance(value, str) else value


@dataclasses.dataclass(frozen=True)
class ConfigCopy:
    """The trial's copy of the target's configuration: where it goes, and its text, with the trial's values in it."""

    path: Path
    text: str

    def write(self) -> None:
        """Write the copy, byte for byte as the text says."""
        config_text.write(self.path, self.text)


def config_copy(target: Target, values: Values) -> ConfigCopy | None:
    """Return the target's configuration with the values set in it; None where it has none.

    A value that the configuration has no place for is left out: an intervention may know more factors than it.
    """
    if target.config is None:
        return None
    text, suffix = config_text.read(target.config), target.config.suffix
    for key, value in values.of_kind(target, "config"):
        if config_text.problem(target.config, key, (value,)) is None:
            text = config_text.set_value(text, suffix, key, value)
    return ConfigCopy(values.folder / ("config" + suffix), text)


def command(target: Target, values: Values, config: Path | None) -> list[str]:
    """Return the words after `python`: interpreter's options, program, arguments, with this trial's values."""
    places = {"{config}": str(config.resolve()) if config else "", "{trial}": str(values.folder.resolve())}
    words = [_replaced(word, places) for word in target.command]
    options, rest = split_options(words)
    words = [*options, *_program(rest, target)]
    for option, value in values.of_kind(target, "arg"):
        words = with_argument(words, option, value)
    return words


def split_options(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Split the interpreter's own options (`-u`, `-X faulthandler`, ...) from the program and its arguments."""
    at = 0
    while at < len(words) and (words[at] in ("-W", "-X") or OPTION.fullmatch(words[at])):
        at += 2 if words[at] in ("-W", "-X") else 1
    return list(words[:at]), list(words[at:])


def with_argument(words: list[str], option: str, value: Any) -> list[str]:
    """Return the command with an option set: in its place where it stands there, else at the end.

    True gives the option alone, False and None take it away. The last of several is the one that counts, as for
    argparse.
    """
    spelt = [] if value is None or value is False else [option]
    spelt += [] if isinstance(value, bool) or value is None else [str(value)]
    places = [at for at, word in enumerate(words) if word == option or word.startswith(option + "=")]
    if not places:
        return words + spelt
    at = places[-1]
    has_value = words[at] == option and at + 1 < len(words) and not isinstance(value, bool) and _is_value(words[at + 1])
    return words[:at] + spelt + words[at + 1 + has_value :]


def program_place(target: Target, word: str) -> Path | None:
    """Return where a script is: in the working directory, else a console script beside the target's interpreter."""
    if (target.directory / word).exists():
        return target.directory / word
    beside = Path(target.interpreter).parent
    names = (beside / word, beside / f"{word}.exe", beside / "Scripts" / f"{word}.exe")
    return next((path for path in names if os.path.basename(word) == word and path.is_file()), None)


def _program(rest: list[str], target: Target) -> list[str]:
    """Return the words with a console script's name replaced by its path, as a shell would find it."""
    if not rest or rest[0].startswith("-") or (target.directory / rest[0]).exists():
        return rest
    place = program_place(target, rest[0])
    return [str(place), *rest[1:]] if place else rest


def _replaced(word: str, places: Mapping[str, str]) -> str:
    for place, text in places.items():
        word = word.replace(place, text)
    return word


def _is_value(word: str) -> bool:
    return not word.startswith("-") or NUMBER.fullmatch(word) is not None
