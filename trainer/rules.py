"""What a configuration value may be: small rules, each with the words that tell the user what was expected."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# YAML 1.1 reads `1e-5` (no dot) as text; people mean a number.
NUMBER_TEXT = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")


def unchanged(value: Any) -> Any:
    """The value itself."""
    return value


@dataclass(frozen=True)
class Rule:
    """Which values a key accepts, how they are converted, and how the expectation reads in an error."""

    expected: str
    accepts: Callable[[Any], bool]
    convert: Callable[[Any], Any] = unchanged


def is_whole(value: Any) -> bool:
    """Whether the value is an integer; YAML's true and false are not, although Python's bool is an int."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    """Whether the value is an integer, a float, or text such as `1e-5`."""
    if isinstance(value, str):
        return NUMBER_TEXT.fullmatch(value) is not None
    return is_whole(value) or isinstance(value, float)


def is_off(value: Any) -> bool:
    """Whether the value switches something off: null, false, `off` (which YAML 1.1 reads as false) or `none`."""
    return value is None or value is False or value in ("off", "none")


def whole(low: int) -> Rule:
    """An integer of at least `low`."""
    return Rule(f"a whole number of at least {low}", lambda value: is_whole(value) and value >= low)


def number(low: float, high: float = float("inf"), *, above: bool = False, below: bool = False) -> Rule:
    """A number from `low` to `high`; `above` excludes `low` itself, `below` excludes `high`."""
    limits = [f"greater than {low:g}" if above else f"of at least {low:g}"]
    if high < float("inf"):
        limits.append(f"less than {high:g}" if below else f"at most {high:g}")

    def accepts(value: Any) -> bool:
        if not is_number(value):
            return False
        size = float(value)
        big_enough = size > low if above else size >= low
        small_enough = size < high if below else size <= high
        return big_enough and small_enough and math.isfinite(size)

    return Rule("a number " + " and ".join(limits), accepts, float)


def choice(*names: str) -> Rule:
    """One of a few words."""
    return Rule("one of " + ", ".join(names), lambda value: isinstance(value, str) and value in names)


def flag() -> Rule:
    """True or false."""
    return Rule("true or false", lambda value: isinstance(value, bool))


def path() -> Rule:
    """A path, relative to the current working directory."""
    return Rule("a path", lambda value: isinstance(value, str | Path) and str(value) != "", Path)


def weights() -> Rule:
    """`imagenet`, `none`, or the path of a state_dict."""

    def accepts(value: Any) -> bool:
        return value is None or (isinstance(value, str) and value != "")

    return Rule("imagenet, none, or the path of a state_dict", accepts, lambda value: value or "none")


def wholes() -> Rule:
    """A list of positive integers; may be empty."""

    def accepts(value: Any) -> bool:
        return isinstance(value, list | tuple) and all(is_whole(item) and item > 0 for item in value)

    return Rule("a list of whole numbers greater than 0, such as [] or [512, 128]", accepts, tuple)


def optional(rule: Rule) -> Rule:
    """The rule, or null (also written `off`)."""
    return Rule(
        f"{rule.expected}, or null",
        lambda value: is_off(value) or rule.accepts(value),
        lambda value: None if is_off(value) else rule.convert(value),
    )
