#!/usr/bin/env python3
"""Writes imagenet_classes.inc from the lists that two packages ship.

Labels are torchvision's, WordNet's ids come from timm's wheel, both in the order of the network's outputs:

    pip install torchvision; pip download --no-deps timm; python make.py timm-*.whl
"""
import json
import pathlib
import sys
import zipfile

from torchvision.models._meta import _IMAGENET_CATEGORIES as labels

if len(sys.argv) != 2:
    sys.exit(__doc__)
with zipfile.ZipFile(sys.argv[1]) as wheel:
    synsets = wheel.read("timm/data/_info/imagenet_synsets.txt").decode().split()
if len(labels) != 1000 or len(synsets) != 1000:
    sys.exit(f"expected 1000 classes, found {len(labels)} labels and {len(synsets)} synsets")

lines = [f'{{"{synset}", {json.dumps(label)}}},\n' for synset, label in zip(synsets, labels)]
output = pathlib.Path(__file__).with_name("imagenet_classes.inc")
output.write_text("// Made by make.py.\n" + "".join(lines))
