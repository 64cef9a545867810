"""BMPs and GIFs that Pillow reads, but does not write."""

import struct


def bmp(source, width, height, bits, coding, from_top):
    """`coding`: 0 none, 1 run lengths of 8 bits, 2 of 4 bits, 3 masks."""
    palette = b''
    if bits <= 8:
        palette = b''.join(bytes(source.randrange(256) for _ in range(3)) + b'\0' for _ in range(1 << bits))
    masks = struct.pack('<III', 0xF800, 0x07E0, 0x001F) if coding == 3 else b''
    if coding in (1, 2):
        pixels = run_lengths(source, width, height, bits)
    else:
        row = (width * bits + 31) // 32 * 4
        pixels = source.randbytes(row * height)
    offset = 54 + len(palette) + len(masks)
    header = struct.pack('<2sIII', b'BM', offset + len(pixels), 0, offset)
    header += struct.pack('<IiiHHIIiiII', 40, width, -height if from_top else height, 1, bits, coding, len(pixels),
                          0, 0, 0, 0)
    return header + masks + palette + pixels


def run_lengths(source, width, height, bits):
    data = bytearray()
    for _ in range(height):
        left = width
        while left > 0:
            count = min(left, source.randint(1, 40))
            if count > 3 and source.random() < 0.4:             # literal indices, padded to 16 bits
                if bits == 4:
                    count -= count % 2                          # Pillow misreads an odd number of them
                used = count * bits // 8
                data += bytes([0, count]) + source.randbytes(used) + b'\0' * (used % 2)
            else:
                data += bytes([count, source.randrange(256)])
            left -= count
        data += b'\0\0'
    return bytes(data + b'\0\1')


def lzw(indices, bits):
    """GIF's codes as blocks."""
    clear, codes = 1 << bits, []
    table, size, prefix = {}, bits + 1, ()
    codes.append((clear, size))
    for index in indices:
        longer = prefix + (index,)
        if len(longer) == 1 or longer in table:
            prefix = longer
            continue
        codes.append((table[prefix] if len(prefix) > 1 else prefix[0], size))
        table[longer] = clear + 2 + len(table)
        if table[longer] == 1 << size:
            size += 1
        if table[longer] == 4095:
            codes.append((clear, size))
            table, size = {}, bits + 1
        prefix = (index,)
    codes.append((table[prefix] if len(prefix) > 1 else prefix[0], size))
    codes.append((clear + 1, size))
    value = shift = 0
    for code, length in codes:
        value |= code << shift
        shift += length
    data = value.to_bytes((shift + 7) // 8, 'little')
    return b''.join(bytes([len(data[i:i + 255])]) + data[i:i + 255] for i in range(0, len(data), 255)) + b'\0'


def rows_in_order(height, interlaced):
    if not interlaced:
        return range(height)
    return [y for first, step in ((0, 8), (4, 8), (2, 4), (1, 2)) for y in range(first, height, step)]


def gif(source, width, height, bits, interlaced, transparent, local):
    """The picture covers its canvas: readers differ in what they show beside it."""
    colours = source.randbytes(3 << bits)
    file = b'GIF89a' + struct.pack('<HHBBB', width, height, 0 if local else 0x80 | bits - 1, 0, 0)
    file += b'' if local else colours
    file += b'!\xfe\x07comment\0'
    if transparent:
        file += b'!\xf9\x04' + bytes([1, 0, 0, source.randrange(1 << bits)]) + b'\0'
    flags = (0x80 | bits - 1 if local else 0) | (0x40 if interlaced else 0)
    file += b',' + struct.pack('<HHHHB', 0, 0, width, height, flags) + (colours if local else b'')
    picture = [[source.randrange(1 << bits)] * width if source.random() < 0.3 else source.choices(range(1 << bits), k=width)
               for _ in range(height)]
    indices = [index for y in rows_in_order(height, interlaced) for index in picture[y]]
    return file + bytes([max(2, bits)]) + lzw(indices, max(2, bits)) + b';'
