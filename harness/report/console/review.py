"""The console review of an inquest: generators yield what `show` prints."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Iterator

from rich import box
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from harness.model import Evidence, Finding, Status, Verdict
from harness.report import shell
from harness.report.console import searches as console_searches
from harness.report.console.one_trial import trial_review
from harness.report.console.styles import (
    OUTCOMES,
    QUIET,
    STATUSES,
    VERDICTS,
    Fitted,
    badge,
    item,
    joined,
    pairs,
    prose,
    reasons,
    section,
    table,
    where,
    words,
)
from harness.report.console.tables import controls, gaps, matrix, timings
from harness.report.content import summary

__all__ = ["review", "show", "trial_review"]


def review(evidence: Evidence) -> Iterator[RenderableType]:
    """Yield the whole review, in the order in which one asks."""
    yield from _header(evidence)
    yield from _what_happened(evidence)
    for hypothesis, question in summary.QUESTIONS:
        yield from _question(summary.find(evidence, hypothesis), question)
    yield from _others(summary.others(evidence))
    yield from _verdict(evidence)
    yield from console_searches.show(evidence)
    yield from matrix(evidence)
    yield from timings(evidence)
    yield from gaps(evidence)
    yield from controls(evidence)


def brief(evidence: Evidence) -> Iterator[RenderableType]:
    """Yield what fits on one screen: what happened, the two answers, the verdict, the matrix."""
    yield from _header(evidence)
    yield from _what_happened(evidence)
    for hypothesis, question in summary.QUESTIONS:
        finding = summary.find(evidence, hypothesis)
        yield from _question(
            dataclasses.replace(finding, reasons=finding.reasons[:1], gaps=()) if finding else None, question
        )
    yield from _verdict(evidence)
    yield from console_searches.brief(evidence)
    yield from matrix(evidence)


def show(evidence: Evidence | Iterable[RenderableType], console: Console) -> None:
    """Print the review of an inquest, or what another generator of this room yields."""
    for renderable in review(evidence) if isinstance(evidence, Evidence) else evidence:
        console.print(renderable)


def _header(evidence: Evidence) -> Iterator[RenderableType]:
    about = evidence.inquest
    facts = {
        "Ran": summary.when(evidence),
        "Machine": summary.machine(evidence),
        "Command": about.get("command", ""),
        "Stages": summary.stages(evidence),
    }
    yield joined(words("Inquest", "bold"), words(about.get("id", ""), "bold cyan"), separator=" ")
    yield pairs(facts)


def _what_happened(evidence: Evidence) -> Iterator[RenderableType]:
    yield from section("What happened")
    yield prose(f"{summary.counts(evidence)}.")
    for ending in summary.endings(evidence):
        text = joined(words(f"{len(ending.trials)} x "), words(ending.text, OUTCOMES[ending.outcome]))
        yield item(text, words(ending.meaning), words(summary.short_list(ending.trials), QUIET))
        yield from (Padding.indent(one, 2) for one in reasons(ending.around))


def _question(finding: Finding | None, question: str) -> Iterator[RenderableType]:
    if finding is None:
        yield from section(question, badge(None, summary.NOT_JUDGED))
        return
    yield from section(question, badge(finding.status, summary.ANSWERS[finding.status]))
    yield from reasons(finding.reasons)
    yield from _lacking(finding)


def _others(findings: list[Finding]) -> Iterator[RenderableType]:
    if not findings:
        return
    yield from section("Other hypotheses")
    brief = [finding for finding in findings if summary.is_brief(finding)]
    for finding in findings:
        if finding not in brief:
            yield joined(words(f"  {finding.id}", "bold"), _status(finding.status), separator="  ")
            yield from reasons(finding.reasons)
            yield from _lacking(finding)
            yield words("")
    if brief:
        yield Padding.indent(_brief(brief), 2)


def _brief(findings: list[Finding]) -> Table:
    made = table("hypothesis", "status", "because")
    made.columns[0].no_wrap = made.columns[1].no_wrap = True
    for finding in findings:
        made.add_row(words(finding.id), _status(finding.status), joined(*_because(finding), separator="\n"))
    return made


def _because(finding: Finding) -> Iterator[Text]:
    for reason in finding.reasons:
        yield words(summary.reason_text(reason))
        if reason.evidence:
            yield where(reason.evidence)
    for gap in finding.gaps:
        yield words(f"missing: {gap.probe}: {gap.reason}", QUIET)


def _lacking(finding: Finding) -> Iterator[RenderableType]:
    for gap in finding.gaps:
        yield item(words(f"missing: {gap.probe}: {gap.reason}", QUIET))


def _status(status: Status) -> Text:
    return words(status.value.replace("-", " ").upper(), STATUSES[status])


def _verdict(evidence: Evidence) -> Iterator[RenderableType]:
    yield Fitted(functools.partial(_statement, evidence.verdict))
    experiments = evidence.verdict.next_experiments
    if experiments:
        yield from section("What to run next", words("in the order of what each would decide", QUIET))
    for number, experiment in enumerate(experiments, 1):
        yield prose(joined(words(f"{number}. ", "bold"), words(experiment.decides)), indent=2)
        yield Fitted(functools.partial(_command, experiment.command, shell.continuation(evidence)))


def _statement(verdict: Verdict, console: Console, width: int) -> Iterator[RenderableType]:
    """Yield the verdict, framed on a terminal, between its title and an empty line elsewhere."""
    colour = VERDICTS[verdict.status]
    title = joined(words("Verdict: "), words(_title(verdict)))
    if not console.is_terminal:
        yield from section(title.plain)
        yield prose(verdict.statement)
        return
    title.stylize(f"bold {colour}")
    yield words("")
    yield Panel(
        words(verdict.statement),
        title=title,
        title_align="left",
        border_style=colour,
        box=box.HEAVY,
        padding=(1, 2),
        width=min(width, 114),
    )


def _title(verdict: Verdict) -> str:
    name = verdict.status.value.replace("-", " ").upper()
    return f"{name}: {verdict.cause}" if verdict.cause else name


def _command(command: str, continuation: str, _: Console, width: int) -> Iterator[RenderableType]:
    broken = shell.lines(command, width - 5, continuation)
    yield Padding.indent(words("\n".join(broken), "bold cyan"), 5)
