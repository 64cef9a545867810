#!/usr/bin/env python3
"""Writes the pictures of this folder, and the pixels that Pillow and torchvision read from them.

    pip install torch torchvision pillow numpy; python make.py

decode_test.cc compares NAME.EXT with NAME.EXT.expected.png, preprocess_test.cc compares SOURCE.png with
SOURCE.SIZE.expected.png (the pixels after resize and crop; SIZE is N, or HEIGHTxWIDTH) and SOURCE.SIZE.expected.f32 (normalised, 3 × SIZE ×
SIZE little-endian floats).
"""
import pathlib
import struct
import zlib

import numpy
from PIL import Image, ImageOps
from torchvision import transforms

FOLDER = pathlib.Path(__file__).parent
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def gradients(width, height):
    """All corners differ, so that rotations and mirror images are detected."""
    x, y = numpy.meshgrid(numpy.linspace(0, 1, width), numpy.linspace(0, 1, height))
    return numpy.stack([40 + 200 * x, 20 + 190 * y, 250 - 120 * x - 100 * y * y], axis=2)


def noisy(width, height, amplitude, seed):
    noise = numpy.random.default_rng(seed).integers(-amplitude, amplitude + 1, (height, width, 3))
    return Image.fromarray((gradients(width, height) + noise).clip(0, 255).astype(numpy.uint8))


def over_white(picture):
    picture = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")


def write_png_16(path, samples):
    """Written by hand, since Pillow has no 16-bit colour."""
    height, width, channels = samples.shape

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 16, {1: 0, 3: 2}[channels], 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) +
                     chunk(b"IEND", b""))


def decode_fixtures():
    photo = noisy(24, 16, 3, seed=1)
    grey = photo.convert("L")
    alpha = Image.fromarray(numpy.linspace(0, 255, 24 * 16).astype(numpy.uint8).reshape(16, 24))
    rgba, grey_alpha = photo.copy(), grey.copy()
    rgba.putalpha(alpha)
    grey_alpha.putalpha(alpha)
    palette = photo.quantize(15)

    def save(name, picture, expected=None, **options):
        path = FOLDER / name
        picture.save(path, **options)
        expected = expected or Image.open(path).convert("RGB")
        expected.save(FOLDER / f"{name}.expected.png", optimize=True)

    save("rgb.png", photo)
    save("grey.png", grey)
    save("grey_alpha.png", grey_alpha, over_white(grey_alpha))
    save("rgba.png", rgba, over_white(rgba))
    save("palette.png", palette)
    transparent = palette.copy()
    transparent.info["transparency"] = 0
    save("palette_transparent.png", palette, over_white(transparent), transparency=0)
    save("colour_key.png", Image.new("RGB", (3, 2), (9, 8, 7)), Image.new("RGB", (3, 2), "white"),
         transparency=(9, 8, 7))
    save("bits1.png", grey.convert("1"))

    rng = numpy.random.default_rng(2)
    for name, channels in (("grey16", 1), ("rgb16", 3)):
        samples = rng.integers(0, 65536, (16, 24, channels))
        write_png_16(FOLDER / f"{name}.png", samples)
        high = numpy.broadcast_to(samples >> 8, (16, 24, 3)).astype(numpy.uint8)
        Image.fromarray(high).save(FOLDER / f"{name}.png.expected.png", optimize=True)

    bomb = FOLDER / "bomb.png"
    write_png_16(bomb, numpy.zeros((1, 4_000_000, 1), numpy.uint16))
    data = bytearray(bomb.read_bytes())
    data[16:24] = struct.pack(">II", 1, 1)  # the size in the header, and its checksum
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    bomb.write_bytes(data)

    best = {"quality": 95, "subsampling": 0}
    save("rgb.jpg", photo, **best)
    save("grey.jpg", grey, quality=95)
    save("progressive.jpg", photo, progressive=True, **best)
    save("cmyk.jpg", photo.convert("CMYK"), **best)
    for orientation in range(1, 9):
        name = f"orientation{orientation}.jpg"
        exif = Image.Exif()
        exif[0x010E] = "a remark before the tag"
        exif[0x0112] = orientation
        photo.save(FOLDER / name, exif=exif, **best)
        save(name, photo, ImageOps.exif_transpose(Image.open(FOLDER / name)), exif=exif, **best)

    save("rgb.bmp", photo)
    save("palette.bmp", palette)
    save("rgba.bmp", rgba)  # without an alpha mask in the header the fourth byte is unused
    save("rgb.gif", palette)
    other = Image.new("P", palette.size, 3)
    save("animated.gif", palette, palette.convert("RGB"), save_all=True, append_images=[other], duration=100)
    save("transparent.gif", palette, over_white(transparent), transparency=0)
    save("rgb.ppm", photo)
    save("grey.pgm", grey)


def preprocess_fixtures():
    sources = {
        "down": (noisy(300, 200, 10, seed=3), (32, 96)),
        "odd": (noisy(61, 47, 60, seed=4), (33, 64)),
        "tall": (noisy(33, 300, 40, seed=5), (48,)),
        "up": (noisy(20, 30, 60, seed=6), (64,)),
        "sliver": (noisy(1, 90, 60, seed=7), (32,)),
        "smooth": (noisy(320, 240, 0, seed=8), (224,)),
    }
    for name, (source, sizes) in sources.items():
        source.save(FOLDER / f"{name}.png", optimize=True)
        for size in sizes:
            crop = transforms.Compose([transforms.Resize(round(size * 256 / 224)), transforms.CenterCrop(size)])
            crop(source).save(FOLDER / f"{name}.{size}.expected.png", optimize=True)
    for name, height, width in (("odd", 24, 48), ("odd", 64, 40), ("tall", 40, 33), ("smooth", 160, 224)):
        source = sources[name][0]
        # The side that is shorter in proportion becomes 256 / 224 of the input's.
        target = (round(height * 256 / 224), round(width * 256 / 224))
        if source.height * width < source.width * height:
            target = (target[0], target[0] * source.width // source.height)
        else:
            target = (target[1] * source.height // source.width, target[1])
        crop = transforms.Compose([transforms.Resize(target), transforms.CenterCrop((height, width))])
        crop(source).save(FOLDER / f"{name}.{height}x{width}.expected.png", optimize=True)
    normalise = transforms.Compose([
        transforms.Resize(round(32 * 256 / 224)), transforms.CenterCrop(32), transforms.ToTensor(),
        transforms.Normalize(MEAN, DEVIATION)])
    values = normalise(sources["down"][0]).numpy().astype("<f4")
    (FOLDER / "down.32.expected.f32").write_bytes(values.tobytes())


decode_fixtures()
preprocess_fixtures()
