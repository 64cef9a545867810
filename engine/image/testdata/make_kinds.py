#!/usr/bin/env python3
"""Writes the pictures of this folder that cameras, phones and other programs store in their own ways, and what
Pillow makes of them.

    pip install pillow numpy; apt-get install libjpeg-turbo-progs webp; python make_kinds.py

kinds_test.cc compares NAME.EXT with NAME.EXT.expected.png, and reduced.jpg with reduced.jpg.N.expected.png at
1/N of its sides.
"""
import pathlib
import struct
import subprocess

import numpy
from PIL import Image, ImageOps

FOLDER = pathlib.Path(__file__).parent


def photo(width, height, seed=11):
    x, y = numpy.meshgrid(numpy.linspace(0, 1, width), numpy.linspace(0, 1, height))
    colours = numpy.stack([40 + 200 * x, 20 + 190 * y, 250 - 120 * x - 100 * y * y], axis=2)
    noise = numpy.random.default_rng(seed).integers(-6, 7, (height, width, 3))
    return Image.fromarray((colours + noise).clip(0, 255).astype(numpy.uint8))


def with_alpha(picture):
    width, height = picture.size
    alpha = numpy.linspace(0, 255, width * height).astype(numpy.uint8).reshape(height, width)
    result = picture.copy()
    result.putalpha(Image.fromarray(alpha))
    return result


def over_white(picture):
    picture = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")


def expect(name, expected=None):
    """Saves the expected pixels: those that Pillow reads, or those of the given picture."""
    expected = expected or Image.open(FOLDER / name).convert("RGB")
    expected.save(FOLDER / f"{name}.expected.png", optimize=True)


def write(name, data, expected=None):
    (FOLDER / name).write_bytes(data)
    expect(name, expected)


