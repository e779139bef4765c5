"""pressure.jsonl, kernel.jsonl, confine.json and last words -> what kernel and program said of memory; pure.

Sources of the kernel's two lines: dump_oom_victim and __oom_kill_process in mm/oom_kill.c. `failcnt` is no kill and is
read for none.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from typing import Any

from harness.facts.folder import TrialFolder
from harness.facts.last_words import last_lines
from harness.facts.memory import allocators
from harness.facts.memory import use as memory
from harness.facts.memory.control_groups import history, is_made_for_trial, oom_kills, own_group
from harness.facts.processes import ends as process_ends
from harness.facts.processes import first_death
from harness.model import Fact, Source
from probes import records
from probes.records import Row

KILLED = re.compile(r"[Oo]ut of memory: Killed process (?P<pid>\d+) ")
CHOSEN = re.compile(r"oom-kill:.*task_memcg=(?P<group>[^,]*),.*pid=(?P<pid>\d+)")
LAST_LINES = 400
CLOCK_SECONDS = 1.0  # by which printk's clock may differ
VICTIMS = ("process", "tree", "group")
STRICT_COMMIT = "2"  # vm.overcommit_memory: the one setting under which CommitLimit holds (proc_sys_vm(5))


def facts(folder: TrialFolder) -> list[Fact]:
    """Return what the kernel counted and said, what the program said, and which limit the trial was put under."""
    readers: tuple[Callable[[TrialFolder], Iterator[Fact]], ...] = (
        _group_kills, _host_kills, _kernel_line, _allocation_failure, _sizes, _commit, _stall, _confinement,
    )  # fmt: skip
    return [fact for reader in readers for fact in reader(folder)]


def _group_kills(folder: TrialFolder) -> Iterator[Fact]:
    """Yield the OOM kills in the process' own group, and whether anybody else was in it."""
    rows = history(folder).get(own_group(folder) or "", [])
    counted = oom_kills(rows)
    if counted:
        kills, first, last = counted
        sources = (folder.source(records.PRESSURE, last.line), folder.source(records.PRESSURE, first.line))
        yield Fact("oom_kill_in_group", kills, sources)
        alone = folder.key_source(records.SPEC, "cgroup_procs") if is_made_for_trial(folder) else sources[0]
        yield Fact("group_is_own", is_made_for_trial(folder), (alone,))
        if "peak_bytes" in last.value and is_made_for_trial(folder):
            yield Fact("group_peak_bytes", last.value["peak_bytes"], sources[:1])


def _host_kills(folder: TrialFolder) -> Iterator[Fact]:
    """Yield the OOM kills on the whole machine, those in the group among them."""
    rows = _with(folder, "oom_kill_host")
    if len(rows) > 1:
        sources = _sources(folder, rows[-1], rows[0])
        yield Fact("oom_kill_on_host", rows[-1].value["oom_kill_host"] - rows[0].value["oom_kill_host"], sources)


def _kernel_line(folder: TrialFolder) -> Iterator[Fact]:
    """Yield the kernel's line that names the process whose death is judged, else another of the tree, else a group that
    was made for this trial alone. A line belongs to a trial by process id and by time: the log tells of all.
    """
    lines = [row for row in folder.lines(records.KERNEL).rows if _is_within(folder, row)]
    group = _below_mount(own_group(folder)) if is_made_for_trial(folder) else ""
    found = ((row, pattern.search(row.value["text"])) for row in lines for pattern in (KILLED, CHOSEN))
    told = sorted(((row, match) for row, match in found if match is not None), key=lambda one: one[1].re is CHOSEN)
    named = [(row, name) for row, match in told if (name := _victim(folder, match, group)) is not None]
    for row, names in sorted(named, key=lambda one: VICTIMS.index(one[1]))[:1]:
        value = {"names": names, "text": row.value["text"]}
        yield Fact("kernel_oom_line", value, (folder.source(records.KERNEL, row.line),))


def _victim(folder: TrialFolder, match: re.Match[str], group: str) -> str | None:
    """Return which of the trial's processes the line names; None: none of them."""
    pid, ends = int(match["pid"]), process_ends.read(folder)
    first = first_death.deaths(folder).first
    if pid == (first.pid if first is not None else folder.exit.get("pid")):
        return "process"
    children = [row.value["child"] for row in folder.lines(records.CHILDREN).rows if "child" in row.value]
    if pid in {*(end.pid for end in ends), *children}:
        return "tree"
    in_group = group and match.re is CHOSEN and match["group"].endswith(group)
    return "group" if in_group else None


