"""The command vgg19, its files as arrays, and narrow models of every kind."""

import functools
import json
import pathlib
import random
import struct
import subprocess
import sys
import tempfile

import numpy

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / 'serve'))
import narrow_models  # noqa: E402

TYPES = {'F32': numpy.float32, 'F16': numpy.float16, 'I8': numpy.int8, 'U8': numpy.uint8}
FOLDER = tempfile.TemporaryDirectory(prefix='vgg19-formats-')
TOOL = None  # the program's path, which the tests' main sets


def path(name):
    return pathlib.Path(FOLDER.name) / name


def run(*words):
    """Runs a subcommand; returns what it wrote to standard error."""
    done = subprocess.run([TOOL, *map(str, words)], capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(f'vgg19 {words[0]}: exit code {done.returncode}: {done.stderr}')
    return done.stderr


def read_tensors(file):
    data = pathlib.Path(file).read_bytes()
    length, = struct.unpack('<Q', data[:8])
    header = json.loads(data[8:8 + length])
    header.pop('__metadata__', None)
    tensors = {}
    for name, entry in header.items():
        begin, end = entry['data_offsets']
        part = data[8 + length + begin:8 + length + end]
        tensors[name] = numpy.frombuffer(part, TYPES[entry['dtype']]).reshape(entry['shape'])
    return tensors


def read_metadata(file):
    with open(file, 'rb') as opened:
        length, = struct.unpack('<Q', opened.read(8))
        metadata = json.loads(opened.read(length))['__metadata__']
    return {key: value for key, value in metadata.items() if 'checksum' not in key and key != 'integrity'}


def write_input(values):
    text = json.dumps({'input': {'dtype': 'F32', 'shape': values.shape, 'data_offsets': [0, values.nbytes]}}).encode()
    text += b' ' * (-len(text) % 8)
    path('input.safetensors').write_bytes(struct.pack('<Q', len(text)) + text + values.tobytes())


def answers(model, values, *options):
    """What vgg19 computes: name -> array."""
    write_input(values)
    run('run', '-m', model, '--input', path('input.safetensors'), '--output', path('output.safetensors'), *options)
    return read_tensors(path('output.safetensors'))


def images(size=(224, 224), count=1, seed=1):
    return numpy.random.default_rng(seed).standard_normal((count, 3, *size), numpy.float32)


def write_pictures(folder):
    """Random pictures as CIFAR-10 has them, to calibrate with."""
    folder.mkdir()
    source = random.Random(5)
    (folder / 'data_batch_1.bin').write_bytes(b''.join(bytes([i % 10]) + source.randbytes(3072) for i in range(12)))


@functools.lru_cache(maxsize=None)
def model(kind):
    """The path of a model, which is made when it is first asked for."""
    file = path(kind + '.safetensors')

    def derived(subcommand, source, *options):
        run(subcommand, model(source), '-o', file, *options)

    if kind == 'baseline':
        narrow_models.write_weights(path('weights.safetensors'))
        path('classes.txt').write_text(''.join(f'class {i}\n' for i in range(narrow_models.CLASSIFIER[-1])))
        run('convert', path('weights.safetensors'), '-o', file, '--classes', path('classes.txt'))
    elif kind == 'pruned':
        derived('prune', 'baseline')
    elif kind == 'output-major':
        derived('convert', 'baseline', '--dense-order', 'output')
    elif kind == 'factored':
        derived('factorize', 'baseline', '--rank', 12, '--layers', 'classifier.0,classifier.6')
    elif kind == 'average':
        derived('convert', 'baseline', '--pooling', 'average', '--preprocessing', 'caffe')
    elif kind == 'features':
        derived('convert', 'baseline', '--features-only')
    elif kind == 'int4':
        derived('quantize', 'baseline', '--dense', 'int4')
    elif kind.endswith('int8'):
        derived('quantize', kind.removesuffix('-int8') if '-' in kind else 'baseline')
    elif kind.endswith('full'):
        if not path('pictures').exists():
            write_pictures(path('pictures'))
        source = kind.removesuffix('-full') if '-' in kind else 'baseline'
        derived('quantize', source, '--scope', 'all', '--calib', path('pictures'), '--size', 64)
    else:
        raise ValueError(kind)
    return file


def cosine(a, b):
    a, b = a.astype(numpy.float64).ravel(), b.astype(numpy.float64).ravel()
    return float(a @ b / numpy.sqrt((a @ a) * (b @ b)))


def main(unittest):
    global TOOL
    TOOL = sys.argv.pop(1)
    unittest.main(verbosity=2)
