"""The console review of one trial, in detail."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.padding import Padding

from harness import units
from harness.model import ConfigError, Evidence, Trial
from harness.report.console.styles import OUTCOMES, QUIET, item, joined, pairs, prose, section, table, where, words
from harness.report.content import long_tables, summary


def trial_review(evidence: Evidence, trial_id: str) -> Iterator[RenderableType]:
    """Yield everything that is known of one trial.

    Raises `ConfigError` where the inquest has no trial of that id.
    """
    trial = _trial(evidence, trial_id)
    yield joined(words("Trial", "bold"), words(trial.id, "bold cyan"), separator=" ")
    yield words(f"of inquest {evidence.inquest.get('id', '')}, records in trials/{trial.id}/", QUIET)
    yield from _ending(trial)
    yield from _facts(trial)
    yield from _forwards(trial)
    yield from _cited(evidence, trial)
    yield from _gaps(trial)


def _trial(evidence: Evidence, trial_id: str) -> Trial:
    found = next((trial for trial in evidence.trials if trial.id == trial_id), None)
    if found is None:
        known = ", ".join(trial.id for trial in evidence.trials) or "none"
        raise ConfigError(f"--trial {trial_id}: there is no such trial; there are: {known}")
    return found


def _ending(trial: Trial) -> Iterator[RenderableType]:
    yield from section("What happened")
    yield prose(words(summary.ending_text(trial), OUTCOMES[trial.outcome]))
    yield prose(summary.meaning(trial))
    yield pairs(_particulars(trial))


def _particulars(trial: Trial) -> dict[str, str]:
    signature, event = trial.signature, trial.last_event
    return {
        "Cell": trial.cell.id,
        "Changed on purpose": ", ".join(trial.interventions),
        "Ended by": trial.exit.ended_by.value,
        "Exit": summary.exit_word(trial.exit),
        "Epoch": str(event.epoch) if event and event.epoch is not None else "",
        "Phase": event.phase if event else "",
        "Peak resident memory": units.size(trial.peak_rss_bytes),
        "Signature, exact": (signature.exact if signature else None) or "",
        "Signature, loose": (signature.loose if signature else None) or "",
    }


def _facts(trial: Trial) -> Iterator[RenderableType]:
    yield from section("Facts")
    if not trial.facts:
        yield prose("No fact was read from the records.")
        return
    made = table("fact", "value")
    for fact in trial.facts:
        sources = [where(fact.sources)] if fact.sources else []
        made.add_row(words(fact.name), joined(words(summary.fact_text(fact)), *sources, separator="\n"))
    yield Padding.indent(made, 2)


def _forwards(trial: Trial) -> Iterator[RenderableType]:
    yield from section("Forward timings")
    if not trial.forwards:
        yield prose("No forward was recorded.")
        return
    headers = ("module", "call", "count", "median", "p95", "unfinished")
    made = table(*headers, right=headers[1:])
    for row in trial.forwards:
        made.add_row(
            *(words(value) for value in (row.module, row.call, row.count, *long_tables.times(row), row.unfinished))
        )
    yield Padding.indent(made, 2)


def _cited(evidence: Evidence, trial: Trial) -> Iterator[RenderableType]:
    found = [(finding.id, reason) for finding in evidence.hypotheses for reason in finding.reasons]
    folder = f"trials/{trial.id}/"
    about = [(name, why) for name, why in found if any(s.file.startswith(folder) for s in why.evidence)]
    if about:
        yield from section("Where the findings rest on it")
    for name, why in about:
        sources = (source for source in why.evidence if source.file.startswith(folder))
        yield item(joined(words(name, "bold"), words(summary.reason_text(why)), separator=": "), where(sources))


def _gaps(trial: Trial) -> Iterator[RenderableType]:
    yield from section("Gaps", words("evidence that is missing", QUIET))
    for gap in trial.gaps:
        yield item(joined(words(gap.probe, "bold"), words(gap.reason), separator=": "))
    if not trial.gaps:
        yield prose(long_tables.COMPLETE)
