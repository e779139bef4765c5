"""A stretch of a captured call as a Python script that needs nothing but torch; pure.

Tensors that the stretch does not make itself are made anew in their recorded form, with random values (seeded), whole
numbers at the recorded extremes (both of which occur), or the recorded values. What was recorded lies below autograd,
so the script records no gradients.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from harness.shrink.place import spelling
from harness.shrink.place.captured_call import FOREIGN, Capture, Form, Operator, Tensor
from harness.shrink.place.narrow import Stretch

MOST_LINES = 60
BODY_FILE = "operators.txt"
NOT_RUN = "# Not run yet."
TOO_LATE = ("LD_", "MALLOC_")  # read when a process starts, so the command must set them
TEMPLATE = """\
# {title}
{rate}
import os{imports}
{variables}
import torch

HERE = os.path.dirname(os.path.abspath(__file__))
torch.set_num_threads({threads})
torch.manual_seed(0)
torch.set_grad_enabled(False)
{settings}

def tensor(shape, strides, dtype, offset=0, low=0, high=0, room=None, file=None, device="cpu"):
    # Random values, or whole numbers, `low` and `high`, or those in `file`; `room`: the storage's bytes, if too few.
    size = offset + (0 if 0 in shape else 1 + sum((n - 1) * step for n, step in zip(shape, strides)))
    if file:
        flat = torch.load(os.path.join(HERE, file))
    elif dtype.is_floating_point or dtype.is_complex:
        flat = torch.rand(size).to(dtype)
    else:
        flat = torch.where(torch.rand(size) < 0.5, low, high).to(dtype)
        flat[:1], flat[-1:] = low, high
    made = flat.to(device).as_strided(shape, strides, offset)
    if room is not None:
        made.untyped_storage().resize_(room)
    return made

