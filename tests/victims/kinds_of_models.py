"""Trains one small model in one of many shapes, and prints every loss as it is in memory: `kinds_of_models.py KIND`.

KIND: plain, data_parallel, scripted, by_hand, tensors, tensors_without_optimizer; compiled: eager, aot, inductor,
in_place, part, function.
"""

import sys

import torch

KIND = sys.argv[1]


class Siamese(torch.nn.Module):
    """One backbone for both inputs."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.ReLU())
        self.head = torch.nn.Linear(16, 1)

    def forward(self, one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        """Return by how much the first input is better."""
        return self.head(self.backbone(one) - self.backbone(other))


def wrapped(net: Siamese) -> object:
    """Return what is called in the loop."""
    if KIND in ("eager", "aot", "inductor"):
        return torch.compile(net, backend={"aot": "aot_eager"}.get(KIND, KIND))
    if KIND == "in_place":
        net.compile(backend="aot_eager")
    if KIND == "part":
        net.backbone = torch.compile(net.backbone, backend="aot_eager")
    if KIND == "function":
        return torch.compile(lambda one, other: net(one, other), backend="aot_eager")
    if KIND == "data_parallel":
        return torch.nn.DataParallel(net)
    return torch.jit.trace(net, (torch.zeros(4, 8), torch.zeros(4, 8))) if KIND == "scripted" else net


torch.manual_seed(0)
torch.set_num_threads(1)
if KIND.startswith("tensors"):
    weights = torch.zeros(8, 1, requires_grad=True)
    parameters = [weights]
    model = lambda one, other: (one - other) @ weights + 1  # noqa: E731 - never an nn.Module
else:
    net = Siamese()
    parameters = list(net.parameters())
    model = wrapped(net)
optimizer = None if KIND in ("tensors_without_optimizer", "by_hand") else torch.optim.SGD(parameters, lr=0.1)
for step in range(5):
    loss = model(torch.randn(4, 8), torch.randn(4, 8)).square().mean()
    loss.backward()
    if optimizer is not None:
        optimizer.step()
        optimizer.zero_grad()
    if KIND == "by_hand":
        with torch.no_grad():
            for parameter in parameters:
                parameter -= 0.1 * parameter.grad
                parameter.grad = None
    print(f"step {step + 1}: loss {loss.item().hex()}", flush=True)
if "torch._dynamo" in sys.modules:
    counters = sys.modules["torch._dynamo.utils"].counters
    print(dict(counters["stats"]), dict(counters["graph_break"]))
