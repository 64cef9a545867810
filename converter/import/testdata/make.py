"""Write the fixtures of import_test.cc: narrow VGGs in every form that the importer reads.

    python make.py            into the folder of this script; needs torch and safetensors

Element i of tensor NAME is ((7·i + sum of NAME's bytes) mod 61 − 30) / 32, which float16 and bfloat16 hold exactly; a
variance is its absolute value plus 1/2. The test repeats this formula. Each .pth is read back by PyTorch before it stays.
"""
import os
import pickle
import struct
import zipfile
from collections import OrderedDict

import torch
from safetensors.torch import save_file

HERE = os.path.dirname(os.path.abspath(__file__))
POOL = "M"
FEATURES = {
    11: [2, POOL, 3, POOL, 4, 2, POOL, 3, 4, POOL, 2, 3, POOL],
    13: [2, 3, POOL, 4, 2, POOL, 3, 4, POOL, 2, 3, POOL, 4, 2, POOL],
    16: [2, 3, POOL, 4, 2, POOL, 3, 4, 2, POOL, 3, 4, 2, POOL, 3, 4, 2, POOL],
    19: [2, 3, POOL, 4, 2, POOL, 3, 4, 2, 3, POOL, 4, 2, 3, 4, POOL, 2, 3, 4, 2, POOL],
}
CLASSIFIER = [5, 6, 7]


def values(name, shape):
    count = torch.Size(shape).numel()
    result = ((7 * torch.arange(count) + sum(name.encode())) % 61 - 30).float() / 32
    return (result.abs() + 0.5 if name.endswith("running_var") else result).reshape(shape)


def vgg(depth, batch_norm=False, dtype=torch.float32):
    state, index, channels = OrderedDict(), 0, 3

    def add(name, *shape):
        state[name] = values(name, shape).to(dtype)

    for width in FEATURES[depth]:
        if width == POOL:
            index += 1
            continue
        add(f"features.{index}.weight", width, channels, 3, 3)
        add(f"features.{index}.bias", width)
        if batch_norm:
            for part in ("weight", "bias", "running_mean", "running_var"):
                add(f"features.{index + 1}.{part}", width)
            state[f"features.{index + 1}.num_batches_tracked"] = torch.tensor(7)
        index, channels = index + (3 if batch_norm else 2), width
    inputs = channels * 49
    for layer, width in zip((0, 3, 6), CLASSIFIER):
        add(f"classifier.{layer}.weight", width, inputs)
        add(f"classifier.{layer}.bias", width)
        inputs = width
    return state


def save(name, contents, reference, legacy=False, protocol=2, nested=None):
    path = os.path.join(HERE, name)
    torch.save(contents, path, _use_new_zipfile_serialization=not legacy, pickle_protocol=protocol)
    check(name, reference, nested)


def check(name, reference, nested=None):
    loaded = torch.load(os.path.join(HERE, name), weights_only=False)  # a file that we wrote ourselves
    loaded = loaded[nested] if nested else loaded
    assert len(loaded) == len(reference)
    for key, expected in zip(sorted(reference), sorted(loaded)):
        assert torch.equal(loaded[expected].reshape(reference[key].shape).to(reference[key].dtype), reference[key]), key


def with_metadata(state):
    """Like Module.state_dict(): the OrderedDict has an attribute."""
    state._metadata = OrderedDict({"": {"version": 1}, "features": {"version": 1}})
    return state


def viewed(state):
    """One storage for all tensors, with offsets; biases have gaps, weights have permuted dimensions."""
    pieces, start, views = [torch.full((5,), float("nan"))], 5, OrderedDict()
    for name, tensor in state.items():
        gap = 2 if tensor.dim() == 1 else 1
        order = list(reversed(range(tensor.dim())))
        stored = torch.full((tensor.numel(), gap), float("nan"))
        stored[:, 0] = tensor.permute(order).reshape(-1)
        pieces.append(stored.reshape(-1))
        views[name] = (start, tensor.shape, order, gap)
        start += stored.numel()
    flat = torch.cat(pieces)
    result = OrderedDict()
    for name, (offset, shape, order, gap) in views.items():
        strides, stride = [0] * len(shape), gap
        for dimension in reversed(order):
            strides[dimension] = stride
            stride *= shape[dimension]
        result[name] = flat.as_strided(shape, strides, offset)
    return result


def timm(state):
    result = OrderedDict()
    for name, tensor in state.items():
        for ours, theirs in (("classifier.0", "pre_logits.fc1"), ("classifier.3", "pre_logits.fc2"), ("classifier.6", "head.fc")):
            if name == ours + ".weight" and theirs != "head.fc":
                side = 7 if ours == "classifier.0" else 1
                tensor = tensor.reshape(tensor.shape[0], -1, side, side)
            name = name.replace(ours, theirs)
        result[name] = tensor
    return result


class OldStorage:
    pass


class OldTensor:
    """A tensor in the form that PyTorch 0.1 pickled."""

    def __init__(self, storage, offset, shape):
        self.arguments = (storage, offset, tuple(shape), torch.zeros(shape).stride())

    def __reduce__(self):
        return torch._utils._rebuild_tensor, self.arguments


class OldDict:
    """An OrderedDict in the form that Python 2 pickled."""

    def __init__(self, state):
        self.pairs = [[name, tensor] for name, tensor in state.items()]

    def __reduce__(self):
        return OrderedDict, (self.pairs,)


