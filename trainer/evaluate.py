"""Accuracy of a model on a split."""

import logging

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from trainer import labels
from trainer.progress import track

log = logging.getLogger(__name__)


@torch.no_grad()
def accuracy(
    model: nn.Module, loader: DataLoader[tuple[Tensor, Tensor, int]], device: torch.device, label: str, show: bool
) -> float:
    """The share of pairs, 0 to 1, whose winner the model predicts; the model is left in evaluation mode."""
    model.eval()
    correct = total = 0
    for img1, img2, winner in track(loader, len(loader), label, show):
        log_probs = model(img1.to(device), img2.to(device))
        correct += labels.count_correct(log_probs, winner.to(device))
        total += len(winner)
    return correct / total