def _is_within(folder: TrialFolder, row: Row) -> bool:
    """Whether a line of the kernel was written while the trial ran."""
    began = folder.exit.get("started_monotonic")
    if began is None:
        return True
    return bool(began - CLOCK_SECONDS <= row.value["t"] <= began + folder.exit.get("seconds", 0.0) + CLOCK_SECONDS)


def _below_mount(group: str | None) -> str:
    """Return the last part of a group's path; "" for the root, whose name says nothing."""
    name = (group or "").rpartition("/")[2]
    return "" if name in ("", "memory", "unified", "cgroup") else f"/{name}"


def _allocation_failure(folder: TrialFolder) -> Iterator[Fact]:
    """Yield the last words that tell of an allocation that failed: an exception's first, else the end of stderr."""
    errors = [
        (f"{row.value.get('type')}: {row.value.get('message')}", folder.source(records.PYTHON_ERROR, row.line))
        for row in folder.own_lines(records.PYTHON_ERROR)
    ]
    lines = last_lines(folder.path / records.STDERR)
    numbered = list(enumerate(lines, 1))[-LAST_LINES:]
    printed = [(text.strip(), folder.source(records.STDERR, number)) for number, text in reversed(numbered)]
    told = ((text, source, allocators.failure(text)) for text, source in errors + printed)
    for text, source, failed in itertools.islice((row for row in told if row[2]), 1):
        assert failed is not None
        wanted = {"wanted_bytes": failed[1]} if failed[1] is not None else {}
        yield Fact("allocation_failure", {"text": text[:500], "sign": failed[0], **wanted}, (source,))


def _sizes(folder: TrialFolder) -> Iterator[Fact]:
    """Yield the sizes that were seen, each with its row: PSS and USS (read seldom) the last, the others the highest.

    `file_bytes`, the mapped pages of files at the highest RSS, is what a group's limit need not hold.
    """
    for name in ("pss_bytes", "uss_bytes"):
        for row in _with(folder, name)[-1:]:
            yield Fact(name, row.value[name], _sources(folder, row))
    files = _with(folder, "file_bytes")
    if files:
        row = max(files, key=memory.of("rss_bytes"))
        yield Fact("file_bytes", row.value["file_bytes"], _sources(folder, row))
    for key, name in (("swap_bytes", "swap_peak_bytes"), ("data_bytes", "data_peak_bytes")):
        rows = _with(folder, key)
        if rows:
            row = max(rows, key=memory.of(key))
            yield Fact(name, row.value[key], _sources(folder, row))


def _commit(folder: TrialFolder) -> Iterator[Fact]:
    """Yield whether the machine's commit limit holds, and how far the commit was from it where it does."""
    live = [row for row in _with(folder, "committed_bytes") if row.value.get("at") != "end"]
    said = _with(folder, "overcommit")[:1]
    holds = [row for row in said if row.value["overcommit"] == STRICT_COMMIT]
    for row in said:
        yield Fact("commit_limit_holds", bool(holds), _sources(folder, row))
    for row in live[-1:] if holds else ():
        left = row.value["commit_limit_bytes"] - row.value["committed_bytes"]
        yield Fact("commit_headroom_bytes", left, _sources(folder, row, *holds))


def _stall(folder: TrialFolder) -> Iterator[Fact]:
    """Yield how long all work on the machine stood still for want of memory (PSI, `full`)."""
    rows = [row for row in _with(folder, "psi") if "full_total_seconds" in row.value["psi"]]
    if len(rows) > 1:
        first, last = (row.value["psi"]["full_total_seconds"] for row in (rows[0], rows[-1]))
        yield Fact("memory_stall_seconds", round(last - first, 6), _sources(folder, rows[-1], rows[0]))


def _confinement(folder: TrialFolder) -> Iterator[Fact]:
    """Yield the limit that the trial was put under, by which means, and whether the child confirmed it."""
    record = records.read_json(folder.path / records.CONFINE)
    if record:
        value: dict[str, Any] = {key: record[key] for key in ("kind", "limit_bytes", "applied")}
        yield Fact("confinement", value, (folder.key_source(records.CONFINE, "kind"),))


def _with(folder: TrialFolder, key: str) -> list[Row]:
    return [row for row in folder.lines(records.PRESSURE).rows if row.value.get(key) is not None]


def _sources(folder: TrialFolder, *rows: Row) -> tuple[Source, ...]:
    return tuple(folder.source(records.PRESSURE, row.line) for row in rows)
