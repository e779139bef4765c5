"""The one place that says what a label means; the lists, the loss, the accuracy and the prediction all use it.

The convention: `winner = 0`: image 1 is better; `winner = 1`: image 2 is better. The loss is
`nll_loss(log_probs, winner)`, hence column k of the model's output is log P(winner = k): column 0 is the
probability that image 1 is better.

The notes this trainer was rebuilt from say "index 0: P(img2 > img1)" and also train with
`nll_loss(log_probs, winners)`. These contradict each other: the loss alone decides what a column comes to mean,
whatever a comment calls it. Reading the output by that comment turns every right answer into a wrong one (an accuracy
of a becomes 1 - a); reversing the loss target too makes it right again. So neither a reversed reading nor a double
reversal can turn a good ranker into a coin: an accuracy of 52 % needs another explanation.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

IMAGE_1_BETTER = 0
IMAGE_2_BETTER = 1
TIE = 0.5


def winner_of(preference: float) -> int:
    """The label of a pair from the share of people, 0 to 1 and not exactly 0.5, who prefer image 1."""
    return IMAGE_1_BETTER if preference > TIE else IMAGE_2_BETTER


def flipped(winner: "Tensor") -> "Tensor":
    """The labels of the same pairs with both images exchanged; same shape and type."""
    return IMAGE_1_BETTER + IMAGE_2_BETTER - winner


def loss(log_probs: "Tensor", winner: "Tensor") -> "Tensor":
    """Mean negative log-likelihood in nats of `winner` [B] (int64) under `log_probs` [B, 2]; a scalar."""
    from torch.nn.functional import nll_loss  # here, so that reading lists of pairs needs no torch

    return nll_loss(log_probs, winner)


def predict(log_probs: "Tensor") -> "Tensor":
    """The more probable winner of each row of `log_probs` [B, 2]; [B], int64."""
    return log_probs.argmax(dim=1)


def count_correct(log_probs: "Tensor", winner: "Tensor") -> int:
    """How many of the B pairs are predicted as labelled."""
    return int((predict(log_probs) == winner).sum())
