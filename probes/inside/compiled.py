"""Keeps our hooks out of what torch.compile compiles: a hook that is traced breaks graphs, and with them the numbers.

To the compiler each of our hooks begins with a question that it answers itself (`torch.compiler.is_compiling()` is
true), so they are traced as doing nothing. What runs in between, after a break of the target's own, is run as it is:
the compiler is told to leave our code alone. So a compiled model is seen as a whole, and its parts are not: a Gap.
"""

from __future__ import annotations

import functools
import sys
import types
from collections.abc import Callable
from typing import Any

from . import imports
from .lines import Lines

GLOBAL_HOOKS = (
    "_global_backward_pre_hooks", "_global_backward_hooks", "_global_forward_hooks", "_global_forward_pre_hooks",
)  # fmt: skip
REASON = "torch.compile: the parts of what is compiled are not seen, only the whole, and what runs outside of it"


def question(torch: types.ModuleType) -> Callable[[], bool]:
    """Return torch's own question whether this code is being compiled; False where this torch has none."""
    found: Any = getattr(getattr(torch, "compiler", None), "is_compiling", None)
    return found if found is not None else bool


def keep_out(torch: types.ModuleType, inside: Lines) -> None:
    """Note that something is compiled, and have the compiler leave our code alone."""
    if not hasattr(torch, "compile"):
        return
    _note_compile(torch, inside)
    _hide_hooks(torch)
    imports.when_imported("torch._dynamo.eval_frame", lambda module: _skip_our_code(module, inside))


def _note_compile(torch: types.ModuleType, inside: Lines) -> None:
    original = torch.compile
    noted: list = []

    @functools.wraps(original)
    def compile(*arguments: Any, **keys: Any) -> Any:  # torch's own name for it
        if not noted:
            noted.append(True)
            inside.write(event="gap", probe="forwards of parts", reason=REASON)
        return original(*arguments, **keys)

    torch.compile = compile  # type: ignore[attr-defined]


def _hide_hooks(torch: types.ModuleType) -> None:
    """Have torch warn of global hooks where the target has some of its own, and not because of ours."""
    module: Any = torch.nn.modules.module
    if not hasattr(module, "_has_any_global_hook"):
        return
    ours = {name: set(getattr(module, name)) for name in GLOBAL_HOOKS if hasattr(module, name)}

    def _has_any_global_hook() -> bool:
        return any(set(getattr(module, name)) - own for name, own in ours.items())

    module._has_any_global_hook = _has_any_global_hook


def _skip_our_code(eval_frame: types.ModuleType, inside: Lines) -> None:
    """Tell the compiler to run our frames as they are."""
    skip: Any = getattr(eval_frame, "skip_code", None)
    if skip is None:
        inside.write(event="gap", probe="torch.compile", reason="this torch cannot be told to leave our code alone")
        return
    package = __name__.rpartition(".")[0]
    for name in [name for name in sys.modules if name.startswith(package + ".")]:
        for value in vars(sys.modules[name]).values():
            for code in _codes(value):
                skip(code)


def _codes(value: object) -> list:
    """Return the code of a function, or of a class' methods, with all that is defined within."""
    if isinstance(value, types.FunctionType):
        return _nested(value.__code__)
    if isinstance(value, type):
        return [code for item in vars(value).values() if isinstance(item, types.FunctionType) for code in _codes(item)]
    return []


def _nested(code: types.CodeType) -> list:
    inner = [item for item in code.co_consts if isinstance(item, types.CodeType)]
    return [code, *(found for item in inner for found in _nested(item))]
