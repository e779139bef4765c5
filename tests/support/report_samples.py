"""Realistic evidence for the tests of the reports, and the record files that it speaks of."""

from __future__ import annotations

import itertools
from typing import Any

from harness.model import (
    Cell,
    Control,
    EndedBy,
    Evidence,
    Exit,
    Experiment,
    Fact,
    Finding,
    ForwardTiming,
    Gap,
    LastEvent,
    Outcome,
    Reason,
    Signature,
    Source,
    Status,
    Trial,
    Verdict,
    VerdictStatus,
)

GIB = 2**30
NASTY = "[bold]loud[/bold] <script>alert('x')</script> \x1b[31mred & | `tick` :smile:"
IDS = (
    "memory-exhaustion",
    "threading-fault",
    "native-fault",
    "stack-overflow",
    "illegal-instruction",
    "external-kill",
    "deliberate-exit",
    "python-exception",
    "hang",
    "io-fault",
)
EXITS = {
    Outcome.COMPLETED: Exit(0, None, None, "The program returned 0", EndedBy.ITSELF),
    Outcome.DIED: Exit(
        None, "SIGSEGV", None, "Segmentation fault: it touched memory that is not mapped", EndedBy.ITSELF
    ),
    Outcome.HUNG: Exit(
        None, "SIGKILL", None, "No progress for 30 s, all threads waiting; then killed", EndedBy.HARNESS
    ),
    Outcome.STOPPED: Exit(None, "SIGTERM", None, "The step limit of the trial was reached", EndedBy.HARNESS),
    Outcome.UNRESOLVED: Exit(None, None, None, "The supervisor lost the process before it was reaped", EndedBy.OUTSIDE),
}


def inquest(**more: Any) -> dict[str, Any]:
    """Return what is known of the inquest itself."""
    return {
        "id": "2026-01-02T101112-siamese",
        "plan": "configs/plan.yaml",
        "command": "python -m trainer --config configs/trainer.yaml --threads 2 --batch-size 8",
        "started": "2026-01-02T10:11:12Z",
        "ended": "2026-01-02T10:16:40Z",
        "seconds": 328.4,
        "stages": [{"name": "baseline", "seconds": 21.0}, {"name": "matrix", "seconds": 307.4}],
        "harness_version": "1.0.0",
        **more,
    }


def environment(**more: Any) -> dict[str, Any]:
    """Return a machine on which one kind of evidence cannot be had."""
    return {
        "platform": "Linux 6.1.0 (glibc 2.36)",
        "machine": "x86_64",
        "cpus": 2,
        "memory_bytes": 16_700_000_000,
        "python": "3.11.7",
        "packages": {"torch": "2.14.1", "torchvision": "0.29.1", "gdb": None},
        "sources": [
            {"name": "memory", "available": True, "detail": "/proc/PID/status, every 20 ms"},
            {"name": "kernel log", "available": False, "detail": "/dev/kmsg is not readable by this user"},
        ],
        **more,
    }


def source(trial: str, file: str, line: int) -> Source:
    """Return a line of one of a trial's records."""
    return Source(f"trials/{trial}/{file}", line)


def forwards(batch: int, unfinished: int = 0) -> tuple[ForwardTiming, ...]:
    """Return timings that grow with the batch size."""
    base = 0.084 * batch
    return (
        ForwardTiming("backbone", 1, 3 if not unfinished else 1, 0, base, base * 1.13),
        ForwardTiming("backbone", 2, 0, 1, None, None)
        if unfinished
        else ForwardTiming("backbone", 2, 3, 0, base * 1.02, base * 1.2),
        *(() if unfinished else (ForwardTiming("head", 1, 3, 0, 0.00031 * batch, 0.00044 * batch),)),
    )


