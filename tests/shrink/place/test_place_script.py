"""Captures as scripts: what is written, what stands in, what is left out. Nothing is run here."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
from record_folders import Records

from harness.shrink.place import captured_call, spelling
from harness.shrink.place.captured_call import Capture, Operator
from harness.shrink.place.narrow import Stretch
from harness.shrink.place.script import BODY_FILE, MOST_LINES, write
from probes import records

BEGIN = {
    "event": "begin", "module": "body", "call": 2, "step": 1, "parts": {"": "shop.Body"}, "args": [], "keywords": {},
    "threads": 2, "onednn": True, "deterministic": False, "torch": "2.14.1",
}  # fmt: skip
PLAIN = {
    "shape": [4], "dtype": "float32", "device": "cpu", "layout": "strided", "strides": [1], "offset": 0,
    "address": "0x1000", "storage_bytes": 16, "item_bytes": 4, "memory": "torch", "requires_grad": False,
}  # fmt: skip


def tensor(number: int, origin: str = "input", before: int = 0, **changes: Any) -> dict[str, Any]:
    """Return a tensor's row."""
    return {"event": "tensor", "tensor": number, "before": before, "origin": origin, "name": "x", **PLAIN, **changes}


def operator(number: int, name: str, *args: Any, **changes: Any) -> dict[str, Any]:
    """Return an operator's row."""
    row = {"event": "operator", "number": number, "name": name, "module": "body", "args": list(args), "keywords": {}}
    return {**row, "extents": {}, **changes}


def returned(number: int, outputs: Any) -> dict[str, Any]:
    """Return the row of an operator that came back."""
    return {"event": "returned", "number": number, "outputs": outputs}


def captured(root: Path, *rows: dict[str, Any], **changes: Any) -> Capture:
    """Return the capture that these rows tell of."""
    folder = Records(root).exit().lines(records.CAPTURE, [{"pid": 77, **row} for row in ({**BEGIN, **changes}, *rows)])
    found = captured_call.read(folder.folder())
    assert found is not None
    return found


def calls(text: str) -> list[str]:
    """Return the script's lines about tensors and operators."""
    return [line for line in text.splitlines() if re.match(r"t\d|\[t|torch\.ops|# left", line)]


class TestRead:
    """The record, read."""

    def test_the_last_operator_begun_is_the_one_it_died_in(self, tmp_path: Path) -> None:
        """It never returned."""
        first = operator(0, "aten.neg.default", {"tensor": 0})
        rows = (tensor(0), first, tensor(1, "output", 1), returned(0, {"tensor": 1}))
        last = operator(1, "aten.exp.default", {"tensor": 1})
        found = captured(tmp_path / "1", *rows, last)
        assert found.open_operator == found.operators[1]
        assert found.where == "body (shop.Body), call 2 of step 1"
        assert captured(tmp_path / "2", *rows).open_operator is None
        assert captured(tmp_path / "3", *rows, last, {"event": "end", "operators": 2}).open_operator is None

    def test_a_call_never_reached_is_none(self, tmp_path: Path) -> None:
        """An empty record is no call."""
        assert captured_call.read(Records(tmp_path).exit().folder()) is None

    def test_a_form_holds_from_its_operator_on(self, tmp_path: Path) -> None:
        """A storage that is freed between two operators."""
        found = captured(tmp_path, tensor(0), tensor(0, before=3, storage_bytes=0), operator(0, "aten.neg.default"))
        sizes = [found.tensors[0].at(number).storage_bytes for number in range(5)]
        assert sizes == [16, 16, 16, 0, 0]
        assert found.tensors[0].at(4).is_short and not found.tensors[0].at(0).is_short


class TestSpelling:
    """Arguments and names as source."""

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            (None, "None"), (True, "True"), (2, "2"), (0.5, "0.5"), (float("-inf"), 'float("-inf")'), ("sum", "'sum'"),
            ({"tensor": 3}, "t3"), ([{"tensor": 3}, None], "[t3, None]"), ({"torch": "int32"}, "torch.int32"),
            ({"device": "cpu"}, 'torch.device("cpu")'), ({"complex": [1.0, 0.0]}, "complex(1.0, 0.0)"),
        ],
    )  # fmt: skip
    def test_of_arguments(self, value: Any, expected: str) -> None:
        """Each kind that the record knows."""
        assert spelling.argument(value) == expected

    def test_a_word_of_python_is_asked_for_by_name(self) -> None:
        """`from` is an overload of random_."""
        assert spelling.function("aten.random_.from") == 'getattr(torch.ops.aten.random_, "from")'
        row = Operator(0, "aten.random_.from", "", ({"tensor": 1},), {"from": 3}, {}, 1, {"tensor": 1}, True)
        assert ast.parse(spelling.call(row))

    def test_outputs_are_taken_apart(self) -> None:
        """Several tensors, and what is no tensor."""
        outputs = [{"tensor": 4}, [{"tensor": 5}, {"tensor": 6}], 7]
        row = Operator(0, "aten.lstm.input", "", (), {}, {}, 1, outputs, True)
        assert spelling.call(row) == "[t4, [t5, t6], _] = torch.ops.aten.lstm.input()"


