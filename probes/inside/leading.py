"""Leads Python processes that the target starts through the boot: a fresh interpreter inherits no hooks.

Only the words that are executed change: `Popen.args`, the environment and the descriptors stay as the target gave them.
What is not led stays unobserved: another Python than this one, and a shell that starts one. What `subprocess` starts is
noted with its process id, Python or not: children.jsonl then tells whose end wait(2) reported.
"""

from __future__ import annotations

import functools
import os
import re
import sys
import types
from collections.abc import Callable
from typing import Any, Optional

from . import imports
from .lines import Lines

BOOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "boot.py")
OPTION = re.compile(r"-[bBdEIOPqsSuv]+|-[WX].+")
OTHER_USER = ("gid", "gids", "uid")
TRACKER = "resource_tracker import main"  # multiprocessing's own helper, which runs no code of the target's
MOST_LETTERS = 300  # of a command, in the record


def watch(spec_path: str, is_full: Callable[[], bool], children: Lines) -> None:
    """Lead from now on; while `is_full` says so, processes are started as they are."""

    def lead(words: list, how: str, directory: Optional[str] = None) -> list:
        return words if is_full() else led(words, spec_path, how, directory)

    imports.when_imported("multiprocessing.spawn", lambda module: _lead_spawn(module, lead))
    imports.when_imported("multiprocessing.util", lambda module: _lead_forkserver(module, lead))
    imports.when_imported("subprocess", lambda module: _lead_subprocess(module, lead, children))
    imports.when_imported("_posixsubprocess", lambda module: _lead_fork_exec(module, lead))


def led(
    words: list, spec_path: str, how: str, directory: Optional[str] = None, folder: Optional[str] = None
) -> list:  # fmt: skip
    """Return `python [OPTIONS] PROGRAM ...` with the boot in front of the program; other words as they are.

    `folder`: that of the process' records, where it has one already.
    """
    if BOOT in words and "--" in words:  # a program that starts again what it sees that it is
        words = [*words[: words.index(BOOT)], *words[words.index("--") + 1 :]]
    at = 1
    while at < len(words) and (words[at] in ("-W", "-X") or OPTION.fullmatch(words[at])):
        at += 2 if words[at] in ("-W", "-X") else 1
    if not _is_program(words[at:], directory):
        return words
    return [*words[:at], BOOT, spec_path, how, *([folder] if folder else []), "--", *words[at:]]


def _is_program(words: list, directory: Optional[str]) -> bool:
    """Whether these words name a program: what Python itself would refuse, it must refuse in its own words."""
    if words[:1] in (["-m"], ["-c"]):
        return len(words) > 1
    return bool(words) and words[0][:1] != "-" and os.path.exists(os.path.join(directory or "", words[0]))


def _lead_spawn(spawn: types.ModuleType, lead: Callable[..., list]) -> None:
    original = spawn.get_command_line

    def get_command_line(**kwargs: object) -> list:
        command: list = original(**kwargs)
        return lead(command, "spawn") if "-c" in command else command  # a frozen program has no interpreter to lead

    spawn.get_command_line = get_command_line  # type: ignore[attr-defined]


def _lead_forkserver(util: types.ModuleType, lead: Callable[..., list]) -> None:
    original = getattr(util, "spawnv_passfds", None)

    def spawnv_passfds(path: Any, args: Any, passfds: Any) -> object:
        words = [os.fsdecode(word) for word in args]
        is_server = any(".forkserver import main" in word for word in words)
        return original(path, lead(words, "forkserver") if is_server else args, passfds)  # type: ignore[misc]

    if original is not None:
        util.spawnv_passfds = spawnv_passfds  # type: ignore[attr-defined]


def _lead_fork_exec(module: types.ModuleType, lead: Callable[..., list]) -> None:
    """Lead what calls the C function itself, as joblib's loky does; what was led before has the boot in it already."""
    original: Any = module.fork_exec

    @functools.wraps(original)
    def fork_exec(args: Any, *rest: Any) -> Any:
        words = [os.fsdecode(word) for word in args]
        if BOOT not in words and TRACKER not in " ".join(words) and is_this_python(words[0], None):
            args = [os.fsencode(word) for word in lead(words, "fork_exec")]
        return original(args, *rest)

    module.fork_exec = fork_exec  # type: ignore[attr-defined]


def _lead_subprocess(subprocess: types.ModuleType, lead: Callable[..., list], children: Lines) -> None:
    """Change what `Popen` executes, and not what it says of itself."""
    original: Any = subprocess.Popen._execute_child
    names = original.__code__.co_varnames[: original.__code__.co_argcount][3:]

    def _execute_child(popen: object, args: Any, executable: Any, *rest: Any, **more: Any) -> object:
        given = {**{names[at]: value for at, value in enumerate(rest)}, **more}
        told = words = as_words(args)
        words = None if given.get("shell") or any(given.get(name) is not None for name in OTHER_USER) else words
        if words and is_this_python(os.fsdecode(executable or words[0]), given.get("env")):
            directory = given.get("cwd")
            args = lead(words, "subprocess", os.fsdecode(directory) if directory else None)
        result = original(popen, args, executable, *rest, **more)
        command = " ".join(told) if told else os.fsdecode(args)
        children.write(event="started", child=getattr(popen, "pid", None), command=command[:MOST_LETTERS])
        return result

    subprocess.Popen._execute_child = _execute_child


def as_words(args: Any) -> Optional[list]:
    """Return the command as a list of texts; None where it is a single text, which is a program's name or a shell's."""
    if isinstance(args, (str, bytes, os.PathLike)):
        return None
    return [os.fsdecode(word) for word in args]


def is_this_python(word: str, environment: Any) -> bool:
    """Whether a program is the interpreter that runs here, whatever link leads to it."""
    if not os.path.basename(word).lower().startswith(("python", "pypy")) and word != sys.executable:
        return False
    places = [""] if os.path.dirname(word) else os.get_exec_path(None if environment is None else dict(environment))
    found = (os.path.join(place, word) for place in places)
    path = next((path for path in found if os.path.isfile(path) and os.access(path, os.X_OK)), None)
    return path is not None and os.path.realpath(path) == os.path.realpath(sys.executable)
