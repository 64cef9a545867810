"""What PyTorch computed for narrow networks (tests/golden/make.py), and the inputs."""

import json
import struct

import numpy


def _hash32(value):
    with numpy.errstate(over="ignore"):
        value = (value ^ (value >> 16)) * numpy.uint32(0x7FEB352D)
        value = (value ^ (value >> 15)) * numpy.uint32(0x846CA68B)
    return value ^ (value >> 16)


def input_image(height, width, seed):
    """float32 (1, 3, height, width): the inputs of the golden data, made of integers alone."""
    channel, row, column = numpy.meshgrid(
        numpy.arange(3), numpy.arange(height), numpy.arange(width), indexing="ij"
    )

    def noise(c, y, x, salt):
        return _hash32((seed << 28 | salt << 26 | c << 24 | y << 12 | x).astype(numpy.uint32)) >> 8

    blocks = noise(channel, row // 8, column // 8, 0).astype(numpy.int64)
    pixels = noise(channel, row, column, 1).astype(numpy.int64)
    mixed = (3 * blocks + pixels) // 4
    return (mixed.astype(numpy.float32) * numpy.float32(2.0**-22) - numpy.float32(2))[None]


def tensors(path):
    """The float32 tensors of a safetensors file, by name."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    found = {}
    for name, entry in json.loads(data[8 : 8 + length]).items():
        if name == "__metadata__":
            continue
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        found[name] = numpy.frombuffer(data[begin:end], numpy.float32).reshape(entry["shape"])
    return found