class TestWrite:
    """The script of a stretch."""

    def test_makes_what_it_needs_and_no_more(self, tmp_path: Path) -> None:
        """The output of an operator outside of the stretch is made anew, in its form."""
        found = captured(
            tmp_path, tensor(0), operator(0, "aten.neg.default", {"tensor": 0}), tensor(1, "output", 1, strides=[2]),
            returned(0, {"tensor": 1}), operator(1, "aten.exp.default", {"tensor": 1}),
        )  # fmt: skip
        assert calls(write(found, Stretch(1, 1)).text) == [
            "t1 = tensor((4,), (2,), torch.float32, room=16)  # output of operator x", "torch.ops.aten.exp.default(t1)",
        ]  # fmt: skip
        assert calls(write(found, Stretch(0, 1)).text) == [
            "t0 = tensor((4,), (1,), torch.float32)  # input x", "t1 = torch.ops.aten.neg.default(t0)",
            "torch.ops.aten.exp.default(t1)",
        ]  # fmt: skip

    def test_keeps_extremes_values_and_offsets(self, tmp_path: Path) -> None:
        """What is known of the values is used; what is not is told."""
        found = captured(
            tmp_path, tensor(0, dtype="int64"), tensor(1, dtype="int64"), tensor(2, offset=1), tensor(3),
            {"event": "values", "tensor": 3, "before": 0, "file": "values/t3-0.pt"},
            operator(0, "aten.x.default", *({"tensor": number} for number in range(4)), extents={"0": [-5, 9]}),
        )  # fmt: skip
        written = write(found, Stretch(0, 0), "../")
        assert [line.partition("  #")[0] for line in calls(written.text)[:4]] == [
            "t0 = tensor((4,), (1,), torch.int64, low=-5, high=9)", "t1 = tensor((4,), (1,), torch.int64)",
            "t2 = tensor((4,), (1,), torch.float32, offset=1, room=16)",
            't3 = tensor((4,), (1,), torch.float32, file="../values/t3-0.pt")',
        ]  # fmt: skip
        assert written.values == ("values/t3-0.pt",)
        assert written.stand_ins == ("zeros stand for the whole numbers of t1, input x",)

    @pytest.mark.parametrize(
        ("rows", "reason"),
        [
            ((operator(0, "shop.nms.default"),), "it is no operator of torch's own"),
            ((operator(0, "aten.x.default", {"unknown": "torch.Generator"}),), "it takes a torch.Generator, which"),
            ((tensor(0, strides=None), operator(0, "aten.x.default", {"tensor": 0})), "input x is no plain"),
        ],
    )  # fmt: skip
    def test_leaves_out_what_cannot_be_run_again(
        self, tmp_path: Path, rows: tuple[dict[str, Any], ...], reason: str
    ) -> None:
        """And says so; what it would have made is made anew."""
        more = (tensor(1, "output", 1), returned(0, {"tensor": 1}), operator(1, "aten.exp.default", {"tensor": 1}))
        written = write(captured(tmp_path, *rows, *more), Stretch(0, 1))
        assert [number for number, _ in written.left_out] == [0]
        assert written.left_out[0][1].startswith(reason)
        assert [line.split(" ")[0] for line in calls(written.text)] == ["#", "t1", "torch.ops.aten.exp.default(t1)"]

    def test_says_openly_what_is_planted(self, tmp_path: Path) -> None:
        """Memory that was not torch's is ordinary memory, or the plan's planted fault."""
        rows = (tensor(0, "outside", memory="foreign"), operator(0, "aten.mul.Tensor", {"tensor": 0}, 2))
        found = captured(tmp_path, *rows)
        plain, planted = write(found, Stretch(0, 0)), write(found, Stretch(0, 0), planted=True)
        assert plain.stand_ins and "planted" not in plain.text
        assert "t0 = planted()" in planted.text and "The plan's planted fault" in planted.text
        assert planted.lines < MOST_LINES

    def test_a_long_stretch_lies_beside_the_script(self, tmp_path: Path) -> None:
        """The script itself stays short."""
        rows = [operator(number, "aten.neg.default", {"tensor": 0}) for number in range(200)]
        written = write(captured(tmp_path, tensor(0), *rows), Stretch(0, 199))
        assert written.lines < MOST_LINES
        assert len(written.files[BODY_FILE].splitlines()) == 201
        assert ast.parse(written.text) and ast.parse(written.files[BODY_FILE])

    def test_sets_what_steered_the_call(self, tmp_path: Path) -> None:
        """Threads, oneDNN and determinism, after the environment, which comes before torch."""
        steering = {"onednn": False, "deterministic": True, "threads": 3}
        found = captured(tmp_path, operator(0, "aten.neg.default"), **steering)
        text = write(found, Stretch(0, 0)).text
        assert "torch.set_num_threads(3)" in text and "mkldnn.set_flags(False)" in text
        assert "use_deterministic_algorithms(True)" in text and "os.environ" not in text

    def test_the_rate_is_at_its_top(self, tmp_path: Path) -> None:
        """Instead of the words that it was not run."""
        written = write(captured(tmp_path, operator(0, "aten.neg.default")), Stretch(0, 0))
        assert written.text.splitlines()[1] == "# Not run yet."
        assert written.rated("Died 5 of 5 times.").text.splitlines()[1] == "# Died 5 of 5 times."
