"""refusals.jsonl -> what the system refused the target, each kind once; pure.

A refusal is a fact, not a reason: programs survive many. `before_death_seconds` is what tells.
"""

from __future__ import annotations

from harness.facts.folder import TrialFolder
from harness.facts.system import clock
from harness.model import Fact
from probes import records
from probes.records import Row

Key = tuple[str, str, int]


def facts(folder: TrialFolder) -> list[Fact]:
    """Return one `refusal` for each system call, error and process, in the order of their first times.

    Its value: `call`, `error`, `pid`, `thread` (of the first), `count`, `first_seconds` and `last_seconds` since the
    trial's start, `before_death_seconds` (from the last one to the first death, or to the end; negative where it came
    after that), `about`.
    """
    kinds: dict[Key, list[Row]] = {}
    for row in folder.lines(records.REFUSALS).rows:
        if row.value.get("event") in ("refused", "count"):
            kinds.setdefault((row.value["call"], row.value["error"], row.value["pid"]), []).append(row)
    return [_fact(folder, rows) for rows in sorted(kinds.values(), key=lambda rows: float(rows[0].value["first"]))]


def _fact(folder: TrialFolder, rows: list[Row]) -> Fact:
    first, last, start = rows[0].value, rows[-1].value, clock.start(folder)
    value = {
        **{key: first[key] for key in ("call", "error", "pid", "thread")}, "count": last["count"],
        "first_seconds": round(first["first"] - start, 4), "last_seconds": round(last["last"] - start, 4),
        "before_death_seconds": clock.before(last["last"], clock.end(folder)), "about": first.get("about", {}),
    }  # fmt: skip
    lines = dict.fromkeys((rows[0].line, rows[-1].line))
    return Fact("refusal", value, tuple(folder.source(records.REFUSALS, line) for line in lines))
