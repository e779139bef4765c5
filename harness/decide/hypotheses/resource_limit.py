"""resource-limit: a limit of the system other than memory: threads, open files, file size, processor time, and others.

It predicts a refusal of that kind near the death, or the kernel's own signal (SIGXCPU, SIGXFSZ). Established where the
system was seen to refuse it at a limit that was reached, in each failure; where the limit lifted, or less need, removes
the failure and its words; or where in several failures words and a sampled limit that is full agree.
"""

from __future__ import annotations

from harness.decide import observed, refusals, wants
from harness.decide.effects import Does
from harness.decide.hypotheses.case import Case, exit_source, no_sign_of, nothing_to_judge
from harness.decide.interventions import LIFTED_LIMITS, NO_WORKERS, ONE_THREAD
from harness.decide.memory_ladder_endings import has_plenty_left
from harness.decide.wants import Want
from harness.facts.refused import wording
from harness.model import Finding, Gap, Reason, Status, Trial

ID = "resource-limit"
UNSEEN = Gap("refusals", "the system was not seen to refuse it: only the program's words, or no use of the limit, tell")
HIDDEN = Gap(
    "refusals", "memory was refused with plenty left, which a limit does as well, and what was refused is not recorded"
)
SOME = Gap("what was refused", "not every failure shows it")
REFUTED = Gap("refusals", "the program names it, but no refusal of it was recorded")
LESS = (ONE_THREAD, NO_WORKERS)


def predicts(trial: Trial) -> bool:
    """A refusal of such a resource near the death, the program's words for it, or the kernel's signal at a limit."""
    return bool(own_wants(trial))


def own_wants(trial: Trial) -> list[Want]:
    """Return what a death was refused, or says that it was, of the resources of this family."""
    return [want for want in wants.of(trial) if observed.family_of(want.resource) == ID]


def judge(case: Case) -> Finding:
    """Established by observation, by an intervention, or by words and samples that agree; else supported."""
    if not case.failures or case.study is None:
        return nothing_to_judge(ID)
    matching = [trial for trial in case.failures if predicts(trial)]
    if not matching and any(map(_may_hide_a_limit, case.failures)):
        return Finding(ID, Status.OPEN, (), (HIDDEN,))
    if not matching:
        return no_sign_of(case, ID, "no limit other than memory was seen to be reached, and nothing names one")
    reasons = tuple(_reason(trial, want) for trial in matching for want in own_wants(trial)[:2])
    if len(matching) < len(case.failures):
        return Finding(ID, Status.SUPPORTED, reasons, (SOME,))
    removed = _removed(case)
    if _is_refused_elsewhere(case):
        return Finding(ID, Status.SUPPORTED, (*removed, *reasons), (REFUTED,))
    if removed or all(ID in observed.families(trial) for trial in matching) or observed.agreed(matching) == ID:
        return Finding(ID, Status.ESTABLISHED, (*removed, *reasons))
    return Finding(ID, Status.SUPPORTED, reasons, (UNSEEN,))


def _may_hide_a_limit(trial: Trial) -> bool:
    """Whether memory was refused, by the program's words, that was there: by the number of mappings, or the like."""
    named = any(want.resource == wording.MEMORY for want in wants.of(trial))
    return named and not wants.is_watched(trial) and has_plenty_left(trial)


def is_removed_by_less(case: Case) -> bool:
    """Whether less need removes a failure whose words, or refusals, name such a limit, and them with it."""
    return bool(_removed(case)) and all(predicts(trial) for trial in case.failures)


def _removed(case: Case) -> tuple[Reason, ...]:
    """Return what the limit lifted, or less need, did: gone, and no refusal of it near the end of those that lived.

    A thread that cannot be made for want of memory for its stack has the same words: memory must have been left.
    """
    assert case.study is not None
    found = [
        (case.effect(one.id)[1], case.study.under[one.id])
        for one in (LIFTED_LIMITS, *LESS)
        if case.study.does(one.id) is Does.REMOVES and (one is LIFTED_LIMITS or _is_about(case, one.id))
    ]
    calm = [effect for effect, lived in found if not any(_was_refused(trial) for trial in lived)]
    return calm[0] if calm else ()


def _is_about(case: Case, intervention: str) -> bool:
    """Whether less need can have spared what was refused: one thread spares threads, no workers their descriptors."""
    assert case.study is not None
    spared = (wording.THREADS,) if intervention == ONE_THREAD.id else (wording.THREADS, wording.FILES, wording.SHARED)
    named = {want.resource for want in own_wants(case.study.reference)}
    seen = any(want.is_observed or want.is_full for want in own_wants(case.study.reference))
    return bool(named.intersection(spared)) and (seen or has_plenty_left(case.study.reference))


def _was_refused(trial: Trial) -> bool:
    refused = [fact for fact in trial.facts if fact.name == "refusal"]
    kinds = {refusals.resource_of(fact.value, trial) for fact in refused} - {None}
    return any(observed.family_of(kind) == ID for kind in kinds if kind)


def _is_refused_elsewhere(case: Case) -> bool:
    """Whether a record of refusals speaks against the words in some failure."""
    return any(
        all(want.is_full is False for want in own_wants(trial)) for trial in case.failures if wants.is_watched(trial)
    )


def _reason(trial: Trial, want: Want) -> Reason:
    return Reason(f"{trial.id}: {want.resource}: {want.text}", want.sources or (exit_source(trial),))
