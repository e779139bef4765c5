"""memory-exhaustion: use near a limit at death, or an allocation that failed.

Decided by observation: the OOM killer was seen to end the very process that died, or the system to refuse memory at a
limit that was reached, in each failure; or something else was seen to end each; or where each system call was followed,
exhausted memory had no way to act. Else by the memory ladder: the same
cell under limits at shares of its own peak shows what exhaustion looks like for this very target on this machine, and
the death under inquest is compared with that.
"""

from __future__ import annotations

from harness.decide import memory_course, memory_ladder, no_way_to_exhaust, observed, wants
from harness.decide.hypotheses.calls import ending_signal
from harness.decide.hypotheses.case import Case, nothing_to_judge, unproven
from harness.decide.hypotheses.speaking import con
from harness.decide.memory_ladder_endings import has_plenty_left
from harness.facts.refused import wording
from harness.model import Finding, Gap, Reason, Status, Trial

ID = "memory-exhaustion"
NEAR = 0.05  # of the limit
SIGNALS = ("SIGKILL", "SIGSEGV", "SIGABRT", "SIGBUS")


def predicts(trial: Trial) -> bool:
    """A kill, a fault after an unchecked allocation, or an error: running out of memory can look like each of them."""
    return (
        (ending_signal(trial) in SIGNALS and trial.exit.ended_by != "harness")
        or trial.value("python_error") is not None
        or bool(trial.exit.ntstatus)
    )


def judge(case: Case) -> Finding:
    """Established or ruled out by what was observed, or by the ladder; supported by a sign or little headroom."""
    if not case.failures or case.study is None:
        return nothing_to_judge(ID)
    death = case.study.reference
    signs = tuple(reason for trial in (death, *case.unlike) for reason in memory_course.signs(trial))
    numbers = (
        *memory_course.headroom(death), *memory_course.course(death), *memory_course.survived_more(case, death),
        *memory_course.same_use(case.failures),
    )  # fmt: skip
    seen = _observed(case)
    if seen:
        return Finding(ID, Status.ESTABLISHED, (*seen, *signs, *numbers))
    proven = case.is_proven(ID)
    other = _something_else(case)
    if other:
        status = Status.RULED_OUT if proven else Status.OPEN
        return Finding(ID, status, con((*other, *numbers)), () if proven else unproven(ID))
    reading = case.ladder
    without = _had_no_way(case)
    if without:
        climbed = reading.reasons if reading else ()
        return Finding(ID, Status.RULED_OUT, (*without, *numbers, *climbed))
    if reading is None:
        gap = Gap("memory ladder", "the failing cell has not been run under lower memory limits")
        return Finding(ID, Status.SUPPORTED if signs or _is_near(death) else Status.OPEN, (*signs, *numbers), (gap,))
    status = _status(reading, bool(signs) or _is_near(death), proven)
    gaps = (*reading.gaps, *(() if proven else unproven(ID)))
    return Finding(ID, status, (*signs, *numbers, *reading.reasons), () if status is Status.ESTABLISHED else gaps)


def _observed(case: Case) -> tuple[Reason, ...]:
    """Return what was seen of every failure: the OOM killer, a refusal, or words that a sampled limit bears out."""
    seen = [[one for one in observed.of(trial) if one.family == ID] for trial in case.failures]
    if all(seen):
        return tuple(
            Reason(f"{trial.id}: {one.text}", one.sources)
            for trial, ones in zip(case.failures, seen, strict=True)
            for one in ones[:1]
        )
    said = [[want for want in wants.of(trial) if _is_of_memory(want) and want.is_full] for trial in case.failures]
    if not all(said) or len(said) < observed.AGREEING:
        return ()
    return tuple(
        Reason(f"{trial.id}: {ones[0].text}", ones[0].sources) for trial, ones in zip(case.failures, said, strict=True)
    )


def _is_of_memory(want: wants.Want) -> bool:
    return want.resource == wording.MEMORY


def _something_else(case: Case) -> tuple[Reason, ...]:
    """Return what else was seen to end each failure, where nothing of it speaks of memory."""
    families = {family for trial in case.failures for family in observed.families(trial)}
    other = observed.known(case.failures) not in (None, ID) and ID not in families
    if not (other or all(_is_of_mappings(trial) for trial in case.failures)):
        return ()
    if any(_says_memory(trial) for trial in case.failures):
        return ()
    first = case.failures[0]
    seen = [(one.text, one.sources) for one in observed.of(first)]
    seen += [(want.text, want.sources) for want in wants.of(first) if want.is_full]
    return tuple(Reason(f"{first.id}: {text}", sources) for text, sources in seen[:1])


def _had_no_way(case: Case) -> tuple[Reason, ...]:
    """Return why exhaustion had no way to act, where the ladder, if climbed, does not speak against it, nor any failure
    of another cell.
    """
    assert case.study is not None
    if case.ladder is not None and case.ladder.matches == memory_ladder.YES:
        return ()
    if not case.is_proven(ID) or any(no_way_to_exhaust.tells(trial) for trial in case.failures):
        return ()
    return no_way_to_exhaust.reasons(case.study.dead, case.controls)


def _is_of_mappings(trial: Trial) -> bool:
    """Whether the number of mappings was at its limit: an allocation then fails, whatever memory is left."""
    full = {want.resource for want in wants.of(trial) if want.is_full}
    return wording.MAPPINGS in full


def _says_memory(trial: Trial) -> bool:
    """Whether kernel or program speak of memory; an allocation that failed with plenty left speaks of another limit."""
    killed = trial.value("oom_kill_in_group") and trial.value("group_is_own")
    failed = trial.fact("allocation_failure") is not None and not has_plenty_left(trial)
    return bool(killed) or trial.fact("kernel_oom_line") is not None or failed


def _is_near(trial: Trial) -> bool:
    left, limit = trial.value("headroom_bytes"), trial.value("memory_limit_bytes")
    return left is not None and limit is not None and left < NEAR * limit


def _status(reading: memory_ladder.LadderReading, has_signs: bool, proven: bool) -> Status:
    if reading.matches == memory_ladder.YES:
        return Status.ESTABLISHED
    if reading.matches == memory_ladder.NO and not has_signs and proven:
        return Status.RULED_OUT
    return Status.SUPPORTED if has_signs else Status.OPEN
