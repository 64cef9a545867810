"""The n-th allocation of a decoder fails: the picture, or a shortage of memory, but never a bad picture."""

import errno
import itertools
import pathlib

from fault_library import EVERY, Faults
from trials import Counts, Skipped

TRIALS = Counts(full=100_000, short=15)
PICTURES = pathlib.Path(__file__).parents[2] / 'engine' / 'image' / 'testdata'
NAMES = ['rgb.jpg', 'progressive.jpg', 'arithmetic_progressive.jpg', 'cmyk.jpg', 'orientation6.jpg', 'rgb16.png',
         'palette_transparent.png', 'turned.png', 'lossy.webp', 'lossy_alpha.webp', 'lossless_alpha.webp', 'animated.webp',
         'turned.webp', 'animated.gif', 'runs8.bmp', 'alpha_v5.bmp', 'rgb.ppm']
SHORT_OF_MEMORY = 4


def run(torture):
    library = torture.programs / 'vgg19-torture-faults.so'
    program = torture.programs / 'vgg19-torture-decode'
    if not library.exists() or not program.exists():
        raise Skipped(f'expected {library} and {program}')
    numbers = itertools.count()
    for name in filter(torture.wants, NAMES):

        def decode(first, count, name=name):
            number = next(numbers)
            faults, out = Faults(library, torture.folder / f'faults-{number}'), torture.folder / f'{number}.ppm'
            if first:
                faults.fail('allocation', first, count, errno.ENOMEM)
            outcome = torture.run([PICTURES / name, out], environment=faults.environment, program=program)
            pixels = out.read_bytes() if out.exists() else None
            calls = faults.calls('allocation')
            faults.close()
            out.unlink(missing_ok=True)
            return outcome, pixels, calls

        outcome, right, calls = decode(0, 0)
        if outcome.code != 0:
            raise RuntimeError(f'{name} fails without faults: {outcome}')
        row = torture.row(f'allocations for {name}')

        def attempt(first, row=row, decode=decode, right=right):
            for count in (1, EVERY):
                outcome, pixels, _ = decode(first, count)
                row.record((outcome.code == 0 and pixels == right) or outcome.code == SHORT_OF_MEMORY,
                           f'allocation {first} and {count - 1} more: {outcome}')

        torture.each(attempt, torture.spread(calls))
