"""A Siamese network as such scripts are written: argparse, a DataLoader, a loop. It has never heard of the harness.

After the shape of the Siamese network of github.com/pytorch/examples, on images that it draws itself.
"""

from __future__ import annotations

import argparse

import torch
import torch.nn as nn
import torch.nn.functional as F
import torchvision
from torch.utils.data import DataLoader, Dataset


class SiameseNetwork(nn.Module):
    """Tells whether two images are of the same class."""

    def __init__(self) -> None:
        super().__init__()
        self.resnet = torchvision.models.resnet18(weights=None)
        self.resnet.conv1 = nn.Conv2d(1, 64, kernel_size=(7, 7), stride=(2, 2), padding=(3, 3), bias=False)
        features = self.resnet.fc.in_features
        self.resnet = nn.Sequential(*list(self.resnet.children())[:-1])
        self.fc = nn.Sequential(nn.Linear(features * 2, 256), nn.ReLU(inplace=True), nn.Linear(256, 1))
        self.sigmoid = nn.Sigmoid()

    def forward_once(self, image: torch.Tensor) -> torch.Tensor:
        """Return the features of one image."""
        return self.resnet(image).flatten(1)

    def forward(self, one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        """Return the similarity of two images."""
        return self.sigmoid(self.fc(torch.cat((self.forward_once(one), self.forward_once(other)), 1)))


class Pairs(Dataset):
    """Pairs of drawn images, 28 pixels wide, and whether both are of one class."""

    def __init__(self, count: int) -> None:
        self.generator = torch.Generator().manual_seed(7)
        self.patterns = torch.rand(10, 1, 28, 28, generator=self.generator)
        self.classes = torch.randint(0, 10, (count, 2), generator=self.generator)

    def __len__(self) -> int:
        """Return how many pairs."""
        return len(self.classes)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return two images and 1 where they are of one class."""
        one, other = self.classes[index]
        return self.patterns[one], self.patterns[other], (one == other).float()


def train(args: argparse.Namespace, model: nn.Module, loader: DataLoader, optimizer: torch.optim.Optimizer) -> None:
    """Train for one epoch."""
    model.train()
    for batch, (one, other, target) in enumerate(loader):
        optimizer.zero_grad()
        loss = F.binary_cross_entropy(model(one, other).squeeze(1), target)
        loss.backward()
        optimizer.step()
        if batch % args.log_interval == 0:
            print(f"[{batch * len(one)}/{len(loader.dataset)}] loss: {loss.item():.6f}", flush=True)


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(description="Siamese network example")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=14)
    parser.add_argument("--lr", type=float, default=1.0)
    parser.add_argument("--pairs", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--log-interval", type=int, default=10)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    loader = DataLoader(Pairs(args.pairs), batch_size=args.batch_size, shuffle=True, num_workers=args.workers)
    model = SiameseNetwork()
    optimizer = torch.optim.Adadelta(model.parameters(), lr=args.lr)
    for _ in range(args.epochs):
        train(args, model, loader, optimizer)


if __name__ == "__main__":
    main()
