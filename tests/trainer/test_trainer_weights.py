"""Pretrained weights are loaded whole or refused with the keys that do not fit."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from trainer import weights  # noqa: E402
from trainer.errors import ConfigError  # noqa: E402
from trainer.model import build_backbone  # noqa: E402

pytestmark = pytest.mark.torch


@pytest.fixture
def backbone():
    """A small backbone with random weights."""
    return build_backbone("resnet18")[0]


@pytest.fixture
def state(backbone):
    """A state_dict that fits it, of other values."""
    return {name: value + 1 for name, value in backbone.state_dict().items()}


def test_a_half_precision_file_is_cast(backbone, state, tmp_path: Path) -> None:
    """float16 becomes the backbone's float32; counters may be missing; a classifier is left aside."""
    half = {name: value.half() for name, value in state.items() if "num_batches" not in name}
    torch.save({**half, "fc.weight": torch.zeros(1000, 512)}, tmp_path / "w.pth")
    weights.load(backbone, "resnet18", str(tmp_path / "w.pth"))
    loaded = backbone.state_dict()
    assert {value.dtype for value in loaded.values()} == {torch.float32, torch.int64}
    assert torch.equal(loaded["conv1.weight"], half["conv1.weight"].float())


def test_the_real_weights(real_data: Path) -> None:
    """The float16 ResNet50 without a classifier loads, and a backbone with it gives finite features."""
    path = real_data / "weights" / "resnet50_half.pth"
    if not path.is_file():
        pytest.skip(f"no weights at {path}")
    resnet50, features = build_backbone("resnet50")
    before = resnet50.state_dict()["conv1.weight"].clone()
    weights.load(resnet50, "resnet50", str(path))
    assert not torch.equal(resnet50.state_dict()["conv1.weight"], before)
    with torch.no_grad():
        output = resnet50.eval()(torch.randn(1, 3, 64, 64))
    assert output.shape == (1, features) and bool(torch.isfinite(output).all())


def test_keys_that_do_not_fit_are_listed(backbone, state, tmp_path: Path) -> None:
    """Missing, unexpected, misshapen and not finite: each key is named, and nothing is loaded."""
    del state["conv1.weight"]
    state["extra"] = torch.zeros(1)
    state["bn1.weight"] = torch.zeros(3)
    state["bn1.bias"] = torch.full((64,), float("inf"))
    torch.save(state, tmp_path / "w.pth")
    before = backbone.state_dict()["bn1.running_var"].clone()
    with pytest.raises(ConfigError) as error:
        weights.load(backbone, "resnet18", str(tmp_path / "w.pth"))
    assert error.value.problems == [
        "missing: conv1.weight",
        "unexpected: extra",
        "bn1.weight: expected shape [64], got [3]",
        "bn1.bias: holds values that are not finite",
    ]
    assert torch.equal(backbone.state_dict()["bn1.running_var"], before)


def test_a_file_that_holds_no_weights(backbone, tmp_path: Path) -> None:
    """Text, and a list of numbers, are refused in words."""
    (tmp_path / "text.pth").write_text("hello", encoding="utf-8")
    with pytest.raises(ConfigError, match="not a file that torch.save has written"):
        weights.load(backbone, "resnet18", str(tmp_path / "text.pth"))
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(ConfigError, match="does not hold a state_dict"):
        weights.load(backbone, "resnet18", str(tmp_path / "list.pth"))


def test_another_architecture_is_refused(state) -> None:
    """A ResNet18's weights do not go into a ResNet50."""
    with pytest.raises(ConfigError, match="and [0-9]+ more"):
        weights.fill(build_backbone("resnet50")[0], state, "w.pth")
