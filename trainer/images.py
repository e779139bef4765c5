"""Opening one photo; the training, the check before it and the series maker all open photos here."""

from pathlib import Path

from PIL import Image, ImageOps


def open_upright(path: Path) -> Image.Image:
    """The photo in RGB, decoded in full and turned as its EXIF orientation says.

    The people who judged the pairs saw upright photos, and a ranker that judges horizon and framing must too.
    Raises what Pillow raises for a file that is not a whole image.
    """
    with Image.open(path) as image:
        return ImageOps.exif_transpose(image).convert("RGB")
