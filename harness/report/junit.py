"""JUnit XML: one test case a trial, for continuous integration; pure."""

from __future__ import annotations

from xml.etree import ElementTree

from harness import units
from harness.model import Evidence, Outcome, Trial
from harness.report.content import summary


def render(evidence: Evidence) -> str:
    """Return the XML: died and hung are failures, unresolved is an error; times in seconds.

    Attributes and their order of elements follow the schema that Jenkins' xUnit plugin checks.
    """
    trials = evidence.trials
    name = units.printable(evidence.inquest.get("id", "inquest"))
    totals = {
        "name": name,
        "tests": str(len(trials)),
        "failures": str(sum(trial.outcome.is_failure for trial in trials)),
        "errors": str(sum(trial.outcome is Outcome.UNRESOLVED for trial in trials)),
        "time": _seconds(sum(_duration(trial) for trial in trials)),
    }
    root = ElementTree.Element("testsuites", totals)
    suite = ElementTree.SubElement(root, "testsuite", {**totals, "skipped": "0", "timestamp": _timestamp(evidence)})
    for trial in trials:
        _case(suite, evidence, trial, name)
    ElementTree.SubElement(suite, "system-out").text = units.printable(_verdict(evidence))
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _case(suite: ElementTree.Element, evidence: Evidence, trial: Trial, classname: str) -> None:
    about = {"classname": classname, "name": units.printable(trial.id), "time": _seconds(_duration(trial))}
    case = ElementTree.SubElement(suite, "testcase", about)
    kind = "failure" if trial.outcome.is_failure else "error" if trial.outcome is Outcome.UNRESOLVED else None
    if kind:
        message = {"message": units.printable(summary.ending_text(trial)), "type": trial.outcome.value}
        ElementTree.SubElement(case, kind, message).text = units.printable(_details(evidence, trial))


def _details(evidence: Evidence, trial: Trial) -> str:
    point = trial.last_event or "not recorded"
    sources = [str(source) for source in summary.sources_of(evidence, trial)] or [f"trials/{trial.id}/"]
    return "\n".join([summary.meaning(trial), f"Point of death: {point}", "Evidence:", *sources])


def _verdict(evidence: Evidence) -> str:
    found = evidence.verdict
    cause = f": {found.cause}" if found.cause else ""
    answers = [f"{question} {_answer(evidence, hypothesis)}" for hypothesis, question in summary.QUESTIONS]
    commands = [f"Next, {experiment.decides}: {experiment.command}" for experiment in found.next_experiments]
    return "\n".join([f"Verdict: {found.status}{cause}", found.statement, *answers, *commands])


def _answer(evidence: Evidence, hypothesis: str) -> str:
    found = summary.find(evidence, hypothesis)
    return summary.ANSWERS[found.status] if found else summary.NOT_JUDGED


def _duration(trial: Trial) -> float:
    return float(trial.value("duration_seconds") or 0.0)


def _seconds(amount: float) -> str:
    return f"{amount:.3f}"


def _timestamp(evidence: Evidence) -> str:
    """Return the start without its zone, which the readers' schema does not allow."""
    return str(evidence.inquest.get("started") or "1970-01-01T00:00:00")[:19]
