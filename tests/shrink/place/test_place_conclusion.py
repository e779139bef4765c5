"""What is said of a place, from captures and replays that are made up."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_place_script import captured, operator, returned, tensor

from harness.decide.statistics import Count
from harness.facts.crash.frames import Frame
from harness.model import Cell, Source
from harness.plan import plan_file as plan
from harness.shrink.place.captured_call import Capture
from harness.shrink.place.conclusion import Found, Place, decide
from harness.shrink.place.likeness import Death, Likeness
from harness.shrink.place.narrow import Narrowed, Stretch
from harness.shrink.place.replays import Asked, End, Ended, Subject

DEATH = Death("SIGSEGV", (Frame("kernel", "/v/lib.so"),), 0x1008)
LAST, WHOLE = Stretch(1, 1), Stretch(0, 1)


def ended(end: End, like: Likeness = Likeness.DIFFERENT, detail: str = "") -> Ended:
    """Return one run."""
    return Ended(end, like, detail, "replay/1", Source("place/trials/replay/1/exit.json", 5))


def asked(stretch: Stretch, *runs: Ended, dies: bool | None = False) -> Asked:
    """Return one question."""
    return Asked(stretch, dies, runs)


def made(root: Path) -> Capture:
    """Return a call of two operators that died in the second, which reads the input."""
    first = operator(0, "aten.neg.default", {"tensor": 0})
    rows = (tensor(0), first, tensor(1, "output", 1, address="0x9000"), returned(0, {"tensor": 1}))
    return captured(root, *rows, operator(1, "aten.add.Tensor", {"tensor": 1}, {"tensor": 0}))


def place(root: Path, narrowed: Narrowed, *questions: Asked, death: Death = DEATH) -> Place:
    """Return what is decided."""
    read = plan.parse({"target": {"command": ["x.py"]}}, root / "plan.yaml")
    subject = Subject(read, Cell(()), made(root), DEATH, Count(5, 5))
    return decide(subject, death, narrowed, questions, "capture/1", "place")


SURVIVED = asked(LAST, *[ended(End.SURVIVED)] * 5)
BOTH = (SURVIVED, asked(WHOLE, *[ended(End.SURVIVED)] * 5))


class TestFound:
    """What is found."""

    @pytest.mark.parametrize(("stretch", "found"), [(LAST, Found.OPERATOR), (WHOLE, Found.MODULE)])
    def test_the_stretch_that_dies(self, tmp_path: Path, stretch: Stretch, found: Found) -> None:
        """One operator, or all that had been begun; how alike the deaths are is said."""
        question = asked(stretch, ended(End.SAME, Likeness.ALIKE), dies=True)
        decided = place(tmp_path, Narrowed(stretch), question)
        assert (decided.found, decided.stretch, decided.missed) == (found, stretch, None)
        assert decided.statement.endswith("the same signal in the same functions, by their names")

    def test_survivors_speak_for_the_context_or_the_values(self, tmp_path: Path) -> None:
        """The values were not recorded; the chance of luck is told."""
        decided = place(tmp_path, Narrowed(None), *BOTH)
        assert (decided.found, decided.operator) == (Found.CONTEXT, "aten.add.Tensor")
        assert "the context matters, or the very values do" in decided.statement
        assert decided.missed is not None and decided.missed < 0.05

    @pytest.mark.parametrize(
        ("narrowed", "questions", "reason"),
        [
            (Narrowed(None, False), (SURVIVED,), "the search was not finished"),
            (Narrowed(None), (SURVIVED, asked(WHOLE, ended(End.OTHERWISE, detail="SIGABRT"))), "another way: SIGABRT"),
            (Narrowed(None), (SURVIVED, asked(WHOLE, ended(End.BROKEN, detail="no"))), "could not be carried out: no"),
            (Narrowed(None), (), "it ran no operator"),
        ],
    )  # fmt: skip
    def test_what_was_not_asked_to_the_end_is_open(
        self, tmp_path: Path, narrowed: Narrowed, questions: tuple[Asked, ...], reason: str
    ) -> None:
        """Another failure is not the one that is followed, and no survivor either."""
        decided = place(tmp_path, narrowed, *questions)
        assert decided.found is Found.UNKNOWN and reason in decided.statement


class TestMemory:
    """Whose memory the fault's address lies in."""

    @pytest.mark.parametrize(
        ("address", "expected"),
        [
            (0x1008, "lies 8 bytes into the storage (16 bytes, torch's own memory) of input x"),
            (0x7F0000000000, "lies in no tensor that aten.add.Tensor was given"),
        ],
    )
    def test_is_told_of_a_bad_access(self, tmp_path: Path, address: int, expected: str) -> None:
        """Among the tensors of the operator that it died in."""
        decided = place(tmp_path, Narrowed(None), *BOTH, death=Death("SIGSEGV", (), address))
        assert expected in decided.reasons[1].text

    def test_is_not_told_of_a_division(self, tmp_path: Path) -> None:
        """The address of a SIGFPE is an instruction's."""
        decided = place(tmp_path, Narrowed(None), *BOTH, death=Death("SIGFPE", (), 0x1008))
        assert not any("address" in reason.text for reason in decided.reasons)
