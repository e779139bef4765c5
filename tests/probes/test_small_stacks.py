"""Small and strange stacks: each overflow is recognised, nothing else is taken for one, larger stacks remove it."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path

import pytest
from built_trials import proven
from observing import Observed, observe, victim

from harness.decide.hypotheses import stack_overflow, threading_fault
from harness.decide.hypotheses.case import Case
from harness.decide.interventions import LARGE_STACK
from harness.facts import reading as facts
from harness.launch import trial
from harness.plan import plan_file as plan
from probes import records

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="the victims are machine code of x86-64")


def finding(seen: Observed) -> str:
    """Return what the rule says of one death."""
    return stack_overflow.judge(Case((seen.trial,), {}, proven(stack_overflow.ID))).status


class TestRecognised:
    """The stack pointer has come past the end of the thread's own stack."""

    def test_a_pointer_that_has_jumped_over_the_guard(self, tmp_path: Path) -> None:
        """It lies in what is mapped below, as the next thread's stack is; the fault, above it, on the guard."""
        seen = observe(tmp_path, victim("small_stack"), "jump")
        record = records.read_json(seen.folder / "native" / "main" / records.FAULT) or {}
        assert (record["stack"]["holds_sp"], record["stack"] == record["own_stack"]) == (True, False)
        assert int(record["sp"], 16) < int(record["address"], 16) < int(record["own_stack"]["low"], 16)
        assert seen.trial.value("stack_overflow")["stack_bytes"] == 32768
        assert finding(seen) == "established"

    def test_a_main_stack_that_the_program_has_lowered(self, tmp_path: Path) -> None:
        """Where it may grow no further, there is no guard page."""
        seen = observe(tmp_path, victim("small_stack"), "lowered")
        value = seen.trial.value("stack_overflow")
        assert (value["stack"], value["stack_bytes"] < 512 << 10) == ("[stack]", True)
        assert finding(seen) == "established"

    def test_a_native_thread_without_room_for_a_handler(self, tmp_path: Path) -> None:
        """No handler can run there: the kernel's two signals tell, or, where nobody watches them, the silence."""
        seen = observe(tmp_path, victim("hold_crash"), "native_overflow")
        watched = (seen.folder / records.SIGNALS).exists()
        value = seen.trial.value("no_stack_left")
        assert (value["pid"], value["told_by"], value["is_certain"]) == (
            seen.exit["pid"], "signals" if watched else "silence", watched,
        )  # fmt: skip
        assert finding(seen) == ("established" if watched else "supported")
        threads = threading_fault.judge(Case((seen.trial,), {}, proven(threading_fault.ID)))
        assert threads.status == ("ruled-out" if watched else "open")

    def test_a_limit_that_not_even_the_interpreter_can_start_under(self, tmp_path: Path) -> None:
        """It dies before any handler is there: the kernel's line has the address beside the stack pointer."""
        python = tmp_path / "python"
        python.write_text(f'#!/bin/sh\nulimit -s 64\nexec {sys.executable} "$@"\n', encoding="utf-8")
        python.chmod(0o755)
        seen = observe(tmp_path, target={"command": [str(victim("healthy"))], "python": str(python)})
        lines = [row["text"] for row in seen.rows(records.KERNEL) if f"[{seen.exit['pid']}]: segfault" in row["text"]]
        if seen.exit["signal"] is None or not lines:
            pytest.skip("this Python starts with 64 KiB, or the kernel's log has no line of it")
        assert seen.trial.value("no_stack_left")["told_by"] == "kernel"
        assert finding(seen) == "established"


class TestNothingElse:
    """A wild write is no overflow, though it hits a guard page."""

    @pytest.mark.parametrize("name", ["own_guard", "other_guard"])
    def test_onto_a_guard_page(self, tmp_path: Path, name: str) -> None:
        """The pointer is in the thread's own stack, far from the address."""
        seen = observe(tmp_path, victim("small_stack"), name)
        record = records.read_json(seen.folder / "native" / "main" / records.FAULT) or {}
        assert (seen.exit["signal"], record["code"]) == ("SIGSEGV", "SEGV_ACCERR")
        assert (seen.trial.fact("stack_overflow"), seen.trial.fact("no_stack_left")) == (None, None)
        assert finding(seen) == "ruled-out"


class TestLargerStacks:
    """The intervention reaches stacks whose size the program sets itself."""

    @pytest.mark.parametrize("name", ["jump", "lowered"])
    def test_remove_the_failure(self, tmp_path: Path, name: str) -> None:
        """The program's own call is heard, and without effect."""
        raw = {"target": {"command": [str(victim("small_stack")), name]}, "limits": {"no_progress_seconds": 5.0}}
        read = plan.parse(raw, tmp_path / "plan.yaml")
        folder = tmp_path / "trials" / "large" / "1"
        trial.run(trial.Request("large/1", folder, read.baseline, read, LARGE_STACK), lambda pulse: True)
        seen = Observed(tmp_path, facts.read(tmp_path, "large/1"))
        assert (seen.exit["signal"], seen.exit["code"]) == (None, 0)
        assert seen.text(records.STDOUT) == "step 1\nstep 2\n"

    def test_what_the_program_says_of_its_stacks_is_kept_from_taking_effect(self, tmp_path: Path) -> None:
        """It gets the answers that it would have got; the variable stays as it was started."""
        script = tmp_path / "own.py"
        script.write_text(
            "import ctypes, os, threading\n"
            "os.environ['OMP_STACKSIZE'] = '16k'\n"
            "libc = ctypes.CDLL(None)\n"
            "libc.getenv.restype = ctypes.c_char_p\n"
            "print(threading.stack_size(65536), threading.stack_size(), libc.getenv(b'OMP_STACKSIZE').decode())\n",
            encoding="utf-8",
        )
        read = plan.parse({"target": {"command": [str(script)]}}, tmp_path / "plan.yaml")
        folder = tmp_path / "trials" / "large" / "1"
        trial.run(trial.Request("large/1", folder, read.baseline, read, LARGE_STACK), lambda pulse: True)
        assert (folder / records.STDOUT).read_text() == "0 65536 256M\n"
        assert os.environ.get("OMP_STACKSIZE") is None
