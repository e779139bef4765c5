"""Operators and their arguments as Python source; pure."""

from __future__ import annotations

import keyword
import math
from collections.abc import Mapping
from typing import Any

from harness.shrink.place.captured_call import Operator


def call(operator: Operator) -> str:
    """Return the operator's call, e.g. "t3 = torch.ops.aten.mul.Tensor(t1, 2)"."""
    words = [argument(value) for value in operator.args]
    words += [_named(name, value) for name, value in operator.keywords.items()]
    made = f"{_pattern(operator.outputs)} = " if operator.made else ""
    return f"{made}{function(operator.name)}({', '.join(words)})"


def function(name: str) -> str:
    """Return "torch.ops.aten.mul.Tensor"; a part that is a word of Python's own is asked for by name."""
    text = "torch.ops"
    for part in name.split("."):
        text = f'getattr({text}, "{part}")' if keyword.iskeyword(part) else f"{text}.{part}"
    return text


def argument(value: Any) -> str:
    """Return a spelt argument of the record as source."""
    if isinstance(value, list):
        return f"[{', '.join(argument(item) for item in value)}]"
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    return _special(value) if isinstance(value, Mapping) else repr(value)


def unknown_in(value: Any) -> list[str]:
    """Return the types of the arguments that could not be recorded."""
    if isinstance(value, Mapping):
        return [str(value["unknown"])] if "unknown" in value else []
    return [name for item in value for name in unknown_in(item)] if isinstance(value, (list, tuple)) else []


def _special(value: Mapping[str, Any]) -> str:
    kind, content = next(iter(value.items()))
    made = {
        "tensor": lambda: f"t{content}", "torch": lambda: f"torch.{content}",
        "device": lambda: f'torch.device("{content}")', "complex": lambda: f"complex({content[0]}, {content[1]})",
    }  # fmt: skip
    return made[kind]() if kind in made else "None"


def _named(name: str, value: Any) -> str:
    spelt = argument(value)
    return f"**{{{name!r}: {spelt}}}" if keyword.iskeyword(name) else f"{name}={spelt}"


def _pattern(outputs: Any) -> str:
    """Return what the outputs are assigned to; "_" for those that are no tensors."""
    if isinstance(outputs, list):
        return f"[{', '.join(_pattern(item) for item in outputs)}]"
    return f"t{outputs['tensor']}" if isinstance(outputs, Mapping) and "tensor" in outputs else "_"
