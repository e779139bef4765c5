"""This system's five verbs, by name: `from harness import system; system.verbs.start(...)`."""

from __future__ import annotations

import sys

if sys.platform == "win32":
    from harness.launch import windows as verbs
else:
    from harness.launch import posix as verbs

__all__ = ["verbs"]
