"""Renders landscape.jpg: the bench classifies it by default, and variants are calibrated on it.

    python make_landscape.py landscape.jpg

Everything in it is computed from the seed below, so that nobody has rights to the file.
"""
import sys

import numpy as np
from PIL import Image

WIDTH, HEIGHT, SCALE = 320, 256, 3  # rendered larger and then reduced, which smooths edges
SHORE = 0.66  # relative to the height: land above, water below
random = np.random.default_rng(19)


def ridge(points, roughness, low, high):
    """`points` heights of a mountain line between low and high, by midpoint displacement."""
    line, step = np.array([0.3, 0.8, 0.4, 0.9, 0.5]), 0.35
    while len(line) < points:
        middles = (line[:-1] + line[1:]) / 2 + random.uniform(-step, step, len(line) - 1)
        line = np.insert(line, range(1, len(line)), middles)
        step *= roughness
    line = np.interp(np.linspace(0, len(line) - 1, points), range(len(line)), line)
    line = (line - line.min()) / (line.max() - line.min())
    return low + (high - low) * line


def blend(pixels, colour, weight):
    """Blends a colour (or an image) over the pixels, with a weight from 0 to 1."""
    return pixels + (np.asarray(colour, float) - pixels) * weight[..., None]


def sky(x, y, aspect):
    """A gradient from blue to gold, a sun with its glow, and streaks of cloud."""
    stops = np.array([[38, 74, 132], [92, 140, 186], [236, 190, 140], [255, 214, 150]], float)
    at = np.array([0, 0.3, 0.58, 0.7])
    pixels = np.stack([np.interp(y, at, stops[:, c]) for c in range(3)], axis=-1)
    distance = np.hypot((x - 0.68) * aspect, y - 0.36)
    pixels = blend(pixels, (255, 232, 180), 0.75 * np.exp(-((distance / 0.17) ** 2)))
    pixels = blend(pixels, (255, 250, 232), np.clip((0.062 - distance) * 150, 0, 1))
    for _ in range(14):
        cx, cy = random.uniform(0, 1), random.uniform(0.05, 0.34)
        wide, tall = random.uniform(0.06, 0.2), random.uniform(0.008, 0.02)
        puff = np.exp(-(((x - cx) / wide) ** 2) - (((y - cy) / tall) ** 2))
        pixels = blend(pixels, (255, 240, 226), 0.5 * puff)
    return pixels


def mountains(pixels, x, y):
    """Three ridges: nearer ones are darker, and the farthest has snow."""
    columns = pixels.shape[1]
    layers = [(0.62, 0.22, 0.5, (122, 138, 172)), (0.58, 0.4, 0.58, (80, 98, 128)), (0.5, 0.54, 0.64, (48, 72, 80))]
    for number, (roughness, low, high, colour) in enumerate(layers):
        top = ridge(columns, roughness, low, high)[None, :]
        pixels = blend(pixels, colour, np.clip((y - top) * 400, 0, 1))
        if number == 0:
            thick = np.clip((0.38 - top) * 0.8, 0, 0.09) * (1 + 0.3 * np.sin(x * 160))
            snow = np.clip((thick - (y - top)) * 120, 0, 1) * (y > top)
            pixels = blend(pixels, (244, 244, 250), 0.9 * snow)
    return pixels


def firs(pixels, x, y, aspect, count, base, size):
    """Triangular trees in a row: each of four tiers, darker on the side away from the sun."""
    for cx in np.sort(random.uniform(-0.02, 1.02, count)):
        tall = size * random.uniform(0.6, 1.2)
        foot = base + random.uniform(-0.008, 0.012)
        height = (foot - y) / tall
        tier = 0.55 + 0.45 * (1 - (height * 4) % 1)
        inside = (height > 0) & (height < 1) & (np.abs(x - cx) * aspect < 0.3 * tall * (1 - height) * tier)
        shade = random.uniform(0.8, 1.15) * np.where(x > cx, 1.25, 0.9)
        pixels = blend(pixels, np.array([24, 52, 40]) * shade[..., None], inside.astype(float))
    return pixels


def lake(pixels, x, y):
    """Mirrors the picture above the shore, rippled and darkened, with the sun's reflection."""
    rows = pixels.shape[0]
    shore = int(SHORE * rows)
    depth = (y - SHORE) / (1 - SHORE)
    ripple = np.sin(y * 420 + 2 * np.sin(x * 30)) * 0.012 * (0.3 + depth)
    source_row = np.clip((SHORE - (y - SHORE) * 0.95 + ripple) * rows, 0, shore - 1).astype(int)
    source_column = np.clip((x + ripple) * pixels.shape[1], 0, pixels.shape[1] - 1).astype(int)
    mirrored = pixels[source_row, source_column] * 0.72 + np.array([10, 26, 40])
    glitter = np.exp(-(((x - 0.68) / (0.03 + 0.06 * depth)) ** 2)) * (np.sin(y * 520 + 9 * np.sin(x * 47)) > 0.2)
    mirrored = blend(mirrored, (255, 226, 170), 0.55 * glitter * (1 - 0.6 * depth))
    return blend(pixels, mirrored, (y > SHORE).astype(float))


def main(path):
    width, height = WIDTH * SCALE, HEIGHT * SCALE
    y, x = np.mgrid[0:height, 0:width] / np.array([height, width])[:, None, None]
    aspect = WIDTH / HEIGHT
    pixels = mountains(sky(x, y, aspect), x, y)
    pixels = firs(pixels, x, y, aspect, 60, SHORE, 0.09)
    pixels = lake(pixels, x, y)
    bank = 0.97 - 0.16 * np.exp(-((x / 0.3) ** 2)) - 0.05 * np.exp(-(((x - 1) / 0.2) ** 2))
    grass = np.array([52, 74, 38]) * (0.8 + 0.5 * random.random((height, width)) ** 2)[..., None]
    pixels = blend(pixels, grass, np.clip((y - bank) * 300, 0, 1))
    image = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    image.resize((WIDTH, HEIGHT), Image.LANCZOS).save(path, quality=85)


if __name__ == "__main__":
    main(sys.argv[1])