def trial(factors: dict[str, Any], outcome: Outcome = Outcome.COMPLETED, number: int = 1, **more: Any) -> Trial:
    """Return one trial of a cell, with the evidence that its outcome leaves."""
    cell = Cell(tuple(factors.items()))
    name = f"{cell.id}/{number}"
    batch = factors.get("batch_size", 1)
    is_failure = outcome.is_failure
    peak = int((0.92 + 0.11 * batch) * GIB)
    facts = (
        Fact("duration_seconds", 1.84 if is_failure else 2.2 + 0.6 * batch, (source(name, "exit.json", 5),)),
        Fact("headroom_bytes", 16_700_000_000 - peak, (source(name, "memory.jsonl", 61),)),
        Fact("memory_limit_bytes", 16_700_000_000, (source(name, "environment.json", 4),)),
        Fact("memory_limit_name", "physical memory", (source(name, "environment.json", 4),)),
        Fact("openmp_runtimes", ["libgomp-a34b3233.so.1"], (source(name, "maps.txt", 118),)),
        Fact("stderr_tail", ["Starting backbone for img2...", "Fatal Python error: Segmentation fault"]),
    )
    fields: dict[str, Any] = {
        "id": name,
        "cell": cell,
        "interventions": (),
        "outcome": outcome,
        "exit": EXITS[outcome],
        "last_event": LastEvent(1, 1, "forward", "backbone", 2)
        if is_failure
        else LastEvent(1, 3, "step-end", None, None),
        "peak_rss_bytes": peak,
        "forwards": forwards(batch, unfinished=int(is_failure)),
        "signature": Signature("9f1c2a77", "51be09d3", "backbone, call 2 of step 1") if is_failure else None,
        "facts": facts,
        "gaps": (Gap("native stacks", "gdb is not installed; OpenMP workers are not seen by py-spy"),),
    }
    return Trial(**{**fields, **more})


def cells(**factors: list[Any]) -> list[dict[str, Any]]:
    """Return all combinations."""
    return [dict(zip(factors, values, strict=True)) for values in itertools.product(*factors.values())]


def open_findings(*known: Finding) -> tuple[Finding, ...]:
    """Return a finding for each of the ten hypotheses: those given, the rest ruled out by one reason."""
    by_id = {finding.id: finding for finding in known}
    why = Reason("No trial shows what it predicts", (Source("trials/threads=2,batch_size=8/1/exit.json", 2),))
    return tuple(by_id.get(name, Finding(name, Status.RULED_OUT, (why,))) for name in IDS)


def founding() -> Evidence:
    """Return the founding case: two cells of six die by SIGSEGV in the second backbone call."""

    def outcome(cell: dict[str, Any]) -> Outcome:
        return Outcome.DIED if cell["threads"] == 2 and cell["batch_size"] >= 4 else Outcome.COMPLETED

    trials = tuple(trial(cell, outcome(cell)) for cell in cells(threads=[1, 2], batch_size=[1, 4, 8]))
    four, eight = trials[4].id, trials[5].id
    return Evidence(
        inquest(budget_seconds=900),
        environment(),
        trials,
        open_findings(_memory(four, eight), _threading(trials[2].id, four, eight), _native(four, eight)),
        Verdict(
            VerdictStatus.OPEN,
            None,
            "The program dies by SIGSEGV in backbone, call 2 of step 1, in 2 of 6 cells. Threading is supported: "
            "it died only with threads=2. Memory is not decided: 13.7 GiB were free at each death, but no trial "
            "with induced exhaustion has been run to compare signatures.",
            (
                Experiment(
                    "memory: does induced exhaustion leave the same signature?",
                    "harness run --set interventions=memory-limit --set repeat=5 "
                    "-- python -m trainer --config configs/trainer.yaml --threads 2 --batch-size 8",
                ),
                Experiment("threading: 0 of 8 deaths at threads=1?", "harness run --set threads=1 --set repeat=8"),
            ),
        ),
        (
            Control("segfault", "died by SIGSEGV, held, stack read", "died by SIGSEGV, held, stack read", True),
            Control("oom-kill", "died by SIGKILL, oom_kill counter +1", "no counter in this container", False),
        ),
    )


def healthy() -> Evidence:
    """Return an inquest in which nothing failed."""
    trials = tuple(trial(cell, gaps=()) for cell in cells(batch_size=[1, 4, 8]))
    statement = "No failure in 3 trials: the failure rate is below 63.2 % at 95 % confidence."
    fine = Verdict(VerdictStatus.NO_FAILURE, None, statement)
    findings = tuple(Finding(name, Status.OPEN, (Reason("Nothing failed"),)) for name in IDS)
    return Evidence(inquest(), environment(sources=[]), trials, findings, fine)


def hung() -> Evidence:
    """Return an inquest with a hang, repeated in one cell, an intervention, and a named cause."""
    first = [trial({"workers": 2}, Outcome.HUNG, number) for number in (1, 2)]
    odd = trial({"workers": 2}, Outcome.COMPLETED, 3)
    fixed = trial({"workers": 2}, Outcome.COMPLETED, 4, interventions=("threads=1",))
    why = Reason("Hung in 2 of 3 trials, in 0 of 1 with threads=1", (source(first[0].id, "threads.jsonl", 44),))
    named = Verdict(VerdictStatus.NAMED, "hang", "A deadlock in the second backbone call.")
    findings = open_findings(Finding("hang", Status.ESTABLISHED, (why,)))
    return Evidence(inquest(interrupted=True), environment(), (*first, odd, fixed), findings, named)


