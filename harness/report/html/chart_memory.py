"""Resident memory over time as SVG: one line a trial, its death marked, the limit beside it; pure."""

from __future__ import annotations

from collections.abc import Sequence

from harness import units
from harness.model import Evidence, Outcome, Trial
from harness.report.content.chart_series import Memory
from harness.report.content.grids import baseline, varying
from harness.report.content.summary import exit_word
from harness.report.html import svg
from harness.report.html.tags import shortened, tag, words

LEFT, RIGHT, TOP, BOTTOM, HEIGHT = 74.0, 262.0, 32.0, 46.0, 394.0
MOST_LABELS, MOST_LETTERS = 16, 33
LIMIT_IN_SIGHT = 2.5


class Frame:
    """The axes: seconds and bytes to the drawing's units."""

    def __init__(self, longest: float, highest: float) -> None:
        """Choose round axes for the longest time in seconds and the highest amount in bytes."""
        self.unit, self.name = (units.GIB, "GiB") if highest >= units.GIB else (units.MIB, "MiB")
        self.times = svg.ticks(longest, 7)
        self.amounts = [tick * self.unit for tick in svg.ticks(highest / self.unit)]

    def at(self, sample: tuple[float, float]) -> svg.Point:
        """Return where a sample lies."""
        time, amount = sample
        x = LEFT + time / self.times[-1] * (svg.WIDTH - LEFT - RIGHT)
        return x, HEIGHT - BOTTOM - amount / self.amounts[-1] * (HEIGHT - TOP - BOTTOM)


def chart(evidence: Evidence, found: Sequence[Memory], measured: str) -> str:
    """Return the drawing; trials without a sample are not in it."""
    drawn = sorted((one for one in found if one.points), key=lambda one: one.trial.outcome.is_failure)
    peak = max(amount for one in drawn for _, amount in one.points)
    limit = limit_of(evidence)
    is_in_sight = limit is not None and limit <= LIMIT_IN_SIGHT * peak
    frame = Frame(max(one.points[-1][0] for one in drawn), limit if limit and is_in_sight else peak)
    parts = [
        _axes(frame, measured),
        *(_line(frame, one) for one in drawn),
        _labels(frame, drawn, varying(list(evidence.trials))),
    ]
    parts += [_limit(frame, limit)] if limit and is_in_sight else []
    return svg.drawing(HEIGHT, "Resident memory of each trial over time", *parts)


def limit_of(evidence: Evidence) -> int | None:
    """Return the lowest memory limit of the trials, in bytes, limits set on purpose left out; else the machine's."""
    trials = baseline(evidence) or evidence.trials
    limits = [value for trial in trials if (value := trial.value("memory_limit_bytes"))]
    return min(limits, default=evidence.environment.get("memory_bytes"))


def note(evidence: Evidence, found: Sequence[Memory]) -> str:
    """Return what the drawing cannot show: a limit far above it, and trials without a sample."""
    limit, absent = limit_of(evidence), [one.trial.id for one in found if not one.points]
    peak = max((amount for one in found for _, amount in one.points), default=0)
    text = ""
    if limit and peak and limit > LIMIT_IN_SIGHT * peak:
        share = units.percent(peak / limit)
        text = f"The memory limit, {units.size(limit)}, lies far above this chart: the highest peak is {share} of it. "
    many = len(found) - len(absent) > MOST_LABELS
    text += "Only failed trials are named; a pointer held over a line names the others. " if many else ""
    return text + (f"No memory record: {', '.join(absent)}." if absent else "")


def names(trials: Sequence[Trial], factors: Sequence[str]) -> tuple[str, list[str]]:
    """Return the labels of the lines, and a heading for them.

    A label is the cell, and the end unless the trial completed. Where cells are too long to spell out, the heading
    names the factors and the labels give their values.
    """
    full = [" ".join(f"{factor}={units.factor(trial.factors.get(factor))}" for factor in factors) for trial in trials]
    brief = [" / ".join(units.factor(trial.factors.get(factor)) for factor in factors) for trial in trials]
    fits = all(len(text + _end(trial)) <= MOST_LETTERS for text, trial in zip(full, trials, strict=True))
    labels = [
        shortened(text or trial.id, MOST_LETTERS - len(_end(trial))) + _end(trial)
        for text, trial in zip(full if fits else brief, trials, strict=True)
    ]
    return ("" if fits else " / ".join(factors)), _told_apart(labels, trials)


