"""The stage of an inquest that finds the place: capture the dying call, replay it, narrow it down, write the repro."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

from harness.decide.statistics import Count
from harness.decide.study import Study
from harness.facts.folder import TrialFolder
from harness.launch.watch import KeepGoing
from harness.model import Cell, LastEvent, Outcome
from harness.plan.plan_file import Plan
from harness.shrink.place import captured_call, conclusion, likeness, narrow, repro
from harness.shrink.place.captured_call import Capture, Operator
from harness.shrink.place.conclusion import Place
from harness.shrink.place.likeness import Death
from harness.shrink.place.replays import Replays, Subject, repeats
from harness.shrink.place.repro import Repro
from harness.shrink.place.sub_trials import Bench, Ran
from probes import records

FOLDER = "place"
RECORD = "place.json"


def run(
    root: Path, plan: Plan, study: Study, may_begin: Callable[[], bool], keep_going: KeepGoing
) -> tuple[Place, Repro]:  # fmt: skip
    """Find the place of the failure under inquest and write its repro; called again, it goes on where it was ended.

    `root` is the inquest's folder. `may_begin` is asked before each trial (the budget), `keep_going` at every pulse of
    one (Ctrl-C). Writes `place/` with place.json, and `repro/` with repro.json.
    """
    bench = Bench(root, FOLDER, may_begin, keep_going)
    place, subject = find(root, plan, study, bench)
    return place, repro.make(root, plan, study, place, subject, bench)


def find(root: Path, plan: Plan, study: Study, bench: Bench) -> tuple[Place, Subject | None]:
    """Return where the failure dies, and what was replayed; place.json says the same, with its sources."""
    place, subject = _find(root, plan, study, bench)
    records.write_json(bench.folder / RECORD, conclusion.as_json(place))
    return place, subject


def _find(root: Path, plan: Plan, study: Study, bench: Bench) -> tuple[Place, Subject | None]:
    dead = study.reference
    if not (dead.exit.signal or dead.exit.ntstatus) or dead.outcome is Outcome.HUNG:
        return conclusion.unknown(f"only a crash is replayed, and this is: {dead.exit.meaning}"), None
    if dead.last_event is None or dead.last_event.module is None:
        where = dead.last_event or "an unknown phase"
        return conclusion.unknown(f"it died in {where}, and only a module's forward is captured"), None
    death = likeness.of(TrialFolder(root, dead.id), dead)
    return _Search(plan, study.cell, dead.last_event, death, _rate(root, study, death), bench).place()


def _rate(root: Path, study: Study, death: Death | None) -> Count:
    """Return how often the cell dies as it is; a parallel loop's two ways of dying are one here."""
    known = [one for one in study.plain if one.outcome is not Outcome.UNRESOLVED]
    alike = [likeness.compare(death, likeness.of(TrialFolder(root, one.id), one)).follows for one in known]
    return Count(sum(alike), len(known))


@dataclasses.dataclass(frozen=True)
class _Search:
    """The dying cell, where its flight record ends, how it dies and how often."""

    plan: Plan
    cell: Cell
    last: LastEvent
    death: Death | None
    rate: Count
    bench: Bench

    def place(self) -> tuple[Place, Subject | None]:
        ran, reason = self._run("capture")
        if ran is None or reason:
            return conclusion.unknown(reason, (ran.source,) if ran else ()), None
        found = captured_call.read(ran.folder)
        if found is None:
            return conclusion.unknown(f"{self.last} was not reached again", (ran.source,)), None
        if self.plan.replay_values and found.open_operator:
            ran, found = self._with_values(ran, found, found.open_operator)
        return self._narrowed(ran, found)

    def _narrowed(self, ran: Ran, found: Capture) -> tuple[Place, Subject]:
        subject = Subject(self.plan, self.cell, found, self.death, self.rate)
        replays = Replays(self.bench, subject, ran.trial.id)
        begun = found.open_operator.number if found.open_operator else None
        narrowed = narrow.narrow(len(found.operators), begun, replays.dies)
        folder = self.bench.folder.name
        return conclusion.decide(subject, ran.death, narrowed, replays.asked, ran.trial.id, folder), subject

    def _run(self, name: str, values_of: tuple[int, ...] = ()) -> tuple[Ran | None, str]:
        """Run the cell under capture until it dies as before; return that trial and "", or the last one and why not."""
        wanted = {
            "module": self.last.module, "call": self.last.call, "step": self.last.step,
            "values": self.plan.replay_values, "values_of": values_of,
        }  # fmt: skip
        ran = None
        for number in range(1, repeats(self.rate) + 1):
            ran = self.bench.run(f"{name}/{number}", self.cell, self.plan, wanted)
            if ran is None:
                return None, "no further trial may begin"
            if likeness.compare(self.death, ran.death).follows:
                return ran, ""
        how = f"died in another way: {ran.death}" if ran and ran.death else "did not die"
        return ran, f"under capture, which leads each operator through Python, the cell {how} ({number} trials)"

    def _with_values(self, ran: Ran, found: Capture, last: Operator) -> tuple[Ran, Capture]:
        """Capture once more, with the values that the operator meets in which it dies: only now is that one known."""
        again, reason = self._run("capture-values", (last.number,))
        better = captured_call.read(again.folder) if again and not reason else None
        if again is None or better is None or better.open_operator is None:
            return ran, found
        return (again, better) if better.open_operator.name == last.name else (ran, found)
