"""One bit of a model file is wrong: inspect --verify finds each, and opening alone finds those in the header."""

import itertools

from command_list import commands
from trials import Counts

# For each kind of model; in the header each bit. By the command itself fewer, since it starts for each.
TRIALS = Counts(full=10_000, short=200)
BY_COMMAND = 100
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
        'packed': ('convert', baseline, '--pack'),
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


def by_command(torture, row, data, numbers):
    """Some of the bits, with `vgg19 inspect --verify`."""

    def attempt(bit):
        path = torture.folder / f'flip-{next(numbers)}.safetensors'
        path.write_bytes(flipped(data, bit))
        outcome = torture.run(['inspect', '--verify', path])
        path.unlink()
        row.record(outcome.code == BAD_INPUT, f'bit {bit % 8} of byte {bit // 8}: {outcome}')

    torture.each(attempt, torture.random.sample(range(8 * len(data)), max(2, torture.count // BY_COMMAND)))


def in_memory(torture, row, program, path, part, count):
    """The same functions without the command around them; older commands have no such program."""
    outcome = torture.run([path, part, count, torture.random.randrange(1 << 30)], program=program, patience=3600)
    *unnoticed, tried = outcome.output.splitlines()
    if outcome.code != 0:
        raise RuntimeError(f'{program}: {outcome}')
    for line in unnoticed:
        row.record(False, line)
    for _ in range(int(tried.split()[1]) - len(unnoticed)):
        row.record(True)


def run(torture):
    numbers = itertools.count()
    files = model_files(torture)
    if torture.short:
        files = {name: files[name] for name in ('baseline', 'int8-full', 'class names', 'packed')}
    program = torture.programs / 'vgg19-torture-flips'
    every = 10**9
    for name, path in files.items():
        if name == 'packed':  # some bits of a frame mean nothing
            if torture.wants('packed: anywhere'):
                in_memory(torture, torture.row('packed: anywhere'), program, path, 'packed', torture.count)
            continue
        if torture.wants(f'{name}: inspect --verify'):
            by_command(torture, torture.row(f'{name}: inspect --verify'), path.read_bytes(), numbers)
        for row_name, part, count in (('anywhere', 'anywhere', torture.count),
                                      ('each bit of the header, opened', 'header', torture.count if torture.short else every)):
            if torture.wants(f'{name}: {row_name}'):
                in_memory(torture, torture.row(f'{name}: {row_name}'), program, path, part, count)
