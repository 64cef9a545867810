"""Hostile files: each is refused, or read, in time, in little memory, with a short message that is only text."""

import json
import shutil
import subprocess
import sys

from hostile_files import files
from trials import PATIENCE, Counts

TRIALS = Counts(full=1000, short=1000)

EXIT_CODES = {0, 2, 5}
LONGEST_MESSAGE = 50_000
FIXED_MEMORY = 160 << 20
MOST_SECONDS = 20  # of the processors: how long that takes depends on what else runs
# Large enough for what grows to show, small enough for a test.
SIZES = {'short': [100_000], 'full': [100_000, 1_000_000, 8_000_000, 90_000_000]}

# Runs a command and tells its peak memory in bytes.
MEASURE = '''
import json, resource, subprocess, sys
done = subprocess.run(sys.argv[1:], capture_output=True, stdin=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps({'code': done.returncode, 'seconds': used.ru_utime + used.ru_stime, 'memory': used.ru_maxrss * 1024,
                  'length': len(done.stdout + done.stderr), 'text': (done.stdout + done.stderr)[:2000].decode('latin1'),
                  'controls': sum(byte < 32 and byte not in b'\\t\\n' or byte == 127 for byte in done.stdout + done.stderr)}))
'''


def problem(found, most_memory):
    """What is wrong with how a command ended; empty if nothing is."""
    said = found['text'].strip()[:200]
    if found['code'] not in EXIT_CODES:
        return f'exit code {found["code"]}: {said}'
    if found['length'] > LONGEST_MESSAGE:
        return f'a message of {found["length"]} bytes'
    if found['controls']:
        return f'{found["controls"]} control characters in its message'
    if found['seconds'] > MOST_SECONDS:
        return f'{found["seconds"]:.1f} s'
    if found['memory'] > most_memory:
        return f'{found["memory"] / 1e6:.0f} MB of memory, at most {most_memory / 1e6:.0f} expected'
    return ''


def measured(command):
    try:
        done = subprocess.run([sys.executable, '-c', MEASURE, *map(str, command)], capture_output=True, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        return {'code': 'none, it hangs', 'text': ''}
    return json.loads(done.stdout)


def run(torture):
    models = torture.narrow_models()
    shutil.copy(models / 'baseline.safetensors', torture.folder / 'model.safetensors')
    shutil.copy(models.parent / 'weights.safetensors', torture.folder / 'weights.safetensors')
    for size in SIZES['short' if torture.short else 'full']:
        row = torture.row(f'hostile files of about {size / 1e6:g} MB')
        for file in list(files(torture.folder))[:torture.count]:
            if not torture.wants(file.name) or (size > 8_000_000 and 'safetensors' not in file.name):
                continue
            path = torture.folder / 'hostile'
            path.write_bytes(file.make(size))
            most = FIXED_MEMORY + file.factor * path.stat().st_size
            wrong = problem(measured([torture.tool, *file.command(path)]), most)
            row.record(not wrong, f'{file.name}: {wrong}')
            path.unlink()
