"""native/headroom-N -> what was left, under which limit, and how fast it went, while the process still lived; pure."""

from __future__ import annotations

from harness.facts.folder import TrialFolder
from harness.model import Fact
from probes import records


def facts(folder: TrialFolder) -> list[Fact]:
    """Return one `headroom_snapshot` a look, with its files as sources: `headroom.json` first."""
    found = []
    for path in sorted(folder.path.glob(f"native/headroom-*/{records.HEADROOM}")):
        place = path.parent.relative_to(folder.path).as_posix()
        value = {"folder": place, **(records.read_json(path) or {})}
        others = sorted(name.name for name in path.parent.iterdir() if name.name != records.HEADROOM)
        sources = [folder.key_source(f"{place}/{records.HEADROOM}", "left")]
        sources += [folder.source(f"{place}/{name}", 1) for name in others if not name.endswith(".draft")]
        found.append(Fact("headroom_snapshot", value, tuple(sources)))
    return found