def three_factors() -> Evidence:
    """Return an inquest over three factors; one is fixed besides."""
    every = cells(threads=[1, 4], batch_size=[1, 2, 4, 8, 16], dtype=["float32", "bfloat16"], image=[224])
    trials = [
        trial(cell, Outcome.UNRESOLVED if cell["dtype"] == "bfloat16" and cell["threads"] == 4 else Outcome.COMPLETED)
        for cell in every
    ]
    stopped = trial({"threads": 1, "batch_size": 1, "dtype": "float32", "image": 224}, Outcome.STOPPED, 2)
    verdict = Verdict(VerdictStatus.OPEN, None, "5 trials are unresolved.")
    return Evidence(inquest(), environment(), (*trials, stopped), open_findings(), verdict)


def empty() -> Evidence:
    """Return an inquest that could not run a single trial."""
    verdict = Verdict(VerdictStatus.OPEN, None, "No trial was run.")
    return Evidence(inquest(ended=None, seconds=None, stages=[]), {}, (), (), verdict)


def nasty() -> Evidence:
    """Return evidence full of markup, control codes and signs that formats give a meaning to."""
    name = Source(f"trials/a/{NASTY}", 1)
    one = trial(
        {"data": NASTY},
        Outcome.DIED,
        exit=Exit(3, None, None, NASTY, EndedBy.OUTSIDE),
        last_event=LastEvent(None, None, NASTY, NASTY, 1),
        facts=(Fact("stderr_tail", NASTY, (name,)), Fact("odd", {"a": [NASTY]})),
        gaps=(Gap(NASTY, NASTY),),
        forwards=(ForwardTiming(NASTY, 1, 1, 0, 1.0, 1.0),),
    )
    findings = open_findings(Finding("memory-exhaustion", Status.OPEN, (Reason(NASTY, (name,)),), (Gap("p", NASTY),)))
    verdict = Verdict(VerdictStatus.OPEN, None, NASTY, (Experiment(NASTY, NASTY),))
    controls = (Control(NASTY, NASTY, NASTY, False),)
    return Evidence(inquest(id=NASTY, command=NASTY), environment(platform=NASTY), (one,), findings, verdict, controls)


SAMPLES = {
    "founding": founding,
    "healthy": healthy,
    "hung": hung,
    "three_factors": three_factors,
    "empty": empty,
    "nasty": nasty,
}


def _memory(four: str, eight: str) -> Finding:
    reasons = (
        Reason(
            "At death the process held 1.80 GiB of 15.6 GiB: 13.8 GiB of headroom under physical memory",
            (source(eight, "memory.jsonl", 91), source(eight, "environment.json", 4)),
        ),
        Reason("At death 14.2 GiB of headroom were left", (source(four, "memory.jsonl", 91),)),
        Reason("Peak memory grows with the batch size: 1.03, 1.36, 1.80 GiB", (source(eight, "memory.jsonl", 88),)),
        Reason("No allocation failure in what the program wrote", (source(eight, "stderr.log", 14),)),
    )
    gaps = (Gap("kernel log", "/dev/kmsg is not readable by this user"), Gap("control oom-kill", "not proven here"))
    return Finding("memory-exhaustion", Status.OPEN, reasons, gaps)


def _threading(one: str, four: str, eight: str) -> Finding:
    reasons = (
        Reason(
            "Died in 2 of 3 trials with threads=2, in 0 of 3 with threads=1; chance alone gives 0.20",
            (source(four, "exit.json", 3), source(eight, "exit.json", 3), source(one, "exit.json", 3)),
        ),
        Reason("The faulting thread is an OpenMP worker: it has no Python frame", (source(eight, "fault.log", 1),)),
    )
    return Finding("threading-fault", Status.SUPPORTED, reasons)


def _native(four: str, eight: str) -> Finding:
    reasons = (
        Reason("SIGSEGV in 2 trials", (source(four, "exit.json", 3), source(eight, "exit.json", 3))),
        Reason(
            "The top frame lies in libtorch_cpu.so: dnnl::impl::cpu::x64::jit_avx512_core_brgemm_conv",
            (source(eight, "native/7-held.txt", 12),),
        ),
    )
    return Finding("native-fault", Status.SUPPORTED, reasons)
