"""From a photo to the tensor that the backbone expects."""

from collections.abc import Callable

from PIL import Image
from torch import Tensor
from torchvision import transforms
from torchvision.transforms import InterpolationMode

MEAN = (0.485, 0.456, 0.406)  # of ImageNet, in RGB, 0 to 1
STD = (0.229, 0.224, 0.225)
MEAN_COLOUR = tuple(round(255 * value) for value in MEAN)

Preprocessing = Callable[[Image.Image], Tensor]


class FitOnMeanCanvas:
    """The whole photo, its larger side scaled to `size`, centred on a square of the ImageNet mean colour.

    Composition counts in a photo, so nothing is cropped or stretched; the mean colour becomes nearly zero when
    normalised, as if there were nothing (Chang et al., "Automatic Triage for a Photo Series", SIGGRAPH 2016).
    """

    def __init__(self, size: int) -> None:
        """Fit photos on a square of `size` pixels."""
        self.size = size

    def __call__(self, photo: Image.Image) -> Image.Image:
        """The photo on its canvas."""
        scale = self.size / max(photo.size)
        width, height = (max(1, round(side * scale)) for side in photo.size)
        fitted = photo.resize((width, height), Image.Resampling.BILINEAR)
        canvas = Image.new("RGB", (self.size, self.size), MEAN_COLOUR)
        canvas.paste(fitted, ((self.size - width) // 2, (self.size - height) // 2))
        return canvas


def build(name: str, size: int) -> Preprocessing:
    """The preprocessing called `paper` or `scale_crop`: an RGB photo to a normalised tensor [3, size, size]."""
    return transforms.Compose([shaping(name, size), transforms.ToTensor(), transforms.Normalize(MEAN, STD)])


def shaping(name: str, size: int) -> Callable[[Image.Image], Image.Image]:
    """The geometric part: `paper` fits the photo on a canvas; `scale_crop` scales its shorter side and crops."""
    if name == "paper":
        return FitOnMeanCanvas(size)
    return transforms.Compose([transforms.Resize(size, InterpolationMode.BILINEAR), transforms.CenterCrop(size)])
