"""A trainer on a leash: does one Siamese ResNet50 step (batch 1) for each line on stdin, prints its seconds."""

import sys
import time

import torch
import torchvision


class Siamese(torch.nn.Module):
    """Two passes through one backbone, and a head on their difference."""

    def __init__(self, side: int) -> None:
        super().__init__()
        self.backbone = torchvision.models.resnet50(weights=None)
        self.head = torch.nn.Linear(1000, 2)
        self.side = side

    def forward(self, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        """Return log probabilities; (batch, 3, side, side) twice -> (batch, 2)."""
        return torch.log_softmax(self.head(self.backbone(first) - self.backbone(second)), dim=1)


def main() -> None:
    """Answer each line with the seconds of one step."""
    torch.manual_seed(0)
    model = Siamese(224)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-5, momentum=0.9)
    pair = torch.randn(2, 1, 3, model.side, model.side)
    for _ in sys.stdin:
        wall, cpu = time.perf_counter(), time.process_time()
        optimizer.zero_grad()
        torch.nn.functional.nll_loss(model(pair[0], pair[1]), torch.tensor([0])).backward()
        optimizer.step()
        print(time.perf_counter() - wall, time.process_time() - cpu, flush=True)


main()
