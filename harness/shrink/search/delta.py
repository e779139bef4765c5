"""Which of many differences are needed for the failure: delta debugging, down to a 1-minimal set that still dies.

Three phases. *Bisect*: while one half of what is left dies, go on with it; where neither does, the cause lies in both,
and each is bisected with the other kept (dd of Zeller, ESEC/FSE 1999, with the better second half of QuickXplain,
Junker, AAAI 2004): one cause is found in at most 2 * log2(n) * repeats trials. *ddmin* (Zeller and Hildebrandt, IEEE
TSE 28(2), 2002) from there, which assumes nothing about how differences act together. *Proof*: each set that lacks one
difference is asked until the whole is as sure as `TARGET`; if one dies after all, the set shrinks again.

A flaky failure is asked up to `repeats` times; a wrong "survives" makes the search longer, and never its result wrong:
the result itself has died, and the proof is its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TypeVar

from harness.shrink.search.answers import LEAST_CONFIDENCE, Asked, Isolation
from harness.shrink.search.asker import Log, Trial, ignore
from harness.shrink.search.results import Minimal
from harness.shrink.search.subsets import Places, Subsets, halves, joined, parts, without
from harness.shrink.search.survivors import is_confirmed, repeats

T = TypeVar("T")

TARGET = 0.99  # the proof goes on until the whole is that sure
NEGLIGIBLE = 1e-6


def delta(
    differences: Sequence[T],
    trial: Trial[tuple[T, ...]],
    log: Log = (),
    record: Callable[[Asked], None] = ignore,
    label: Callable[[T], str] = str,
    name: Callable[[tuple[T, ...]], str] | None = None,
) -> Minimal[T]:
    """Return a 1-minimal set of the differences that still dies; for data, the differences are the samples.

    `trial` runs the surviving configuration with a subset of the differences applied, in their order; with all of them
    it dies, with none it should survive (a trial that cannot be run without any may say so without running). `label`
    gives a difference its words, unique among them. `name` gives a subset its stable name (the id of its cell, where it
    is one). `log` and `record` are those of `Asker`.
    """
    subsets = Subsets(differences, [label(one) for one in differences], trial, name, log, record)
    _confirm(subsets)
    if not subsets.has_died(subsets.every):
        return _result(subsets, (), None)
    subsets.repeats = repeats(subsets.asker.known)
    minimal = (
        () if subsets.dies((), question="does it die without any difference?") else _proven(subsets, _shrunk(subsets))
    )
    return _result(subsets, minimal, _has_another_cause(subsets, minimal))


def _confirm(subsets: Subsets[T]) -> None:
    """Repeat the failure with all differences: what is not known to die cannot be shrunk."""
    every, asker = subsets.every, subsets.asker
    while not (is_confirmed(asker.deaths(every), asker.trials(every)) or asker.is_blocked(every) or asker.is_spent):
        subsets.once(subsets.every, "does it die again with all differences, and how often?")


def _shrunk(subsets: Subsets[T]) -> Places:
    """Return a set that died and is 1-minimal as far as `repeats` trials tell."""
    bisected = _bisected(subsets, subsets.every, ())
    return _ddmin(subsets, bisected if subsets.dies(bisected) else subsets.smallest or subsets.every)


def _bisected(subsets: Subsets[T], places: Places, kept: Places) -> Places:
    """Return what of `places` is needed to die, with `kept` applied."""
    if len(places) < 2 or subsets.asker.is_spent:
        return places
    first, second = halves(places)
    tries = (
        (half, times) for times in (1, 2) for half in (first, second)
    )  # a wrong "survives" costs more than a retry
    dying = next((half for half, times in tries if subsets.dies(joined(half, kept), times)), None)
    if dying is not None:
        return _bisected(subsets, dying, kept)
    of_first = _bisected(subsets, first, joined(second, kept))
    return joined(of_first, _bisected(subsets, second, joined(of_first, kept)))


def _ddmin(subsets: Subsets[T], places: Places) -> Places:
    """Return a dying set of which no part and no complement at the finest granularity dies."""
    granularity = 2
    while len(places) > 1 and not subsets.asker.is_spent:
        part = _first_dying(subsets, parts(places, granularity))
        complement = None if part else _first_dying(subsets, _complements(places, granularity))
        if part:
            places, granularity = part, 2
        elif complement:
            places, granularity = complement, max(granularity - 1, 2)
        elif granularity >= len(places):
            return places
        else:
            granularity = min(2 * granularity, len(places))
    return places


def _first_dying(subsets: Subsets[T], candidates: Sequence[Places] | Iterator[Places]) -> Places | None:
    for places in candidates:
        if subsets.asker.is_spent:
            return None
        if subsets.dies(places):
            return places
    return None


def _complements(places: Places, granularity: int) -> Iterator[Places]:
    return (without(places, part) for part in parts(places, granularity))


def _proven(subsets: Subsets[T], minimal: Places) -> Places:
    """Return a set of which no difference can be left out, with the confidence that is aimed at.

    Where a set that lacks one dies after all, the search goes on with that.
    """
    error = (1.0 - TARGET) / max(1, len(minimal))
    for place in minimal:
        rest = without(minimal, (place,))
        subsets.ask(rest, f"can {subsets.labels((place,))[0]} be left out?", partial(_is_sure, subsets, rest, error))
        if subsets.has_died(rest):
            return _proven(subsets, _ddmin(subsets, rest))
        if subsets.asker.is_spent:
            return minimal
    return minimal


def _is_sure(subsets: Subsets[T], places: Places, error: float) -> bool:
    return subsets.doubt(places) < error


def _has_another_cause(subsets: Subsets[T], minimal: Places) -> bool | None:
    """Whether what is left without the minimal set dies too; None where that is not known."""
    rest = without(subsets.every, minimal)
    if not rest or not minimal:
        return False
    is_dying = subsets.dies(rest, question="another cause: do the others die without these: {}?")
    return is_dying if is_dying or subsets.survivors(rest) >= subsets.repeats else None


def _confidence(subsets: Subsets[T], minimal: Places) -> float:
    """Return how sure it is that nothing of a minimal set can be left out: the product over its differences."""
    sure = 1.0
    for place in minimal:
        sure *= 1.0 - subsets.doubt(without(minimal, (place,)))
        if sure < NEGLIGIBLE:  # a search that was cut short may be left with thousands, each unproven
            return 0.0
    return sure


def _result(subsets: Subsets[T], minimal: Places, another_cause: bool | None) -> Minimal[T]:
    asker = subsets.asker
    confidence = _confidence(subsets, minimal)
    has_died = subsets.has_died(subsets.every)
    sure = Isolation.ISOLATED if confidence >= LEAST_CONFIDENCE else Isolation.NOT_ISOLATED
    return Minimal(
        sure if has_died else Isolation.NOT_REPRODUCED,
        subsets.items(minimal),
        subsets.labels(minimal),
        confidence if has_died else 0.0,
        asker.known,
        subsets.repeats,
        another_cause,
        asker.others,
        asker.is_spent,
        tuple(asker.trace),
    )
