"""Tries to bring the programs down; script/torture builds them and starts this.

A part is a file in this folder with a line of documentation and two things more:

    TRIALS = Counts(full=1000, short=20)   # of each of its rows; short is for ctest
    def run(torture): ...                  # makes rows (torture.row) and records each trial in one

It ends with 0 if everything survived, 1 if not, 77 if every part was skipped because something is missing here.
"""

import argparse
import ast
import importlib
import json
import os
import pathlib
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / 'serve')]

from trials import Skipped, Torture  # noqa: E402

NO_PARTS = {'torture', 'trials'}
SKIPPED = 77


def part_names():
    """Every file that has `run`."""
    return sorted(path.stem for path in HERE.glob('*.py')
                  if path.stem not in NO_PARTS and '\ndef run(torture)' in path.read_text())


def summary(name):
    """The first line of a part's documentation."""
    return ast.get_docstring(ast.parse((HERE / f'{name}.py').read_text())).splitlines()[0]


def parse(words):
    names = part_names()
    listed = '\n'.join(f'  {name:12}{summary(name)}' for name in names)
    parser = argparse.ArgumentParser(prog='script/torture', formatter_class=argparse.RawDescriptionHelpFormatter,
                                     description='Tries to bring the programs down.', epilog=f'parts:\n{listed}')
    parser.add_argument('parts', nargs='*', metavar='PART', help='only these parts')
    parser.add_argument('--trials', type=int, metavar='N', help='at most N trials a row (what the part says)')
    parser.add_argument('--short', action='store_true', help='a few trials, for ctest')
    parser.add_argument('--seed', type=int, help='replays the trials of a run that printed this seed')
    parser.add_argument('--jobs', type=int, default=os.cpu_count(), metavar='N',
                        help='trials at the same time, where a part can (%(default)s)')
    parser.add_argument('--only', default='', metavar='TEXT', help='only rows that contain TEXT')
    parser.add_argument('--programs', type=pathlib.Path, required=True, metavar='FOLDER', help='where the programs are')
    parser.add_argument('--tool', type=pathlib.Path, metavar='FILE', help='another vgg19, such as an older one')
    parser.add_argument('--json', type=pathlib.Path, metavar='FILE', help='also writes the table as JSON')
    options = parser.parse_args(words)
    for name in options.parts:
        if name not in names:
            parser.error(f'no part {name}; there are {", ".join(names)}')
    options.parts = options.parts or names
    if options.seed is None:
        options.seed = 1 if options.short else int(time.time())
    return options


def table(rows):
    """Rows as text."""
    lines = [('trial', 'tried', 'survived')] + [(row.name, str(row.tried), str(row.survived)) for row in rows]
    widths = [max(len(line[column]) for line in lines) for column in range(3)]
    return '\n'.join(f'{name:{widths[0]}}  {tried:>{widths[1]}}  {survived:>{widths[2]}}' for name, tried, survived in lines)


def main(words):
    options = parse(words)
    print(f'seed {options.seed}', file=sys.stderr)
    rows, complete = [], True
    with tempfile.TemporaryDirectory(prefix='vgg19-torture-') as folder:
        os.environ['VGG19_TOOL'] = str((options.tool or options.programs / 'vgg19').resolve())  # for served.py
        for name in options.parts:
            part = importlib.import_module(name)
            part_folder = pathlib.Path(folder) / name
            part_folder.mkdir()
            torture = Torture(name, part_folder, options, part.TRIALS)
            try:
                part.run(torture)
            except Skipped as reason:
                print(f'{name}: skipped, {reason}', file=sys.stderr)
            except KeyboardInterrupt:
                print(f'{name}: interrupted; this is what there is', file=sys.stderr)
                complete = False
            rows += [row for row in torture.rows if row.tried]
            if not complete:
                break
    print(table(rows))
    if options.json:
        options.json.write_text(json.dumps([row.summary() for row in rows], indent=1) + '\n')
    if not rows:
        return SKIPPED
    return 0 if complete and all(row.survived == row.tried for row in rows) else 1


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
