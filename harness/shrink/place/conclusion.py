"""What the capture and the replays say: in which operator it dies, or that the context matters; pure."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Sequence
from typing import Any

from harness.model import Gap, Reason, Source
from harness.shrink.place.captured_call import FOREIGN, Capture, Form, Operator, Tensor
from harness.shrink.place.likeness import Death, Likeness
from harness.shrink.place.narrow import Narrowed, Stretch
from harness.shrink.place.replays import Asked, Ended, Subject, missed

AGREES = {
    Likeness.SAME: "the same signal at the same places in the same libraries",
    Likeness.ALIKE: "the same signal in the same functions, by their names",
    Likeness.SIGNAL: "the same signal; there are no native frames to compare",
}
ACCESS = ("SIGSEGV", "SIGBUS", "0xC0000005")  # of other deaths the address is an instruction's


class Found(enum.StrEnum):
    """What was found: one operator, several of the module's, all of them, or that the module's operators survive alone.

    `unknown`: it could not be asked, or not to the end; the gaps say why.
    """

    OPERATOR = "operator"
    OPERATORS = "operators"
    MODULE = "module"
    CONTEXT = "context"
    UNKNOWN = "unknown"


@dataclasses.dataclass(frozen=True)
class Place:
    """Where it dies. `operator` is the one that the process was in; `stretch` the smallest that still dies alone.

    `missed` is the probability that a survivor only had luck (None where nothing survived or was asked).
    """

    found: Found
    statement: str
    module: str | None = None
    operator: str | None = None
    stretch: Stretch | None = None
    missed: float | None = None
    reasons: tuple[Reason, ...] = ()
    gaps: tuple[Gap, ...] = ()
    asked: tuple[Asked, ...] = ()
    capture_trial: str | None = None
    reads_foreign: bool = False


def unknown(reason: str, sources: tuple[Source, ...] = ()) -> Place:
    """Return the place of a death that could not be captured, with the reason."""
    statement = f"the place is not known beyond the flight record: {reason}"
    return Place(Found.UNKNOWN, statement, reasons=(Reason(reason, sources),), gaps=(Gap("capture", reason),))


def decide(
    subject: Subject, captured: Death | None, narrowed: Narrowed, asked: Sequence[Asked], trial_id: str, prefix: str
) -> Place:
    """Return the place. `captured` is how the captured trial died, `prefix` where its folder lies in the inquest's."""
    capture = subject.capture
    last = capture.open_operator
    foreign = bool(last and _foreign(capture, last))
    found, statement = _found(subject, narrowed, asked)
    said = [_last_words(capture, last, prefix), *(_memory(capture, last, captured, prefix))]
    said += [_answer(row, capture) for row in asked]
    chance = missed(subject.rate, min((row.survived for row in asked if row.dies is False), default=0))
    return Place(
        found, statement, capture.where, last.name if last else None, narrowed.stretch,
        chance if found is Found.CONTEXT else None, tuple(said), _gaps(narrowed, asked), tuple(asked), trial_id,
        foreign,
    )  # fmt: skip


def _found(subject: Subject, narrowed: Narrowed, asked: Sequence[Asked]) -> tuple[Found, str]:
    capture, stretch = subject.capture, narrowed.stretch
    if stretch is not None:
        like = next(row.likeness for row in asked if row.stretch == stretch and row.dies)
        where = describe(capture, stretch)
        return _kind(capture, stretch), f"it dies in {where} alone, in a fresh process with torch only: {AGREES[like]}"
    whole = next((row for row in asked if row.dies is False and row.survived and not row.left_out), None)
    if whole is None or not narrowed.finished or any(row.strays for row in asked):
        return Found.UNKNOWN, f"whether {capture.where} dies alone is not known: {_open_reason(narrowed, asked)}"
    return Found.CONTEXT, _context(capture) + _luck(subject, asked)


def _context(capture: Capture) -> str:
    """Only what had been begun before the death is known of the call, so no more than that is said to survive."""
    count, last = len(capture.operators), capture.open_operator
    ran = "the operator" if count == 1 else f"the {count} operators"
    text = f"{ran} that {capture.where} had begun by then survive{'s' * (count == 1)} alone: the context matters"
    if last and _foreign(capture, last):
        return f"{text}: {last.name} was given memory that belongs to no tensor of the module"
    known = any(form.values for tensor in capture.tensors.values() for form in tensor.forms)
    return text if known else f"{text}, or the very values do (replay_values: true in the plan records them)"


def _luck(subject: Subject, asked: Sequence[Asked]) -> str:
    survived, least = sum(row.survived for row in asked), min(row.survived for row in asked)
    text = f". {survived} replays of {_spoken(asked, subject.capture)} survived; one that fails as often as the target"
    text += f" ({subject.rate}) would have done so with a probability of at most {missed(subject.rate, least):.2g}"
    return text


def _kind(capture: Capture, stretch: Stretch) -> Found:
    if len(stretch) == 1:
        return Found.OPERATOR
    return Found.MODULE if len(stretch) == len(capture.operators) else Found.OPERATORS


def describe(capture: Capture, stretch: Stretch) -> str:
    """Return e.g. "aten.mul.Tensor of backbone (...), call 2 of step 1", or which of its operators."""
    if len(stretch) == 1:
        return f"{capture.operators[stretch.first].name} of {capture.where}"
    return f"{stretch} ({len(stretch)} of {len(capture.operators)}) of {capture.where}"


