"""A model file changes in place while programs use it: an error, or the right answer, and servers go on."""

import array
import http.client
import itertools
import json
import pathlib
import shutil
import struct
import subprocess
import time

import narrow_models
import served
from trials import Counts

TRIALS = Counts(full=60, short=2)
MAPPED_BYTES = 16 << 20  # programs map files larger than 16 MiB


def wide_weights(path, value=None):
    """Weights of a narrow VGG-19 with wide dense layers, so that programs map the file; or all of them `value`."""
    shapes = dict(narrow_models.shapes())
    shapes.update({'classifier.0.weight': [5000, 784], 'classifier.0.bias': [5000], 'classifier.3.weight': [512, 5000],
                   'classifier.3.bias': [512], 'classifier.6.weight': [1000, 512]})
    header, size = {}, 0
    for name, shape in shapes.items():
        count = 1
        for side in shape:
            count *= side
        header[name] = {'dtype': 'F32', 'shape': shape, 'data_offsets': [size, size + 4 * count]}
        size += 4 * count
    count = size // 4
    period = array.array('f', ((i * 37 % 101 - 50) / 700 for i in range(10_007)) if value is None else [value] * 10_007)
    values = (period * (count // len(period) + 1))[:count]
    text = json.dumps(header).encode()
    text += b' ' * (-len(text) % 8)
    path.write_bytes(struct.pack('<Q', len(text)) + text + values.tobytes())


def overwrite(path, data):
    with open(path, 'r+b') as file:
        file.write(data)


def changes(other):
    """What may happen to a file; `other` has the same length."""
    data = other.read_bytes()
    return {
        'cut to nothing': lambda path: open(path, 'wb').close(),
        'cut to half': lambda path: open(path, 'r+b').truncate(len(data) // 2),
        'overwritten': lambda path: overwrite(path, data),
        'overwritten with NaN': lambda path: overwrite(path, data[:65536] + b'\xff\xff\xff\x7f' * (len(data) // 4 - 16384)),
        'replaced by cp': lambda path: shutil.copyfile(other, path),
    }


def wait_until_opened(process, path):
    """Or until it has ended. What happens to a file before a program opens it is not its concern."""
    while process.poll() is None:
        try:
            maps = pathlib.Path(f'/proc/{process.pid}/maps').read_text()
            if str(path) in maps:
                return
        except OSError:
            pass
        time.sleep(0.001)


def try_command(torture, row, words, path, change, moment, right, result):
    """`words` read `path`, which changes after `moment` seconds."""
    command = [str(torture.tool), *map(str, words)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        wait_until_opened(process, path)
        time.sleep(moment)
        change(path)
        output, errors = process.communicate(timeout=60)
    if process.returncode == 0:
        found = result(output)
        row.record(found == right, f'after {moment:.4f} s: success, but another result')
    else:
        row.record(process.returncode == 5 and errors.strip(), f'after {moment:.4f} s: exit code {process.returncode}, {errors[-300:]!r}')


def top_of(answer):
    """What was recognised, without times."""
    return {variant: result.get('top') for variant, result in answer.json.items() if isinstance(result, dict)}


def try_server(torture, row, folder, path, change, picture):
    """The file changes while the server has it; answers stay as they were or are errors, and it lives."""
    server = served.Server(folder)
    try:
        before = server.post('/v1/classify', picture, 'image/x-portable-pixmap')
        change(path)
        answers = [server.post('/v1/classify', picture, 'image/x-portable-pixmap') for _ in range(5)]
        good = all(answer.status >= 400 or top_of(answer) == top_of(before) for answer in answers)
        alive = server.get('/healthz').status == 200 and server.process.poll() is None
        row.record(before.status == 200 and good and alive, f'alive {alive}, {[answer.text[:200] for answer in answers]}')
    except (OSError, http.client.HTTPException) as error:
        row.record(False, f'no answer: {error!r}')
    finally:
        server.process.kill()
        server.process.communicate()


def run(torture):
    numbers = itertools.count()
    inputs = torture.folder / 'inputs'
    inputs.mkdir()
    weights, other_weights, model, other = (inputs / f'{name}.safetensors' for name in ('weights', 'other-weights', 'model', 'other'))
    wide_weights(weights)
    wide_weights(other_weights, 0.01)
    for source, made in ((weights, model), (other_weights, other)):
        outcome = torture.run(['convert', source, '-o', made])
        if outcome.code != 0:
            raise RuntimeError(f'{outcome}\n{outcome.errors}')
    assert model.stat().st_size > MAPPED_BYTES
    picture = served.pixels()
    (inputs / 'picture.ppm').write_bytes(picture)
    pictures = [inputs / 'picture.ppm'] * 40
    right_model = model.read_bytes()

    def classified(output):
        return [image['top'] for image in json.loads(output)]

    def attempt_classify(name, change, row, index):
        path = torture.folder / f'model-{next(numbers)}.safetensors'
        shutil.copyfile(model, path)
        try_command(torture, row, ['classify', '--model', path, *pictures, '--json'], path, change, moments[index],
                    right_answer, classified)
        path.unlink()

    def attempt_convert(name, change, row, index):
        folder = torture.folder / f'convert-{next(numbers)}'
        folder.mkdir()
        path, made = folder / weights.name, folder / 'made.safetensors'  # the source's name stands in the lineage
        shutil.copyfile(weights, path)
        try_command(torture, row, ['convert', path, '-o', made], path, change, moments[index], right_model,
                    lambda output: made.read_bytes())
        shutil.rmtree(folder)

    def attempt_serve(name, change, row, index):
        folder = torture.folder / f'models-{next(numbers)}'
        folder.mkdir()
        shutil.copyfile(model, folder / 'baseline.safetensors')
        try_server(torture, row, folder, folder / 'baseline.safetensors', change, picture)
        shutil.rmtree(folder)

    right_answer = classified(torture.run(['classify', '--model', model, *pictures, '--json']).output)
    for command, attempt, sources in (('classify', attempt_classify, other), ('convert', attempt_convert, other_weights),
                                      ('serve', attempt_serve, other)):
        for name, change in changes(sources).items():
            if not torture.wants(f'{command}: {name}'):
                continue
            row = torture.row(f'{command}: {name}')
            moments = [torture.random.uniform(0, 0.2) for _ in range(torture.count)]
            torture.each(lambda index: attempt(name, change, row, index), range(torture.count))
