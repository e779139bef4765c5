"""Which way each reason speaks: for its hypothesis, or against it; pure.

What speaks neither way is no reason: it is a gap, or stands beneath the ending that it belongs to.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from harness.decide.effects import Does
from harness.model import Finding, Reason, Source, Speaks, Status

BY_STATUS = {
    Status.ESTABLISHED: Speaks.FOR, Status.SUPPORTED: Speaks.FOR, Status.RULED_OUT: Speaks.AGAINST,
    Status.OPEN: None,
}  # fmt: skip


def pro(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """Return the reasons as such that speak for; what is marked already stays as it is."""
    return tuple(reason if reason.speaks else dataclasses.replace(reason, speaks=Speaks.FOR) for reason in reasons)


def con(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """Return the reasons as such that speak against; what is marked already stays as it is."""
    return tuple(reason if reason.speaks else dataclasses.replace(reason, speaks=Speaks.AGAINST) for reason in reasons)


def by_effect(does: Does, reasons: Iterable[Reason], removed: Speaks = Speaks.FOR) -> tuple[Reason, ...]:
    """Return what an intervention did as a reason: `removed` is how it speaks where it removes the failure.

    One that has not decided yet speaks neither way.
    """
    if does is Does.UNDECIDED:
        return ()
    is_for = (removed is Speaks.FOR) == (does is Does.REMOVES)
    return pro(reasons) if is_for else con(reasons)


def spoken(finding: Finding) -> Finding:
    """Return a finding whose reasons each say which way they speak, as its status has it where they do not; each once.

    Two of the same text are one, with the records of both.
    """
    default = BY_STATUS[finding.status]
    marked = [reason if reason.speaks else dataclasses.replace(reason, speaks=default) for reason in finding.reasons]
    texts: dict[str, Reason] = {}
    for reason in marked:
        known = texts.get(reason.text)
        texts[reason.text] = dataclasses.replace(known, evidence=_both(known, reason)) if known else reason
    return dataclasses.replace(finding, reasons=tuple(texts.values()))


def _both(one: Reason, other: Reason) -> tuple[Source, ...]:
    return tuple(dict.fromkeys((*one.evidence, *other.evidence)))