def _spoken(asked: Sequence[Asked], capture: Capture) -> str:
    names = [capture.operators[row.stretch.first].name if len(row.stretch) == 1 else str(row.stretch) for row in asked]
    return " and of ".join(dict.fromkeys(names))


def _open_reason(narrowed: Narrowed, asked: Sequence[Asked]) -> str:
    stray = next((run for row in asked for run in row.strays), None)
    if not narrowed.finished:
        return "the search was not finished"
    if stray:
        hint = " (replay_values: true in the plan records the values)" if any(row.stand_ins for row in asked) else ""
        return f"a replay {stray}{hint}"
    return "operators had to be left out of the replay" if asked else "it ran no operator"


def _last_words(capture: Capture, last: Operator | None, prefix: str) -> Reason:
    if last is not None:
        text = f"the last operator begun is number {last.number} of {capture.where}: {last.name}, in {last.module}"
        return Reason(f"{text}({_arguments(capture, last)}); it never returned", (_at(capture, last.line, prefix),))
    line = capture.operators[-1].line if capture.operators else 1
    text = (
        f"all {len(capture.operators)} operators of {capture.where} that were begun have returned: it died in between"
    )
    return Reason(text, (_at(capture, line, prefix),))


def _arguments(capture: Capture, operator: Operator) -> str:
    tensors = [capture.tensors[number] for number in operator.tensors]
    return ", ".join(f"{tensor}: {tensor.at(operator.number)}" for tensor in tensors)


def _memory(capture: Capture, last: Operator | None, death: Death | None, prefix: str) -> list[Reason]:
    """Say whose memory the fault's address lies in, among the tensors of the operator that it died in."""
    if last is None or death is None or death.address is None or death.how not in ACCESS:
        return []
    tensors = [capture.tensors[number] for number in last.tensors]
    holder = next((tensor for tensor in tensors if _holds(tensor, last, death.address)), None)
    if holder is None:
        text = f"the fault's address {death.address:#x} lies in no tensor that {last.name} was given"
        return [Reason(text, (_at(capture, last.line, prefix),))]
    text = f"the fault's address {death.address:#x} lies {_place_in(holder.at(last.number), death.address)} of {holder}"
    return [Reason(text, (_at(capture, holder.line, prefix), _at(capture, last.line, prefix)))]


def _place_in(form: Form, address: int) -> str:
    """Memory of a tensor that cannot be accessed has been taken away since it was made, or never was torch's."""
    into = address - form.address
    if into >= form.storage_bytes:
        return f"{into - form.storage_bytes} bytes behind the end of the storage ({form.storage_bytes} bytes)"
    return f"{into} bytes into the storage ({form.storage_bytes} bytes, {_owner(form.memory)})"


def _owner(memory: str) -> str:
    return "memory that torch did not allocate" if memory == FOREIGN else "torch's own memory"


def _holds(tensor: Tensor, operator: Operator, address: int) -> bool:
    form = tensor.at(operator.number)
    return form.address <= address < form.address + max(form.storage_bytes, form.span * form.item_bytes)


def _foreign(capture: Capture, operator: Operator) -> list[Tensor]:
    tensors = (capture.tensors[number] for number in operator.tensors)
    return [tensor for tensor in tensors if tensor.origin == "outside" and tensor.at(operator.number).memory == FOREIGN]


def _answer(row: Asked, capture: Capture) -> Reason:
    ends = [str(run) for run in row.runs]
    told = ", ".join(f"{ends.count(end)} {end}" for end in dict.fromkeys(ends))
    sources = tuple(run.source for run in row.runs)
    return Reason(f"replay of {describe(capture, row.stretch)}: {told or 'not run'}", sources)


def _gaps(narrowed: Narrowed, asked: Sequence[Asked]) -> tuple[Gap, ...]:
    gaps = [] if narrowed.finished else [Gap("replay", "the search ended early: no further trial may begin")]
    told = [f"operator {number} was left out: {reason}" for row in asked for number, reason in row.left_out]
    told += [text for row in asked for text in row.stand_ins]
    return (*gaps, *(Gap("replay", text) for text in dict.fromkeys(told)))


def _at(capture: Capture, line: int, prefix: str) -> Source:
    return Source(f"{prefix}/{capture.source(line).file}", line)


def as_json(place: Place) -> dict[str, Any]:
    """Return the place as place.json tells it."""
    return {
        "schema": "inquest/place/1", "found": place.found, "statement": place.statement, "module": place.module,
        "operator": place.operator, "missed": place.missed,
        "stretch": [place.stretch.first, place.stretch.last] if place.stretch else None,
        "capture_trial": place.capture_trial, "reads_foreign_memory": place.reads_foreign,
        "reasons": [_reason(reason) for reason in place.reasons],
        "asked": [_asked(row) for row in place.asked],
        "gaps": [dataclasses.asdict(gap) for gap in place.gaps],
    }  # fmt: skip


def _reason(reason: Reason) -> dict[str, Any]:
    return {"text": reason.text, "evidence": [dataclasses.asdict(source) for source in reason.evidence]}


def run_as_json(run: Ended) -> dict[str, Any]:
    """Return one run as place.json and repro.json tell it."""
    return {
        "trial": run.trial, "end": run.end, "likeness": run.likeness, "detail": run.detail,
        "evidence": [dataclasses.asdict(run.source)],
    }  # fmt: skip


def _asked(row: Asked) -> dict[str, Any]:
    return {
        "stretch": [row.stretch.first, row.stretch.last], "dies": row.dies, "likeness": row.likeness,
        "runs": [run_as_json(run) for run in row.runs],
    }  # fmt: skip
