"""Writing commands are killed at random moments: old or new file whole, nothing left, and the same command goes on."""

import fnmatch
import itertools
import os
import shutil
import signal
import subprocess
import time

from command_list import commands
from trials import Counts, Skipped

# For each of the writing commands: with the 14 of them over a thousand SIGKILLs.
TRIALS = Counts(full=80, short=2)
SHORT_COMMANDS = {'convert', 'finetune', 'features'}


class Trial:
    """A command in a folder of its own."""

    def __init__(self, torture, command, number):
        self.torture = torture
        self.command = command
        self.folder = torture.folder / f'trial-{number}'
        self.folder.mkdir()
        self.out = self.folder / command.out

    def run(self):
        """To its end. Returns the outcome, and how long it took."""
        start = time.monotonic()
        outcome = self.torture.run(self.command.in_folder(self.folder), folder=self.folder)
        return outcome, time.monotonic() - start

    def run_until(self, seconds, sent):
        """Sends a signal at a moment, if it has not ended before; its exit code."""
        command = [str(self.torture.tool), *self.command.in_folder(self.folder)]
        with open(self.folder.with_suffix('.stderr'), 'wb') as errors, subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors, cwd=self.folder) as process:
            try:
                return process.wait(seconds)
            except subprocess.TimeoutExpired:
                os.kill(process.pid, sent)
                return process.wait(self.torture.patience)

    def content(self):
        return self.out.read_bytes() if self.out.is_file() else None

    def left(self, sent):
        """Files that should not be there. Who is killed just before renaming leaves a name that a later writer deletes."""
        allowed = [self.command.out, *self.command.keeps, *(['.vgg19-*.tmp'] if sent == signal.SIGKILL else [])]
        return [path.name for path in self.folder.iterdir()
                if not any(fnmatch.fnmatch(path.name, pattern) for pattern in allowed)]

    def end(self):
        self.folder.with_suffix('.stderr').unlink(missing_ok=True)
        shutil.rmtree(self.folder)


def is_png(content):
    return content is not None and content.startswith(b'\x89PNG') and content.endswith(b'IEND\xaeB`\x82')


def problem(trial, old, right, seconds, sent):
    """What is wrong after the signal; empty if nothing is."""
    whole = right
    try:
        code = trial.run_until(seconds, sent)
    except subprocess.TimeoutExpired:
        return f'hangs after {signal.Signals(sent).name}'
    if code not in (0, 1, -sent):
        return f'ended with {code}'
    if sent != signal.SIGKILL and trial.command.ends_early and is_png(trial.content()):
        right = trial.content() if code == 0 else right  # what there was after fewer steps
    if trial.content() not in (old, right):
        return 'the destination is neither old nor new'
    if code == 0 and trial.content() != right:
        return 'reported success, but the file is not what it should be'
    if trial.left(sent):
        return f'left {trial.left(sent)}'
    outcome, _ = trial.run()
    if outcome.code != 0:
        return f'the same command again: {outcome}'
    if trial.content() != whole:
        return 'the same command again gave another file'
    return f'the same command again left {trial.left(sent)}' if trial.left(sent) else ''


def try_signals(torture, command, numbers):
    first = Trial(torture, command, next(numbers))
    outcome, seconds = first.run()
    right = first.content()
    first.end()
    if outcome.code != 0:
        raise RuntimeError(f'{command.name} fails without a signal: {outcome}\n{outcome.errors}')
    for name, sent, count in (('SIGKILL', [signal.SIGKILL], torture.count),
                              ('SIGINT, SIGTERM', [signal.SIGINT, signal.SIGTERM], max(2, torture.count // 4))):
        if not torture.wants(f'{command.name}: {name}'):
            continue
        row = torture.row(f'{command.name}: {name}')
        moments = [torture.random.uniform(0, 1.1 * seconds) for _ in range(count)]

        def attempt(index, row=row, sent=sent, moments=moments):
            trial = Trial(torture, command, next(numbers))
            old = None
            if index % 2 == 0 and not command.resumes:  # every other destination is there before
                trial.out.write_bytes(b'old')
                old = b'old'
            wrong = problem(trial, old, right, moments[index], sent[index % len(sent)])
            row.record(not wrong, f'after {moments[index]:.4f} s: {wrong}')
            trial.end()

        torture.each(attempt, range(count))


def run(torture):
    torture.patience = 60
    numbers = itertools.count()
    chosen = [command for command in commands(torture) if command.writes]
    if torture.short:
        chosen = [command for command in chosen if command.name in SHORT_COMMANDS]
    if not chosen:
        raise Skipped('no command writes')
    for command in chosen:
        try_signals(torture, command, numbers)
