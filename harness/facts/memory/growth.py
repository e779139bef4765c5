"""memory.jsonl and forwards.jsonl -> growth by step, the forward of the peak, what sampling missed; pure."""

from __future__ import annotations

import dataclasses
import math
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence

from harness.facts.folder import TrialFolder
from harness.facts.memory import use as memory
from harness.model import Fact
from probes import records
from probes.records import Row

WARM_UP = 2  # steps: the optimizer's state and the libraries' caches are made in them
LEAST_STEPS = 6
LEAST_OF_TREE = 4  # samples: PSS is read seldom
CERTAIN = 4.0  # standard errors of the slope
NOISE = 0.01  # of RSS: growth below it foretells nothing
MISSED = 0.05
NEAR_PEAK = 0.99


@dataclasses.dataclass(frozen=True)
class Line:
    """A least-squares line: its slope, and the slope's standard error."""

    slope: float
    error: float


@dataclasses.dataclass(frozen=True)
class Interval:
    """One forward of a module: when it began, when it ended (infinity: never), how deep, where it is recorded."""

    begun: float
    ended: float
    row: Row


def facts(folder: TrialFolder) -> list[Fact]:
    """Return growth a step, the step at which the tightest limit would be reached, and who raised the peak."""
    own = [row for row in folder.lines(records.MEMORY).rows if "rss_bytes" in row.value]
    readers: tuple[Callable[[TrialFolder, list[Row]], Iterator[Fact]], ...] = (_growth, _raised_by, _missed)
    return [*(fact for reader in readers for fact in reader(folder, own)), *_of_the_tree(folder)] if own else []


def _growth(folder: TrialFolder, own: list[Row]) -> Iterator[Fact]:
    points = [(step, row) for step, row in step_ends(folder, own) if step > WARM_UP]
    if len(points) < LEAST_STEPS:
        return
    line = fit([step for step, _ in points], [row.value["rss_bytes"] for _, row in points])
    (first_step, first), (last_step, last) = points[0], points[-1]
    sources = tuple(folder.source(records.MEMORY, row.line) for row in (first, last))
    yield Fact("growth_bytes_per_step", round(line.slope), sources)
    grown = line.slope * (last_step - first_step)
    headroom = next((fact for fact in memory.facts(folder) if fact.name == "headroom_bytes"), None)
    if headroom and line.slope > CERTAIN * line.error and grown > NOISE * last.value["rss_bytes"]:
        step = last_step + max(0, math.ceil(headroom.value / line.slope))
        yield Fact("predicted_step_of_exhaustion", step, (*sources, *headroom.sources))


def _of_the_tree(folder: TrialFolder) -> list[Fact]:
    """Return `tree_growth_bytes_per_step`: that of the pages of all processes, the shared ones counted once (PSS).

    Workers that were forked share their parent's pages until they write to them (or count a reference in them): each
    process' own RSS stays as it is while the tree grows.
    """
    rows = [row for row in folder.lines(records.MEMORY).rows if "tree_pss_bytes" in row.value]
    begins = [row.value for row in folder.lines(records.FORWARDS).rows if row.value["event"] == "begin"]
    times = [begin["t"] for begin in begins]
    reached = ((bisect_right(times, row.value["t"]), row) for row in rows if row.value.get("processes", 1) > 1)
    points = [(begins[place - 1]["step"], row) for place, row in reached if place]
    points = [(step, row) for step, row in points if step > WARM_UP]
    if len({step for step, _ in points}) < LEAST_OF_TREE:
        return []
    line = fit([step for step, _ in points], [row.value["tree_pss_bytes"] for _, row in points])
    sources = tuple(folder.source(records.MEMORY, row.line) for row in (points[0][1], points[-1][1]))
    is_certain = line.slope > CERTAIN * line.error
    return [Fact("tree_growth_bytes_per_step", round(line.slope), sources)] if is_certain else []


