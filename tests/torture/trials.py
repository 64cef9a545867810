"""What every part uses: rows of the table, the programs, narrow models, a random source."""

import collections
import concurrent.futures
import os
import pathlib
import random
import signal
import subprocess
import sys
import threading

import narrow_models

Counts = collections.namedtuple('Counts', 'full short')
MOST_FAILURES_SHOWN = 5
# A trial that takes longer hangs. Generous, because trials run side by side.
PATIENCE = 60


class Skipped(Exception):
    """A part cannot run here; says why."""


class Row:
    """One line of the table. Safe to use from several threads."""

    def __init__(self, name):
        self.name = name
        self.tried = 0
        self.survived = 0
        self.failures = []
        self.lock = threading.Lock()

    def record(self, survived, detail=''):
        """Counts a trial. `detail` says what happened, and how to repeat it; it is shown if it did not survive."""
        with self.lock:
            self.tried += 1
            self.survived += bool(survived)
            if survived:
                return
            self.failures.append(detail)
            if len(self.failures) <= MOST_FAILURES_SHOWN:
                print(f'{self.name}: {detail}', file=sys.stderr)

    def summary(self):
        return {'trial': self.name, 'tried': self.tried, 'survived': self.survived, 'failures': self.failures}


class Outcome:
    """What a program did."""

    def __init__(self, code, output, errors, hung):
        self.code = code                                # -N if signal N ended it
        self.output = output
        self.errors = errors
        self.hung = hung

    @property
    def ended_by_itself(self):
        return not self.hung and self.code >= 0

    def __str__(self):
        last = self.errors.strip().splitlines()[-1:] or ['no message']
        how = 'hung' if self.hung else signal.Signals(-self.code).name if self.code < 0 else f'exit code {self.code}'
        return f'{how}, {last[0][:300]}'


class Torture:
    """Given to a part's `run`."""

    def __init__(self, part, folder, options, counts):
        self.part = part
        self.folder = folder                            # empty, removed in the end
        self.programs = options.programs.resolve()      # build/release/bin
        self.tool = (options.tool or options.programs / 'vgg19').resolve()
        self.short = options.short
        self.jobs = max(1, options.jobs)
        self.random = random.Random(f'{part} {options.seed}')
        self.count = min(filter(None, (options.trials, counts.short if options.short else counts.full)))
        self.rows = []
        self.only = options.only

    def row(self, name):
        """A new row of the table."""
        row = Row(f'{self.part}: {name}')
        self.rows.append(row)
        return row

    def wants(self, name):
        """Whether --only asks for this row."""
        return self.only in name

    def narrow_models(self):
        """A folder with baseline, pruned, int8 and pruned-int8 of a narrow VGG-19; its parent has weights.safetensors."""
        models = self.folder / 'narrow' / 'models'
        if not models.exists():
            models.mkdir(parents=True)
            narrow_models.make(str(self.tool), models)
        return models

    def spread(self, most):
        """At most `count` whole numbers in 1...most: all, or evenly spread."""
        if most <= self.count:
            return list(range(1, most + 1))
        return sorted({1 + i * (most - 1) // max(1, self.count - 1) for i in range(self.count)})

    def each(self, function, items):
        """Calls function(item) for each, several at the same time. An exception in one ends the part."""
        with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
            for _ in pool.map(function, items):
                pass

    def run(self, words, environment=None, folder=None, patience=PATIENCE, program=None, stdin=subprocess.DEVNULL):
        """Runs `vgg19 WORDS...`, or another program, to its end."""
        command = [str(program or self.tool), *map(str, words)]
        with subprocess.Popen(command, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              cwd=folder or self.folder, env={**os.environ, **(environment or {})}) as process:
            # Twice, because all of this may have been suspended for longer than the first.
            hung = not _ends(process, patience) and not _ends(process, patience)
            if hung:
                process.kill()
            output, errors = process.communicate()
        return Outcome(process.returncode, output.decode(errors='replace'), errors.decode(errors='replace'), hung)


def _ends(process, seconds):
    """Whether the process ends by then; what it prints is kept."""
    try:
        process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def same_bytes(first, second):
    return pathlib.Path(first).read_bytes() == pathlib.Path(second).read_bytes()