class OldPickler(pickle.Pickler):
    def persistent_id(self, value):
        return value.id if isinstance(value, OldStorage) else None


def save_old_legacy(name, state):
    """Storages are views into one root storage, and tensors begin inside the views."""
    views, start, root = OrderedDict(), 3, [torch.full((3,), float("nan"))]
    total = 3 + sum(tensor.numel() + 2 for tensor in state.values())
    for key, tensor in state.items():
        storage = OldStorage()
        size = tensor.numel() + 2
        storage.id = ("storage", torch.FloatStorage, "1234", "cpu", total, (f"view of {key}", start, size))
        root += [torch.full((2,), float("nan")), tensor.reshape(-1)]
        views[key] = OldTensor(storage, 2, tensor.shape)
        start += size
    with open(os.path.join(HERE, name), "wb") as file:
        pickle.dump(0x1950A86A20F9469CFC6C, file, 2)
        pickle.dump(1001, file, 2)
        pickle.dump({"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}, file, 2)
        OldPickler(file, 2).dump(OldDict(views))
        pickle.dump(["1234"], file, 2)
        data = torch.cat(root)
        file.write(struct.pack("<q", data.numel()) + data.numpy().tobytes())
    check(name, state)


def to_zip64(source, target):
    """Rewrites the central directory with every number in its zip64 field."""
    with open(os.path.join(HERE, source), "rb") as file:
        content = file.read()
    with zipfile.ZipFile(os.path.join(HERE, source)) as archive:
        entries, begin = archive.infolist(), archive.start_dir
    directory = b""
    for entry in entries:
        name = entry.filename.encode()
        extra = struct.pack("<HHI", 0x7777, 4, 0) + struct.pack("<HHQQQ", 1, 24, entry.file_size, entry.compress_size, entry.header_offset)
        directory += struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, 45, 45, entry.flag_bits, 0, 0, 0x21, entry.CRC,
                                 0xFFFFFFFF, 0xFFFFFFFF, len(name), len(extra), 0, 0, 0, 0, 0xFFFFFFFF) + name + extra
    count, end = len(entries), begin + len(directory)
    tail = struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, 45, 45, 0, 0, count, count, len(directory), begin)
    tail += struct.pack("<IIQI", 0x07064B50, 0, end, 1)
    comment = b"a comment"
    tail += struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, len(comment)) + comment
    with open(os.path.join(HERE, target), "wb") as file:
        file.write(content[:begin] + directory + tail)
    with zipfile.ZipFile(os.path.join(HERE, target)) as archive:
        assert archive.testzip() is None


def save_with_facts():
    """Checkpoints that hold more than weights."""
    plain, names = vgg(11), ["ant", "bee", "cat", "dog", "eel", "fox", "gnu"]
    save("class_names.pth", {"state_dict": vgg(11), "class_to_idx": {name: names.index(name) for name in reversed(names)}},
         plain, nested="state_dict")
    save("two_class_names.pth", {"state_dict": vgg(11), "classes": names, "class_names": names[::-1]}, plain, nested="state_dict")
    norm = vgg(11, batch_norm=True)
    save("norm_epsilon.pth", {"state_dict": norm, "hyper_parameters": {"bn_eps": 1e-3}}, norm, nested="state_dict")


def main():
    plain = vgg(11)
    save("zip.pth", with_metadata(vgg(11)), plain)
    save("legacy.pth", with_metadata(vgg(11)), plain, legacy=True)
    save_file(plain, os.path.join(HERE, "plain.safetensors"))
    to_zip64("zip.pth", "zip64.pth")
    save_old_legacy("legacy_views.pth", plain)

    deep = vgg(19)
    save("vgg19_zip.pth", deep, deep)
    norm = vgg(13, batch_norm=True)
    save("bn_module.pth", OrderedDict(("module." + name, tensor) for name, tensor in norm.items()),
         {"module." + name: tensor for name, tensor in norm.items()})
    norm = vgg(11, batch_norm=True, dtype=torch.float64)
    save("bn_float64_legacy.pth", norm, norm, legacy=True)

    half = vgg(16, dtype=torch.float16)
    parameter = torch.nn.Parameter(torch.ones(2))
    optimizer = torch.optim.SGD([parameter], lr=0.1, momentum=0.9)
    parameter.sum().backward()
    optimizer.step()
    checkpoint = {"epoch": 3, "best": 0.5, "done": True, "name": "narrow", "nothing": None, "history": [1, 2.5, (3, {4})],
                  "optimizer": optimizer.state_dict(), "state_dict": half, "large": 1 << 80}
    save("checkpoint_float16.pth", checkpoint, half, protocol=4, nested="state_dict")
    save("checkpoint_float16_legacy.pth", checkpoint, half, legacy=True, protocol=5, nested="state_dict")
    brain = vgg(13, dtype=torch.bfloat16)
    save("model_bfloat16.pth", {"model": dict(brain), "step": 12}, brain, protocol=3, nested="model")
    double = {name: torch.nn.Parameter(tensor) for name, tensor in vgg(11, dtype=torch.float64).items()}
    save("parameters_float64.pth", double, double)

    save_with_facts()
    save("views.pth", viewed(plain), plain)
    save("views_legacy.pth", viewed(plain), plain, legacy=True)
    save("timm.pth", timm(plain), timm(plain))


if __name__ == "__main__":
    main()
