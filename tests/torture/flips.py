"""One bit of a model file is wrong: inspect --verify finds each, and opening alone finds those in the header."""

import itertools
import struct

from command_list import commands
from trials import Counts

# For each kind of model.
TRIALS = Counts(full=10_000, short=6)
BAD_INPUT = 5


def model_files(torture):
    """A model of each kind that can be made."""
    commands(torture)  # makes the pictures for calibration
    models = torture.narrow_models()
    baseline, pictures = models / 'baseline.safetensors', torture.folder / 'inputs' / 'photos'
    files = {name: models / f'{name}.safetensors' for name in ('baseline', 'pruned', 'int8', 'pruned-int8')}
    small = ('--size', '32', '--threads', '2')
    made = {
        'int8-full': ('quantize', baseline, '--scope', 'all', '--calib', pictures, '-n', '4', *small),
        'int4': ('quantize', baseline, '--scope', 'dense', '--dense', 'int4'),
        'factored': ('factorize', baseline, '--rank', '4'),
        'features': ('convert', baseline, '--features-only'),
        'class names': ('convert', models.parent / 'weights.safetensors', '--classes', class_names(torture)),
    }
    for name, words in made.items():
        files[name] = torture.folder / f'{name.replace(" ", "-")}.safetensors'
        outcome = torture.run([*words, '-o', files[name]])
        if outcome.code != 0:
            raise RuntimeError(f'{name}: {outcome}\n{outcome.errors}')
    return files


def class_names(torture):
    path = torture.folder / 'classes.txt'
    path.write_text(''.join(f'class {i}: Süße Früchte "{i}"\n' for i in range(1000)))
    return path


def flipped(data, bit):
    copy = bytearray(data)
    copy[bit // 8] ^= 1 << bit % 8
    return copy


def run(torture):
    numbers = itertools.count()
    files = model_files(torture)
    if torture.short:
        files = {name: files[name] for name in ('baseline', 'int8-full', 'class names')}
    for name, path in files.items():
        data = path.read_bytes()
        header_bytes = 8 + struct.unpack('<Q', data[:8])[0]
        for row_name, words, bits in (('in the header, opened', ['inspect'], 8 * header_bytes),
                                      ('anywhere, inspect --verify', ['inspect', '--verify'], 8 * len(data))):
            if not torture.wants(f'{name}: {row_name}'):
                continue
            row = torture.row(f'{name}: {row_name}')

            def attempt(bit, row=row, words=words, data=data):
                path = torture.folder / f'flip-{next(numbers)}.safetensors'
                path.write_bytes(flipped(data, bit))
                outcome = torture.run([*words, path])
                path.unlink()
                row.record(outcome.code == BAD_INPUT, f'bit {bit % 8} of byte {bit // 8}: {outcome}')

            chosen = range(bits) if bits <= torture.count else torture.random.sample(range(bits), torture.count)
            torture.each(attempt, chosen)
