"""The tensors of a captured call: a number each, where it came from, its form, and its values where they are asked for.

Origins: `input` of the module, `parameter`, `buffer` or other `attribute` of it or of a part of it (by dotted name),
`output` of an operator ("12[0]"), and `outside`: none of these. `memory` is "foreign" where the storage was not made by
torch's allocators and so cannot be resized (torch.frombuffer, from_numpy, a mapped file).

A tensor is told from another by the object itself, held weakly: strong references would change how much memory the
target needs, and the number of a tensor that is gone must not pass to another at the same place.
"""

from __future__ import annotations

import os
import types
import weakref
from typing import Any

from .lines import Lines

FEW = 32768  # elements up to which whole numbers are looked at: above it torch would wake its threads for the look
WHOLE = ("bool", "uint8", "int8", "int16", "int32", "int64")
MOST_BYTES = 1 << 30  # of one tensor whose values are saved


class Tensors:
    """Numbers tensors and writes a row for each at its first use, and again where its form has changed since."""

    def __init__(self, torch: types.ModuleType, lines: Lines, inside: Lines, folder: str, values: bool) -> None:
        """Know no tensor yet; `folder` is made when the first values are saved."""
        self.before = 0  # the operator that is next: a row holds from there on
        self._torch = torch
        self._lines = lines
        self._inside = inside
        self._folder = folder
        self._values = values
        self._known: dict = {}  # id -> (weak reference, number, form, origin, name)
        self._parts: dict = {}  # id -> (weak reference, origin, name)
        self._count = 0

    def know_parts_of(self, module: Any) -> None:
        """Learn the names of the module's parameters, buffers and other tensors; each gets a number when it is used."""
        for path, part in module.named_modules():
            prefix = path + "." if path else ""
            kinds = (("attribute", vars(part)), ("buffer", part._buffers), ("parameter", part._parameters))
            for origin, named in kinds:
                for name, value in named.items():
                    if isinstance(value, self._torch.Tensor):
                        self._parts[id(value)] = (weakref.ref(value), origin, prefix + name)

    def note(self, tensor: Any, origin: str, name: str) -> int:
        """Return a tensor's number; `origin` and `name` count where it is new and no part of the module."""
        now = self._form(tensor)
        reference, number, form, *came = self._known.get(id(tensor), (None, self._count, None))
        is_known = reference is not None and reference() is tensor
        if is_known and form == now:
            return int(number)
        if not is_known:
            number, came = self._count, self._came_from(tensor, origin, name)
            self._count += 1
        self._known[id(tensor)] = (weakref.ref(tensor), number, now, *came)
        row = {"tensor": number, "before": self.before, "origin": came[0], "name": came[1]}
        self._lines.write(event="tensor", **row, requires_grad=tensor.requires_grad, **now)
        if self._values and came[0] != "output":
            self._save(tensor, number, now)
        return int(number)

    def _came_from(self, tensor: Any, origin: str, name: str) -> list:
        reference, *part = self._parts.get(id(tensor), (None, origin, name))
        return part if reference is not None and reference() is tensor else [origin, name]

    def save(self, tensors: list) -> None:
        """Save the values of these tensors, which are known."""
        for tensor in tensors:
            self._save(tensor, *self._known[id(tensor)][1:3])

    def extents(self, tensors: list) -> dict:
        """Return number -> [smallest, largest] of the small tensors of whole numbers: indices, lengths, masks."""
        known = ((*self._known[id(tensor)][1:3], tensor) for tensor in tensors)
        return {
            str(number): [int(tensor.min()), int(tensor.max())]
            for number, form, tensor in known
            if self._is_whole(tensor) and 0 < tensor.numel() <= FEW and _is_readable(form)
        }

    def _is_whole(self, tensor: Any) -> bool:
        return bool(tensor.device.type == "cpu" and str(tensor.dtype).rpartition(".")[2] in WHOLE)

    def _form(self, tensor: Any) -> dict:
        torch = self._torch
        form = {
            "shape": list(tensor.shape), "dtype": str(tensor.dtype).rpartition(".")[2], "device": str(tensor.device),
            "layout": str(tensor.layout).rpartition(".")[2],
        }  # fmt: skip
        plain = type(tensor) in (torch.Tensor, torch.nn.Parameter) and tensor.layout is torch.strided
        if not plain or tensor.is_quantized or tensor.is_conj() or tensor.is_neg():
            return {**form, "class": f"{type(tensor).__module__}.{type(tensor).__qualname__}"}
        storage = tensor.untyped_storage()
        return {
            **form, "strides": list(tensor.stride()), "offset": tensor.storage_offset(),
            "address": hex(storage.data_ptr()), "storage_bytes": storage.nbytes(), "item_bytes": tensor.element_size(),
            "memory": "torch" if storage.resizable() else "foreign",
        }  # fmt: skip

    def _save(self, tensor: Any, number: int, form: dict) -> None:
        size = span(form) * form.get("item_bytes", 0)
        if not _is_readable(form) or size > MOST_BYTES:
            reason = f"the values of tensor {number} cannot be saved: they lie in foreign memory, are no plain tensor, "
            self._inside.write(event="gap", probe="capture", reason=reason + f"or need over {MOST_BYTES} bytes")
            return
        os.makedirs(self._folder, exist_ok=True)
        path = os.path.join(self._folder, f"t{number}-{self.before}.pt")
        flat = tensor.detach().as_strided((span(form),), (1,), 0).clone()
        self._torch.save(flat, path)
        self._lines.write(event="values", tensor=number, before=self.before, file="values/" + os.path.basename(path))


def span(form: dict) -> int:
    """Return how many elements from the storage's beginning on a strided tensor reaches."""
    if "strides" not in form:
        return 0
    steps = ((size - 1) * step for size, step in zip(form["shape"], form["strides"]))  # noqa: B905 - Python 3.9
    return int(form["offset"] + (0 if 0 in form["shape"] else 1 + sum(steps)))


def _is_readable(form: dict) -> bool:
    """Whether a look at the values is safe: memory of torch's own, and no element beyond the storage's end."""
    return form.get("memory") == "torch" and span(form) * form["item_bytes"] <= form["storage_bytes"]