{plant}
{body}
print("survived")
"""
PLANT = """
def planted():
    # The plan's planted fault: memory of which the third quarter may not be read, as a bad kernel would find it.
    region, size = mmap.mmap(-1, 1 << 24), 1 << 24
    base = ctypes.addressof(ctypes.c_char.from_buffer(region))
    KEPT.append(region)
    forbidden = ctypes.c_void_p(base + size // 2), ctypes.c_size_t(size // 4)
    if os.name == "nt":
        ctypes.windll.kernel32.VirtualProtect(*forbidden, 1, ctypes.byref(ctypes.c_ulong()))
    else:
        ctypes.CDLL(None).mprotect(*forbidden, 0)
    return torch.frombuffer((ctypes.c_char * size).from_address(base), dtype=torch.float32)


KEPT = []
"""


@dataclasses.dataclass(frozen=True)
class Script:
    """The script's text, the files that must lie beside it (name -> text), and the recorded values that it reads.

    `left_out`: operators of the stretch that cannot be run again, with the reason. `stand_ins`: what is not as it was.
    """

    text: str
    files: Mapping[str, str]
    values: tuple[str, ...]
    left_out: tuple[tuple[int, str], ...]
    stand_ins: tuple[str, ...]

    @property
    def lines(self) -> int:
        """How long it is."""
        return len(self.text.splitlines())

    def rated(self, rate: str) -> Script:
        """Return it with what became of its runs written at its top."""
        return dataclasses.replace(self, text=self.text.replace(NOT_RUN, f"# {rate}", 1))


def write(capture: Capture, stretch: Stretch, values_in: str = "", planted: bool = False) -> Script:
    """Return the script of a stretch; `values_in` is prefixed to the files of recorded values.

    `planted`: tensors in foreign memory are the plan's planted fault, and not ordinary memory.
    """
    writer = _Writer(capture, values_in, planted)
    body = [line for operator in _of(capture, stretch) for line in writer.lines_of(operator)]
    text = _filled(capture, stretch, "\n".join(body), planted)
    files = {}
    if len(text.splitlines()) >= MOST_LINES:
        files = {BODY_FILE: "\n".join(body) + "\n"}
        text = _filled(capture, stretch, f'exec(open(os.path.join(HERE, "{BODY_FILE}")).read())', planted)
    return Script(text, files, tuple(writer.files), tuple(writer.left_out), tuple(writer.stand_ins))


def variables(capture: Capture, at_start: bool = False) -> dict[str, str]:
    """Return the environment variables that steer threads and kernels; `at_start`: those that only a launch can set."""
    return {name: value for name, value in capture.variables.items() if name.startswith(TOO_LATE) == at_start}


def _of(capture: Capture, stretch: Stretch) -> tuple[Operator, ...]:
    return capture.operators[stretch.first : stretch.last + 1]


def _filled(capture: Capture, stretch: Stretch, body: str, planted: bool) -> str:
    begin = capture.begin
    title = f"{_what(capture, stretch)} of {capture.where}, alone"
    return TEMPLATE.format(
        title=title, rate=NOT_RUN, variables=_environment(capture), threads=begin["threads"],
        imports="\nimport ctypes\nimport mmap" if planted else "", settings=_settings(begin),
        plant=PLANT if planted else "", body=body,
    )  # fmt: skip


def _what(capture: Capture, stretch: Stretch) -> str:
    if len(stretch) == 1:
        return capture.operators[stretch.first].name
    return f"The {len(stretch)} operators from {stretch.first} to {stretch.last}"


def _environment(capture: Capture) -> str:
    found = variables(capture)
    return f"\nos.environ.update({found!r})  # read once, when torch is loaded\n" if found else ""


def _settings(begin: Mapping[str, Any]) -> str:
    rows = {
        "torch.backends.mkldnn.set_flags(False)\n": not begin["onednn"],
        "torch.use_deterministic_algorithms(True)\n": begin["deterministic"],
    }
    return "".join(text for text, wanted in rows.items() if wanted)


class _Writer:
    """Writes operators in order, and before each the tensors that nothing before it has made."""

    def __init__(self, capture: Capture, values_in: str, planted: bool) -> None:
        self.files: list[str] = []
        self.left_out: list[tuple[int, str]] = []
        self.stand_ins: list[str] = []
        self._capture = capture
        self._values_in = values_in
        self._planted = planted
        self._made: set[int] = set()

    def lines_of(self, operator: Operator) -> Iterator[str]:
        reason = self._obstacle(operator)
        if reason:
            self.left_out.append((operator.number, reason))
            yield f"# left out: {operator.name}: {reason}"
            return
        for number in operator.tensors:
            if number not in self._made:
                yield self._tensor(self._capture.tensors[number], operator)
        self._made.update(operator.tensors, operator.made)
        yield spelling.call(operator)

    def _obstacle(self, operator: Operator) -> str | None:
        """Return why an operator cannot be run again with torch alone."""
        tensors = [self._capture.tensors[number] for number in operator.tensors if number not in self._made]
        odd = [tensor for tensor in tensors if tensor.at(operator.number).strides is None]
        unknown = spelling.unknown_in([*operator.args, *operator.keywords.values()])
        if not operator.is_portable:
            return "it is no operator of torch's own"
        if odd:
            return f"{odd[0]} is no plain strided tensor ({odd[0].at(operator.number).layout})"
        return f"it takes a {unknown[0]}, which cannot be recorded" if unknown else None

    def _tensor(self, tensor: Tensor, operator: Operator) -> str:
        form = tensor.at(operator.number)
        if form.memory == FOREIGN and self._planted:
            return f"t{tensor.number} = planted()  # {tensor}"
        words = [repr(form.shape), repr(form.strides), f"torch.{form.dtype}", *self._options(form, tensor, operator)]
        return f"t{tensor.number} = tensor({', '.join(words)})  # {tensor}"

    def _options(self, form: Form, tensor: Tensor, operator: Operator) -> Iterator[str]:
        if form.offset:
            yield f"offset={form.offset}"
        if form.is_short:
            yield f"room={form.storage_bytes}"
        if form.device != "cpu":
            yield f'device="{form.device}"'
        if form.memory == FOREIGN:
            self.stand_ins.append(f"ordinary memory stands for t{tensor.number}, {tensor}, which was not torch's own")
        yield from self._values(form, tensor, operator)

    def _values(self, form: Form, tensor: Tensor, operator: Operator) -> Iterator[str]:
        extent = operator.extents.get(tensor.number)
        if form.values:
            self.files.append(form.values)
            yield f'file="{self._values_in}{form.values}"'
        elif extent and any(extent):
            yield f"low={int(extent[0])}, high={int(extent[1])}"
        elif extent is None and "int" in form.dtype:
            self.stand_ins.append(f"zeros stand for the whole numbers of t{tensor.number}, {tensor}")
