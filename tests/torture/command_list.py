"""The command lines that are tried, on narrow models and small data."""

import json
import pathlib
import re
import struct

import served

TESTDATA = pathlib.Path(__file__).parents[2] / 'converter/import/testdata'
# What differs from run to run: times, and the folder of the trial.
TIMES = re.compile(r'\d+(\.\d+)? ms|"\w*(ms|seconds)": [\d.e-]+')


class Command:
    """A command line. `{folder}` in it is a folder of its own, `{out}` the file there that it writes."""

    def __init__(self, name, *words, out='out.safetensors', keeps=(), resumes=False, ends_early=False):
        self.name = name
        self.words = [str(word) for word in words]
        self.out = out
        self.writes = any('{out}' in word for word in self.words)
        self.keeps = keeps                              # what it may leave when it fails, as patterns
        self.ends_early = ends_early                    # SIGINT and SIGTERM end it with a picture of fewer steps
        self.resumes = resumes                          # the same command again must then give the same bytes

    def in_folder(self, folder):
        return [word.replace('{out}', str(folder / self.out)).replace('{folder}', str(folder)) for word in self.words]

    def result(self, folder, outcome):
        """What must be the same each time."""
        if self.writes:
            path = folder / self.out
            return path.read_bytes() if path.is_file() else None
        return TIMES.sub('', outcome.output.replace(str(folder), ''))


def write_records(path, count, factor):
    """CIFAR-10's format: a label and 3072 bytes each."""
    path.write_bytes(b''.join(bytes([i % 10]) + bytes(((i + 1) * factor + j * j // 7) % 256 for j in range(3072))
                              for i in range(count)))


def write_tensor(path, name, shape):
    count = 1
    for side in shape:
        count *= side
    head = json.dumps({name: {'dtype': 'F32', 'shape': shape, 'data_offsets': [0, 4 * count]}}).encode()
    values = struct.pack(f'<{count}f', *((i % 17 - 8) / 8 for i in range(count)))
    path.write_bytes(struct.pack('<Q', len(head)) + head + values)


def commands(torture):
    """Makes what they read in torture.folder."""
    models = torture.narrow_models()
    baseline, int8 = models / 'baseline.safetensors', models / 'int8.safetensors'
    weights = models.parent / 'weights.safetensors'
    inputs = torture.folder / 'inputs'
    photos = inputs / 'photos'
    photos.mkdir(parents=True)
    for i in range(5):
        (photos / f'{i}.ppm').write_bytes(served.pixels(40 + i, 36))
    picture, jpeg, other = photos / '0.ppm', inputs / 'flat.jpeg', inputs / 'other.ppm'
    jpeg.write_bytes(served.flat_jpeg(64, 48))
    other.write_bytes(served.pixels(40, 36)[:-900] + bytes(900))
    train, test, tensor = inputs / 'train.bin', inputs / 'test.bin', inputs / 'input.safetensors'
    write_records(train, 12, 31)
    write_records(test, 6, 37)
    write_tensor(tensor, 'input', [2, 3, 32, 32])
    packed = inputs / 'packed.safetensors'
    torture.run(['convert', baseline, '-o', packed, '--pack'])
    small = ('--size', '32', '--threads', '2')

    calibration = ('--calib', photos, '-n', '4', *small)
    return [
        Command('convert', 'convert', weights, '-o', '{out}'),
        Command('convert, packed', 'convert', baseline, '-o', '{out}', '--pack'),
        Command('convert, unpacked', 'convert', packed, '-o', '{out}'),
        Command('convert, zip', 'convert', TESTDATA / 'vgg19_zip.pth', '-o', '{out}'),
        Command('convert, legacy', 'convert', TESTDATA / 'legacy.pth', '-o', '{out}'),
        Command('convert, deflated', 'convert', TESTDATA / 'deflated.pth', '-o', '{out}'),
        Command('prune', 'prune', baseline, '-o', '{out}'),
        Command('prune, refit', 'prune', baseline, '-o', '{out}', *calibration),
        Command('prune, scan', 'prune', baseline, '--scan', '--csv', '{out}', *calibration, out='out.csv'),
        Command('quantize', 'quantize', baseline, '-o', '{out}', '--scope', 'dense'),
        Command('quantize, all layers', 'quantize', baseline, '-o', '{out}', '--scope', 'all', *calibration),
        Command('factorize', 'factorize', baseline, '-o', '{out}', '--rank', '4'),
        Command('export, PyTorch', 'export', baseline, '--torch', '{out}', out='out.pth'),
        Command('export, ONNX', 'export', int8, '--onnx', '{out}', out='out.onnx'),
        Command('finetune', 'finetune', baseline, '-o', '{out}', '--data', train, '--subset', '4', '--batch', '2',
                '--checkpoint-steps', '1', '--train', 'dense', '--resume', *small,
                keeps=('out.safetensors.checkpoint',), resumes=True),
        Command('pipeline', 'pipeline', weights, '--data', train, '--test', test, '-o', '{folder}/made', '--variants', 'int8',
                '-n', '4', '--min-time', '0.001', '--until', 'eval int8', *small, out='made/int8.safetensors', keeps=('made',),
                resumes=True),
        Command('classify', 'classify', '--model', baseline, picture, jpeg, '--json'),
        Command('classify, packed', 'classify', '--model', packed, picture, '--json'),
        Command('classify, INT8', 'classify', '--model', int8, picture, '--threads', '2'),
        Command('classify, oneDNN', 'classify', '--model', baseline, picture, '--conv', 'onednn', '--threads', '2'),
        Command('run', 'run', '--model', baseline, '--input', tensor, '--output', '{out}', '--outputs', 'relu1_1,fc7',
                *small),
        Command('features', 'features', '-m', baseline, photos, '--layers', 'relu5_4,fc7', '-o', '{out}', *small,
                keeps=('out.safetensors.partial',), resumes=True),
        Command('features, .npy', 'features', '-m', baseline, photos, '--layers', 'fc7', '-o', '{out}', *small,
                out='out.npy', keeps=('out.npy.partial', 'out.npy.json'), resumes=True),
        Command('eval', 'eval', '-m', baseline, '--data', test, '--json', *small),
        Command('compare', 'compare', '-m', baseline, picture, other, '--size', '32', '--heatmap', '{out}', out='out.png'),
        Command('stylize', 'stylize', '-m', baseline, picture, other, '-o', '{out}', '--long-side', '32',
                '--steps', '2', '--threads', '2', out='out.png', ends_early=True),
        Command('inspect', 'inspect', baseline, '--verify', '--plan', '--json'),
    ]
