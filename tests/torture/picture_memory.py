"""The n-th allocation of a decoder fails: the picture, or a shortage of memory, but never a bad picture."""

import errno
import itertools
import pathlib
import shutil

from fault_library import EVERY, Faults
from trials import Counts, Skipped

TRIALS = Counts(full=100_000, short=15)
PICTURES = pathlib.Path(__file__).parents[2] / 'engine' / 'image' / 'testdata'
# No lossless WebP: libwebp up to 1.3.2 crashes where the allocation of Huffman tables fails. Before it is called, its
# memory is asked for; ADDRESS_SPACES shows that this is enough where memory is really short.
NAMES = ['rgb.jpg', 'progressive.jpg', 'arithmetic_progressive.jpg', 'cmyk.jpg', 'orientation6.jpg', 'rgb16.png',
         'palette_transparent.png', 'turned.png', 'lossy.webp', 'animated.gif', 'runs8.bmp', 'alpha_v5.bmp', 'rgb.ppm']
LOSSLESS = ['lossless.webp', 'lossless_alpha.webp', 'lossy_alpha.webp', 'animated.webp', 'turned.webp']
ADDRESS_SPACES = range(8 << 20, 64 << 20, 256 << 10)
SHORT_OF_MEMORY = 4


def run(torture):
    library = torture.programs / 'vgg19-torture-faults.so'
    program = torture.programs / 'vgg19-torture-decode'
    if not library.exists() or not program.exists() or not shutil.which('prlimit'):
        raise Skipped(f'expected {library}, {program} and prlimit')
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

    def in_address_space(name, size, row):
        out = torture.folder / f'{next(numbers)}.ppm'
        outcome = torture.run([f'--as={size}', program, PICTURES / name, out], program=shutil.which('prlimit'))
        # 127: not even the libraries fit.
        row.record(outcome.code in (0, SHORT_OF_MEMORY, 127), f'{size} bytes of address space: {outcome}')

    for name in filter(torture.wants, NAMES + LOSSLESS):
        row = torture.row(f'little address space for {name}')
        sizes = [ADDRESS_SPACES[i - 1] for i in torture.spread(len(ADDRESS_SPACES))]
        torture.each(lambda size, name=name, row=row: in_address_space(name, size, row), sizes)
