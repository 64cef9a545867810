"""The n-th allocation or system call of a command fails: it succeeds, or says why not and leaves files whole."""

import collections
import errno
import itertools
import re
import shutil

from command_list import commands
from fault_library import EVERY, KINDS, SHORT, Faults
from trials import Counts, Skipped

TRIALS = Counts(full=400, short=2)

# What fails: `count` calls from the n-th one on. After a harmless fault, the command must succeed.
Fault = collections.namedtuple('Fault', 'name kind count error harmless', defaults=[False])
FAULTS = [
    Fault('one allocation', 'allocation', 1, errno.ENOMEM),
    Fault('all further allocations', 'allocation', EVERY, errno.ENOMEM),
    Fault('less address space', 'space', EVERY, errno.ENOMEM),
    Fault('open', 'open', 1, errno.EMFILE),
    Fault('open, all further', 'open', EVERY, errno.EMFILE),
    Fault('open, interrupted', 'open', 1, errno.EINTR),
    Fault('read', 'read', 1, errno.EIO),
    Fault('read, fewer bytes', 'read', EVERY, SHORT, True),
    Fault('read, interrupted', 'read', 1, errno.EINTR, True),
    Fault('write', 'write', 1, errno.ENOSPC),
    Fault('write, all further', 'write', EVERY, errno.ENOSPC),
    Fault('write, fewer bytes', 'write', EVERY, SHORT, True),
    Fault('write, interrupted', 'write', 1, errno.EINTR, True),
    Fault('fsync', 'sync', 1, errno.EIO),
    Fault('rename, link', 'rename', 1, errno.EACCES),
    Fault('mmap', 'map', 1, errno.ENOMEM),
    Fault('stat', 'status', 1, errno.EIO),
    Fault('unlink', 'remove', 1, errno.EACCES),
    Fault('close', 'close', 1, errno.EIO),
    Fault('ftruncate', 'resize', 1, errno.EFBIG),
    Fault('opendir, readdir, mkdir', 'list', 1, errno.EIO),
    Fault('one pthread_create', 'thread', 1, errno.EAGAIN),
    Fault('all further pthread_create', 'thread', EVERY, errno.EAGAIN),
    Fault('fork', 'process', 1, errno.EAGAIN),
]
EXIT_CODES = {0, 1, 2, 3, 5}
SHORT_COMMANDS = {'convert, zip', 'quantize, all layers', 'classify', 'features', 'compare'}
LEFT_OUT = re.compile(r'pictures? cannot be read: .*/photos/|pictures left out')


class Trial:
    """A command in a folder of its own, with faults."""

    def __init__(self, torture, command, library, number):
        self.torture = torture
        self.command = command
        self.folder = torture.folder / f'trial-{number}'
        self.folder.mkdir()
        self.out = self.folder / command.out
        self.faults = Faults(library, torture.folder / f'faults-{number}')

    def run(self, faulty=True):
        environment = self.faults.environment if faulty else None
        return self.torture.run(self.command.in_folder(self.folder), environment, self.folder)

    def run_within(self, kilobytes):
        """With less address space."""
        words = ['-c', f'ulimit -v {kilobytes}; exec "$0" "$@"', self.torture.tool, *self.command.in_folder(self.folder)]
        return self.torture.run(words, folder=self.folder, program='/bin/sh')

    def result(self, outcome):
        return self.command.result(self.folder, outcome)

    def left(self):
        """Files that should not be there."""
        allowed = {self.out.name, *self.command.keeps}
        return [path.name for path in self.folder.iterdir() if path.name not in allowed]

    def end(self):
        self.faults.close()
        shutil.rmtree(self.folder)


def problem(trial, outcome, old, right, must_succeed):
    """What is wrong with how the command ended; empty if nothing is."""
    if not outcome.ended_by_itself:
        return str(outcome)
    if outcome.code not in EXIT_CODES:
        return f'an exit code that is not documented: {outcome}'
    if outcome.code != 0 and must_succeed:
        return f'failed, although the call can be repeated: {outcome}'
    if outcome.code != 0 and not outcome.errors.strip():
        return f'exit code {outcome.code} without a message'
    if trial.left():
        return f'left {trial.left()}: {outcome}'
    result = trial.result(outcome)
    # A picture that cannot be read is left out, and named.
    if outcome.code in (0, 5) and LEFT_OUT.search(outcome.errors):
        return ''
    if outcome.code == 0:
        if result == right:
            return ''
        return f'reported success, but the result is not what it should be: {outcome}'
    if trial.command.writes and result not in (old, right):
        return f'the destination is neither old nor new: {outcome}'
    if trial.command.resumes:
        again = trial.run(faulty=False)
        if again.code != 0 or trial.result(again) != right:
            return f'{outcome}; the same command again: {again}'
    return ''


def run(torture):
    library = torture.programs / 'vgg19-torture-faults.so'
    if not library.exists():
        raise Skipped(f'no {library}')
    numbers = itertools.count()
    for command in commands(torture):
        wanted = [fault for fault in FAULTS if torture.wants(f'{command.name}: {fault.name}')]
        if not wanted or (torture.short and command.name not in SHORT_COMMANDS):
            continue
        first = Trial(torture, command, library, next(numbers))
        outcome = first.run()
        if outcome.code != 0:
            raise RuntimeError(f'{command.name} fails without faults: {outcome}\n{outcome.errors}')
        right = first.result(outcome)
        calls = {kind: first.faults.calls(kind) for kind in KINDS}
        first.end()
        for fault in wanted:
            if fault.kind == 'space' and torture.short:
                continue
            if fault.kind == 'space':
                try_less_space(torture, library, command, right, numbers)
            else:
                try_fault(torture, library, command, fault, right, calls[fault.kind], numbers)


def try_less_space(torture, library, command, right, numbers):
    """From what the program needs to begin, to what the command needs."""
    row = torture.row(f'{command.name}: less address space')

    def attempt(kilobytes):
        trial = Trial(torture, command, library, next(numbers))
        outcome = trial.run_within(kilobytes)
        wrong = problem(trial, outcome, None, right, False)
        trial.end()
        return outcome, wrong

    def least(works, most):
        little = 0
        while most - little > 1000:
            middle = (little + most) // 2
            little, most = (little, middle) if works(middle) else (middle, most)
        return most

    version = ['-c', 'ulimit -v "$1"; exec "$0" --version', torture.tool]
    begins = least(lambda kilobytes: torture.run([*version, kilobytes], program='/bin/sh').code == 0, 2_000_000)
    ends = least(lambda kilobytes: attempt(kilobytes)[0].code == 0, 4_000_000)
    for step in torture.spread(max(1, ends - begins)):
        outcome, wrong = attempt(begins + step)
        row.record(not wrong, f'{begins + step} kB: {wrong}')


def try_fault(torture, library, command, fault, right, calls, numbers):
    row = torture.row(f'{command.name}: {fault.name}')

    def attempt(n):
        trial = Trial(torture, command, library, next(numbers))
        # Every other destination is there before.
        old = b'old' if n % 2 == 0 and not command.resumes else None
        if command.writes and old:
            trial.out.write_bytes(old)
        trial.faults.fail(fault.kind, n, fault.count, fault.error)
        wrong = problem(trial, trial.run(), old, right, fault.harmless)
        row.record(not wrong, f'call {n} of {calls}: {wrong}')
        trial.end()

    torture.each(attempt, torture.spread(calls))
