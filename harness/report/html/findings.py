"""The HTML report's words: the verdict, the endings, the findings, the searches, the trials."""

from __future__ import annotations

from collections.abc import Iterable

from harness import units
from harness.model import Evidence, Finding, Gap, Reason, Source, Status, Trial
from harness.report.content import search_rows, summary
from harness.report.content.search_rows import Row, Search
from harness.report.html.tags import address, breakable, link, table, tag, words

MOST_NAMES = 8


def verdict(evidence: Evidence) -> str:
    """Return the verdict, and the two answers that lead to their sections."""
    found = evidence.verdict
    cause = f": {found.cause}" if found.cause else ""
    title = tag("h2", words(f"Verdict: {found.status.replace('-', ' ').upper()}{cause}"))
    statement = tag("section", title, tag("p", words(found.statement)), class_=f"verdict {found.status}")
    return statement + tag("nav", *(_answer(evidence, *question) for question in summary.QUESTIONS), class_="answers")


def what_happened(evidence: Evidence) -> str:
    """Return the endings, the gravest first."""
    items = []
    for ending in summary.endings(evidence):
        text = tag("b", words(f"{len(ending.trials)} x {ending.text}"), class_=ending.outcome.value)
        trials = tag("div", *_trial_names(ending), class_="sources quiet")
        around = tag("ul", *map(_reason, ending.around), class_="list") if ending.around else ""
        items.append(tag("li", text, tag("div", words(ending.meaning)), trials, around))
    listed = tag("ul", *items, class_="list") if items else ""
    return tag("h2", "What happened") + tag("p", words(summary.counts(evidence)), ".") + listed


def questions(evidence: Evidence) -> str:
    """Return the findings on memory and on threading."""
    parts = []
    for hypothesis, question in summary.QUESTIONS:
        found = summary.find(evidence, hypothesis)
        title = tag("h2", question, " ", _answer_badge(found), id=hypothesis)
        parts.append(title + (_finding(found) if found else ""))
    return "\n".join(parts)


def others(evidence: Evidence) -> str:
    """Return the other findings: those with something to say in full, the rest as a table."""
    found = summary.others(evidence)
    rows = [[words(one.id), _badge(one.status), _because(one)] for one in found if summary.is_brief(one)]
    rest = (one for one in found if not summary.is_brief(one))
    full = [tag("h3", words(one.id), " ", _badge(one.status)) + _finding(one) for one in rest]
    brief = table(("hypothesis", "status", "because"), rows) if rows else ""
    return tag("h2", "Other hypotheses") + "".join(full) + brief if found else ""


def searches(evidence: Evidence) -> str:
    """Return all searches, each result in a sentence, its decision tree as a table; "" where none was run."""
    title = tag("h2", "From &#8220;it dies&#8221; to the smallest thing that still dies")
    found = search_rows.found(evidence)
    return title + "".join(map(_search, found)) if found else ""


def trials(evidence: Evidence) -> str:
    """Return one row a trial, and beneath it all of its facts."""
    if not evidence.trials:
        return ""
    headers = ("trial", "outcome", "peak memory", "wall time")
    rows = [_trial(trial) for trial in evidence.trials]
    facts = [_facts(trial) for trial in evidence.trials if trial.facts]
    return "\n".join([tag("h2", "Trials"), table(headers, rows), *facts])


def _search(search: Search) -> str:
    statement = tag("p", tag("b", words(search.statement)), " ", link(search.source))
    notes = tag("ul", *map(_reason, search.notes), class_="list") if search.notes else ""
    title = tag("summary", f"Decision tree: {len(search.rows)} {'step' if len(search.rows) == 1 else 'steps'}")
    tree = tag("details", title, table(search_rows.HEADERS, map(_step, search.rows))) if search.rows else ""
    return tag("h3", words(search.title)) + statement + notes + tree


def _step(row: Row) -> list[str]:
    tried = tag("code", breakable(row.subject)) + tag("div", *map(link, row.evidence), class_="sources")
    return [words(row.question), tried, words(row.answers), words(row.excluded)]


def _trial_names(ending: summary.Ending) -> list[str]:
    most = len(ending.trials) if ending.outcome.is_failure else MOST_NAMES
    rest = [f"and {len(ending.trials) - most} more, see Trials"] if len(ending.trials) > most else []
    return [tag("code", breakable(trial)) for trial in ending.trials[:most]] + rest


def _trial(trial: Trial) -> list[str]:
    changed = tag("div", words(" + ".join(trial.interventions)), class_="quiet") if trial.interventions else ""
    return [
        tag("a", tag("code", breakable(trial.id)), href=address(f"trials/{trial.id}/")) + changed,
        tag("span", words(summary.ending_text(trial)), class_=trial.outcome.value),
        words(units.size(trial.peak_rss_bytes)),
        words(units.duration(trial.value("duration_seconds"))),
    ]


def _facts(trial: Trial) -> str:
    rows = [
        [words(fact.name), tag("div", words(summary.fact_text(fact)), class_="lines"), _sources(fact.sources)]
        for fact in trial.facts
    ]
    title = tag("summary", "Facts of ", tag("code", breakable(trial.id)))
    return tag("details", title, table(("fact", "value", "read from"), rows))


def _answer(evidence: Evidence, hypothesis: str, question: str) -> str:
    return tag("a", tag("b", question), _answer_badge(summary.find(evidence, hypothesis)), href=f"#{hypothesis}")


def _answer_badge(found: Finding | None) -> str:
    if found is None:
        return tag("span", summary.NOT_JUDGED, class_="status none")
    return tag("span", words(summary.ANSWERS[found.status]), class_=f"status {found.status}")


def _badge(status: Status) -> str:
    return tag("span", words(status.replace("-", " ").upper()), class_=f"status {status}")


def _finding(finding: Finding) -> str:
    return tag("ul", *map(_reason, finding.reasons), *map(_gap, finding.gaps), class_="list")


def _reason(reason: Reason) -> str:
    return tag("li", words(summary.reason_text(reason)), _sources(reason.evidence))


def _gap(gap: Gap) -> str:
    return tag("li", words(f"missing: {gap.probe}: {gap.reason}"), class_="quiet")


def _because(finding: Finding) -> str:
    reasons = (tag("div", words(summary.reason_text(reason)), _sources(reason.evidence)) for reason in finding.reasons)
    gaps = (tag("div", words(f"missing: {gap.probe}: {gap.reason}"), class_="quiet") for gap in finding.gaps)
    return "".join([*reasons, *gaps])


def _sources(sources: Iterable[Source]) -> str:
    found = [link(source) for source in sources]
    return tag("div", *found, class_="sources") if found else ""
