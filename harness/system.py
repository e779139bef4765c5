"""This system's five verbs, by name: `from harness import system; system.verbs.start(...)`."""

from __future__ import annotations

import sys

if sys.platform == "win32":
    from harness import windows as verbs
else:
    from harness import posix as verbs

__all__ = ["verbs"]
