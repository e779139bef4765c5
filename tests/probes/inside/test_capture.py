"""The capture of one module call, from the record that real programs leave."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from observing import Observed, observe, victim

from harness.facts import reading as facts
from harness.launch import trial
from harness.plan import plan_file as plan
from probes import records

pytestmark = pytest.mark.torch
PROGRAM = """
import torch

class Part(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(3, 2)
        self.register_buffer("scale", torch.ones(2))
        self.table = torch.arange(2)

    def forward(self, image, *, mask=None, fails=False):
        hidden = self.linear(image).relu_() * self.scale
        if fails:
            raise ValueError("as it must")
        hidden = hidden * mask if mask is not None else hidden
        return torch.nn.functional.dropout(hidden, 0.5) + self.table + CONSTANT

class Whole(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.part = Part()

    def forward(self, image, **options):
        return self.part(image, **options)

torch.manual_seed(3)
CONSTANT = torch.full((2,), 0.5)
model = Whole()
"""


def captured(root: Path, wanted: dict[str, Any], *command: object) -> Observed:
    """Run a command with a call of a module captured."""
    raw = {"target": {"command": [str(word) for word in command]}, "limits": {"wall_seconds": 60}}
    read = plan.parse(raw, root / "plan.yaml")
    request = trial.Request("as-is/1", root / "trials" / "as-is" / "1", read.baseline, read, capture=wanted)
    trial.run(request, lambda pulse: True)
    return Observed(root, facts.read(root, "as-is/1"))


def rows_of(seen: Observed, event: str) -> list[dict[str, Any]]:
    """Return the record's rows of one kind."""
    return [row for row in seen.rows(records.CAPTURE) if row["event"] == event]


def test_the_target_computes_what_it_computes_without(tmp_path: Path) -> None:
    """Every loss is the same to its last bit; no random number is drawn by us."""
    plain = observe(tmp_path / "plain", victim("tiny_trainer"), 4)
    wanted = {"module": "backbone", "call": 2, "step": 2, "values": True}
    under = captured(tmp_path / "under", wanted, victim("tiny_trainer"), 4)
    assert (under.trial.outcome, under.text(records.STDOUT)) == ("completed", plain.text(records.STDOUT))
    assert under.trial.last_event == plain.trial.last_event


def test_each_operator_stands_there_with_its_tensors(tmp_path: Path) -> None:
    """Inputs by position and by keyword, parameters, buffers, attributes, outputs, and what is from outside."""
    code = PROGRAM + "model(torch.randn(4, 3), mask=torch.tensor([True, False]))"
    seen = captured(tmp_path, {"module": "part", "call": 1, "step": 1}, "-c", code)
    names = [row["name"] for row in rows_of(seen, "operator")]
    assert names[:3] == ["aten.t.default", "aten.addmm.default", "aten.relu_.default"]
    assert names[3:5] == ["aten.detach.default", "aten.mul.Tensor"]  # autograd keeps what relu_ returned
    assert [row["number"] for row in rows_of(seen, "returned")] == list(range(len(names)))
    origins = {(row["origin"], row["name"]) for row in rows_of(seen, "tensor") if row["origin"] != "output"}
    assert origins == {
        ("input", "args[0]"), ("input", "mask"), ("parameter", "linear.weight"), ("parameter", "linear.bias"),
        ("buffer", "scale"), ("attribute", "table"), ("outside", ""),
    }  # fmt: skip
    assert rows_of(seen, "operator")[1]["module"] == "part.linear"
    extents = [row["extents"] for row in rows_of(seen, "operator") if row["extents"]]
    assert [list(row.values()) for row in extents] == [[[0, 1]], [[0, 1]]]  # the mask, the table
    assert len(rows_of(seen, "end")) == 1


def test_the_call_is_described(tmp_path: Path) -> None:
    """What steers its operators, and its parts."""
    code = PROGRAM + "torch.set_num_threads(2)\nmodel.eval()\nwith torch.no_grad(): model(torch.randn(4, 3))"
    seen = captured(tmp_path, {"module": "part", "call": 1, "step": None}, "-c", code)
    begin = rows_of(seen, "begin")[0]
    told = {
        "module": "part", "call": 1, "training": False, "grad_enabled": False, "threads": 2, "onednn": True,
        "deterministic": False,
    }  # fmt: skip
    assert {key: begin[key] for key in told} == told
    assert begin["parts"] == {"": "__main__.Part", "linear": "torch.nn.modules.linear.Linear"}
    assert begin["args"] == [{"tensor": 0}]


def test_a_call_that_raises_ends_the_capture_and_goes_on(tmp_path: Path) -> None:
    """The exception reaches the program; the next call is not captured again."""
    code = PROGRAM + (
        "import contextlib\n"
        "class Quiet(contextlib.AbstractContextManager):\n"
        "    def __exit__(self, *what): return what[0] is ValueError\n"
        "with Quiet(): model(torch.randn(4, 3), fails=True)\n"
        "model(torch.randn(4, 3))\nprint('went on')"
    )
    seen = captured(tmp_path, {"module": "part", "call": 1, "step": None}, "-c", code)
    assert seen.text(records.STDOUT) == "went on\n"
    assert [row["name"] for row in rows_of(seen, "operator")][-1] == "aten.mul.Tensor"
    assert len(rows_of(seen, "begin")) == len(rows_of(seen, "end")) == 1


def test_no_part_of_torch_is_imported_for_it(tmp_path: Path) -> None:
    """torch._dynamo would move the heap, and with it a fault that reads beyond a block."""
    code = PROGRAM + "model(torch.randn(4, 3))\nimport sys\nprint('torch._dynamo' in sys.modules)"
    plain = observe(tmp_path / "plain", "-c", code)
    seen = captured(tmp_path / "under", {"module": "part", "call": 1, "step": None}, "-c", code)
    assert seen.text(records.STDOUT) == plain.text(records.STDOUT)
    assert len(rows_of(seen, "operator")) > 5


@pytest.mark.parametrize(("wanted", "count"), [({"values": False}, 0), ({"values": True}, 6), ({"values_of": [4]}, 2)])
def test_values_are_saved_where_they_are_asked_for(tmp_path: Path, wanted: dict[str, Any], count: int) -> None:
    """None; all that comes from outside of the operators; or what one operator is given."""
    code = PROGRAM + "model(torch.randn(4, 3))"
    seen = captured(tmp_path, {"module": "part", "call": 1, "step": None, **wanted}, "-c", code)
    files = [row["file"] for row in rows_of(seen, "values")]
    assert [(seen.folder / name).is_file() for name in files] == [True] * count


def test_what_is_no_plain_tensor_has_no_strides(tmp_path: Path) -> None:
    """A sparse argument is recorded by its shape, and the program goes on."""
    code = PROGRAM + (
        "class Sparse(torch.nn.Module):\n"
        "    def forward(self, graph, image): return graph @ image\n"
        "class Net(torch.nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.part, self.weight = Sparse(), torch.nn.Parameter(torch.ones(1))\n"
        "    def forward(self, *args): return self.part(*args)\n"
        "print(Net()(torch.eye(3).to_sparse(), torch.ones(3, 2)).sum().item())"
    )
    seen = captured(tmp_path, {"module": "part", "call": 1, "step": None}, "-c", code)
    assert seen.text(records.STDOUT) == "6.0\n"
    assert [row["layout"] for row in rows_of(seen, "tensor") if "strides" not in row] == ["sparse_coo"]
