"""What to run next where a verdict is open: exact commands, in the order of what they would decide; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from harness.decide.hypotheses.case import Case
from harness.model import Experiment, Finding, Status, Trial

MUST_BE_DECIDED = ("memory-exhaustion", "threading-fault")
CONTROLS = "harness controls"
DOCTOR = "harness doctor"


def after(case: Case, findings: Sequence[Finding], plan: str, resume: str | None = None) -> tuple[Experiment, ...]:
    """Return the experiments that would close an open verdict, each command once.

    `plan` is the command of this inquest; `resume` the one that goes on with it, where it was cut short: its own agenda
    then comes before any other inquest of the same.
    """
    found = (*_proofs(findings), *_threading(case, findings, plan), *_memory(case, findings, plan))
    rest = found or tuple(_rivals(case, findings, plan))
    again = Experiment("whether it happens again, and how often", _failing_cell(plan, _dead(case)))
    return tuple(merged(_resumed(one, resume) for one in rest or (again,)))


def merged(experiments: Iterable[Experiment]) -> Iterator[Experiment]:
    """Yield each command once, with all that it would decide."""
    decides: dict[str, dict[str, None]] = {}
    for one in experiments:
        decides.setdefault(one.command, {})[one.decides] = None
    yield from (Experiment("; and ".join(texts), command) for command, texts in decides.items())


def _resumed(one: Experiment, resume: str | None) -> Experiment:
    """Return an experiment as the inquest's own agenda carries it out, where that was cut short."""
    is_another = resume is None or one.command in (CONTROLS, DOCTOR)
    return one if is_another else Experiment(one.decides, str(resume))


def _proofs(findings: Sequence[Finding]) -> Iterator[Experiment]:
    unproven = [finding.id for finding in findings if any(gap.probe.startswith("control of") for gap in finding.gaps)]
    if unproven:
        yield Experiment(f"whether the probes can rule out {', '.join(unproven)} here", CONTROLS)


def _threading(case: Case, findings: Sequence[Finding], plan: str) -> Iterator[Experiment]:
    """One thread against the failing number, all else equal; nothing else isolates it."""
    dead = _dead(case)
    threads = dead.factors.get("threads") or dead.value("torch_threads") or 1
    if _is_open(findings, "threading-fault") and threads > 1:
        decides = f"threading-fault: at least 5 trials at 1 thread against 5 at {threads}, all else equal"
        yield Experiment(decides, _failing_cell(plan, dead, {"threads": f"[1,{threads}]"}))


def _memory(case: Case, findings: Sequence[Finding], plan: str) -> Iterator[Experiment]:
    """The memory ladder; a smaller batch would change the work of each thread as well, so it decides nothing."""
    if not _is_open(findings, "memory-exhaustion"):
        return
    reading = case.ladder
    if reading is None:
        decides = "memory-exhaustion: the memory ladder of the failing cell, which has not been climbed"
        yield Experiment(decides, _failing_cell(plan, _dead(case)))
    elif not reading.rungs or any(rung.limit_bytes is None for rung in reading.rungs):
        yield Experiment("memory-exhaustion: why no memory limit takes hold on this machine", DOCTOR)
    elif _dead(case).value("oom_kill_in_group") is None:
        yield Experiment("memory-exhaustion: why the kernel's OOM kills are not counted on this machine", DOCTOR)
    else:
        decides = "memory-exhaustion: the memory ladder again, of another death of the failing cell"
        yield Experiment(decides, _failing_cell(plan, _dead(case)))


def _rivals(case: Case, findings: Sequence[Finding], plan: str) -> Iterator[Experiment]:
    """Each family that is neither established nor ruled out, by what its gaps say is missing."""
    for finding in findings:
        if finding.status is Status.SUPPORTED and finding.gaps:
            missing = "; ".join(dict.fromkeys(gap.reason for gap in finding.gaps))
            yield Experiment(f"{finding.id}: {missing}", _failing_cell(plan, _dead(case)))


def _dead(case: Case) -> Trial:
    return case.study.reference if case.study else case.failures[0]


def _is_open(findings: Sequence[Finding], identity: str) -> bool:
    status = next((finding.status for finding in findings if finding.id == identity), Status.OPEN)
    return not status.is_decided


def _failing_cell(plan: str, dead: Trial, instead: dict[str, str] | None = None) -> str:
    """Return the command that runs the failing cell alone, five times, with other values for some of its factors."""
    if not plan.startswith("harness run"):
        return plan  # a control has its own plan
    own, dashes, command = plan.partition(" -- ")
    values = {name: f"[{value}]" for name, value in dead.cell.factors} | (instead or {})
    words = "".join(f" --set factors.{name}={value}" for name, value in values.items()) or " --set factors={}"
    return f"{own}{words} --set repeats=5{dashes}{command}"
