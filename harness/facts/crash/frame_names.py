"""Spell frames: exactly (what stays from run to run), and loosely (what stays from build to build)."""

from __future__ import annotations

import re

from harness.facts.crash.frames import Frame, basename

ADDRESS = re.compile(r"\b0x[0-9a-f]{4,}\b|@plt\b")
CLONE = re.compile(r" ?\[clone [^]]*\]")
PARENTHESES = re.compile(r"\([^()]*\)")
ANONYMOUS, CALL = "(anonymous namespace)", "operator()"
OPERATOR = re.compile(r"operator(?:<=>|<<=|>>=|->\*|<<|>>|<=|>=|->|<|>)")
ALLOCATOR = re.compile(r"^_*(?:GI_+|libc_|int_)+(malloc|free|calloc|realloc|memalign)$")


def exact(frame: Frame) -> str:
    """Return the frame without addresses and paths; a frame without a name is known by its place in its library."""
    if not frame.native:
        return f"{frame.function} ({basename(frame.file or '?')}:{frame.line or '?'})"
    if frame.function:
        return ADDRESS.sub("", CLONE.sub("", frame.function)).strip()
    place = f"+{frame.offset:#x}" if frame.offset is not None else ""
    return f"{frame.library}{place}" if frame.library else "?"


def loose(frame: Frame) -> str:
    """Return the frame's function alone: template arguments folded, no argument list, offset, line or return type."""
    if not frame.native:
        return f"{frame.function} ({basename(frame.file or '?')})"
    return function(frame.function) if frame.function else f"? ({frame.library or 'no library'})"


def described(frame: Frame) -> str:
    """Return the frame for a reader: its loose name, and the source line or the library that it lies in."""
    if not frame.native:
        return f"{frame.function} ({basename(frame.file or '?')}:{frame.line or '?'})"
    if not frame.function:
        return exact(frame)
    source = f"{basename(frame.file)}:{frame.line}" if frame.file and frame.line else None
    place = source or frame.library
    return f"{function(frame.function)} ({place})" if place else function(frame.function)


def function(name: str) -> str:
    """Return the name of a demangled C++ function, e.g. `void f<int>(long) const` as `f<>`."""
    text = ADDRESS.sub("", CLONE.sub("", name)).replace(ANONYMOUS, "{anonymous}").replace(CALL, "{call}")
    text = fold_templates(text).replace(" <>", "<>")  # gdb and torch set the operators' apart: `operator<< <char>`
    while PARENTHESES.search(text):
        text = PARENTHESES.sub("", text)
    for ending in (" const", "&", " noexcept"):
        text = text.strip().removesuffix(ending)
    words = text.split(" ")
    text = text if "operator " in text or not words else words[-1]
    plain = ALLOCATOR.match(text)
    return plain[1] if plain else text.replace("{anonymous}", ANONYMOUS).replace("{call}", CALL)


def fold_templates(name: str) -> str:
    """Return the name with every outermost `<...>` as `<>`; operators such as `<<` and `->` are left as they are."""
    kept, depth, index = [], 0, 0
    while index < len(name):
        operator = OPERATOR.match(name, index)
        piece = operator[0] if operator else "->" if name.startswith("->", index) else name[index]
        depth -= piece == ">" and depth > 0
        kept.append(piece if depth == 0 else "")
        depth += piece == "<"
        index += len(piece)
    return "".join(kept)
