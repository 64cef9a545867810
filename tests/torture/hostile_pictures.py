"""Pictures that are made to cost much: each command ends within seconds, with memory for its pixels alone."""

import functools
import os
import shutil
import signal
import struct
import subprocess
import threading
import time
import zlib

import made_webp
from made_png import chunk
from trials import Counts, Skipped

TRIALS = Counts(full=60, short=1)
FIRST_SECONDS = 1                                               # for a file of up to 20 kB, whatever is in it
SECONDS_A_MEGABYTE = 1
SECONDS_A_MEGAPIXEL = 0.05
FIRST_MEMORY = 120 << 20
MEMORY_A_PIXEL = 8
MEMORY_A_BYTE = 3
MEMORY_OF_HUFFMAN_TABLES = 400 << 20                            # of a lossless WebP
HUFFMAN = bytes([1, 1] + [0] * 14)                              # two codes: 0, and 10


def jpeg_start(frame, width, height):
    """Grey. Code 0 means 0; code 10 means a difference of 1, or a run of 2^14 empty blocks and more."""
    return (b'\xff\xd8\xff\xdb' + struct.pack('>H', 67) + bytes([0] + [1] * 64) + b'\xff' + bytes([frame]) +
            struct.pack('>HBHHB', 11, 8, height, width, 1) + b'\x01\x11\x00' +
            b'\xff\xc4\x00\x15\x00' + HUFFMAN + b'\x00\x01' + b'\xff\xc4\x00\x15\x10' + HUFFMAN + b'\x00\xe0')


def scan(first, last, bits):
    return b'\xff\xda\x00\x08\x01\x01\x00' + bytes([first, last, bits])


