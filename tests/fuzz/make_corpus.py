#!/usr/bin/env python3
"""Writes the seeds of the readers' fuzzers, tests/fuzz/corpus/NAME: small files of every kind, as other programs
write them. Run it after a change here, and commit what it wrote."""

import hashlib
import json
import pathlib
import pickle
import pickletools
import struct
import zipfile

corpus = pathlib.Path(__file__).parent / "corpus"


def write(fuzzer, name, content):
    folder = corpus / fuzzer
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


def text(value):
    return b"\x8c" + bytes([len(value)]) + value.encode()


def number(value):
    return b"J" + struct.pack("<i", value)


def storage(key, elements, kind="FloatStorage"):
    return (b"(" + text("storage") + f"ctorch\n{kind}\n".encode() + text(key) + text("cpu") + number(elements)
            + b"tQ")


def tensor(key, shape, kind="FloatStorage"):
    elements = 1
    strides = []
    for size in reversed(shape):
        strides.insert(0, elements)
        elements *= size
    tuples = b"".join(b"(" + b"".join(map(number, each)) + b"t" for each in (shape, strides))
    return (b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage(key, elements, kind) + number(0) + tuples
            + b"\x89ccollections\nOrderedDict\n)RtR")


def dictionary(**values):
    return b"}(" + b"".join(text(key) + value for key, value in values.items()) + b"u"


def stored(operations):
    return b"\x80\x04" + operations + b"."


plain = dictionary(weight=tensor("0", [2, 4]), bias=tensor("1", [2]))
module = (b"ctorch.nn.modules.pooling\nMaxPool2d\n)\x81"
          + dictionary(training=b"\x88", _modules=b"}", _parameters=b"}", kernel_size=b"K\x02K\x02\x86") + b"b")
norm = (b"ctorch.nn.modules.batchnorm\nBatchNorm2d\n)\x81"
        + dictionary(training=b"\x89", eps=b"G\x3e\xe4\xf8\xb5\x88\xe3\x68\xf1", running_mean=tensor("0", [2]))
        + b"b")
checkpoint = dictionary(state_dict=plain, classes=b"](" + text("cat") + text("dog") + b"e", epoch=b"K\x05",
                        idx2label=b"}(K\x00" + text("cat") + b"K\x01" + text("dog") + b"u", bn_eps=b"G" + b"\x3f" * 8)
