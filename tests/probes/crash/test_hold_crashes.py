"""A process that faults is held, looked at, and dies of its true signal: the whole record, for each kind of death."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from observing import Observed, is_gone, observe, victim

from harness.decide.hypotheses import stack_overflow
from harness.decide.hypotheses.case import Case
from harness.model import Control
from probes import records

FILES = {
    "fault.json", "threads.txt", "maps.txt", "status.txt", "limits.txt", "smaps_rollup.txt", "python_stacks.json",
    "native_stacks.json",
}  # fmt: skip
FAULT_KEYS = {
    "signal", "code", "address", "pc", "sp", "cpu_fault_address", "registers", "instruction_bytes", "stack", "thread",
    "own_stack", "mapped_file", "pid", "t", "held", "noticed_after_seconds", "collected_after_seconds",
    "opened_heap_locks", "si_code", "si_pid", "si_uid", "sender_command",
}  # fmt: skip
WORDS = b"err: before\n"


@dataclasses.dataclass(frozen=True)
class Death:
    """What the record must say: signal, code, address ("" for: some), whether main, whether Python knows the thread."""

    signal: str
    code: str
    address: str | None
    is_main: bool
    known: bool
    words: bytes = b""


DEATHS = {
    "segv": Death("SIGSEGV", "SEGV_MAPERR", "0x1230", True, True),
    "segv_thread": Death("SIGSEGV", "SEGV_MAPERR", "0x1230", False, True),
    "native": Death("SIGSEGV", "SEGV_MAPERR", "0x1230", False, False),
    "together": Death("SIGSEGV", "SEGV_MAPERR", "0x1230", False, True),
    "race": Death("SIGSEGV", "SEGV_MAPERR", "0x1230", False, True),
    "sent": Death("SIGSEGV", "SI_USER", None, True, True),
    "abort": Death("SIGABRT", "SI_TKILL", None, True, True),
    "abort_thread": Death("SIGABRT", "SI_TKILL", None, False, True),
    "double_free": Death("SIGABRT", "SI_TKILL", None, True, True, b"double free or corruption (!prev)\n"),
    "terminate": Death("SIGABRT", "SI_TKILL", None, True, True, b"terminate called without an active exception\n"),
    "fpe": Death("SIGFPE", "FPE_INTDIV", "", True, True),
    "bus": Death("SIGBUS", "BUS_ADRERR", "", True, True),
    "ill": Death("SIGILL", "ILL_ILLOPN", "", True, True),
}


def fault(seen: Observed, label: str = "main") -> dict[str, Any]:
    """Return fault.json of one process."""
    record = records.read_json(seen.folder / "native" / label / records.FAULT)
    assert record is not None
    return record


def gaps(seen: Observed) -> list[dict[str, Any]]:
    """Return the gaps; a machine may hide its kernel log."""
    return [row for row in seen.rows(records.GAPS) if row["probe"] != "kernel log"]


class TestHeld:
    """Every kind of death, on every kind of thread."""

    @pytest.mark.parametrize("name", DEATHS)
    def test_whole_record(self, tmp_path: Path, name: str) -> None:
        """True signal, faulting thread, address, all files, no gap, nothing left, stderr the program's own."""
        seen, death = observe(tmp_path, victim("hold_crash"), name), DEATHS[name]
        record, place = fault(seen), seen.folder / "native" / "main"
        assert (seen.exit["signal"], seen.exit["ended_by"], seen.exit["left_behind"]) == (death.signal, "itself", [])
        assert set(record) == FAULT_KEYS
        assert (record["signal"], record["code"], record["pid"]) == (death.signal, death.code, seen.exit["pid"])
        assert record["address"] == death.address or (death.address == "" and int(record["address"], 16) > 0)
        thread = record["thread"]
        assert (thread["is_main"], thread["known_to_python"], bool(thread["name"])) == (
            death.is_main,
            death.known,
            True,
        )
        assert (thread["tid"] == seen.exit["pid"]) == death.is_main
        assert record["held"] and 0 < record["noticed_after_seconds"] < record["collected_after_seconds"] < 8
        assert {path.name for path in place.iterdir()} - {"gdb.txt"} == FILES
        assert gaps(seen) == []
        assert (seen.raw(records.STDERR), seen.raw(records.STDOUT)) == (WORDS + death.words, b"out: before\n")
        assert is_gone(seen.exit["pid"])

    def test_addresses_agree(self, tmp_path: Path) -> None:
        """The kernel's address, the CPU's, and the record of where the instruction is."""
        seen = observe(tmp_path, victim("hold_crash"), "segv")
        record = fault(seen)
        assert record["cpu_fault_address"] == record["address"] == "0x1230"
        assert record["stack"]["name"] == "[stack]" and record["stack"]["holds_sp"] is True
        assert len(bytes.fromhex(record["instruction_bytes"])) == 16 and any(bytes.fromhex(record["instruction_bytes"]))
        assert seen.trial.value("fault_address") == "0x1230"
        assert seen.trial.value("fault_thread") == {"pid": record["pid"], **record["thread"]}
        assert '"address": "0x1230"' in seen.cited("fault_address")

    def test_native_frames_of_the_faulting_thread(self, tmp_path: Path) -> None:
        """The unwinder gets from the handler through the fault to the Python that called."""
        seen = observe(tmp_path, victim("hold_crash"), "segv_thread")
        stacks = json.loads((seen.folder / "native" / "main" / "native_stacks.json").read_text())
        tid = fault(seen)["thread"]["tid"]
        names = [frame["name"] for stack in stacks if stack["os_thread_id"] == tid for frame in stack["frames"]]
        assert "string_at" in names and names.index("sigsuspend") < names.index("string_at") < names.index("segv")


