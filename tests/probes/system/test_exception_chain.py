"""What an uncaught exception came from, in a real program."""

from __future__ import annotations

import errno
from pathlib import Path

from observing import observe

PROGRAM = """
class Guard:
    def __init__(self, error, cause):
        self.error, self.cause = error, cause
    def __enter__(self):
        pass
    def __exit__(self, kind, error, trace):
        self.error.__cause__ = error if self.cause else None
        if error is not None:
            raise self.error
with Guard(ValueError("last"), False), Guard(RuntimeError("cannot save"), True):
    open("/no/such/folder")
"""
LOOP = """
first, second = ValueError("a"), TypeError("b")
first.__context__, second.__context__ = second, first
raise first
"""


def test_causes_and_contexts_are_recorded_nearest_first(tmp_path: Path) -> None:
    """Type, message, errno and filename of each; a fact of the exception."""
    (tmp_path / "script.py").write_text(PROGRAM)
    observed = observe(tmp_path, tmp_path / "script.py")
    error = observed.trial.value("python_error")
    assert (error["type"], error["errno"]) == ("ValueError", None)
    assert [(link["how"], link["type"], link["message"]) for link in error["chain"]] == [
        ("context", "RuntimeError", "cannot save"),
        ("cause", "FileNotFoundError", "[Errno 2] No such file or directory: '/no/such/folder'"),
    ]
    assert (error["chain"][1]["errno"], error["chain"][1]["filename"]) == (errno.ENOENT, "/no/such/folder")


def test_a_chain_that_is_a_circle_ends(tmp_path: Path) -> None:
    """Each exception once."""
    (tmp_path / "script.py").write_text(LOOP)
    chain = observe(tmp_path, tmp_path / "script.py").trial.value("python_error")["chain"]
    assert [link["type"] for link in chain] in (["TypeError"], [])
