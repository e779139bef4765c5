"""Siamese ResNet50 steps at batch 1, with the hooks of the inside probes alternately in place and taken away.

Run under the boot: it prints a line a pair, wall and CPU seconds of the step with the probes and of the one without.
Both steps of a pair are of the same process: two processes differ by more than what is measured here (up to 5 % between
two without any probe), by where their memory happens to lie.
"""

import sys
import time

import torch
import torchvision

HOOKS = (
    torch.nn.modules.module._global_forward_pre_hooks,
    torch.nn.modules.module._global_forward_hooks,
    sys.modules["torch.optim.optimizer"]._global_optimizer_pre_hooks,
    sys.modules["torch.optim.optimizer"]._global_optimizer_post_hooks,
)


class Siamese(torch.nn.Module):
    """Two passes through one backbone, and a head on their difference."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = torchvision.models.resnet50(weights=None)
        self.head = torch.nn.Linear(1000, 2)

    def forward(self, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        """Return log probabilities; (batch, 3, side, side) twice -> (batch, 2)."""
        return torch.log_softmax(self.head(self.backbone(first) - self.backbone(second)), dim=1)


class Probes:
    """Takes all that the probes hook into torch away, and puts it back."""

    def __init__(self) -> None:
        self._hooks = [dict(hooks) for hooks in HOOKS]
        self._backward = torch.autograd.backward
        assert all(self._hooks) and hasattr(self._backward, "__wrapped__"), "run me under the boot"

    def put(self, on: bool) -> None:
        """Set the probes in place, or take them away."""
        for hooks, kept in zip(HOOKS, self._hooks, strict=True):
            hooks.clear()
            hooks.update(kept if on else {})
        torch.autograd.backward = self._backward if on else self._backward.__wrapped__


class Training:
    """A model, its optimizer and one pair of images."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.model = Siamese()
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=1e-5, momentum=0.9)
        self.pair = torch.randn(2, 1, 3, 224, 224)

    def step(self) -> tuple[float, float]:
        """Do one step; return its wall and CPU seconds."""
        wall, cpu = time.perf_counter(), time.process_time()
        self.optimizer.zero_grad()
        torch.nn.functional.nll_loss(self.model(*self.pair), torch.tensor([0])).backward()
        self.optimizer.step()
        return time.perf_counter() - wall, time.process_time() - cpu


def main() -> None:
    """Print the pairs, the first of each alternating."""
    probes, training = Probes(), Training()
    for number in range(int(sys.argv[1])):
        seconds = {}
        for on in (True, False) if number % 2 else (False, True):
            probes.put(on)
            seconds[on] = training.step()
        print(*seconds[True], *seconds[False], flush=True)


main()
