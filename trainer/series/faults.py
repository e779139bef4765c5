"""Camera faults, graded from 0 (none) to 1 (as bad as amateurs make them); the size of the image stays."""

import math
from collections.abc import Callable

import numpy
from numpy.random import Generator
from PIL import Image, ImageFilter

Fault = Callable[[Image.Image, float, Generator], Image.Image]

GAMMA = 2.2  # of a typical display; light adds up before it, not after


def defocus(photo: Image.Image, amount: float, rng: Generator) -> Image.Image:
    """Out of focus: a blur of up to 2 % of the larger side."""
    return photo.filter(ImageFilter.GaussianBlur(amount * 0.02 * max(photo.size)))


def motion_blur(photo: Image.Image, amount: float, rng: Generator) -> Image.Image:
    """A shaken camera: the mean of copies along a straight path of up to 7 % of the larger side."""
    length = amount * 0.07 * max(photo.size)
    angle = rng.uniform(0, math.pi)
    margin = math.ceil(length / 2) + 1
    padded = numpy.pad(as_array(photo), ((margin, margin), (margin, margin), (0, 0)), mode="edge")
    total = numpy.zeros_like(as_array(photo))
    places = numpy.linspace(-length / 2, length / 2, math.ceil(length) + 1)
    for place in places:
        left, top = margin + round(place * math.cos(angle)), margin + round(place * math.sin(angle))
        total += padded[top : top + photo.height, left : left + photo.width]
    return as_image(total / len(places))


def wrong_exposure(photo: Image.Image, amount: float, rng: Generator) -> Image.Image:
    """Too bright or too dark by up to 2.2 stops, clipped as a sensor clips."""
    stops = amount * 2.2 * rng.choice([-1, 1])
    light = (as_array(photo) / 255) ** GAMMA * 2**stops
    return as_image(255 * numpy.clip(light, 0, 1) ** (1 / GAMMA))


def noise(photo: Image.Image, amount: float, rng: Generator) -> Image.Image:
    """A high ISO setting: noise of brightness and a little of colour, standard deviation up to 45 of 255."""
    shape = (photo.height, photo.width)
    grey = rng.standard_normal((*shape, 1))
    colour = rng.standard_normal((*shape, 3))
    return as_image(as_array(photo) + amount * (38 * grey + 22 * colour))


def tilt(photo: Image.Image, amount: float, rng: Generator) -> Image.Image:
    """A slanting horizon, up to 15 degrees, cropped so that no empty corner shows."""
    angle = amount * 15 * rng.choice([-1, 1])
    turned = photo.rotate(float(angle), Image.Resampling.BICUBIC)
    radians = math.radians(abs(angle))
    longer = max(photo.width / photo.height, photo.height / photo.width)
    kept = 1 / (math.cos(radians) + longer * math.sin(radians))
    return window(turned, kept, 0.5, 0.5)


def bad_framing(photo: Image.Image, amount: float, rng: Generator) -> Image.Image:
    """The subject cut off: only a corner of the scene, down to half its sides."""
    left, top = (float(rng.choice([0.0, 1.0])) for _ in range(2))
    return window(photo, 1 - 0.5 * amount, left, top)


FAULTS: dict[str, Fault] = {
    "defocus": defocus,
    "motion_blur": motion_blur,
    "wrong_exposure": wrong_exposure,
    "noise": noise,
    "tilt": tilt,
    "bad_framing": bad_framing,
}


def window(photo: Image.Image, kept: float, left: float, top: float) -> Image.Image:
    """A part of the photo, `kept` of each side, at a place from 0 to 1, enlarged to the photo's size."""
    width, height = photo.width * kept, photo.height * kept
    x, y = (photo.width - width) * left, (photo.height - height) * top
    return photo.resize(photo.size, Image.Resampling.BICUBIC, box=(x, y, x + width, y + height))


def another_take(photo: Image.Image, rng: Generator) -> Image.Image:
    """The same scene once more, framed a little differently: no two takes of a hand-held camera are equal."""
    return window(photo, float(rng.uniform(0.95, 1)), float(rng.uniform(0, 1)), float(rng.uniform(0, 1)))


def spoil(photo: Image.Image, severity: float, rng: Generator) -> tuple[Image.Image, dict[str, float]]:
    """A take with one or two faults that share the severity, and how much of it each got."""
    kinds = [str(kind) for kind in rng.choice(list(FAULTS), size=int(rng.integers(1, 3)), replace=False)]
    first = float(rng.uniform(0.35, 0.65)) if len(kinds) == 2 else 1.0
    amounts = dict(zip(kinds, [severity * first, severity * (1 - first)], strict=False))
    # Optics before the sensor: noise that is blurred afterwards would no longer look like noise.
    for kind in sorted(amounts, key=lambda kind: (kind in ("wrong_exposure", "noise"), kind)):
        photo = FAULTS[kind](photo, amounts[kind], rng)
    return photo, {kind: round(amount, 4) for kind, amount in amounts.items()}


def as_array(photo: Image.Image) -> "numpy.ndarray[tuple[int, ...], numpy.dtype[numpy.float64]]":
    """The photo as numbers [H, W, 3] from 0 to 255."""
    return numpy.asarray(photo, dtype=numpy.float64)


def as_image(values: "numpy.ndarray[tuple[int, ...], numpy.dtype[numpy.float64]]") -> Image.Image:
    """Numbers [H, W, 3], rounded and clipped, as a photo."""
    return Image.fromarray(numpy.clip(numpy.rint(values), 0, 255).astype(numpy.uint8))