def jpegs():
    picture = photo(40, 24)
    plain = FOLDER / "subsampled.jpg"
    picture.save(plain, quality=90, subsampling="4:2:0")
    expect(plain.name)

    def transform(name, *arguments):
        path = FOLDER / name
        path.write_bytes(subprocess.run(["jpegtran", *arguments, plain], check=True, capture_output=True).stdout)
        expect(name, Image.open(plain).convert("RGB"))  # the same coefficients, coded differently

    transform("arithmetic.jpg", "-arithmetic")
    transform("arithmetic_progressive.jpg", "-arithmetic", "-progressive")
    transform("subsampled_progressive.jpg", "-progressive")
    transform("restarts.jpg", "-restart", "1B")
    scans = FOLDER / "scans.txt"
    scans.write_text("0; 1; 2;\n")
    transform("three_scans.jpg", "-scans", scans)
    scans.unlink()

    # A frame of Motion JPEG: what Pillow writes, without the Huffman tables.
    data, frame, offset = plain.read_bytes(), b"\xff\xd8", 2
    while data[offset + 1] != 0xDA:
        length = 2 + struct.unpack(">H", data[offset + 2:offset + 4])[0]
        if data[offset + 1] != 0xC4:
            frame += data[offset:offset + length]
        offset += length
    write("motion.jpg", frame + data[offset:])

    large = photo(150, 98)
    large.save(FOLDER / "reduced.jpg", quality=90)
    large.save(FOLDER / "reduced_progressive.jpg", quality=90, progressive=True)
    for name in ("reduced.jpg", "reduced_progressive.jpg"):
        for reduction in (2, 4, 8):
            opened = Image.open(FOLDER / name)
            opened.draft("RGB", (150 // reduction, 98 // reduction))
            assert opened.size == (-(-150 // reduction), -(-98 // reduction)), opened.size
            opened.save(FOLDER / f"{name}.{reduction}.expected.png", optimize=True)


def turned():
    picture = photo(24, 16)
    exif = Image.Exif()
    exif[0x0112] = 6
    for name in ("turned.png", "turned.webp"):
        picture.save(FOLDER / name, exif=exif, **({"lossless": True} if name.endswith("webp") else {}))
        expect(name, ImageOps.exif_transpose(Image.open(FOLDER / name)).convert("RGB"))


def webps():
    picture = photo(40, 24)
    for name, image, options in (("lossy", picture, {"quality": 80}), ("lossless", picture, {"lossless": True}),
                                 ("lossy_alpha", with_alpha(picture), {"quality": 80}),
                                 ("lossless_alpha", with_alpha(picture), {"lossless": True, "exact": True})):
        path = FOLDER / f"{name}.webp"
        image.save(path, **options)
        opened = Image.open(path)
        expect(path.name, over_white(opened) if "alpha" in name else opened.convert("RGB"))
    # Two frames, the first smaller than the canvas: the rest is transparent, though Pillow makes it black.
    frame, moving = FOLDER / "frame.webp", FOLDER / "animated.webp"
    first = picture.crop((0, 0, 20, 12))
    first.save(frame, lossless=True)
    canvas = Image.new("RGB", picture.size, "white")
    canvas.paste(first, (4, 2))
    subprocess.run(["webpmux", "-frame", frame, "+100+4+2", "-frame", FOLDER / "lossless.webp", "+100", "-o", moving],
                   check=True, capture_output=True)
    frame.unlink()
    expect(moving.name, canvas)


def bmp(header, palette, pixels, offset=None):
    start = 14 + len(header) + len(palette)
    offset = start if offset is None else offset
    return b"BM" + struct.pack("<IHHI", start + len(pixels), 0, 0, offset) + header + palette + pixels


def windows_header(width, height, bits, compression=0, size=40, masks=(), used=0):
    header = struct.pack("<IiiHHIIiiII", size, width, height, 1, bits, compression, 0, 2835, 2835, used, 0)
    header += b"".join(struct.pack("<I", mask) for mask in masks)
    return header.ljust(size, b"\0")


def rows(samples, bits):
    """Rows bottom-up, padded to a multiple of 4 bytes; samples are integers of 1 to 32 bits."""
    data = b""
    for row in samples[::-1]:
        if bits < 8:
            per_byte = 8 // bits
            padded = list(row) + [0] * (-len(row) % per_byte)
            packed = bytes(sum(int(v) << (8 - bits * (i + 1)) for i, v in enumerate(padded[k:k + per_byte]))
                           for k in range(0, len(padded), per_byte))
        else:
            packed = b"".join(int(v).to_bytes(bits // 8, "little") for v in row)
        data += packed + b"\0" * (-len(packed) % 4)
    return data


def run_lengths(indices, bits):
    """Writes runs, literals of odd and even lengths, and rows that end early."""
    data = b""
    for number, row in enumerate(indices[::-1]):
        row, x = [int(v) for v in row], 0
        if number % 4 == 3:  # a move over pixels of colour 0
            while x < len(row) and row[x] == 0:
                x += 1
            if x:
                data += bytes([0, 2, x, 0])
        while x < len(row):
            run = 1
            while x + run < len(row) and row[x + run] == row[x] and run < 255:
                run += 1
            literal = row[x:x + 5 + number % 3]
            if run < 3 and len(literal) >= 3:
                if bits == 8:
                    packed = bytes(literal)
                else:
                    even = literal + [0] * (len(literal) % 2)
                    packed = bytes(even[i] << 4 | even[i + 1] for i in range(0, len(even), 2))
                data += bytes([0, len(literal)]) + packed + b"\0" * (len(packed) % 2)
                x += len(literal)
            else:
                data += bytes([run, row[x] if bits == 8 else row[x] << 4 | row[x]])
                x += run
        data += b"\0\0"
    return data + b"\0\1"


def bmps():
    picture = photo(23, 13)
    width, height = picture.size
    red, green, blue = (numpy.asarray(picture).astype(int)[:, :, c] for c in range(3))
    rng = numpy.random.default_rng(5)
    unused = rng.integers(0, 256, (height, width))

    def palette_of(colours, entry):
        return b"".join(bytes([b, g, r, 0][:entry]) for r, g, b in colours)

    def colours(count):
        return [tuple(int(v) for v in rng.integers(0, 256, 3)) for _ in range(count)]

    for bits in (1, 4, 8):
        indices = rng.integers(0, 1 << bits, (height, width))
        palette = colours(1 << bits)
        header = windows_header(width, height, bits)
        write(f"bits{bits}.bmp", bmp(header, palette_of(palette, 4), rows(indices, bits)))
        write(f"bits{bits}_top.bmp", bmp(windows_header(width, -height, bits), palette_of(palette, 4),
                                         rows(indices[::-1], bits)))
        os2 = struct.pack("<IHHHH", 12, width, height, 1, bits)
        write(f"bits{bits}_os2.bmp", bmp(os2, palette_of(palette, 3), rows(indices, bits)))
    write("few_colours.bmp", bmp(windows_header(width, height, 8, used=7), palette_of(colours(7), 4),
                                 rows(rng.integers(0, 7, (height, width)), 8)))
    write("os2_2.bmp", bmp(windows_header(width, height, 24, size=64), b"",
                           rows(red << 16 | green << 8 | blue, 24)))

    for bits in (4, 8):
        indices = rng.integers(0, 1 << bits, (height, width))
        indices[2:9, 4:15] = 3
        indices[:, :5] = 0
        write(f"runs{bits}.bmp", bmp(windows_header(width, height, bits, bits == 8 and 1 or 2),
                                     palette_of(colours(1 << bits), 4), run_lengths(indices, bits)))

    def five(v):
        return v >> 3

    write("rgb555.bmp", bmp(windows_header(width, height, 16), b"",
                            rows(five(red) << 10 | five(green) << 5 | five(blue), 16)))
    rgb565 = rows(five(red) << 11 | green >> 2 << 5 | five(blue), 16)
    masks565 = (0xF800, 0x07E0, 0x001F)
    write("rgb565.bmp", bmp(windows_header(width, height, 16, 3, 40, masks565)[:40] +
                            struct.pack("<III", *masks565), b"", rgb565))
    write("rgb565_v3.bmp", bmp(windows_header(width, height, 16, 3, 56, masks565 + (0,)), b"", rgb565))
    bgrx = rows(unused << 24 | red << 16 | green << 8 | blue, 32)
    write("unused_byte.bmp", bmp(windows_header(width, height, 32), b"", bgrx))
    masks32 = (0xFF0000, 0xFF00, 0xFF)
    write("masks32.bmp", bmp(windows_header(width, height, 32, 3, 40) + struct.pack("<III", *masks32), b"", bgrx))
    write("masks32_v2.bmp", bmp(windows_header(width, height, 32, 3, 52, masks32), b"", bgrx))
    for name, size in (("alpha_v4", 108), ("alpha_v5", 124)):
        header = windows_header(width, height, 32, 3, size, masks32 + (0xFF000000,))
        rgba = picture.copy()
        rgba.putalpha(Image.fromarray(unused.astype(numpy.uint8)))
        write(f"{name}.bmp", bmp(header, b"", bgrx), over_white(rgba))
    swapped = rows(unused | blue << 24 | green << 16 | red << 8, 32)
    write("masks32_swapped.bmp", bmp(windows_header(width, height, 32, 3, 40) +
                                     struct.pack("<III", 0xFF00, 0xFF0000, 0xFF000000), b"", swapped),
          picture)  # Pillow knows only a few masks


jpegs()
turned()
webps()
bmps()
