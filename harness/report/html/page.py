"""The HTML report: one file, no network, no scripts; charts are inline SVG drawn from the records."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from harness import units
from harness.model import Evidence, Experiment
from harness.report import evidence as evidence_json
from harness.report import shell
from harness.report.content import long_tables, summary
from harness.report.html import figures, findings
from harness.report.html.tags import table, tag, words


def render(evidence: Evidence, folder: Path) -> str:
    """Return the whole page; the charts are drawn from the record files under `folder`, as far as they are there."""
    style = resources.files("harness.report.html").joinpath("report.css").read_text(encoding="utf-8")
    head = [
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        tag("title", words(f"Inquest {evidence.inquest.get('id', '')}")),
        tag("style", style),
    ]
    sections = [
        _header(evidence),
        findings.verdict(evidence),
        findings.what_happened(evidence),
        findings.questions(evidence),
        findings.others(evidence),
        findings.searches(evidence),
        _experiments(evidence),
        figures.matrix(evidence),
        figures.memory(evidence, folder),
        figures.forwards(evidence, folder),
        findings.trials(evidence),
        _gaps(evidence),
        _controls(evidence),
        _footer(evidence),
    ]
    body = tag("body", "\n".join(part for part in sections if part))
    return f'<!DOCTYPE html>\n<html lang="en">\n{tag("head", *head)}\n{body}\n</html>\n'


def _header(evidence: Evidence) -> str:
    about = {
        "Ran": words(summary.when(evidence)),
        "Machine": words(summary.machine(evidence)),
        "Command": tag("code", words(evidence.inquest.get("command", ""))),
        "Stages": words(summary.stages(evidence)),
    }
    rows = "".join(tag("dt", name) + tag("dd", value) for name, value in about.items() if value)
    title = tag("h1", "Inquest ", words(evidence.inquest.get("id", "")))
    return tag("header", title, tag("dl", rows, class_="about"))


def _experiments(evidence: Evidence) -> str:
    experiments = evidence.verdict.next_experiments
    if not experiments:
        return ""
    about = tag("p", "In the order of what each would decide.", class_="quiet")
    return "\n".join([tag("h2", "What to run next"), about, *map(_experiment, experiments)])


def _experiment(experiment: Experiment) -> str:
    lines = shell.lines(experiment.command, len(experiment.command) + 9, "")
    return tag("p", words(experiment.decides)) + tag("pre", tag("code", words("\n".join(lines))))


def _gaps(evidence: Evidence) -> str:
    found = long_tables.missing(evidence)
    rows = [[words(gap.probe), words(gap.reason), words(gap.where)] for gap in found]
    nothing = tag("p", words(long_tables.nothing_missing(evidence)))
    return tag("h2", "Gaps: evidence that is missing") + (table(("probe", "why", "where"), rows) if rows else nothing)


def _controls(evidence: Evidence) -> str:
    if not evidence.controls:
        return ""
    marks = {True: tag("span", "proven", class_="completed"), False: tag("b", "NOT PROVEN", class_="unresolved")}
    rows = [
        [words(control.id), marks[control.proven], words(control.expected), words(control.observed)]
        for control in evidence.controls
    ]
    about = tag("p", words(summary.controls_text(evidence.controls)), ".", class_="quiet")
    return tag("h2", "Controls") + about + table(("control", "", "expected", "observed"), rows)


def _footer(evidence: Evidence) -> str:
    version = words(evidence.inquest.get("harness_version", units.UNKNOWN))
    source = tag("a", "evidence.json", href="./evidence.json")
    return tag("footer", f"Inquest {version}, from {source} (schema {words(evidence_json.SCHEMA)}).")