def step_ends(folder: TrialFolder, own: list[Row]) -> Iterator[tuple[int, Row]]:
    """Yield (step, last sample before the first forward of the next step); the last step has no next one."""
    begins = [row.value for row in folder.lines(records.FORWARDS).rows if row.value["event"] == "begin"]
    times = [row.value["t"] for row in own]
    for before, after in zip(begins, begins[1:], strict=False):
        place = bisect_right(times, after["t"])
        if after["step"] > before["step"] and place:
            yield before["step"], own[place - 1]


def fit(xs: Sequence[float], ys: Sequence[float]) -> Line:
    """Return the line of ordinary least squares; at least three points, not all at one x."""
    count, mean_x, mean_y = len(xs), sum(xs) / len(xs), sum(ys) / len(ys)
    spread = sum((x - mean_x) ** 2 for x in xs)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True)) / spread
    rest = sum((y - mean_y - slope * (x - mean_x)) ** 2 for x, y in zip(xs, ys, strict=True))
    return Line(slope, math.sqrt(rest / (count - 2) / spread))


def _raised_by(folder: TrialFolder, own: list[Row]) -> Iterator[Fact]:
    """Yield the innermost forward during which RSS came within 1 % of its peak; `module` None: outside of all."""
    top = max(row.value["rss_bytes"] for row in own)
    place = next(index for index, row in enumerate(own) if row.value["rss_bytes"] >= NEAR_PEAK * top)
    if not place or not folder.lines(records.FORWARDS).rows:
        return
    before, risen = own[place - 1], own[place]
    inside = [one for one in intervals(folder) if one.begun < risen.value["t"] and one.ended > before.value["t"]]
    inner = max(inside, key=lambda one: (one.row.value["depth"], one.begun), default=None)
    where = {key: inner.row.value[key] if inner else None for key in ("module", "call", "step")}
    told = (folder.source(records.FORWARDS, inner.row.line),) if inner else ()
    rise = risen.value["rss_bytes"] - before.value["rss_bytes"]
    yield Fact("peak_raised_by", {**where, "rise_bytes": rise}, (folder.source(records.MEMORY, risen.line), *told))


def intervals(folder: TrialFolder) -> list[Interval]:
    """Return all forwards; a begin belongs to the next end of its thread, module, call and step."""
    found: list[Interval] = []
    open_: dict[tuple[object, ...], int] = {}
    for row in folder.lines(records.FORWARDS).rows:
        value = row.value
        place = (value["thread"], value["module"], value["call"], value["step"])
        if value["event"] == "begin":
            open_[place] = len(found)
            found.append(Interval(value["t"], math.inf, row))
        elif place in open_:
            index = open_.pop(place)
            found[index] = dataclasses.replace(found[index], ended=value["t"])
    return found


def _missed(folder: TrialFolder, own: list[Row]) -> Iterator[Fact]:
    """Yield both peaks where the kernel's is higher by more than 5 %: then headroom at death is not to be trusted.

    The kernel's `ru_maxrss` starts at the supervisor's own size, and counts the largest child that was waited for.
    """
    kernel = folder.exit.get("max_rss_bytes") or 0
    sampled = max(own, key=lambda row: row.value["rss_bytes"])
    size, floor = sampled.value["rss_bytes"], _supervisor(folder)
    if kernel > floor and size < (1 - MISSED) * kernel:
        value = {"sampled_bytes": size, "kernel_bytes": kernel, "missed_bytes": kernel - size}
        sources = (folder.key_source(records.EXIT, "max_rss_bytes"), folder.source(records.MEMORY, sampled.line))
        yield Fact("peak_missed_by_sampling", value, sources)


def _supervisor(folder: TrialFolder) -> int:
    environment = records.read_json(folder.path / records.ENVIRONMENT) or {}
    return int(environment.get("supervisor_rss_bytes", 0) * (1 + MISSED))
