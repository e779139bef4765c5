"""The same fault has the same signature, another fault another one."""

from __future__ import annotations

import json
import platform
import re
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from observing import observe, victim
from record_folders import Records

from harness.facts.crash import frame_names
from harness.facts.crash.frames import Frame
from harness.facts.crash.signature import exact, loose
from harness.model import Signature, Trial
from probes import records

DATA = Path(__file__).parent / "stacks_data"
FOLDER = {"torch": "native/main/torch_stacks.txt", "fault": "native/main/fault.json", "log": records.FAULT_LOG}
FAULTS = (
    "null_read", "thread_read", "worker_read", "abort", "double_free", "divide", "illegal", "bus", "os_exit",
    "exception", "write_constant",
)  # fmt: skip


def captured(name: str) -> dict[str, str]:
    """Return the records of a captured crash by their places."""
    ends = {"torch": "torch.txt", "fault": "fault.json", "log": "fault.log"}
    return {FOLDER[key]: (DATA / f"{name}_{end}").read_text(encoding="utf-8") for key, end in ends.items()}


def died(root: Path, texts: Mapping[str, str], signal: str = "SIGSEGV") -> Trial:
    """Return the trial that left these records."""
    folder = Records(root).exit(code=None, signal=signal)
    for name, text in texts.items():
        (folder.path / name).parent.mkdir(parents=True, exist_ok=True)
        (folder.path / name).write_text(text, encoding="utf-8")
    return folder.read()


def signature(trial: Trial) -> Signature:
    """Return its signature, which it must have."""
    assert trial.signature is not None
    return trial.signature


def moved(text: str) -> str:
    """Return a record as another run in another place writes it: addresses, paths, thread and process ids changed."""
    text = re.sub(r"\b(0x0*)(7[0-9a-f]{11})\b", lambda found: f"{found[1]}{int(found[2], 16) - 0x5000:x}", text)
    text = re.sub(r"\b(2020|2068|1905)\b", lambda found: str(int(found[1]) + 3111), text)
    return text.replace("/opt/venv", "/srv/elsewhere").replace("/home/user", "/builds/17").replace("/opt/py", "/o/py")


class TestStability:
    """One fault, one signature."""

    @pytest.mark.parametrize("name", ["worker", "null"])
    def test_survives_another_place(self, tmp_path: Path, name: str) -> None:
        """Addresses, paths and ids are not part of it."""
        first = died(tmp_path / "1", captured(name))
        second = died(tmp_path / "2", {place: moved(text) for place, text in captured(name).items()})
        assert signature(first).exact and signature(first) == signature(second)

    def test_does_not_depend_on_a_tool(self, tmp_path: Path) -> None:
        """py-spy came in time once, and once it did not."""
        with_tool = {
            **captured("null"),
            "native/main/native_stacks.json": (DATA / "null_native_stacks.json").read_text(),
        }
        assert signature(died(tmp_path / "1", with_tool)) == signature(died(tmp_path / "2", captured("null")))

    def test_py_spy_and_faulthandler_tell_the_same(self, tmp_path: Path) -> None:
        """Where the crash handler did not get through, py-spy's Python frames give the same signature."""
        texts = captured("null")
        del texts[FOLDER["torch"]]
        by_log = died(tmp_path / "1", texts)
        del texts[FOLDER["log"]]
        stacks = (DATA / "null_native_stacks.json").read_text(encoding="utf-8")
        by_tool = died(tmp_path / "2", {**texts, "native/main/native_stacks.json": stacks})
        assert [source.file.rpartition("/")[2] for source in by_log.fact("crash_stack").sources] == ["fault.log"]
        told = [source.file.rpartition("/")[2] for source in by_tool.fact("crash_stack").sources]
        assert told == ["native_stacks.json"]
        assert signature(by_log) == signature(by_tool)


class TestLoose:
    """The readable part."""

    def test_of_a_worker(self, tmp_path: Path) -> None:
        """Libraries stand for functions without a name; the signal's own frames and the thread's start are left out."""
        expected = (
            "SIGSEGV: ? (libtorch_cpu.so) < at::TensorIteratorBase::serial_for_each < ? (libtorch_cpu.so) < "
            "? (libgomp.so.1) (4)"
        )
        trial = died(tmp_path, captured("worker"))
        assert signature(trial).loose == expected
        (source,) = trial.fact("crash_stack").sources
        assert source.file.endswith(FOLDER["torch"])

    def test_of_a_python_thread(self, tmp_path: Path) -> None:
        """The glue between Python and C is left out, and so are our own frames."""
        trial = died(tmp_path, captured("null"))
        expected = "SIGSEGV: null_read (signature_faults.py) < <module> (signature_faults.py) (2)"
        assert signature(trial).loose == expected
        assert trial.value("crash_stack") == ["null_read (signature_faults.py:20)", "<module> (signature_faults.py:95)"]
        fact = trial.fact("crash_stack")
        assert fact is not None
        assert [str(source).partition("1/")[2] for source in fact.sources] == [
            "native/main/torch_stacks.txt:1", "fault.log:3",
        ]  # fmt: skip

    def test_of_a_bare_instruction(self, tmp_path: Path) -> None:
        """Without any stack, the program counter and the memory map name the library."""
        fault = json.dumps({"signal": "SIGSEGV", "code": "SEGV_MAPERR", "pc": "0x7f0000002010", "thread": {"tid": 9}})
        rows = ("7f0000000000-7f0000001000 r--p 0 0:0 1", "7f0000001000-7f0000009000 r-xp 0 0:0 1")
        maps = "".join(f"{row} /opt/libsolver.so\n" for row in rows)
        trial = died(tmp_path, {FOLDER["fault"]: fault, "native/main/maps.txt": maps})
        assert signature(trial).loose == "SIGSEGV: ? (libsolver.so) (1)"
        assert trial.value("crash_stack") == ["libsolver.so+0x2010"]

    def test_is_the_point_where_nothing_is_known(self, tmp_path: Path) -> None:
        """A kill leaves no stack, and comes from outside: where it struck is told, and is no part of what it is."""
        found = signature(died(tmp_path, {}, "SIGKILL"))
        assert found == Signature(None, "SIGKILL", "SIGKILL in unknown place")


