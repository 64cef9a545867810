"""A folder of narrow VGG-19s: the nineteen layers with few channels, a thousand classes, seeded weights."""

import array
import json
import pathlib
import random
import struct
import subprocess

FEATURES = [8, 8, 'M', 8, 8, 'M', 16, 16, 16, 16, 'M', 16, 16, 16, 16, 'M', 16, 16, 16, 16, 'M']
CLASSIFIER = [16, 16, 1000]


def shapes():
    """torchvision's names and shapes."""
    index, channels = 0, 3
    for width in FEATURES:
        if width == 'M':
            index += 1
            continue
        yield f'features.{index}.weight', [width, channels, 3, 3]
        yield f'features.{index}.bias', [width]
        index, channels = index + 2, width
    inputs = channels * 7 * 7
    for index, width in zip((0, 3, 6), CLASSIFIER):
        yield f'classifier.{index}.weight', [width, inputs]
        yield f'classifier.{index}.bias', [width]
        inputs = width


def write_weights(path):
    source = random.Random(19)
    header, data = {}, b''
    for name, shape in shapes():
        count, inputs = 1, 1
        for axis, size in enumerate(shape):
            count *= size
            inputs *= size if axis > 0 else 1
        deviation = (2 / inputs) ** 0.5 if len(shape) > 1 else 0.01
        values = array.array('f', (source.gauss(0, deviation) for _ in range(count))).tobytes()
        header[name] = {'dtype': 'F32', 'shape': shape, 'data_offsets': [len(data), len(data) + len(values)]}
        data += values
    text = json.dumps(header).encode()
    text += b' ' * (-len(text) % 8)
    path.write_bytes(struct.pack('<Q', len(text)) + text + data)


def make(tool, folder):
    """Makes baseline, pruned, int8 and pruned-int8 (res160 uses the baseline's file), and a report with an accuracy."""
    folder = pathlib.Path(folder)
    weights = folder.parent / 'weights.safetensors'
    write_weights(weights)

    def run(*words):
        subprocess.run([tool, *map(str, words)], check=True, stdout=subprocess.DEVNULL)

    def file(variant):
        return folder / f'{variant}.safetensors'

    run('convert', weights, '-o', file('baseline'))
    run('prune', file('baseline'), '-o', file('pruned'))
    run('quantize', file('baseline'), '-o', file('int8'), '--scope', 'dense')
    run('quantize', file('pruned'), '-o', file('pruned-int8'), '--scope', 'dense')
    report = {'variants': [{'id': 'baseline', 'accuracy': {'images': 4, 'top1': 0.5, 'top5': 1}},
                           {'id': 'pruned', 'accuracy': None}, {'id': 'elsewhere'}]}
    (folder / 'report.json').write_text(json.dumps(report))
