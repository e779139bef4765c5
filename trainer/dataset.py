"""Pairs as tensors, and the loaders that batch them."""

import random

import numpy
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from trainer import preprocessing
from trainer.config import Config
from trainer.images import open_upright
from trainer.splits import Split

Batch = list[Tensor]  # img1 [B, 3, S, S], img2 [B, 3, S, S], winner [B]


class PairDataset(Dataset[tuple[Tensor, Tensor, int]]):
    """The pairs of one split; an item is (img1, img2, winner)."""

    def __init__(self, split: Split, prepare: preprocessing.Preprocessing) -> None:
        """Read photos lazily: a split does not fit in memory."""
        self.split = split
        self.prepare = prepare

    def __len__(self) -> int:
        """The number of pairs."""
        return len(self.split.pairs)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor, int]:
        """Both photos of a pair as tensors [3, S, S], and its label."""
        pair = self.split.pairs[index]
        first, second = (self.split.image(pair, photo) for photo in (pair.photo_1, pair.photo_2))
        return self.prepare(open_upright(first)), self.prepare(open_upright(second)), pair.winner


def seed_worker(_: int) -> None:
    """Seed the other generators of a worker process from the one that torch has seeded in it."""
    seed = torch.initial_seed() % 2**32
    random.seed(seed)
    numpy.random.seed(seed)


def build_loader(split: Split, config: Config, *, shuffle: bool) -> DataLoader[tuple[Tensor, Tensor, int]]:
    """Batches of a split, in an order that the seed decides; the last may be smaller."""
    return DataLoader(
        PairDataset(split, preprocessing.build(config.preprocessing, config.image_size)),
        batch_size=config.batch_size,
        shuffle=shuffle,
        num_workers=config.num_workers,
        generator=torch.Generator().manual_seed(config.seed),
        worker_init_fn=seed_worker,
    )
