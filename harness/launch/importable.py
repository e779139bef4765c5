"""Whether a target can be started at all, asked without importing any of it."""

from __future__ import annotations

from pathlib import Path

from harness.launch import interpreter
from harness.launch.command import program_place, split_options
from harness.plan.target_section import Target

LEAST_BYTES = 256
NO_PYTHON = "is not a Python program; give the script, or -m and the module, that it runs"


def problems_with(target: Target) -> list[str]:
    """Return why `python COMMAND` could not start, each with its key path; empty where it can."""
    wrong = problem_with_command(target)
    return [wrong] if wrong else [problem for problem in [interpreter.ask(target).problem] if problem]


def problem_with_command(target: Target) -> str | None:
    """Return what is wrong with the words themselves, without asking the interpreter."""
    _, rest = split_options(target.command)
    if not rest:
        return "target.command: is empty: give a script or -m and a module"
    if rest[0] in ("-m", "-c"):
        word = "module" if rest[0] == "-m" else "code"
        return None if len(rest) > 1 else f"target.command: no {word} stands after {rest[0]}"
    if rest[0].startswith("-"):
        return f"target.command: {rest[0]}: expected a script, or -m and a module"
    return _problem_with_script(target, rest[0])


def _problem_with_script(target: Target, word: str) -> str | None:
    if "{trial}" in word or "{config}" in word:
        return None
    place = program_place(target, word)
    if place is None:
        where = f" in {target.cwd}" if target.cwd else ""
        beside = "" if "/" in word else f", nor a console script of that name beside {target.interpreter}"
        return f"target.command: there is no script {word}{where}{beside}"
    if place.is_dir():
        return None if (place / "__main__.py").is_file() else f"target.command: {word} is a folder without __main__.py"
    return None if _is_python(place) else f"target.command: {word} {NO_PYTHON}"


def _is_python(path: Path) -> bool:
    """Whether Python can run a file: not a program of another kind, nor another language's script."""
    with open(path, "rb") as stream:
        head = stream.read(LEAST_BYTES)
    is_other_script = head.startswith(b"#!") and b"python" not in head and path.suffix != ".py"
    return not head.startswith((b"\x7fELF", b"\xcf\xfa\xed\xfe")) and not is_other_script
