"""The label convention holds from the loss to the prediction, and no reversal of it can make a ranker a coin."""

import pytest

torch = pytest.importorskip("torch")

from trainer import labels  # noqa: E402 - after the check for torch
from trainer.model import SiameseRanker, build_backbone, parameter_groups  # noqa: E402

pytestmark = pytest.mark.torch


def overfitted(reverse_target: bool):
    """The winners of a batch, and the log-probabilities of a model trained on it, the target reversed or not."""
    torch.manual_seed(0)
    model = SiameseRanker(*build_backbone("resnet18"))
    img1, img2 = torch.randn(2, 8, 3, 40, 40)
    winner = torch.tensor([0, 1, 1, 0, 1, 0, 0, 1])
    optimizer = torch.optim.SGD(parameter_groups(model, 1e-3, 10), momentum=0.9)
    for _ in range(12):
        optimizer.zero_grad()
        labels.loss(model(img1, img2), labels.flipped(winner) if reverse_target else winner).backward()
        optimizer.step()
    return winner, model(img1, img2).detach()


@pytest.fixture(scope="module")
def right():
    """A batch and the output of a model that has overfitted it."""
    return overfitted(reverse_target=False)


@pytest.fixture(scope="module")
def reversed_target():
    """The same batch, learnt with every label reversed."""
    return overfitted(reverse_target=True)


def test_an_overfitted_batch_is_predicted_right(right) -> None:
    """Column k is log P(winner = k): trained and read in one convention, every pair is right."""
    winner, log_probs = right
    assert labels.count_correct(log_probs, winner) == 8
    assert labels.loss(log_probs, winner) < 0.1
    assert (log_probs[:, 0] > log_probs[:, 1]).tolist() == (winner == labels.IMAGE_1_BETTER).tolist()


def test_reversing_the_loss_target_alone_makes_every_pair_wrong(reversed_target) -> None:
    """A reversed target is not a coin: it is wrong each time."""
    winner, log_probs = reversed_target
    assert labels.count_correct(log_probs, winner) == 0


def test_reversing_the_reading_alone_makes_every_pair_wrong(right) -> None:
    """Reading column 0 as P(img2 > img1) after training with nll_loss is wrong each time."""
    winner, log_probs = right
    assert int((labels.flipped(labels.predict(log_probs)) == winner).sum()) == 0


def test_reversing_both_is_right_again(reversed_target) -> None:
    """Two reversals cancel out, so they cannot explain an accuracy near one half."""
    winner, log_probs = reversed_target
    assert int((labels.flipped(labels.predict(log_probs)) == winner).sum()) == 8


def test_the_loss_is_the_negative_log_likelihood() -> None:
    """Mean over the batch of -log P(winner)."""
    log_probs = torch.tensor([[0.9, 0.1], [0.2, 0.8]]).log()
    assert labels.loss(log_probs, torch.tensor([0, 1])).item() == pytest.approx(0.16425, abs=1e-5)


@pytest.mark.parametrize(("preference", "winner"), [(0.51, labels.IMAGE_1_BETTER), (0.49, labels.IMAGE_2_BETTER)])
def test_the_lists_use_the_same_convention(preference: float, winner: int) -> None:
    """A preference above one half for photo 1 is label 0."""
    assert labels.winner_of(preference) == winner
