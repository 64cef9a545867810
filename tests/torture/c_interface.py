"""Every argument of every function of the C interface is null, short or wrong: an error, and nothing else changes."""

import re
import subprocess

from trials import PATIENCE, Counts, Skipped

TRIALS = Counts(full=1000, short=1000)
BEGIN = re.compile(r'try (\d+) (\w[\w ]*), ')


def run(torture):
    program = torture.programs / 'vgg19-torture-c'
    if not program.exists():
        raise Skipped(f'no {program}')
    model = torture.narrow_models() / 'baseline.safetensors'
    rows = {}
    next_trial = 0
    while next_trial is not None:
        next_trial = run_from(torture, [program, model, str(next_trial)], rows)


def run_from(torture, command, rows):
    """Records trials from that number on. The number of the next one if the program was ended, else None."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            output, errors = process.communicate(timeout=10 * PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            output, errors = process.communicate()
    trial, text = None, ''
    for line in output.splitlines():
        begin = BEGIN.match(line)
        if begin:
            trial, text = int(begin[1]), line
        elif trial is not None and line != 'end':
            row_of(torture, rows, text).record(line == 'ok', f'{text}: {line}')
    if output.endswith('end\n'):
        return None
    if trial is None:
        raise RuntimeError(f'{command}: {process.returncode}, {errors}')
    row_of(torture, rows, text).record(False, f'{text}: ended with {process.returncode}, {errors.strip()[-300:]}')
    return trial + 1


def row_of(torture, rows, text):
    name = BEGIN.match(text)[2]
    if name not in rows:
        rows[name] = torture.row(name)
    return rows[name]
