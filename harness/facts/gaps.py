"""What evidence is missing in a trial's folder, and why; pure."""

from __future__ import annotations

from harness.facts.ended import exit_calls
from harness.facts.folder import TrialFolder
from harness.facts.processes import first_death
from harness.model import Gap
from probes import records


def missing(folder: TrialFolder, place: str) -> tuple[Gap, ...]:
    """Return the gaps that probes told of, torn records, and records that are not there."""
    told = [Gap(row.value["probe"], row.value["reason"]) for row in folder.lines(records.GAPS).rows]
    told += [
        Gap(row.value["probe"], row.value["reason"])
        for row in folder.lines(records.INSIDE).rows
        if row.value.get("event") == "gap"
    ]
    names = (records.MEMORY, records.FORWARDS, records.EXITS, records.INSIDE)
    torn = [Gap(name, "the last line is torn: the writer died in it") for name in names if folder.lines(name).tail]
    if not folder.exit:
        told.append(Gap("exit", "exit.json is missing: the supervisor did not see the end of this trial"))
    if not folder.lines(place + records.FORWARDS).rows:
        told.append(
            Gap("forwards", "no module forward was seen: no torch module ran, or the trial ended before the first")
        )
    if exit_calls.was_replaced(folder):
        told.append(Gap("inside probes", "another program took the process over (os.exec*), and was not observed"))
    return tuple(told + torn + first_death.gaps(folder))
