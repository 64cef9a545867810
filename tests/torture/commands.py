"""The n-th allocation or system call of a command fails: it succeeds, or says why not and leaves files whole."""

import errno
import itertools
import shutil

import fault_library
import served
from fault_library import EVERY, SHORT, Faults
from trials import Counts, Skipped

TRIALS = Counts(full=400, short=4)

# What fails: a name for the row, the kind of call, how many calls from the n-th one on, and the error.
FAULTS = [
    ('one allocation', 'allocation', 1, errno.ENOMEM),
    ('all further allocations', 'allocation', EVERY, errno.ENOMEM),
    ('open', 'open', 1, errno.EMFILE),
    ('read', 'read', 1, errno.EIO),
    ('read, fewer bytes', 'read', EVERY, SHORT),
    ('read, interrupted', 'read', 1, errno.EINTR),
    ('write', 'write', 1, errno.ENOSPC),
    ('write, fewer bytes', 'write', EVERY, SHORT),
    ('write, interrupted', 'write', 1, errno.EINTR),
    ('fsync', 'sync', 1, errno.EIO),
    ('rename', 'rename', 1, errno.EACCES),
    ('mmap', 'map', 1, errno.ENOMEM),
    ('stat', 'status', 1, errno.EIO),
    ('close', 'close', 1, errno.EIO),
    ('ftruncate', 'resize', 1, errno.EFBIG),
    ('opendir, readdir, mkdir', 'list', 1, errno.EIO),
    ('one pthread_create', 'thread', 1, errno.EAGAIN),
    ('all further pthread_create', 'thread', EVERY, errno.EAGAIN),
    ('fork', 'process', 1, errno.EAGAIN),
]
MUST_SUCCEED = {'read, fewer bytes', 'read, interrupted', 'write, fewer bytes', 'write, interrupted'}
EXIT_CODES = {0, 1, 2, 3, 5}


class Command:
    """A command line; `{out}` in it is where it writes."""

    def __init__(self, name, *words):
        self.name = name
        self.words = words
        self.writes = any('{out}' in str(word) for word in words)

    def with_output(self, path):
        return [str(word).replace('{out}', str(path)) for word in self.words]


def commands(torture):
    models = torture.narrow_models()
    picture = torture.folder / 'picture.ppm'
    picture.write_bytes(served.pixels())
    return [
        Command('convert', 'convert', models.parent / 'weights.safetensors', '-o', '{out}'),
        Command('prune', 'prune', models / 'baseline.safetensors', '-o', '{out}'),
        Command('quantize', 'quantize', models / 'baseline.safetensors', '-o', '{out}', '--scope', 'dense'),
        Command('classify', 'classify', '--model', models / 'baseline.safetensors', picture),
    ]


class Trial:
    """Runs a command once in a folder of its own."""

    def __init__(self, torture, command, library, number):
        self.torture = torture
        self.command = command
        self.folder = torture.folder / f'trial-{number}'
        self.folder.mkdir()
        self.out = self.folder / 'out.safetensors'
        self.faults = Faults(library, torture.folder / f'faults-{number}')

    def run(self):
        return self.torture.run(self.command.with_output(self.out), self.faults.environment, self.folder)

    def end(self):
        self.faults.close()
        shutil.rmtree(self.folder)


def problem(outcome, trial, old, right, must_succeed):
    """What is wrong with how the command ended; empty if nothing is."""
    if not outcome.ended_by_itself:
        return str(outcome)
    if outcome.code not in EXIT_CODES:
        return f'an exit code that is not documented: {outcome}'
    if outcome.code != 0 and must_succeed:
        return f'failed, although the call can be repeated: {outcome}'
    if outcome.code != 0 and not outcome.errors.strip():
        return f'exit code {outcome.code} without a message'
    if trial.command.writes:
        now = trial.out.read_bytes() if trial.out.exists() else None
        if outcome.code == 0 and now != right:
            return 'reported success, but the file is not what it should be'
        if outcome.code != 0 and now not in (old, right):
            return f'the destination is neither old nor new: {outcome}'
        left = [path.name for path in trial.folder.iterdir() if path != trial.out]
        if left:
            return f'left {left}: {outcome}'
    elif outcome.code == 0 and outcome.output != right:
        return f'reported success, but printed {outcome.output!r}'
    return ''


def run(torture):
    library = torture.programs / 'vgg19-torture-faults.so'
    if not library.exists():
        raise Skipped(f'no {library}')
    numbers = itertools.count()
    for command in commands(torture):
        first = Trial(torture, command, library, next(numbers))
        outcome = first.run()
        if outcome.code != 0:
            raise RuntimeError(f'{command.name} fails without faults: {outcome}\n{outcome.errors}')
        right = first.out.read_bytes() if command.writes else outcome.output
        calls = {kind: first.faults.calls(kind) for kind in fault_library.KINDS}
        first.end()
        for name, kind, count, error in FAULTS:
            if calls[kind] == 0 or not torture.wants(f'{command.name}, {name}'):
                continue
            row = torture.row(f'{command.name}, {name}')

            def attempt(n, row=row, name=name, kind=kind, count=count, error=error):
                # Every other destination is there before.
                trial = Trial(torture, command, library, next(numbers))
                old = b'old' if n % 2 == 0 else None
                if command.writes and old:
                    trial.out.write_bytes(old)
                trial.faults.fail(kind, n, count, error)
                wrong = problem(trial.run(), trial, old, right, name in MUST_SUCCEED)
                row.record(not wrong, f'call {n}: {wrong}')
                trial.end()

            torture.each(attempt, torture.spread(calls[kind]))