def blocks_of(side):
    return ((side + 7) // 8) ** 2


def empty_scans(count, side, with_pixels):
    """A progressive JPEG: scans of all coefficients but the first, without any."""
    first = scan(0, 0, 0) + b'\0' * (blocks_of(side) // 8 + 1) if with_pixels else b''
    runs = b'\xbf\xff\x00' * (1 if not with_pixels else blocks_of(side) // 32767 + 1)
    return jpeg_start(0xC2, side, side) + first + (scan(1, 63, 0) + runs) * count + b'\xff\xd9'


def refinements(count, side):
    """The same, where each scan looks at every coefficient of every block again."""
    runs = b'\xbf\xff\x00' * (blocks_of(side) // 32767 + 1)
    return (jpeg_start(0xC2, side, side) + scan(0, 0, 0) + b'\0' * (blocks_of(side) // 8 + 1) +
            scan(1, 63, 1) + runs + (scan(1, 63, 0x10) + runs) * count + b'\xff\xd9')


def arithmetic(source, side, words):
    """The data of a small picture that is all noise, under a header of a large one: an arithmetic decoder goes on
    after the end of the data, and has learned that everything is likely."""
    noise = b'P6 64 64 255\n' + source.randbytes(64 * 64 * 3)
    file = subprocess.run(['cjpeg', '-quality', '100', '-arithmetic', *words], input=noise, stdout=subprocess.PIPE,
                          check=True).stdout
    frame = next(i for i in range(len(file)) if file[i] == 0xFF and file[i + 1] in (0xC9, 0xCA))
    return file[:frame + 5] + struct.pack('>HH', side, side) + file[frame + 9:]


def gif(size, picture_side, code):
    head = b'GIF89a' + struct.pack('<HHBBB', picture_side, picture_side, 0x80, 0, 0) + b'\0\0\0\xff\xff\xff'
    head += b',' + struct.pack('<HHHHB', 0, 0, picture_side, picture_side, 0) + b'\x02'
    blocks = (b'\xff' + code * 255) * (size // 256)
    return head + blocks + b'\0;'


@functools.cache
def growing_codes():
    """Codes that each stand for a run that is longer by one than the one before, until the table is full; 8 times."""
    value = shift = 0
    for _ in range(8):
        width, entry = 3, 6
        for code in [0, *range(6, 4096), 4]:                    # 4 clears the table
            value |= code << shift
            shift += width
            entry += code > 4
            if entry == 1 << width and width < 12:
                width += 1
    return value.to_bytes(shift // 8, 'little')


def long_gif(size, side):
    """Much data after a picture of a few pixels."""
    clear = b'\x24\x49\x92'                                     # 8 times
    data = clear + growing_codes() * (size // len(growing_codes()))
    head = b'GIF89a' + struct.pack('<HHBBB', side, side, 0x80, 0, 0) + b'\0\0\0\xff\xff\xff'
    head += b',' + struct.pack('<HHHHB', 0, 0, side, side, 0) + b'\x02'
    return head + b''.join(bytes([len(data[i:i + 255])]) + data[i:i + 255] for i in range(0, len(data), 255)) + b'\0;'


def png(width, height, bits, kind, data, interlaced=0, extra=b''):
    header = struct.pack('>IIBBBBB', width, height, bits, kind, 0, 0, interlaced)
    return b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header) + extra + chunk(b'IDAT', data) + chunk(b'IEND', b'')


@functools.cache
def zeros(count):
    packer = zlib.compressobj(9)
    return b''.join([*(packer.compress(bytes(1 << 20)) for _ in range(count >> 20)), packer.compress(bytes(count % (1 << 20))),
                     packer.flush()])


def bmp_runs(width, height, pairs):
    palette = bytes(1024)
    header = struct.pack('<2sIII', b'BM', 0, 0, 1078)
    header += struct.pack('<IiiHHIIiiII', 40, width, height, 1, 8, 1, 0, 0, 0, 0, 0)
    return header + palette + b'\xff\x01' * pairs


# A name, the file, and the pixels that it has by right.
def families(source):
    side = source.choice([1000, 4000, 8000, 15000])
    count = source.choice([20, 190, 700])
    within = source.choice([1000, 2000, 2800])                  # 20 kB or less
    return {
        'progressive JPEG of 20 kB, as many scans as pass': (refinements(source.choice([26, 30, 40]), within), 0),
        'progressive JPEG, empty scans without pixels': (empty_scans(count, side, False), 0),
        'progressive JPEG, empty scans': (empty_scans(count, min(side, 4000), True), min(side, 4000) ** 2),
        'progressive JPEG, refinements': (refinements(count, min(side, 4000)), min(side, 4000) ** 2),
        'JPEG of 1,140 bytes': ((jpeg_start(0xC0, side, side) + scan(0, 63, 0)).ljust(1138, b'\0') + b'\xff\xd9', 0),
        'arithmetic JPEG': (arithmetic(source, side, []), 0),
        'arithmetic progressive JPEG': (arithmetic(source, side, ['-progressive']), 0),
        'GIF, data after the picture': (long_gif(4_000_000, 2), 4),
        'GIF, clear codes alone': (gif(4_000_000, side, b'\x24\x49\x92'[:1]), side ** 2),
        'PNG, 16 bits, four samples': (png(side // 2, side // 2, 16, 6, zeros((side // 2 * 8 + 1) * (side // 2))),
                                       side ** 2 // 4),
        'PNG, data after the picture': (png(1, 1, 8, 0, zeros(400 << 20)), 1),
        'PNG, empty IDATs': (png(1, 1, 8, 0, zeros(2), extra=chunk(b'IDAT', b'') * 100_000), 1),
        'PNG, packed comments': (png(1, 1, 8, 0, zeros(2), extra=chunk(b'zTXt', b'a\0\0' + zeros(200 << 20)) * 20), 1),
        'PNG, interlaced': (png(side // 2, side // 2, 1, 0, zeros(side * side // 16 + 8 * side), 1), side ** 2 // 4),
        'BMP, runs beyond the row': (bmp_runs(1, 10000, 2_000_000), 10000),
        'WebP of 40 bytes': (made_webp.solid(side // 2), side ** 2 // 4),
        'WebP, Huffman tables for each 16 pixels': (made_webp.many_tables(source.choice([1000, 1 << 16])), 1 << 20),
        'BMP, no runs': (bmp_runs(side, side, 1) + b'\0\1', side ** 2),
    }


class Usage:
    """What a program took in all."""

    def __init__(self, command, patience):
        started = time.monotonic()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        timer = threading.Timer(patience, process.kill)
        timer.start()
        self.errors = process.stderr.read().decode(errors='replace').strip()
        _, status, used = os.wait4(process.pid, 0)
        timer.cancel()
        process.returncode = 0                                  # it has been waited for
        self.code = os.waitstatus_to_exitcode(status)
        self.seconds = used.ru_utime + used.ru_stime
        self.memory = used.ru_maxrss * 1024
        self.hung = self.code == -signal.SIGKILL and time.monotonic() - started >= patience

    def __str__(self):
        how = 'hung' if self.hung else f'exit code {self.code}'
        return f'{how}, {self.seconds:.1f} s of CPU, {self.memory >> 20} MB: {self.errors[:200]}'


def run(torture):
    if not shutil.which('cjpeg'):
        raise Skipped('no cjpeg (libjpeg-turbo-progs)')
    model = torture.narrow_models() / 'baseline.safetensors'
    idle = torture.folder / 'small.ppm'
    idle.write_bytes(b'P6 1 1 255\n\0\0\0')
    least = Usage([torture.tool, 'classify', '--model', model, idle], 60)
    rows = {}
    for number in range(torture.count):
        for name, (file, pixels) in families(torture.random).items():
            if not torture.wants(name):
                continue
            row = rows.setdefault(name, None) or torture.row(name)
            rows[name] = row
            path = torture.folder / f'hostile-{number}'
            path.write_bytes(file)
            used = Usage([torture.tool, 'classify', '--threads', '1', '--model', model, path], 600)
            seconds = (least.seconds + FIRST_SECONDS + len(file) / 1e6 * SECONDS_A_MEGABYTE +
                       pixels / 1e6 * SECONDS_A_MEGAPIXEL)
            memory = least.memory + FIRST_MEMORY + MEMORY_A_PIXEL * pixels + MEMORY_A_BYTE * len(file)
            memory += MEMORY_OF_HUFFMAN_TABLES if 'Huffman tables' in name else 0
            survived = used.code in (0, 5) and used.seconds <= seconds and used.memory <= memory
            row.record(survived, f'{used}; expected {seconds:.1f} s and {memory >> 20} MB for {len(file)} bytes')
            path.unlink()
