"""Pictures of every kind have the pixels that Pillow reads, at most 3 levels apart."""

import io
import itertools
import random
import shutil
import subprocess

from made_bmp_gif import bmp, gif
from made_png import KINDS, png
from trials import Counts, Skipped

try:
    from PIL import Image, ImageOps
except ImportError:
    Image = None

TRIALS = Counts(full=2000, short=40)
MOST_LEVELS = 3
SIDES = [1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 40, 65]
SAMPLINGS = ['1x1', '2x1', '1x2', '2x2', '4x1', '4x2', '1x4', '2x4', '2x2,1x1,2x1', '1x1,2x2,1x2', '2x1,1x2,1x1']


def size(source):
    return source.choice(SIDES), source.choice(SIDES)


def photograph(source, width, height, mode='RGB'):
    """Smooth areas, edges and noise."""
    small = Image.frombytes('RGB', (3, 3), source.randbytes(27)).resize((width, height), Image.BICUBIC)
    noise = Image.frombytes('RGB', (width, height), source.randbytes(width * height * 3))
    picture = Image.blend(small, noise, source.choice([0, 0.1, 0.5]))
    if width > 4 and height > 4:
        picture.paste((255, 0, 0), (1, 1, width // 2, height // 2))
    return picture.convert(mode)


def saved(picture, kind, **options):
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def progressive_script(source):
    """Scans of one to three components that send all coefficients, with bits left out first."""
    low, high = source.randint(0, 2), source.randint(0, 2)
    scans = [f'0,1,2: 0-0, 0, {low};'] if source.random() < 0.5 else [f'{c}: 0-0, 0, {low};' for c in range(3)]
    for component in range(3):
        edges = sorted(source.sample(range(2, 63), source.randint(0, 3)))
        for first, last in zip([1, *edges], [*(edge - 1 for edge in edges), 63]):
            scans.append(f'{component}: {first}-{last}, 0, {high};')
    refinements = [f'0,1,2: 0-0, {bit}, {bit - 1};' for bit in range(low, 0, -1)]
    for bit in range(high, 0, -1):
        refinements += [f'{c}: 1-63, {bit}, {bit - 1};' for c in range(3)]
    return '\n'.join(scans + refinements)


def jpeg(torture, source):
    picture = photograph(source, *size(source))
    words = ['cjpeg', '-quality', str(source.choice([10, 50, 90, 100])), '-sample', source.choice(SAMPLINGS)]
    kind = source.choice(['baseline', 'optimize', 'progressive', 'script', 'arithmetic', 'grayscale'])
    if kind == 'script':
        script = torture.folder / f'script-{source.random()}'
        script.write_text(progressive_script(source))
        words += ['-scans', str(script)]
    elif kind != 'baseline':
        words += [f'-{kind}']
    if kind == 'arithmetic' and source.random() < 0.5:
        words += ['-progressive']
    if source.random() < 0.3:
        words += ['-restart', source.choice(['1B', '3B', '1'])]
    return subprocess.run(words, input=saved(picture, 'PPM'), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          check=True).stdout


def turned_jpeg(source):
    exif = Image.Exif()
    exif[0x0112] = source.randint(1, 8)
    return saved(photograph(source, *size(source)), 'JPEG', quality=90, exif=exif.tobytes())


def webp(source):
    mode = source.choice(['RGB', 'RGBA'])
    picture = photograph(source, *size(source)).convert(mode)
    if mode == 'RGBA':
        picture.putalpha(photograph(source, *picture.size, 'L'))
    if source.random() < 0.2:
        others = [photograph(source, *picture.size).convert(mode) for _ in range(2)]
        return saved(picture, 'WEBP', save_all=True, append_images=others, lossless=source.random() < 0.5)
    return saved(picture, 'WEBP', lossless=source.random() < 0.5, quality=source.choice([5, 60, 100]),
                 method=source.choice([0, 3, 6]))


def made_bmp(source):
    bits, coding = source.choice([(1, 0), (4, 0), (8, 0), (16, 0), (16, 3), (24, 0), (32, 0), (8, 1), (4, 2)])
    return bmp(source, *size(source), bits, coding, coding in (0, 3) and source.random() < 0.5)


def made_gif(source):
    if source.random() < 0.3:
        frames = [photograph(source, 20, 14).quantize(50) for _ in range(3)]
        return saved(frames[0], 'GIF', save_all=True, append_images=frames[1:], interlace=source.randint(0, 1))
    return gif(source, *size(source), source.randint(1, 8), *(source.random() < 0.5 for _ in range(3)))


def pnm(source):
    mode = source.choice(['L', 'RGB'])
    return saved(photograph(source, *size(source), mode), 'PPM')


def shown_by_pillow(file):
    """Upright, and over white."""
    picture = ImageOps.exif_transpose(Image.open(io.BytesIO(file)))
    if picture.mode in ('RGBA', 'LA', 'PA') or 'transparency' in picture.info:
        picture = picture.convert('RGBA')
        white = Image.new('RGBA', picture.size, (255, 255, 255, 255))
        picture = Image.alpha_composite(white, picture)
    elif picture.mode.startswith('I'):                          # 16 bits
        picture = picture.point(lambda sample: sample / 256).convert('L')
    return picture.size, picture.convert('RGB').tobytes()


def made_png(source):
    kind, bits = source.choice(KINDS)
    width, height = size(source)
    transparent = source.random() < 0.5
    file, pixels = png(source, width, height, kind, bits, source.randint(0, 1), transparent)
    # Pillow compares the transparent colour with samples that it has reduced to 8 bits.
    pillow_knows = not (transparent and kind in (0, 2) and bits != 8)
    return file, pixels, pillow_knows


class Comparison:
    def __init__(self, torture):
        self.torture = torture
        self.numbers = itertools.count()
        self.program = torture.programs / 'vgg19-torture-decode'

    def problem(self, file, expected):
        """What is wrong with the pixels; empty if nothing is."""
        path = self.torture.folder / f'picture-{next(self.numbers)}'
        out = path.with_suffix('.ppm')
        path.write_bytes(file)
        outcome = self.torture.run([path, out], program=self.program)
        if outcome.code != 0:
            return str(outcome)
        found = Image.open(out)
        (width, height), pixels = expected
        if found.size != (width, height):
            return f'{found.size} pixels, expected {(width, height)}: {path}'
        levels = max((abs(a - b) for a, b in zip(found.tobytes(), pixels)), default=0)
        if levels > MOST_LEVELS:
            return f'{levels} levels from what was expected: {path}'
        path.unlink()
        out.unlink()
        return ''


def sources(torture, count):
    return [random.Random(torture.random.getrandbits(64)) for _ in range(max(1, count))]


def compare_png(torture, comparison, count):
    known, pillow = torture.row('PNG as its samples say'), torture.row('PNG as Pillow reads it')

    def attempt(source):
        file, pixels, pillow_knows = made_png(source)
        expected = shown_by_pillow(file)
        for row, wanted in ((known, (expected[0], pixels)), (pillow, expected if pillow_knows else None)):
            if wanted:
                problem = comparison.problem(file, wanted)
                row.record(not problem, problem)

    torture.each(attempt, sources(torture, count))


def compare(torture, comparison, name, make, count):
    row = torture.row(f'{name} as Pillow reads it')

    def attempt(source):
        file = make(source)
        problem = comparison.problem(file, shown_by_pillow(file))
        row.record(not problem, problem)

    torture.each(attempt, sources(torture, count))


def run(torture):
    comparison = Comparison(torture)
    if Image is None or not shutil.which('cjpeg') or not comparison.program.exists():
        raise Skipped(f'expected Pillow (python3-pil), cjpeg (libjpeg-turbo-progs) and {comparison.program}')
    makers = {
        'JPEG': lambda source: jpeg(torture, source),
        'JPEG with orientation': turned_jpeg,
        'CMYK JPEG': lambda source: saved(photograph(source, *size(source), 'CMYK'), 'JPEG', quality=90),
        'BMP': made_bmp,
        'GIF': made_gif,
        'WebP': webp,
        'PGM and PPM': pnm,
    }
    if torture.wants('PNG'):
        compare_png(torture, comparison, torture.count * 4 // 14)
    for name, make in makers.items():
        if torture.wants(name):
            compare(torture, comparison, name, make, torture.count * (4 if name == 'JPEG' else 1) // 14)