class TestRecursion:
    """A stack that ran out: at which function of the cycle is chance."""

    def test_is_one_signature_wherever_it_ends(self) -> None:
        """Neither the length nor the top matters."""
        cycle = [Frame("even", "/a.so"), Frame("odd", "/a.so")]
        first, second = [Frame("leaf", "/a.so"), *cycle * 30], [*cycle[1:], *cycle * 40]
        assert exact("SIGSEGV", None, first) == exact("SIGSEGV", None, second)
        assert loose("SIGSEGV", first) == loose("SIGSEGV", second) == "SIGSEGV: recursion of even, odd"


class TestNames:
    """How a frame is spelt."""

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("void f<int, g<long> >(long, char**) const", "f<>"),
            ("at::(anonymous namespace)::mul_kernel(at::TensorIteratorBase&)", "at::(anonymous namespace)::mul_kernel"),
            ("std::ostream& std::operator<< <char>(std::ostream&, char)", "std::operator<<<>"),
            ("run(int)::{lambda(long)#1}::operator()(long) const [clone .cold]", "run::{lambda#1}::operator()"),
            ("operator new(unsigned long)", "operator new"),
            ("__libc_free", "free"),
        ],
    )  # fmt: skip
    def test_of_functions(self, name: str, expected: str) -> None:
        """Templates folded, arguments and return types gone."""
        assert frame_names.function(name) == expected

    def test_exact_keeps_templates_and_lambda_numbers(self) -> None:
        """They tell one kernel from another."""
        frame = Frame(
            "f<int>(long)::{lambda(long)#2}::operator()(long) const [clone ._omp_fn.0]", "/x/lib.so", offset=3
        )
        assert frame_names.exact(frame) == "f<int>(long)::{lambda(long)#2}::operator()(long) const"

    def test_a_bundled_library_loses_its_hash(self) -> None:
        """The hash is of one build."""
        assert Frame("", "/a/libgomp-a34b3233.so.1").library == "libgomp.so.1"


class TestExits:
    """Deaths without a stack: who called for the end, and where."""

    def test_two_places_differ(self, tmp_path: Path) -> None:
        """`os._exit` on two lines of one function."""
        found = [
            signature(
                Records(tmp_path / str(line)).exit(code=3)
                .calls("os._exit", code=3, stack=[f'  File "/a/b.py", line {line}, in leave\n    os._exit(3)\n']).read()
            ).loose
            for line in (4, 5)
        ]  # fmt: skip
        assert found == [f"exit 3 in unknown place; os._exit: leave (b.py:{line})" for line in (4, 5)]


class TestHang:
    """A hang: what the looks at the main thread have in common."""

    @pytest.mark.parametrize("names_of_top", [("spin", "spin"), ("spin", "turn")])
    def test_has_the_frames_that_stay(self, tmp_path: Path, names_of_top: tuple[str, str]) -> None:
        """The exact part only where nothing moved."""
        folder = Records(tmp_path).exit(code=None, signal="SIGKILL", ended_by="harness", limit="no progress")
        for number, top in enumerate(names_of_top, 1):
            frames = [{"name": name, "filename": "/a/loop.py", "module": None, "line": 3} for name in (top, "wait")]
            row = {"pid": 77, "thread_id": 1, "thread_name": "MainThread", "os_thread_id": 77, "owns_gil": True}
            path = folder.path / f"native/hang-{number}/python_stacks.json"
            path.parent.mkdir(parents=True)
            path.write_text(json.dumps([{**row, "frames": frames}]))
        found = signature(folder.read())
        still = len(set(names_of_top)) == 1
        assert found.loose == ("hang: spin (loop.py) < wait (loop.py) (2)" if still else "hang: wait (loop.py) (1)")
        assert (found.exact is not None) == still


@pytest.mark.torch
@pytest.mark.skipif(sys.platform != "linux" or platform.machine() != "x86_64", reason="two faults are x86-64 code")
class TestPlanted:
    """Real faults, each twice."""

    def test_each_has_its_own_signature_twice(self, tmp_path: Path) -> None:
        """As many signatures as faults, exact (where there is a stack) and loose, equal in both runs."""
        first, second = (
            [signature(observe(tmp_path / run / name, victim("signature_faults"), name).trial) for name in FAULTS]
            for run in ("1", "2")
        )
        assert first == second
        assert (
            len({found.loose for found in first}) == len({(found.exact, found.loose) for found in first}) == len(FAULTS)
        )
        stacks = [
            found.exact for found, name in zip(first, FAULTS, strict=True) if name not in ("os_exit", "exception")
        ]
        assert None not in stacks and len(set(stacks)) == len(stacks)
