"""Where the program's own code asked to end: file and line, whether in a loop, whether as the last thing it does.

`sys.exit(main())` at the end of a script and `sys.exit(0)` in the middle of an epoch leave the same exit code. What
tells them apart is the place of the call, which is read from the source while it is still there. Frames of the standard
library do not count: an event loop or a worker thread loops as long as it lives.
"""

from __future__ import annotations

import functools
import linecache
import os
import signal
import sys
import time
import types
import warnings
from typing import Any, Optional

HERE = os.path.dirname(os.path.abspath(__file__))
LIBRARY = os.path.dirname(os.path.abspath(os.__file__))
MULTIPROCESSING = os.path.join(LIBRARY, "multiprocessing")
PACKAGES = ("site-packages", "dist-packages")
LOOPS = ("For", "AsyncFor", "While")  # by name: the module `ast` is not loaded for it
SCOPES = ("FunctionDef", "AsyncFunctionDef", "ClassDef")
COMPREHENSIONS = ("<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>")
MOST_FRAMES = 60
CHOICES = ("handlers", "cases")  # blocks of which one is taken
ONLY_AST = 0x400  # PyCF_ONLY_AST
_started = time.time()
_trees: dict = {}

Place = tuple[types.FrameType, int]  # a frame and the line that it is at


def of_trace(trace: Optional[types.TracebackType]) -> dict:
    """Return what a traceback, outermost first, says of the place where it was raised."""
    places = []
    while trace is not None:
        places.append((trace.tb_frame, trace.tb_lineno))
        trace = trace.tb_next
    return _told(places)


def of_frame(frame: Optional[types.FrameType]) -> dict:
    """Return what the stack of a frame, the innermost, says of its place."""
    places: list = []
    if sys.is_finalizing():  # the modules that would tell are torn down
        return {}
    while frame is not None:
        places.insert(0, (frame, frame.f_lineno))
        frame = frame.f_back
    return _told(places)


def _told(places: list[Place]) -> dict:
    own = [place for place in places if _is_targets(place[0])]
    handler = _handler(places)
    seen = [frame.f_code.co_filename for frame, _ in places if os.path.dirname(frame.f_code.co_filename) != HERE]
    if not own or (seen and os.path.dirname(seen[-1]) == MULTIPROCESSING):  # it ends each worker by a call of its own
        return {"place": None, "handler": handler}
    return {
        "place": [own[-1][0].f_code.co_filename, own[-1][1], own[-1][0].f_code.co_name], "handler": handler,
        "in_loop": any(_is_in_loop(place) for place in own[-MOST_FRAMES:]), "is_last": _is_last(own[0]),
        "depth": len(own),
    }  # fmt: skip


def _is_targets(frame: types.FrameType) -> bool:
    path = frame.f_code.co_filename
    if path.startswith("<frozen") or os.path.dirname(os.path.abspath(path)) == HERE:
        return False
    return not path.startswith(LIBRARY + os.sep) or any(name in path for name in PACKAGES)


def _handler(places: list[Place]) -> Optional[str]:
    """Return the name of the signal whose Python handler is on the stack."""
    known = {_code(signal.getsignal(number)): number.name for number in signal.Signals}
    known.pop(None, None)
    for frame, _ in places:
        name = known.get(frame.f_code) or _delivered(frame)
        if name is not None:
            return name
    return None


def _code(handler: Any) -> Optional[types.CodeType]:
    """Return the code of a handler: of a function, of a method, of what a partial wraps, of a callable object."""
    while isinstance(handler, functools.partial):
        handler = handler.func
    if not callable(handler):
        return None
    function = getattr(handler, "__func__", handler)
    call = function if isinstance(function, types.FunctionType) else vars(type(handler)).get("__call__")
    return getattr(call, "__code__", None)


def _delivered(frame: types.FrameType) -> Optional[str]:
    """Return the signal where a frame was called as a handler is: with its number and the frame that it interrupted."""
    code = frame.f_code
    count = code.co_argcount + bool(code.co_flags & 0x04)  # CO_VARARGS
    values = [frame.f_locals.get(name) for name in code.co_varnames[:count]]
    flat = [one for value in values for one in (value if isinstance(value, tuple) else (value,))]
    interrupted = [at for at, one in enumerate(flat) if at > 0 and isinstance(one, types.FrameType)]
    number = next((flat[at - 1] for at in interrupted if isinstance(flat[at - 1], int)), None)
    known = {int(member): member.name for member in signal.Signals}
    return None if number is None else known.get(int(number))


def _is_in_loop(place: Place) -> bool:
    """Whether the line stands in the body of a loop of its own function."""
    frame, line = place
    if frame.f_code.co_name in COMPREHENSIONS:
        return True
    way = _way(frame, line)
    scopes = [at for at, (node, _) in enumerate(way) if type(node).__name__ in SCOPES]
    inner = way[scopes[-1] :] if scopes else way
    return any(type(node).__name__ in LOOPS and part == "body" for node, part in inner)


def _is_last(place: Place) -> bool:
    """Whether the main program's own line is the last thing that it does: nothing follows, in no block around it."""
    frame, line = place
    if frame.f_code.co_name != "<module>" or frame.f_globals.get("__name__") != "__main__":
        return False
    way = _way(frame, line)
    return len(way) > 1 and all(_ends_with(way[at][0], way[at][1], way[at + 1][0]) for at in range(len(way) - 1))


def _ends_with(node: Any, part: str, child: object) -> bool:
    return type(node).__name__ not in (*LOOPS, *SCOPES) and (part in CHOICES or getattr(node, part)[-1] is child)


def _way(frame: types.FrameType, line: int) -> list:
    """Return the statements around a line, from the module inward, each with the name of its block that holds the next.

    The last is the statement itself, with "". Empty where the source is not to be had.
    """
    found: Any = _tree(frame)
    way: list = []
    while found is not None:
        part, child = _child(found, line)
        way.append((found, part))
        found = child
    return way


def _child(node: Any, line: int) -> tuple[str, Optional[Any]]:
    for part in (*CHOICES, "body", "orelse", "finalbody"):
        block = getattr(node, part, ())
        for child in block if isinstance(block, list) else ():
            if _first(child) <= line <= (_last(child)):
                return part, child
    return "", None


def _first(node: Any) -> int:
    return min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", ()))]) if _has(node) else 0


def _last(node: Any) -> int:
    if _has(node):
        return int(node.end_lineno)
    return max(_last(child) for child in node.body)  # a case of a match statement has no lines of its own


def _has(node: Any) -> bool:
    return hasattr(node, "lineno")


def _tree(frame: types.FrameType) -> Any:
    path = frame.f_code.co_filename
    if path not in _trees:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _trees[path] = compile(_source(path, frame), path, "exec", ONLY_AST, True)
    tree: Any = _trees[path]
    return tree


def _source(path: str, frame: types.FrameType) -> str:
    """Return the text that Python has compiled; "" where it may be another by now: it must still parse."""
    if path == "<string>":
        words = getattr(sys, "orig_argv", [])
        return words[words.index("-c") + 1] if "-c" in words[:-1] else ""
    is_python = path.endswith(".py") or path == getattr(sys.modules.get("__main__"), "__file__", None)
    if not is_python or (os.path.exists(path) and os.stat(path).st_mtime > _started):
        return ""
    return "".join(linecache.getlines(path, frame.f_globals))
