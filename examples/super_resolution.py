"""Trains a network that doubles pictures: super_resolution.py MODEL FOLDER OUT.pth [STEPS]

MODEL is a model file, or torchvision's weights (a .pth). The loss compares what VGG sees in a picture that was made and in
the real one (Ledig et al., "Photo-Realistic Single Image Super-Resolution", 2017), besides their pixels. Needs torch
and Pillow; any VGG of torchvision would do in place of vgg19.torch.Features, and take longer.
"""

import pathlib
import random
import sys

import numpy
import torch
from PIL import Image

import vgg19.torch

SIDE, BATCH = 96, 4


class Doubling(torch.nn.Module):
    def __init__(self, channels=32):
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Conv2d(3, channels, 3, padding=1), torch.nn.ReLU(),
            torch.nn.Conv2d(channels, channels, 3, padding=1), torch.nn.ReLU(),
            torch.nn.Conv2d(channels, 12, 3, padding=1), torch.nn.PixelShuffle(2))  # fmt: skip

    def forward(self, small):
        return torch.nn.functional.interpolate(small, scale_factor=2.0, mode="bilinear") + self.layers(small)


def crops(paths, source):
    """(BATCH, 3, SIDE, SIDE) in [0, 1], from random places of random pictures."""
    found = []
    for path in source.choices(paths, k=BATCH):
        picture = Image.open(path).convert("RGB")
        grown = max(1.0, SIDE / min(picture.size))
        picture = picture.resize([max(SIDE, round(side * grown)) for side in picture.size])
        left, top = (source.randint(0, side - SIDE) for side in picture.size)
        found.append(numpy.asarray(picture.crop((left, top, left + SIDE, top + SIDE))).transpose(2, 0, 1))
    return torch.from_numpy(numpy.stack(found)).float() / 255


def main(weights, folder, out, steps=200):
    paths = sorted(path for path in pathlib.Path(folder).rglob("*.*") if path.suffix.lower() in Image.registered_extensions())
    if not paths:
        sys.exit(f"{folder}: expected pictures, found none")
    torch.manual_seed(0)
    source, network = random.Random(0), Doubling()
    features = vgg19.torch.Features("relu5_4", weights, pixels=True)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    for step in range(1, int(steps) + 1):
        real = crops(paths, source)
        made = network(torch.nn.functional.avg_pool2d(real, 2))
        seen = torch.nn.functional.mse_loss(features(made), features(real))
        loss = torch.nn.functional.l1_loss(made, real) + 0.01 * seen
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step == 1 or step % 10 == 0:
            print(f"step {step}: loss {loss.item():.4f}", flush=True)
    torch.save(network.state_dict(), out)


if __name__ == "__main__":
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    main(*sys.argv[1:])