class TestOverflow:
    """A stack that is full: the handlers run on another one."""

    @pytest.mark.parametrize(("name", "is_main"), [("overflow", True), ("overflow_thread", False)])
    def test_is_held_and_established(self, tmp_path: Path, name: str, is_main: bool) -> None:
        """The fault lies next to the stack's end, and the rule says so, with the record's line."""
        seen = observe(tmp_path, victim("hold_crash"), name)
        record = fault(seen)
        assert (seen.exit["signal"], record["thread"]["is_main"], record["held"]) == ("SIGSEGV", is_main, True)
        assert 0 < int(record["stack"]["low"], 16) - int(record["address"], 16) < 65536
        finding = stack_overflow.judge(Case((seen.trial,), {}))
        assert (finding.status, finding.gaps) == ("established", ())
        assert "bytes below the thread's stack" in finding.reasons[0].text
        assert '"stack"' in seen.cited("stack_overflow")
        assert seen.trial.fact("stack_overflow").sources == finding.reasons[0].evidence  # type: ignore[union-attr]

    def test_other_faults_are_not(self, tmp_path: Path) -> None:
        """A wild pointer is no overflow: ruled out where a control has shown that one is seen here, else open."""
        seen = observe(tmp_path, victim("hold_crash"), "segv")
        unproven = stack_overflow.judge(Case((seen.trial,), {}))
        assert (unproven.status, [gap.probe for gap in unproven.gaps]) == ("open", ["control of stack-overflow"])
        control = Control("planted", stack_overflow.ID, stack_overflow.ID, True)
        finding = stack_overflow.judge(Case((seen.trial,), {}, (control,)))
        assert (finding.status, finding.gaps) == ("ruled-out", ())
        assert [f"trials/{seen.trial.id}/exit.json:1"] == [str(source) for source in finding.reasons[0].evidence]

    def test_native_thread_without_another_stack_leaves_a_gap(self, tmp_path: Path) -> None:
        """No handler can run there: the signal is still the true one, and the gap says why nothing else is known."""
        seen = observe(tmp_path, victim("hold_crash"), "native_overflow")
        assert (seen.exit["signal"], (seen.folder / "native").exists()) == ("SIGSEGV", False)
        assert [(row["probe"], row["reason"].startswith("signal 11 ended the process")) for row in gaps(seen)] == [
            ("hold", True)
        ]


class TestDescendants:
    """A forked child is held as well, and its parent sees its true signal."""

    def test_forked(self, tmp_path: Path) -> None:
        """Its records lie under its process id; the observed process ends well."""
        seen = observe(tmp_path, victim("hold_crash"), "forked")
        _, words = seen.text(records.STDOUT).splitlines()
        child, status = (int(word) for word in words.split())
        record = fault(seen, str(child))
        assert (seen.exit["code"], status & 0x7F) == (0, 11)
        assert (record["signal"], record["thread"]["tid"], record["held"]) == ("SIGSEGV", child, True)
        assert not (seen.folder / "native" / "main").exists()
        assert gaps(seen) == [] and is_gone(child)


class TestHealthy:
    """A process that does not fault is left alone."""

    def test_nothing_is_taken(self, tmp_path: Path) -> None:
        """No native folder, no gap."""
        seen = observe(tmp_path, victim("healthy"))
        assert (seen.exit["code"], (seen.folder / "native").exists(), gaps(seen)) == (0, False, [])