def _told_apart(labels: list[str], trials: Sequence[Trial]) -> list[str]:
    """Add the trial's number where one label stands for several trials."""
    numbers = [trial.id.rpartition("/")[2] for trial in trials]
    pairs = zip(labels, numbers, strict=True)
    return [f"{label} #{number}" if labels.count(label) > 1 else label for label, number in pairs]


def _end(trial: Trial) -> str:
    changed = "".join(f" +{change}" for change in trial.interventions)
    word = exit_word(trial.exit) if trial.outcome is Outcome.DIED else trial.outcome.value
    return changed + ("" if trial.outcome is Outcome.COMPLETED else f": {word}")


def _axes(frame: Frame, measured: str) -> str:
    parts = []
    for amount in frame.amounts:
        x, y = frame.at((0, amount))
        parts += [svg.line((x, y), (svg.WIDTH - RIGHT, y), "grid")]
        parts += [svg.label(x - 8, y + 4, f"{amount / frame.unit:g} {frame.name}", "tick", "end")]
    for time in frame.times:
        x, y = frame.at((time, 0))
        parts += [svg.line((x, y), (x, y + 5), "axis"), svg.label(x, y + 19, f"{time:g}", "tick", "middle")]
    middle = (LEFT + svg.WIDTH - RIGHT) / 2
    whose = "of the process tree" if measured.startswith("tree") else "of the process"
    parts += [svg.label(middle, HEIGHT - 8, "seconds since the trial's start", "title", "middle")]
    return "".join([*parts, svg.label(LEFT - 4, 13, f"resident memory {whose}", "title")])


def _line(frame: Frame, one: Memory) -> str:
    points = [frame.at(sample) for sample in one.points]
    highest = units.size(max(amount for _, amount in one.points))
    title = f"{one.trial.id}: {one.trial.outcome}, highest sample {highest}"
    path = svg.curve(points, f"line {one.trial.outcome}", title, data_trial=one.trial.id)
    return path + (svg.cross(*points[-1], f"mark {one.trial.outcome}") if one.trial.outcome.is_failure else "")


def _labels(frame: Frame, drawn: Sequence[Memory], factors: Sequence[str]) -> str:
    """Name the lines at their ends; where there are too many, the failed ones only."""
    telling = [one for one in drawn if one.trial.outcome.is_failure]
    chosen = (drawn if len(drawn) <= MOST_LABELS else telling)[-MOST_LABELS:]
    heading, texts = names([one.trial for one in chosen], factors)
    ends = [frame.at(one.points[-1]) for one in chosen]
    places = svg.spread([y for _, y in ends], 17, HEIGHT - BOTTOM - 4)
    x = svg.WIDTH - RIGHT + 14
    parts = [svg.label(x, 13, shortened(heading, MOST_LETTERS), "title")]
    for one, text, end, y in zip(chosen, texts, ends, places, strict=True):
        parts += [svg.curve([(end[0] + 7, end[1]), (x - 10, y), (x - 3, y)], "leader", one.trial.id)]
        content = tag("title", words(one.trial.id)) + words(text)
        parts += [tag("text", content, x=x, y=y + 4, class_=f"name {one.trial.outcome}")]
    return "".join(parts)


def _limit(frame: Frame, limit: float) -> str:
    x, y = frame.at((0, limit))
    return svg.line((x, y), (svg.WIDTH - RIGHT, y), "limit") + svg.label(
        svg.WIDTH - RIGHT - 6, y - 5, f"memory limit {units.size(limit)}", "limit", "end"
    )
