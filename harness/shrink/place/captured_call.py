"""capture.jsonl -> Capture: one module call as its operators, with the form of every tensor at every operator; pure."""

from __future__ import annotations

import bisect
import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from harness.facts.folder import TrialFolder
from harness.model import Source
from probes import records

FOREIGN = "foreign"


@dataclasses.dataclass(frozen=True)
class Form:
    """A tensor as it was from one operator on; what a replay needs to make one like it.

    `strides` is None where it is not a plain strided tensor (sparse, quantized, a subclass), which no replay can make.
    `values` is the file with its storage's values, relative to the trial's folder, where the plan asked for them.
    """

    before: int
    shape: tuple[int, ...]
    dtype: str
    device: str
    layout: str
    strides: tuple[int, ...] | None
    offset: int
    address: int
    storage_bytes: int
    item_bytes: int
    memory: str
    values: str | None = None

    @property
    def span(self) -> int:
        """How many elements from the storage's beginning on the tensor reaches."""
        if self.strides is None or 0 in self.shape:
            return self.offset
        return self.offset + 1 + sum((size - 1) * step for size, step in zip(self.shape, self.strides, strict=True))

    @property
    def is_short(self) -> bool:
        """Whether the storage ends before the tensor does: what lies behind is read all the same."""
        return self.strides is not None and self.span * self.item_bytes > self.storage_bytes

    def __str__(self) -> str:
        """Return e.g. "float32 [8, 3, 64, 64]"."""
        return f"{self.dtype} {list(self.shape)}"


@dataclasses.dataclass(frozen=True)
class Tensor:
    """A tensor of the call: where it came from (probes/inside/capture_tensors.py has the origins), its forms in order.

    `line` is that of its first row in the record.
    """

    number: int
    origin: str
    name: str
    forms: tuple[Form, ...]
    line: int

    def at(self, operator: int) -> Form:
        """Return the form that an operator met."""
        index = bisect.bisect_right([form.before for form in self.forms], operator)
        return self.forms[max(index - 1, 0)]

    def __str__(self) -> str:
        """Return e.g. "parameter conv1.weight"."""
        made = {"output": f"output of operator {self.name}", "outside": "a tensor from outside of the call"}
        return made.get(self.origin, f"{self.origin} {self.name}")


@dataclasses.dataclass(frozen=True)
class Operator:
    """One operator: `name` is e.g. "aten.mul.Tensor", arguments as they are spelt in the record.

    `extents` are the smallest and the largest element of small tensors of whole numbers, by tensor number. `outputs` is
    None where it never returned.
    """

    number: int
    name: str
    module: str
    args: tuple[Any, ...]
    keywords: Mapping[str, Any]
    extents: Mapping[int, tuple[int, int]]
    line: int
    outputs: Any = None
    returned: bool = False

    @property
    def tensors(self) -> list[int]:
        """The numbers of the tensors among its arguments, in order, each once."""
        return list(dict.fromkeys(tensors_in([*self.args, *self.keywords.values()])))

    @property
    def made(self) -> list[int]:
        """The numbers of the tensors that it returned."""
        return list(tensors_in(self.outputs))

    @property
    def is_portable(self) -> bool:
        """Whether torch alone has it."""
        return self.name.split(".")[0] in ("aten", "prims", "quantized", "mkldnn", "onednn", "mkl")


@dataclasses.dataclass(frozen=True)
class Capture:
    """One call of one module; `begin` is the record's row about it. `ended`: the call came back."""

    begin: Mapping[str, Any]
    operators: tuple[Operator, ...]
    tensors: Mapping[int, Tensor]
    ended: bool
    file: str
    variables: Mapping[str, str]

    @property
    def open_operator(self) -> Operator | None:
        """The operator that was begun and never returned: the one that the process died in."""
        last = self.operators[-1] if self.operators else None
        return last if last and not last.returned and not self.ended else None

    @property
    def where(self) -> str:
        """Return e.g. "backbone (torchvision.models.resnet.ResNet), call 2 of step 1"."""
        row = self.begin
        return f"{row['module']} ({row['parts'].get('', '?')}), call {row['call']} of step {row['step']}"

    def source(self, line: int) -> Source:
        """Return where a line of the record is."""
        return Source(self.file, line)


def read(folder: TrialFolder) -> Capture | None:
    """Return the capture of a trial; None where the call that was asked for was never reached."""
    rows = folder.own_lines(records.CAPTURE)
    begin = next((row.value for row in rows if row.value["event"] == "begin"), None)
    if begin is None:
        return None
    returned = {row.value["number"]: row.value["outputs"] for row in rows if row.value["event"] == "returned"}
    operators = tuple(_operator(row, returned) for row in rows if row.value["event"] == "operator")
    ended = any(row.value["event"] == "end" for row in rows)
    return Capture(begin, operators, _tensors(rows), ended, folder.source(records.CAPTURE, 1).file, _variables(folder))


def tensors_in(value: Any) -> Iterator[int]:
    """Yield the numbers of the tensors in a spelt argument, also the nested."""
    if isinstance(value, dict) and "tensor" in value:
        yield value["tensor"]
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from tensors_in(item)


def _operator(row: records.Row, returned: Mapping[int, Any]) -> Operator:
    value = row.value
    extents = {int(number): (low, high) for number, (low, high) in value["extents"].items()}
    number = value["number"]
    return Operator(
        number, value["name"], value["module"], tuple(value["args"]), value["keywords"], extents, row.line,
        returned.get(number), number in returned,
    )  # fmt: skip


def _tensors(rows: list[records.Row]) -> dict[int, Tensor]:
    files = {(row.value["tensor"], row.value["before"]): row.value["file"] for row in rows if "file" in row.value}
    found: dict[int, Tensor] = {}
    for row in rows:
        if row.value["event"] in ("tensor", "values"):
            number = row.value["tensor"]
            known = found.get(number) or Tensor(number, row.value["origin"], row.value["name"], (), row.line)
            found[number] = dataclasses.replace(known, forms=_with(known.forms, row.value, files))
    return found


def _with(forms: tuple[Form, ...], row: dict[str, Any], files: Mapping[tuple[int, int], str]) -> tuple[Form, ...]:
    """Add a form, or the values that were saved of the last one at a later operator."""
    values = files.get((row["tensor"], row["before"]))
    if row["event"] == "tensor":
        return (*forms, _form(row, values))
    if forms[-1].before == row["before"]:
        return forms
    return (*forms, dataclasses.replace(forms[-1], before=row["before"], values=values))


def _form(row: dict[str, Any], values: str | None) -> Form:
    strides = row.get("strides")
    return Form(
        row["before"], tuple(row["shape"]), row["dtype"], row["device"], row["layout"],
        None if strides is None else tuple(strides), row.get("offset", 0), int(row.get("address", "0x0"), 16),
        row.get("storage_bytes", 0), row.get("item_bytes", 0), row.get("memory", "unknown"), values,
    )  # fmt: skip


def _variables(folder: TrialFolder) -> dict[str, str]:
    """Return the environment variables in force at the first forward that steer threads and kernels."""
    rows = [row.value for row in folder.own_lines(records.INSIDE) if row.value.get("event") == "environment"]
    return dict(rows[-1]["variables"]) if rows else {}