array = (b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00\x85C\x01btR(K\x01K\x02\x85cnumpy\ndtype\n"
         + text("f4") + b"\x89\x88\x87R(K\x03" + text("<") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89C\x08"
         + bytes(8) + b"tb")
pickles = {
    "plain": plain,
    "module": dictionary(pool=module, norm=norm),
    "checkpoint": checkpoint,
    "array": dictionary(array=array),
    "subclass": b"ctorch._tensor\n_rebuild_from_type_v2\n(ctorch._utils\n_rebuild_tensor_v2\nctorch\nTensor\n("
                + storage("0", 4) + b"K\x00K\x04\x85K\x01\x85\x89ccollections\nOrderedDict\n)Rt}tR",
    "parameter": b"ctorch._utils\n_rebuild_parameter\n(" + tensor("0", [4]) + b"\x88ccollections\nOrderedDict\n)RtR",
    "shared": b"](" + tensor("0", [4]) + b"q\x01h\x01h\x01]q\x02h\x02h\x02e",
}
for name, operations in pickles.items():
    write("pickle", name, stored(operations))
for protocol in (0, 2, 5):
    value = {"classes": ["cat", "dog"], "eps": 1e-5, "n": [1, -1, 2**70, None, True, b"b"], "t": (1, (2, (3,)))}
    write("pickle", f"python{protocol}", pickletools.optimize(pickle.dumps(value, protocol)))


def zipped(files):
    path = corpus / "zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    content = path.read_bytes()
    path.unlink()
    return content


for name, operations in pickles.items():
    write("pth_zip", name, zipped({"a/data.pkl": stored(operations), "a/byteorder": b"little",
                                   "a/data/0": bytes(32), "a/data/1": bytes(8)}))
write("pth_zip", "script", zipped({"a/data.pkl": stored(plain), "a/data/0": bytes(32), "a/data/1": bytes(8),
                                   "a/code/x.py": "torch.batch_norm(x, a, b, c, d, False, 0.1, 1e-3, True)"}))


def legacy(operations, storages):
    keys = b"](" + b"".join(text(key) for key in storages) + b"e"
    content = b"".join(map(stored, (b"\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", b"M\xe9\x03",
                                    dictionary(little_endian=b"\x88"), operations, keys)))
    return content + b"".join(struct.pack("<Q", count) + bytes(4 * count) for count in storages.values())


write("pth_legacy", "plain", legacy(plain, {"0": 8, "1": 2}))
write("pth_legacy", "checkpoint", legacy(checkpoint, {"0": 8, "1": 2}))
write("pth_legacy", "parameter", legacy(pickles["parameter"], {"0": 4}))
nested = legacy(storage("0", 4), {"0": 4})
write("pth_legacy", "nested", stored(
    b"ctorch._utils\n_rebuild_tensor_v2\n(ctorch.storage\n_load_from_bytes\nB" + struct.pack("<I", len(nested)) + nested
    + b"\x85RK\x00K\x04\x85K\x01\x85\x89ccollections\nOrderedDict\n)RtR"))


def safetensors(metadata, tensors):
    header = {"__metadata__": metadata} if metadata else {}
    data = b""
    for name, (kind, shape, content) in tensors.items():
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    encoded = json.dumps(header, separators=(",", ":")).encode()
    encoded += b" " * (-len(encoded) % 8)
    return struct.pack("<Q", len(encoded)) + encoded + data


def checksum(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


write("safetensors", "types", safetensors({"a": "b"}, {
    "half": ("F16", [2], bytes(4)), "other": ("U16", [1, 2], bytes(4)), "scalar": ("F32", [], bytes(4)),
    "empty": ("I64", [0, 3], b"")}))
write("safetensors", "layer", safetensors(None, {
    "features.0.weight": ("F32", [2, 3, 3, 3], bytes(216)), "features.0.bias": ("F32", [2], bytes(8))}))
model = {"format": "vgg19", "format_version": "1", "features": "1 M", "classifier": "",
         "preprocessing.input_size": "32", "preprocessing.resize_ratio": "1", "preprocessing.mean": "0 0 0",
         "preprocessing.deviation": "1 1 1", "preprocessing.interpolation": "bilinear antialiased",
         "variant": "baseline", "source_sha256": "0" * 64, "lineage.0": "convert"}
weights = {"features.0.weight": ("F32", [1, 3, 3, 3], bytes(108)), "features.0.bias": ("F32", [1], bytes(4))}
model |= {"checksum." + name: checksum(content) for name, (_, _, content) in weights.items()}
write("safetensors", "model", safetensors(model, weights))


def zstandard(content):
    """A frame of plain blocks (RFC 8878), with its content's size and without a checksum."""
    blocks = [content[i:i + (128 << 10)] for i in range(0, len(content), 128 << 10)] or [b""]
    return b"\x28\xb5\x2f\xfd\xa0" + struct.pack("<I", len(content)) + b"".join(
        struct.pack("<I", (i + 1 == len(blocks)) | len(block) << 3)[:3] + block for i, block in enumerate(blocks))


packed = safetensors(model, weights)
write("packed", "one", zstandard(packed))
write("packed", "three", b"".join(zstandard(packed[i:i + 1000]) for i in range(0, len(packed), 1000)))
write("packed", "skipped", zstandard(packed) + b"\x50\x2a\x4d\x18" + struct.pack("<I", 3) + b"abc")
write("packed", "run", b"\x28\xb5\x2f\xfd\xa0" + struct.pack("<I", 1 << 20)
      + b"".join(struct.pack("<I", (i == 7) | 1 << 1 | 1 << 20)[:3] + b"x" for i in range(8)))

head = struct.pack("<4f", 1, 2, 3, 4)
write("checkpoint", "kept", safetensors(
    {"format": "vgg19-finetune-checkpoint", "format_version": "1",
     "settings": json.dumps({"epochs": 2, "learning_rate": 0.5}),
     "state": json.dumps({"steps": 3, "loss": 1.5, "top1": 2, "seconds": 1, "micro_batch": 1, "threads": 2}),
     "checksum.head.kept": checksum(head)},
    {"head.kept": ("F32", [2, 2], head)}))

write("json", "values", '{"a":[0,-1,1.5e-3,18446744073709551615,true,false,null],"b":{"c":"\\u00e9\\ud83d\\ude00\\n"}}')
write("json", "nested", "[[[[[[]]]],{}]]")
write("json", "plan", json.dumps({
    "format": "vgg19-prune-plan", "format_version": 1, "source_sha256": "0" * 64, "origin": "prune",
    "cuts": [{"layer": "features.0", "channels": 4, "removed": [0, 2]}]}))
write("class_names", "lines", "tench\ngreat white shark\n")
write("class_names", "list", '["tench","shark"]')
write("class_names", "by_index", '{"0":["n01440764","crane"],"1":["n01484850","crane"]}')
write("class_names", "by_name", '{"tench":0,"shark":1}')
write("label_map", "ids", "# a comment\ncat n02123045\ndog 7  207\n")
write("label_map", "indices", "cat 0 # first\n\ndog 7\t2\r\n")
record = bytes([7]) + bytes(3072)
write("cifar", "one", record)
