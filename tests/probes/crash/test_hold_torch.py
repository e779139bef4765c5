"""With torch: the native stacks of all threads, and stderr still the program's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from observing import observe, victim

from harness.decide.hypotheses import native_fault, threading_fault
from harness.decide.hypotheses.case import Case
from probes import records

DEATHS = {
    "segv": ("SIGSEGV", b""),
    "pool": ("SIGSEGV", b""),
    "overflow_thread": ("SIGSEGV", b""),
    "fpe_torch": ("SIGFPE", b""),
    "double_free_thread": ("SIGABRT", b"double free or corruption (out)\n"),
}


@pytest.mark.torch
class TestTorch:
    """torch's own handler prints under the gate."""

    @pytest.mark.parametrize("name", DEATHS)
    def test_all_stacks(self, tmp_path: Path, name: str) -> None:
        """Each thread's native frames are there, the faulting one's among them, and none of it is in stderr.log."""
        seen, (number, words) = observe(tmp_path, victim("hold_crash"), name, "torch"), DEATHS[name]
        place = seen.folder / "native" / "main"
        record: dict[str, Any] = records.read_json(place / records.FAULT) or {}
        stacks = (place / "torch_stacks.txt").read_text()
        threads = {line.split("/")[4] for line in (place / "threads.txt").read_text().splitlines()}
        assert (seen.exit["signal"], record["signal"], record["held"]) == (number, number, True)
        assert all(f"Thread {thread}: " in stacks for thread in threads)
        assert "frame #2" in stacks.partition(f"Thread {record['thread']['tid']}: ")[2].partition("\n\n")[0]
        assert seen.raw(records.STDERR) == b"err: before\n" + words

    def test_pool_worker(self, tmp_path: Path) -> None:
        """The faulting thread is unknown to Python, and the rules say so."""
        seen = observe(tmp_path, victim("hold_crash"), "pool", "torch")
        assert seen.trial.value("fault_thread")["known_to_python"] is False
        case = Case((seen.trial,), {})
        assert any("unknown to Python" in reason.text for reason in threading_fault.judge(case).reasons)
        wanted = [gap.probe for gap in native_fault.judge(case).gaps]
        assert wanted == ["repeats at one thread", "memory ladder"]  # and no native stacks: those were taken
