"""The network: one shared backbone under the name `backbone`, a head under the name `head`."""

import logging

import pytest

torch = pytest.importorskip("torch")

from trainer.model import SiameseRanker, build_backbone, build_head, parameter_groups  # noqa: E402

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def model():
    """A small ranker."""
    torch.manual_seed(0)
    return SiameseRanker(*build_backbone("resnet18")).eval()


def test_resnet50_gives_2048_features() -> None:
    """Without hidden sizes the head of a ResNet50 is a direct Linear(2048, 2) with zero bias."""
    backbone, features = build_backbone("resnet50")
    head = SiameseRanker(backbone, features).head
    assert isinstance(head, torch.nn.Linear)
    assert (head.in_features, head.out_features, head.bias.abs().sum().item()) == (2048, 2, 0)
    assert head.weight.std().item() == pytest.approx((2 / 2048) ** 0.5, rel=0.1)


def test_an_outside_observer_sees_three_calls(model) -> None:
    """Hooks on the submodules called `backbone` and `head` fire in the order backbone, backbone, head."""
    calls: list[tuple[str, list[int]]] = []
    handles = [
        module.register_forward_hook(lambda module, inputs, output, name=name: calls.append((name, list(output.shape))))
        for name, module in model.named_children()
    ]
    log_probs = model(torch.randn(2, 3, 40, 40), torch.randn(2, 3, 40, 40))
    for handle in handles:
        handle.remove()
    assert calls == [("backbone", [2, 512]), ("backbone", [2, 512]), ("head", [2, 2])]
    assert log_probs.exp().sum(dim=1).tolist() == pytest.approx([1, 1])


def test_the_same_image_twice_is_undecided(model) -> None:
    """The difference of equal features is nothing, and the bias starts at nothing."""
    image = torch.randn(1, 3, 40, 40)
    assert model(image, image).exp()[0].tolist() == pytest.approx([0.5, 0.5])


def test_hidden_layers_and_dropout() -> None:
    """Hidden sizes add layers with ReLU between; dropout comes before each layer."""
    kinds = [type(layer).__name__ for layer in build_head(512, [64, 8], 0.5)]
    assert kinds == ["Dropout", "Linear", "ReLU", "Dropout", "Linear", "ReLU", "Dropout", "Linear"]
    plain = build_head(512, [64], 0.0)
    assert [type(layer).__name__ for layer in plain] == ["Linear", "ReLU", "Linear"]
    assert plain[2].out_features == 2


def test_two_parameter_groups(model) -> None:
    """The head learns ten times as fast as the backbone, and no parameter is left out."""
    backbone, head = parameter_groups(model, 1e-5, 10)
    assert (backbone["lr"], head["lr"]) == (1e-5, pytest.approx(1e-4))
    assert len(backbone["params"]) + len(head["params"]) == len(list(model.parameters()))


def test_each_phase_is_logged(model, caplog: pytest.LogCaptureFixture) -> None:
    """The forward speaks before and after each backbone call, in these words."""
    with caplog.at_level(logging.DEBUG, "trainer"):
        model(torch.randn(8, 3, 40, 40), torch.randn(8, 3, 40, 40))
    assert caplog.messages[:4] == [
        "Forward: Starting backbone for img1...",
        "Forward: Got feat1 with shape torch.Size([8, 512])",
        "Forward: Starting backbone for img2...",
        "Forward: Got feat2 with shape torch.Size([8, 512])",
    ]
