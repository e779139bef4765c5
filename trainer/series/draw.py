"""Scenes drawn from nothing but a seed, for machines that have no photo and no network."""

import colorsys
import math
import random
from collections.abc import Callable

import numpy
from PIL import Image, ImageDraw, ImageFilter

Colour = tuple[int, int, int]
Scene = Callable[[ImageDraw.ImageDraw, int, int, random.Random], None]

FINER = 2  # drawn larger and scaled down, which smooths the edges


def hue(rng: random.Random, low: float, high: float, saturation: float, value: float) -> Colour:
    """A colour with a hue from `low` to `high` (0 to 1, red to red), and a little variation in the rest."""
    shade, strength = min(1, value * rng.uniform(0.88, 1.12)), saturation * rng.uniform(0.8, 1.0)
    red, green, blue = colorsys.hsv_to_rgb(rng.uniform(low, high) % 1, strength, shade)
    return round(255 * red), round(255 * green), round(255 * blue)


def blend(one: Colour, two: Colour, share: float) -> Colour:
    """A colour between two, with `share` of the second."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, two, strict=True))
    return red, green, blue


def gradient(pen: ImageDraw.ImageDraw, box: tuple[int, int, int, int], top: Colour, bottom: Colour) -> None:
    """Fill a box with a vertical gradient."""
    left, upper, right, lower = box
    for y in range(upper, lower):
        pen.line([(left, y), (right, y)], fill=blend(top, bottom, (y - upper) / (lower - upper)))


def sky(pen: ImageDraw.ImageDraw, width: int, height: int, rng: random.Random) -> None:
    """A sky over the whole scene, with a sun and some clouds."""
    evening = rng.random() < 0.35
    horizon = hue(rng, 0.06, 0.12, 0.5, 0.95) if evening else hue(rng, 0.53, 0.58, 0.15, 0.97)
    gradient(pen, (0, 0, width, height), hue(rng, 0.56, 0.63, 0.65, 0.7), horizon)
    disc(pen, rng.uniform(0.1, 0.9) * width, rng.uniform(0.08, 0.3) * height, 0.04 * width, (255, 244, 200))
    for _ in range(rng.randint(2, 5)):
        x, y = rng.uniform(0, width), rng.uniform(0.05, 0.35) * height
        spread = 0.05 * width
        for _ in range(6):
            puff_x, puff_y = x + rng.gauss(0, spread), y + rng.gauss(0, 0.2 * spread)
            disc(pen, puff_x, puff_y, rng.uniform(0.2, 0.5) * spread, (246, 247, 250))


def disc(pen: ImageDraw.ImageDraw, x: float, y: float, radius: float, fill: Colour) -> None:
    """A filled circle."""
    pen.ellipse([x - radius, y - radius, x + radius, y + radius], fill=fill)


def hills(pen: ImageDraw.ImageDraw, width: int, height: int, rng: random.Random) -> None:
    """Chains of hills that darken towards the viewer, and trees on the nearest."""
    sky(pen, width, height, rng)
    far, near = hue(rng, 0.5, 0.6, 0.25, 0.75), hue(rng, 0.2, 0.38, 0.6, 0.35)
    layers = rng.randint(3, 5)
    for layer in range(layers):
        level = height * (0.45 + 0.35 * layer / layers)
        ridge = ridge_line(width, level, 0.1 * height, rng)
        pen.polygon([*ridge, (width, height), (0, height)], fill=blend(far, near, layer / (layers - 1)))
    for _ in range(rng.randint(6, 18)):
        tree(pen, rng.uniform(0, width), rng.uniform(0.8, 0.97) * height, rng.uniform(0.05, 0.16) * height, rng)


def ridge_line(width: int, level: float, rise: float, rng: random.Random) -> list[tuple[float, float]]:
    """The outline of a chain of hills: three waves with random phase."""
    waves = [(rise * rng.uniform(0.6, 1) / n, n * rng.uniform(3, 6) / width, rng.uniform(0, 6.3)) for n in (1, 2, 5)]
    steps = range(0, width + 8, 8)
    return [(x, level + sum(size * math.sin(rate * x + phase) for size, rate, phase in waves)) for x in steps]


def tree(pen: ImageDraw.ImageDraw, x: float, foot: float, size: float, rng: random.Random) -> None:
    """A fir."""
    pen.rectangle([x - 0.04 * size, foot - 0.3 * size, x + 0.04 * size, foot], fill=hue(rng, 0.05, 0.09, 0.6, 0.3))
    leaves = hue(rng, 0.28, 0.42, 0.6, 0.35)
    for storey in range(3):
        lower, half = foot - (0.2 + 0.22 * storey) * size, (0.3 - 0.07 * storey) * size
        pen.polygon([(x - half, lower), (x + half, lower), (x, lower - 0.42 * size)], fill=leaves)


def city(pen: ImageDraw.ImageDraw, width: int, height: int, rng: random.Random) -> None:
    """A street front of houses with windows."""
    sky(pen, width, height, rng)
    ground = round(rng.uniform(0.84, 0.92) * height)
    left = 0
    while left < width:
        right = left + round(rng.uniform(0.1, 0.24) * width)
        house(pen, (left, round(rng.uniform(0.15, 0.55) * height), right, ground), rng)
        left = right + round(rng.uniform(0, 0.02) * width)
    gradient(pen, (0, ground, width, height), (96, 96, 100), (60, 60, 64))
    for x in range(0, width, max(1, width // 9)):
        middle = (ground + height) // 2
        pen.rectangle([x, middle, x + width // 18, middle + height // 90], fill=(220, 216, 190))


def house(pen: ImageDraw.ImageDraw, box: tuple[int, int, int, int], rng: random.Random) -> None:
    """One house with rows of windows, some of them lit."""
    left, top, right, bottom = box
    pen.rectangle(box, fill=hue(rng, 0.0, 0.14, 0.35, 0.7))
    columns, rows = rng.randint(3, 5), max(3, (bottom - top) // max(1, (right - left) // 3))
    glass, lit = hue(rng, 0.55, 0.62, 0.4, 0.35), hue(rng, 0.12, 0.15, 0.5, 0.95)
    wide, tall = (right - left) / columns, (bottom - top) / rows
    for column in range(columns):
        for row in range(rows):
            x, y = left + (column + 0.25) * wide, top + (row + 0.2) * tall
            pen.rectangle([x, y, x + 0.5 * wide, y + 0.6 * tall], fill=lit if rng.random() < 0.2 else glass)


def people(pen: ImageDraw.ImageDraw, width: int, height: int, rng: random.Random) -> None:
    """One to four people in front of a wall."""
    gradient(pen, (0, 0, width, height), hue(rng, 0, 1, 0.3, 0.85), hue(rng, 0, 1, 0.3, 0.6))
    for x in range(0, width, max(1, width // rng.randint(8, 16))):
        pen.line([(x, 0), (x, height)], fill=hue(rng, 0.07, 0.1, 0.3, 0.6), width=max(1, width // 200))
    count = rng.randint(1, 4)
    for place in range(count):
        middle = width * (place + 0.5 + rng.uniform(-0.12, 0.12)) / count
        person(pen, middle, rng.uniform(0.35, 0.5) * height, min(0.17 * height, 0.28 * width / count), rng)


def person(pen: ImageDraw.ImageDraw, x: float, y: float, size: float, rng: random.Random) -> None:
    """Head and shoulders; `size` is the radius of the head."""
    skin, hair = hue(rng, 0.05, 0.08, 0.45, rng.uniform(0.45, 0.95)), hue(rng, 0.03, 0.12, 0.6, rng.uniform(0.15, 0.6))
    pen.ellipse([x - 1.9 * size, y + 0.9 * size, x + 1.9 * size, y + 6 * size], fill=hue(rng, 0, 1, 0.7, 0.7))
    disc(pen, x, y - 0.15 * size, 1.1 * size, hair)
    pen.ellipse([x - 0.85 * size, y - 0.8 * size, x + 0.85 * size, y + 1.15 * size], fill=skin)
    for side in (-1, 1):
        disc(pen, x + side * 0.35 * size, y - 0.05 * size, 0.15 * size, (250, 250, 250))
        disc(pen, x + side * 0.35 * size, y - 0.05 * size, 0.08 * size, (40, 30, 30))
    line = max(1, round(0.08 * size))
    pen.arc([x - 0.4 * size, y + 0.1 * size, x + 0.4 * size, y + 0.75 * size], 20, 160, fill=(140, 40, 40), width=line)
    pen.line([(x, y + 0.05 * size), (x - 0.08 * size, y + 0.3 * size)], fill=blend(skin, (60, 30, 20), 0.4), width=line)


def page(pen: ImageDraw.ImageDraw, width: int, height: int, rng: random.Random) -> None:
    """A printed page on a desk: lines of words as stripes, a heading, a picture."""
    pen.rectangle([0, 0, width, height], fill=hue(rng, 0.05, 0.1, 0.5, 0.5))
    for y in range(0, height, max(1, height // 14)):
        pen.line([(0, y), (width, y + height // 40)], fill=hue(rng, 0.05, 0.09, 0.5, 0.42), width=max(1, height // 120))
    edge_x, edge_y = round(0.12 * width), round(0.08 * height)
    pen.rectangle([edge_x, edge_y, width - edge_x, height - edge_y], fill=hue(rng, 0.1, 0.16, 0.06, 0.95))
    letter = max(2, height // rng.randint(36, 52))
    left, right, top = edge_x + 2 * letter, width - edge_x - 2 * letter, edge_y + 2 * letter
    words(pen, (left, top, right, top + 3 * letter), 2 * letter, rng)
    upper, lower = top + 3 * letter, round(rng.uniform(0.3, 0.45) * height)
    gradient(pen, (left, upper, width // 2, lower), hue(rng, 0, 1, 0.6, 0.8), hue(rng, 0, 1, 0.6, 0.4))
    words(pen, (width // 2 + letter, upper, right, lower), letter, rng)
    words(pen, (left, lower + letter, right, height - edge_y - letter), letter, rng)


def words(pen: ImageDraw.ImageDraw, box: tuple[int, int, int, int], letter: int, rng: random.Random) -> None:
    """Lines of dark stripes of word length, each striped again into letters."""
    left, top, right, bottom = box
    for y in range(top, bottom - letter, round(1.7 * letter)):
        x = left
        while x < right - letter:
            end = min(right, x + round(rng.uniform(1.5, 6) * letter))
            for stroke in range(x, end, max(2, letter // 2)):
                foot = y + rng.choice([letter - 1, round(0.7 * letter)])
                pen.rectangle([stroke, y, stroke + letter // 4, foot], fill=(45, 42, 48))
            x = end + letter


def table(pen: ImageDraw.ImageDraw, width: int, height: int, rng: random.Random) -> None:
    """Round fruit on a table in front of a wall, each with its shadow and its highlight."""
    edge = round(rng.uniform(0.45, 0.6) * height)
    gradient(pen, (0, 0, width, edge), hue(rng, 0, 1, 0.25, 0.7), hue(rng, 0, 1, 0.2, 0.85))
    gradient(pen, (0, edge, width, height), hue(rng, 0.05, 0.1, 0.6, 0.55), hue(rng, 0.05, 0.1, 0.6, 0.7))
    for depth in sorted(rng.uniform(0, 1) for _ in range(rng.randint(4, 9))):
        radius = (0.05 + 0.08 * depth) * height
        x, y = rng.uniform(0.08, 0.92) * width, edge + depth * 0.75 * (height - edge)
        fruit(pen, x, y, radius, rng)


def fruit(pen: ImageDraw.ImageDraw, x: float, y: float, radius: float, rng: random.Random) -> None:
    """A shaded ball."""
    pen.ellipse([x - 0.9 * radius, y + 0.6 * radius, x + 1.6 * radius, y + 1.15 * radius], fill=(70, 45, 30))
    skin = hue(rng, 0.95, 1.35, 0.8, 0.75)
    shadow, highlight = blend(skin, (30, 10, 5), 0.35), blend(skin, (255, 255, 240), 0.6)
    for ring in range(12):
        share = ring / 11
        shift = 0.35 * share * radius
        disc(pen, x - shift, y - shift, (1 - 0.92 * share) * radius, blend(shadow, highlight, share))


SCENES: tuple[Scene, ...] = (hills, city, people, page, table)


def draw_scene(number: int, size: int, seed: int) -> Image.Image:
    """Scene `number` of a seed: an RGB image whose larger side is `size` pixels; the kinds take turns."""
    rng = random.Random(f"{seed}/scene/{number}")
    shape = (size, round(0.75 * size)) if rng.random() < 0.7 else (round(0.75 * size), size)
    width, height = (FINER * side for side in shape)
    canvas = Image.new("RGB", (width, height))
    SCENES[number % len(SCENES)](ImageDraw.Draw(canvas), width, height, rng)
    return textured(canvas, rng).resize(shape, Image.Resampling.LANCZOS)


def textured(scene: Image.Image, rng: random.Random) -> Image.Image:
    """The scene with a fine texture, without which a blur would not show on its plain areas."""
    generator = numpy.random.default_rng(rng.getrandbits(64))
    grain = generator.standard_normal((scene.height, scene.width, 1)) * 10
    soft = Image.fromarray(numpy.clip(numpy.asarray(scene) + grain, 0, 255).astype(numpy.uint8))
    return soft.filter(ImageFilter.GaussianBlur(0.8))
