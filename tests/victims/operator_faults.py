"""A trainer with classes of its own, in whose second body call an operator dies: `operator_faults.py FAULT`.

`division`: one operator, -2**31 divided by -1. `large`: the same over so many elements that only the operators that
made them tell their values. `values`: the one that counts hides among many elements of the module's input. `context`:
the input lies on pages that somebody else has taken away. `none`: well.
"""

import ctypes
import mmap
import sys

import torch

FAULT = sys.argv[1]
LEAST = -(2**31)
MANY = 50_000


class Buckets(torch.nn.Module):
    """Sorts features into buckets of a width."""

    def __init__(self) -> None:
        super().__init__()
        self.project = torch.nn.Linear(6, 8)
        self.register_buffer("width", torch.full((8,), 3, dtype=torch.int32))

    def forward(self, image: torch.Tensor, *, codes: torch.Tensor) -> torch.Tensor:
        """Return the features, moved by their bucket."""
        features = torch.relu(self.project(image))
        width = self.width
        if FAULT == "large" and codes[0] < 0:
            codes, width = torch.full((MANY,), LEAST, dtype=torch.int32), torch.full((MANY,), -1, dtype=torch.int32)
        if FAULT == "values" and len(codes) == MANY:
            width = torch.full_like(codes, -1)
        return features + torch.div(codes, width, rounding_mode="trunc")[:8]


class Ranker(torch.nn.Module):
    """Calls one body twice."""

    def __init__(self) -> None:
        super().__init__()
        self.body = Buckets()

    def forward(self, one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        """Return by how much the first is better."""
        first = self.body(one, codes=torch.arange(8, dtype=torch.int32))
        if FAULT == "division":
            self.body.width.fill_(-1)
        return first - self.body(other, codes=codes())


def codes() -> torch.Tensor:
    """Return what the second call is given."""
    if FAULT == "values":
        many = torch.zeros(MANY, dtype=torch.int32)
        many[MANY // 2] = LEAST
        return many
    return torch.full((8,), LEAST, dtype=torch.int32)


def take_away_the_input(memory: torch.Tensor) -> None:
    """Forbid the pages that a tensor lies on, as a library that unmaps what is still in use."""
    page = mmap.PAGESIZE
    begin = (memory.data_ptr() + page - 1) // page * page
    ctypes.CDLL(None).mprotect(ctypes.c_void_p(begin), ctypes.c_size_t(1 << 20), 0)


torch.manual_seed(0)
model = Ranker()
one, other = torch.randn(4, 6), torch.randn(4, 6)
if FAULT == "context":
    store = torch.randn(1 << 20)
    other = store[: 1 << 19].as_strided((4, 6), (100_000, 1))
    take_away_the_input(store)
print("difference", model(one, other).sum().item())
