"""Lossless WebPs that are all of one colour, but make a decoder work."""

import functools
import struct


class Bits:
    """Numbers, lowest bits first."""

    def __init__(self):
        self.value = bytearray()
        self.free = 0                                           # bits in the last byte

    def write(self, number, count):
        for _ in range(count):
            if self.free == 0:
                self.value.append(0)
                self.free = 8
            self.value[-1] |= (number & 1) << (8 - self.free)
            self.free -= 1
            number >>= 1

    def one_symbol(self):
        """A Huffman code of symbol 0 alone, which takes no bits in the data."""
        self.write(0b0001, 4)

    def bytes_of_equal_length(self):
        """A Huffman code in which the symbols 0 to 255 have 8 bits each."""
        self.write(0, 1)
        self.write(12 - 4, 4)                                   # lengths of the code for lengths: 17 18 0 1 2 3 4 5 16 6 7 8
        for length in [0] * 11 + [1]:
            self.write(length, 3)
        self.write(1, 1)                                        # only so many symbols have lengths:
        self.write(3, 3)                                        # 8 bits
        self.write(256 - 2, 8)


def reversed_byte(byte):
    return int(f'{byte:08b}'[::-1], 2)


def file_of(bits):
    data = b'/' + bytes(bits.value)
    chunk = b'VP8L' + struct.pack('<I', len(data)) + data + b'\0' * (len(data) % 2)
    return b'RIFF' + struct.pack('<I', 4 + len(chunk)) + b'WEBP' + chunk


def header(side):
    bits = Bits()
    bits.write(side - 1, 14)
    bits.write(side - 1, 14)
    bits.write(0, 1 + 3)                                        # no alpha; version
    bits.write(0, 1)                                            # no transform
    bits.write(0, 1)                                            # no cache of colours
    return bits


def solid(side):
    """All in some 30 bytes."""
    bits = header(side)
    bits.write(0, 1)                                            # one set of Huffman codes for all pixels
    for _ in range(5):
        bits.one_symbol()
    return file_of(bits)


@functools.cache
def many_tables(sets):
    """1024 × 1024 pixels, of which each 4 × 4 have Huffman codes of their own."""
    bits = header(1024)
    bits.write(1, 1)
    bits.write(0, 3)                                            # squares of 4
    bits.write(0, 1)                                            # no cache for the picture of numbers of sets
    bits.bytes_of_equal_length()                                # green: the number's lower half
    bits.bytes_of_equal_length()                                # red: its upper half
    for _ in range(3):
        bits.one_symbol()
    for number in range(1 << 16):
        number %= sets
        bits.write(reversed_byte(number & 255), 8)
        bits.write(reversed_byte(number >> 8), 8)
    for _ in range(5 * sets):
        bits.one_symbol()
    return file_of(bits)
