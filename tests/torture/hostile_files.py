"""Files that a stranger may have made: small ones that grow, that take long, or that write to the terminal."""

import collections
import json
import pathlib
import struct
import zipfile
import zlib

# `make` returns the content for about so many bytes; peak memory of the command may be `factor` times the file.
File = collections.namedtuple('File', 'name command make factor')


def header(text):
    return struct.pack('<Q', len(text)) + text.encode()


def filled(size, before, part, after=''):
    return header(before + part * ((size - len(before)) // len(part)) + after)


def listed(size, before, part, after):
    parts = []
    length = 0
    while length < size:
        parts.append(part(len(parts)))
        length += len(parts[-1]) + 1
    return header(before + ','.join(parts) + after)


ENTRY = '{"dtype":"F4","shape":[0],"data_offsets":[0,0]}'
SAFETENSORS = [
    ('zeros', lambda size: filled(size, '{"a":[', '0,')),
    ('zeros as a shape', lambda size: filled(size, '{"a":{"dtype":"F32","shape":[', '0,')),
    ('zeros in metadata', lambda size: filled(size, '{"__metadata__":[', '0,')),
    ('one name again and again', lambda size: filled(size, '{', '"":' + ENTRY + ',')),
    ('many tensors', lambda size: listed(size, '{', lambda i: f'"{i}":{ENTRY}', '}')),
    ('many convolutions', lambda size: listed(size, '{', lambda i: f'"m{i}.features.0.weight":'
                                              '{"dtype":"F32","shape":[0,3,3,3],"data_offsets":[0,0]}', '}')),
    ('many batch norms', lambda size: listed(size, '{', lambda i: f'"features.{i}.running_var":'
                                             '{"dtype":"F32","shape":[0],"data_offsets":[0,0]}', '}')),
    ('much metadata', lambda size: listed(size, '{"__metadata__":{', lambda i: f'"{i}":"a"', '}}')),
    ('class names that are zeros', lambda size: header(json.dumps({'__metadata__': {
        'format': 'vgg19', 'format_version': '1', 'class_names': '[' + '0,' * (size // 2)}}))),
    ('one long name', lambda size: header('{"' + 'n' * size + '":' + ENTRY.replace('F4', 'F32') + '}')),
    ('one deep path', lambda size: header('{"' + 'a.' * (size // 2) + 'features.0.weight":'
                                          '{"dtype":"F4","shape":[0,3,3,3],"data_offsets":[0,0]}}'.replace('F4', 'F32'))),
    ('one long type', lambda size: header('{"a":{"dtype":"' + 'n' * size + '"}}')),
    ('brackets', lambda size: header('{"a":{"x":' + '[' * size)),
    ('escapes for the terminal', lambda size: header('{"\\u001b]0;x\\u0007\\u009b2J\\u202e":' + ENTRY + '}')),
]


def text(value):
    return b'X' + struct.pack('<I', len(value)) + value


def pickled(operations):
    return b'\x80\x02' + operations + b'.'


def repeated(size, before, part, after=b''):
    return pickled(before + part * (size // len(part)) + after)


NAME = text(b'k' * 100_000) + b'q\0'
TENSOR = (b'ctorch._utils\n_rebuild_tensor_v2\n((' + text(b'storage') + b'ctorch\nFloatStorage\n' + text(b'0')
          + text(b'cpu') + b'K\x08tQK\0K\x08\x85K\x01\x85\x89ccollections\nOrderedDict\n)RtRq\x01')
PICKLES = [
    ('one long key', lambda size: repeated(size, b'}(' + NAME + b'N', b'h\0N', b'u')),
    ('one long key of lists', lambda size: repeated(size, b'}(' + NAME + b']', b'h\0]', b'u')),
    ('one long class name', lambda size: repeated(size, b'}(' + text(b'classes') + b'](' + NAME, b'h\0', b'eu')),
    ('one class name', lambda size: repeated(size, b'}(' + text(b'classes') + b'](' + text(b'n' * 900) + b'q\0',
                                             b'h\0', b'eu')),
    ('one tensor', lambda size: repeated(size, b'](' + TENSOR, b'h\x01', b'e')),
    ('long names of a module', lambda size: repeated(
        size, b'](ctorch.nn.modules.activation\n' + b't' * 9000 + b'\nq\0}' + text(b'training') + b'Nsq\x01',
        b'h\0)\x81h\x01b', b'e')),
    ('tuples in tuples', lambda size: repeated(size, b'N', b'\x85')),
    ('persistent ids in persistent ids', lambda size: repeated(size, b'N', b'Q')),
    ('lists', lambda size: repeated(size, b'', b']')),
    ('marks', lambda size: repeated(size, b'', b'(')),
    ('dicts in dicts', lambda size: repeated(size, b'}', b'}q\0Nh\0s')),
    ('a long integer', lambda size: pickled(b'\x8b' + struct.pack('<i', size) + b'\x7f' * size)),
    ('a longer integer', lambda size: pickled(b'\x8b\xff\xff\xff\x7f')),
    ('a memo index at the end', lambda size: repeated(size, b'Nr' + struct.pack('<I', size // 2), b'N0')),
    ('extensions', lambda size: pickled(b''.join(b'\x83' + struct.pack('<H', i) for i in range(65536)))),
    ('attributes again and again', lambda size: repeated(size, b']', b'Nb')),
]


def archive(folder, files, compression=zipfile.ZIP_STORED):
    path = folder / 'archive'
    with zipfile.ZipFile(path, 'w', compression) as out:
        for name, content in files.items():
            out.writestr(name, content)
    content = path.read_bytes()
    path.unlink()
    return content


def overlapping(size, unpacked):
    """Many files in an archive's directory that are all the same compressed bytes."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = packer.compress(bytes(unpacked)) + packer.flush()
    name = b'a/code/x.py'
    local = b'PK\3\4' + struct.pack('<HHHIIIIHH', 20, 0, 8, 0, 0, len(data), unpacked, len(name), 0) + name + data
    pickle = pickled(b'N')
    local += b'PK\3\4' + struct.pack('<HHHIIIIHH', 20, 0, 0, 0, 0, len(pickle), len(pickle), 10, 0) + b'a/data.pkl'
    entries = [(name, 8, len(data), unpacked, 0), (b'a/data.pkl', 0, len(pickle), len(pickle), 30 + len(name) + len(data))]
    entries += [(b'a/code/%07d.py' % i, 8, len(data), unpacked, 0) for i in range(size // 60)]
    directory = b''.join(
        b'PK\1\2' + struct.pack('<HHHHIIIIHHHHHII', 20, 20, 0, method, 0, 0, stored, plain, len(name), 0, 0, 0, 0, 0, at)
        + name for name, method, stored, plain, at in entries)
    content = local + pickle + directory
    count = min(len(entries), 0xffff)
    return content + b'PK\5\6' + struct.pack('<HHHHIIH', 0, 0, count, count, len(directory), len(local + pickle), 0)


def bomb(folder, size):
    """One storage of zeros that is a thousand times smaller in the archive."""
    elements = 1000 * size // 4
    pickle = pickled(b'}' + text(b'weight') + TENSOR.replace(b'K\x08t', b'J' + struct.pack('<i', elements) + b't') + b's')
    return archive(folder, {'a/data.pkl': pickle, 'a/data/0': bytes(4 * elements)}, zipfile.ZIP_DEFLATED)


TEXTS = [
    ('class names: zeros', '--classes', lambda size: b'[' + b'0,' * (size // 2)),
    ('class names: lists', '--classes', lambda size: b'[' + b'[[[[]]]],' * (size // 9)),
    ('class names: lines', '--classes', lambda size: b'a\n' * (size // 2)),
    ('class names: different lines', '--classes', lambda size: b'\n'.join(b'%d' % i for i in range(size // 8))),
    ('class names: one line', '--classes', lambda size: b'a' * size),
    ('class names: escapes for the terminal', '--classes', lambda size: b'a\x1b[2J\na\x1b[2J\n'),
]


BLOCK = 128 << 10  # the most that a block of Zstandard holds


def frame(size, blocks):
    """A frame of Zstandard (RFC 8878) that says it has so many bytes; blocks are (type, size, bytes)."""
    last = len(blocks) - 1
    return b'\x28\xb5\x2f\xfd\xe0' + struct.pack('<Q', size) + b''.join(
        struct.pack('<I', (i == last) | kind << 1 | length << 3)[:3] + content
        for i, (kind, length, content) in enumerate(blocks))


def stored(content):
    parts = [content[i:i + BLOCK] for i in range(0, len(content), BLOCK)]
    return frame(len(content), [(0, len(part), part) for part in parts])


def run_of(byte, size):
    """A frame of one byte again and again, of which a block takes four bytes."""
    return frame(size, [(1, min(BLOCK, size - i), byte) for i in range(0, size, BLOCK)])


def skipped(size):
    return b'\x50\x2a\x4d\x18' + struct.pack('<I', size) + bytes(size)


PACKED = [
    ('zeros', lambda size: skipped_behind(run_of(b'\0', 64 << 20), size)),
    ('all zeros that are allowed', lambda size: skipped_behind(run_of(b'\0', 64 * size), size)),
    ('more zeros than are allowed', lambda size: skipped_behind(run_of(b'\0', 1 << 30) * 8, size)),
    ('a large size', lambda size: frame(1 << 60, [(0, 0, b'')])),
    ('a header of spaces', lambda size: skipped_behind(
        stored(struct.pack('<Q', 60 << 20) + b'{') + run_of(b' ', 60 << 20), size)),
    ('many frames', lambda size: frame(1, [(0, 1, b'x')]) * (size // 17)),
    ('many empty frames', lambda size: frame(0, [(0, 0, b'')]) * (size // 16)),
    ('many frames to skip', lambda size: stored(b'{') + skipped(0) * (size // 8)),
    ('one frame without an end', lambda size: stored(bytes(size))[:-1]),
    ('a frame in a frame', lambda size: stored(stored(bytes(size)))),
]


def skipped_behind(content, size):
    """About so many bytes in all."""
    return content + skipped(max(0, size - len(content)))


def varint(value):
    head, value = value & 0x7f, value >> 7
    return bytes([head | 0x80]) + varint(value) if value else bytes([head])


def field(number, content):
    """A field of a protocol buffer that is a text or a message."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def onnx(graph, size=0):
    return b'\x08\x07' + field(2, b'pytorch') + field(7, graph * max(1, size // len(graph)))


def caffe(layer, size=0):
    return field(1, b'VGG19') + field(2, layer) * max(1, size // (len(layer) + 2))


BUFFERS = [
    ('ONNX, nodes', lambda size: onnx(field(1, b''), size)),
    ('ONNX, attributes', lambda size: onnx(field(1, field(5, b'') * (size // 2)))),
    ('ONNX, tensors', lambda size: onnx(field(5, b''), size)),
    ('ONNX, sizes of a tensor', lambda size: onnx(field(5, b'\x08\x01' * (size // 2)))),
    ('ONNX, whole numbers', lambda size: onnx(field(5, field(5, b'\1' * size)))),
    ('ONNX, numbers one by one', lambda size: onnx(field(5, b'\x25abcd' * (size // 5)))),
    ('ONNX, places in other files', lambda size: onnx(field(5, field(13, b'') * (size // 2)))),
    ('ONNX, inputs', lambda size: onnx(field(11, b''), size)),
    ('ONNX, one long name', lambda size: onnx(field(1, field(3, b'n' * size)))),
    ('ONNX, groups in groups', lambda size: b'\x08\x07' + field(2, b'pytorch') + b'\x3b' * size),
    ('ONNX, metadata', lambda size: b'\x08\x07' + field(2, b'pytorch') + field(14, b'') * (size // 2)),
    ('ONNX, escapes for the terminal', lambda size: onnx(field(1, field(3, b'\x1b]0;x\x07') + field(2, b'\x1b[2J')))),
    ('Caffe, layers', lambda size: caffe(b'', size)),
    ('Caffe, blobs', lambda size: caffe(field(6, b'') * (size // 2))),
    ('Caffe, inputs', lambda size: caffe(b'') + field(3, b'') * (size // 2)),
    ('Caffe, what a layer reads', lambda size: caffe(field(2, b'') * (size // 2))),
]

KERAS = pathlib.Path(__file__).resolve().parents[2] / 'converter/import/testdata/keras/old_weights.h5'


def overwritten(size, value, step):
    """A file of HDF5 with every so many bytes replaced, and more behind it."""
    content = bytearray(KERAS.read_bytes())
    for place in range(8, len(content), step):
        content[place] = value
    return bytes(content) + bytes(max(0, size - len(content)))


HDF5 = [
    ('HDF5, zeros', lambda size: b'\x89HDF\r\n\x1a\n' + bytes(size)),
    *((f'HDF5, every byte {step}', lambda size, step=step: overwritten(size, 0xff, step)) for step in (7, 61, 509, 1009)),
    *((f'HDF5, a zero at every byte {step}', lambda size, step=step: overwritten(size, 0, step)) for step in (61, 509)),
]


def files(folder):
    """All of them; `command` makes the words of a command for a path."""
    def convert(path):
        return ['convert', path, '-o', folder / 'out']

    def inspect(path):
        return ['inspect', path]

    for name, make in SAFETENSORS:
        factor = 40 if name.startswith(('many', 'much')) else 4
        yield File(f'safetensors, {name}', convert, make, factor)
        yield File(f'model, {name}', inspect, make, factor)
    for name, make in SAFETENSORS[:6]:
        yield File(f'packed, {name}', inspect, lambda size, make=make: stored(make(size)), 48)
    for name, make in PACKED:
        yield File(f'packed model, {name}', inspect, make, 80)
        yield File(f'packed weights, {name}', convert, make, 80)
    for name, make in PICKLES:
        yield File(f'pickle, {name}', convert, make, 100)
        yield File(f'pickle in an archive, {name}', convert,
                   lambda size, make=make: archive(folder, {'a/data.pkl': make(size), 'a/data/0': bytes(32)}), 100)
    for name, make in BUFFERS + HDF5:
        yield File(name, convert, make, 20)
    yield File('archive, one large file', convert, lambda size: bomb(folder, size), 100)
    yield File('archive, files in each other', convert, lambda size: overlapping(size, 16 << 20), 100)
    for name, option, make in TEXTS:
        yield File(name, lambda path, option=option: ['convert', folder / 'weights.safetensors', option, path,
                                                      '-o', folder / 'out'], make, 40)
    for name, option in (('plan of pruning', ['prune', folder / 'model.safetensors', '-o', folder / 'out', '--plan']),
                         ('constants of a CPU', ['inspect', folder / 'model.safetensors', '--plan', '--machine'])):
        for kind, make in (('zeros', lambda size: b'[' + b'0,' * (size // 2)),
                           ('brackets', lambda size: b'[' * size),
                           ('strings', lambda size: b'["a"' + b',"a"' * (size // 4) + b']'),
                           ('one long string', lambda size: b'{"format":"' + b'\\u001b' * (size // 6) + b'"}')):
            yield File(f'{name}, {kind}', lambda path, option=option: [*option, path], make, 40)
