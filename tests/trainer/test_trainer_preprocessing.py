"""Both ways from a photo to a tensor, pixel by pixel."""

from pathlib import Path

import numpy
import pytest
from PIL import Image

torch = pytest.importorskip("torch")

from trainer.images import open_upright  # noqa: E402
from trainer.preprocessing import MEAN, STD, build  # noqa: E402

pytestmark = pytest.mark.torch


def pixels(tensor):
    """The tensor [3, H, W] as it was before normalisation: numbers [H, W, 3] from 0 to 255."""
    return (tensor.permute(1, 2, 0).numpy() * numpy.array(STD) + numpy.array(MEAN)) * 255


@pytest.fixture(params=["explore_monuments-00.jpg", "erase-01.jpg", "explore_farm_animals-03.jpg"])
def photo(request: pytest.FixtureRequest, real_data: Path) -> Image.Image:
    """A real photo."""
    return open_upright(real_data / "photos" / request.param)


def test_paper_keeps_the_whole_photo(photo: Image.Image) -> None:
    """The larger side fills the canvas; the photo lies in the middle; around it is the mean colour."""
    result = pixels(build("paper", 224)(photo))
    scale = 224 / max(photo.size)
    width, height = round(photo.width * scale), round(photo.height * scale)
    assert max(width, height) == 224
    left, top = (224 - width) // 2, (224 - height) // 2
    expected = numpy.empty((224, 224, 3))
    expected[:] = (124, 116, 104)
    resized = photo.resize((width, height), Image.Resampling.BILINEAR)
    expected[top : top + height, left : left + width] = numpy.asarray(resized)
    assert numpy.abs(result - expected).max() < 0.01


def test_scale_crop_takes_the_middle(photo: Image.Image) -> None:
    """The shorter side fills the square; what hangs over is cut off evenly."""
    result = pixels(build("scale_crop", 224)(photo))
    scale = 224 / min(photo.size)
    resized = photo.resize((int(photo.width * scale), int(photo.height * scale)), Image.Resampling.BILINEAR)
    left, top = round((resized.width - 224) / 2), round((resized.height - 224) / 2)
    expected = numpy.asarray(resized.crop((left, top, left + 224, top + 224)))
    assert numpy.abs(result - expected).max() < 0.01


@pytest.mark.parametrize("name", ["paper", "scale_crop"])
@pytest.mark.parametrize("shape", [(300, 10), (7, 300), (20, 20), (1, 1)])
def test_any_shape_becomes_a_square(name: str, shape: tuple[int, int]) -> None:
    """Very long, very small and square photos all give [3, S, S]."""
    assert build(name, 64)(Image.new("RGB", shape)).shape == (3, 64, 64)


def test_normalisation() -> None:
    """The mean colour becomes nearly nothing, white what ImageNet's statistics say."""
    assert build("paper", 32)(Image.new("RGB", (32, 32), (124, 116, 104))).abs().max() < 0.02
    white = build("scale_crop", 32)(Image.new("RGB", (32, 32), "white"))[:, 5, 5]
    assert white.tolist() == pytest.approx([(1 - mean) / std for mean, std in zip(MEAN, STD, strict=True)])
