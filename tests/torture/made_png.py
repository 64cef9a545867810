"""PNGs of every kind that the standard has, and the pixels that they stand for."""

import struct
import zlib

KINDS = [(0, bits) for bits in (1, 2, 4, 8, 16)] + [(3, bits) for bits in (1, 2, 4, 8)] + [
    (kind, bits) for kind in (2, 4, 6) for bits in (8, 16)]
SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
PASSES = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def chunk(kind, data):
    return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))


def packed(samples, bits):
    """A row's samples as bytes."""
    if bits == 16:
        return b''.join(struct.pack('>H', sample) for sample in samples)
    if bits == 8:
        return bytes(samples)
    row, each = bytearray((len(samples) * bits + 7) // 8), 8 // bits
    for i, sample in enumerate(samples):
        row[i // each] |= sample << (each - 1 - i % each) * bits
    return bytes(row)


def paeth(left, above, corner):
    distances = [abs(above - corner), abs(left - corner), abs(left + above - 2 * corner)]
    return (left, above, corner)[distances.index(min(distances))]


def filtered(kind, row, above, step):
    result = bytearray([kind])
    for i, value in enumerate(row):
        left, corner = (row[i - step], above[i - step]) if i >= step else (0, 0)
        guess = [0, left, above[i], (left + above[i]) // 2, paeth(left, above[i], corner)][kind]
        result.append((value - guess) % 256)
    return bytes(result)


def stream(pixels, width, height, kind, bits, interlaced, source):
    """The filtered rows. `pixels` are tuples of samples, row by row."""
    data, step = b'', max(1, SAMPLES[kind] * bits // 8)
    for left, top, across, down in PASSES if interlaced else [(0, 0, 1, 1)]:
        columns, above = range(left, width, across), None
        if not columns:
            continue
        for y in range(top, height, down):
            row = packed([sample for x in columns for sample in pixels[y * width + x]], bits)
            data += filtered(source.randrange(5), row, above or bytes(len(row)), step)
            above = row
    return data


def over_white(colour, alpha):
    return tuple((sample * alpha + 255 * (255 - alpha) + 127) // 255 for sample in colour)


def meaning(pixel, kind, bits, palette, key):
    """A pixel's red, green and blue, over white: `key` is tRNS, as alphas or as samples."""
    if kind == 3:
        alpha = key[pixel[0]] if key and pixel[0] < len(key) else 255
        return over_white(palette[pixel[0]], alpha)
    shown = [sample >> 8 if bits == 16 else sample * 255 // ((1 << bits) - 1) for sample in pixel]
    alpha = shown.pop() if kind in (4, 6) else 0 if key and tuple(pixel) == tuple(key) else 255
    return over_white(shown * 3 if len(shown) == 1 else shown, alpha)


def png(source, width, height, kind, bits, interlaced, transparent):
    """The file, and the pixels as bytes."""
    largest = (1 << bits) - 1
    palette = [tuple(source.randrange(256) for _ in range(3)) for _ in range(largest + 1)] if kind == 3 else []
    base = [tuple(source.randrange(largest + 1) for _ in range(SAMPLES[kind])) for _ in range(8)]
    pixels = [source.choice(base) if source.random() < 0.7 else tuple(
        source.randrange(largest + 1) for _ in range(SAMPLES[kind])) for _ in range(width * height)]
    key = None
    if transparent and kind in (0, 2):
        key = source.choice(base)
    elif transparent and kind == 3:
        key = [source.randrange(256) for _ in range(source.randint(1, len(palette)))]
    file = b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', width, height, bits, kind, 0, 0, interlaced))
    if palette:
        file += chunk(b'PLTE', bytes(sample for colour in palette for sample in colour))
    if key:
        file += chunk(b'tRNS', bytes(key) if kind == 3 else b''.join(struct.pack('>H', sample) for sample in key))
    data = zlib.compress(stream(pixels, width, height, kind, bits, interlaced, source), source.randrange(10))
    piece = source.choice([1, 7, 100, len(data)])
    file += b''.join(chunk(b'IDAT', data[i:i + piece]) for i in range(0, len(data), piece)) + chunk(b'IEND', b'')
    shown = bytes(sample for pixel in pixels for sample in meaning(pixel, kind, bits, palette, key))
    return file, shown
