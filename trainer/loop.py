"""The training loop, to be read from `train` on in the order in which things happen."""

import logging
import math
import os
import time
from dataclasses import asdict, dataclass, field

import torch
from torch import Tensor
from torch.optim import SGD, Optimizer
from torch.optim.lr_scheduler import StepLR
from torch.utils.data import DataLoader

from trainer import labels, outputs
from trainer.config import Config, plain
from trainer.dataset import Batch, build_loader
from trainer.evaluate import accuracy
from trainer.model import SiameseRanker, parameter_groups
from trainer.progress import track
from trainer.splits import Splits

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class EpochRow:
    """One epoch, as `history.json` tells it; learning rates are those the epoch was trained with."""

    epoch: int
    train_loss: float
    train_accuracy: float
    val_accuracy: float | None
    backbone_lr: float
    head_lr: float
    seconds: float
    steps: int


@dataclass
class Progress:
    """What training has reached so far."""

    history: list[EpochRow] = field(default_factory=list)
    steps: int = 0
    best_epoch: int | None = None
    best_val_accuracy: float | None = None
    stopped_because: str | None = None

    @property
    def epochs_since_best(self) -> int:
        """Epochs that ended without a better validation accuracy."""
        return len(self.history) - (self.best_epoch or len(self.history))


def train(config: Config, splits: Splits, model: SiameseRanker, device: torch.device) -> Progress:
    """Train until the epochs, the patience or the steps are used up; keeps the best checkpoint and the history."""
    optimizer = build_optimizer(config, model)
    schedule = build_schedule(config, optimizer)
    train_loader = build_loader(splits.train, config, shuffle=True)
    val_loader = build_loader(splits.val, config, shuffle=False)
    progress = Progress()
    while progress.stopped_because is None:
        started = time.monotonic()
        epoch = len(progress.history) + 1
        rates = [group["lr"] for group in optimizer.param_groups]
        log.info("Epoch %d: starting, backbone lr %g, head lr %g", epoch, *rates)
        loss, train_accuracy = train_epoch(config, model, optimizer, train_loader, device, progress)
        val_accuracy = None
        if config.evaluate:
            val_accuracy = accuracy(model, val_loader, device, "Validation", config.progress)
        seconds = round(time.monotonic() - started, 3)
        row = EpochRow(epoch, loss, train_accuracy, val_accuracy, rates[0], rates[1], seconds, progress.steps)
        finish_epoch(config, model, progress, row)
        schedule.step()
        progress.stopped_because = reason_to_stop(config, progress)
    log.info("Training stopped after %d steps: %s", progress.steps, progress.stopped_because)
    return progress


def build_optimizer(config: Config, model: SiameseRanker) -> SGD:
    """SGD with momentum and one learning rate for the backbone, another for the head."""
    groups = parameter_groups(model, config.backbone_lr, config.head_lr_factor)
    return SGD(groups, momentum=config.momentum, weight_decay=config.weight_decay)


def build_schedule(config: Config, optimizer: Optimizer) -> StepLR:
    """Multiply both learning rates by `lr_gamma` every `lr_step` epochs; never, where `lr_step` is off."""
    return StepLR(optimizer, config.lr_step or config.epochs + 1, config.lr_gamma)


def train_epoch(
    config: Config,
    model: SiameseRanker,
    optimizer: Optimizer,
    loader: DataLoader[tuple[Tensor, Tensor, int]],
    device: torch.device,
    progress: Progress,
) -> tuple[float, float]:
    """One pass over the training pairs, cut short at `max_steps`; mean loss and accuracy over the pairs seen."""
    model.train()
    loss_sum, correct, seen = 0.0, 0, 0
    for batch in track(loader, len(loader), f"Epoch {len(progress.history) + 1}", config.progress):
        progress.steps += 1
        loss, right = train_step(model, optimizer, batch, device, progress.steps)
        pairs = len(batch[2])
        loss_sum, correct, seen = loss_sum + loss * pairs, correct + right, seen + pairs
        if progress.steps == config.max_steps:
            break
    return loss_sum / seen, correct / seen


def train_step(
    model: SiameseRanker, optimizer: Optimizer, batch: Batch, device: torch.device, step: int
) -> tuple[float, int]:
    """One optimizer step on one batch; its loss and the number of pairs predicted right before the step."""
    img1, img2, winner = (tensor.to(device) for tensor in batch)
    log.debug("Step %d: Starting with a batch of %d pairs", step, len(winner))
    optimizer.zero_grad()
    log_probs = model(img1, img2)
    log.debug("Loss: Starting nll_loss...")
    loss = labels.loss(log_probs, winner)
    size = loss.item()
    log.debug("Loss: Got loss %.6f", size)
    if not math.isfinite(size):
        raise FloatingPointError(f"the loss of step {step} is {size}: the learning rate may be too high")
    log.debug("Backward: Starting...")
    loss.backward()
    log.debug("Backward: Done")
    log.debug("Optimizer: Starting step...")
    optimizer.step()
    log.debug("Optimizer: Done with step %d", step)
    return size, labels.count_correct(log_probs.detach(), winner)


def finish_epoch(config: Config, model: SiameseRanker, progress: Progress, row: EpochRow) -> None:
    """Note the epoch in the history; keep the model where it is the best so far."""
    progress.history.append(row)
    val = "not measured" if row.val_accuracy is None else f"{row.val_accuracy:.4f}"
    log.info(
        "Epoch %d: train loss %.4f, train accuracy %.4f, val accuracy %s, %.1f s",
        row.epoch, row.train_loss, row.train_accuracy, val, row.seconds,
    )  # fmt: skip
    best = -1.0 if progress.best_val_accuracy is None else progress.best_val_accuracy
    if row.val_accuracy is not None and row.val_accuracy > best:
        progress.best_epoch, progress.best_val_accuracy = row.epoch, row.val_accuracy
        save_checkpoint(config, model, row)
    outputs.write_json(config.output / outputs.HISTORY, [asdict(past) for past in progress.history])


def save_checkpoint(config: Config, model: SiameseRanker, row: EpochRow) -> None:
    """Write the model, whole or not at all, with what is needed to rebuild it."""
    path = config.output / outputs.CHECKPOINT
    unfinished = path.with_name(path.name + ".unfinished")
    content = {"model": model.state_dict(), "epoch": row.epoch, "val_accuracy": row.val_accuracy}
    torch.save({**content, "config": plain(config)}, unfinished)
    os.replace(unfinished, path)
    log.info("Saved the best checkpoint so far: %s", path)


def reason_to_stop(config: Config, progress: Progress) -> str | None:
    """Why training ends here, in the words of `results.json`; None where it goes on."""
    if config.max_steps is not None and progress.steps >= config.max_steps:
        return "max_steps"
    if len(progress.history) >= config.epochs:
        return "epochs"
    if config.evaluate and progress.epochs_since_best >= config.patience:
        return "patience"
    return None
