"""Write the fixtures of checkpoint_test.cc: a narrow VGG-11 among all that training scripts leave in their files.

    python make_checkpoints.py    into the folder of this script; needs torch, numpy and safetensors

The values are those of make.py. PyTorch, or Python's pickle module, reads each file back before it stays.
"""
import argparse
import collections
import datetime
import enum
import functools
import io
import os
import pathlib
import pickle
import warnings
import zipfile
from collections import OrderedDict

import numpy as np
import torch
import torch.nn.utils.prune
from torch import nn

from make import CLASSIFIER, FEATURES, HERE, POOL, values, vgg

warnings.simplefilter("ignore")


class Vgg(nn.Module):
    def __init__(self, batch_norm, eps=1e-5):
        super().__init__()
        layers, channels = [], 3
        for width in FEATURES[11]:
            if width == POOL:
                layers.append(nn.MaxPool2d(2))
                continue
            layers.append(nn.Conv2d(channels, width, 3, padding=1))
            if batch_norm:
                layers.append(nn.BatchNorm2d(width, eps=eps))
            layers.append(nn.ReLU())
            channels = width
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.Linear(channels * 49, CLASSIFIER[0]), nn.ReLU(), nn.Dropout(), nn.Linear(CLASSIFIER[0], CLASSIFIER[1]), nn.ReLU(),
            nn.Dropout(), nn.Linear(CLASSIFIER[1], CLASSIFIER[2]))
        self.load_state_dict(vgg(11, batch_norm))

    def forward(self, x):
        return self.classifier(self.features(x).flatten(1))


class Block(nn.Module):
    """Small, because TorchScript's files are large."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 2, 3), nn.BatchNorm2d(2, eps=1e-3))
        self.eval()
        for name, tensor in self.state_dict().items():
            tensor.copy_(values(name, tensor.shape))

    def forward(self, x):
        return self.features(x)


class Colour(enum.Enum):
    RED = 1


class AttributeDict(dict):
    """The class in which Lightning stores hyper-parameters."""


class Subclass(torch.Tensor):
    pass


class NotSeekable(io.RawIOBase):
    """A stream without seek(), so that zip files have the sizes after the data."""

    def __init__(self, file):
        self.file = file

    def writable(self):
        return True

    def write(self, data):
        return self.file.write(data)


def path(name):
    return os.path.join(HERE, name)


def save(name, contents, **options):
    torch.save(contents, path(name), **options)
    torch.load(path(name), weights_only=False)  # a file that we wrote ourselves


def leavings(state):
    """What training scripts store next to a state dict."""
    parameter = nn.Parameter(torch.ones(2))
    optimizer = torch.optim.Adam([parameter])
    parameter.sum().backward()
    optimizer.step()
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 3)
    return {
        "epoch": 3,
        "args": argparse.Namespace(lr=0.1, bn_eps=1e-3, out=pathlib.PurePosixPath("/out"), device=torch.device("cuda:0"), dtype=torch.float16),
        "best": np.float64(93.5), "top1": np.float32(1.5), "history": np.arange(4.0), "columns": np.asfortranarray(np.arange(6, dtype="f4").reshape(2, 3)),
        "big_endian": np.ones(2, dtype=">f4"), "counter": collections.Counter("abca"), "size": torch.Size([1, 2]),
        "time": datetime.datetime(2024, 5, 6), "duration": datetime.timedelta(1), "colour": Colour.RED, "set": {1}, "frozen": frozenset([2]),
        "lists": collections.defaultdict(list, a=[1]), "deque": collections.deque([1, 2]), "model_state_dict": state,
        "optimizer": optimizer.state_dict(), "scheduler": scheduler.state_dict(), "rng": torch.zeros(8, dtype=torch.uint8),
        "complex": torch.zeros(2, dtype=torch.complex64), "sparse": torch.eye(2).to_sparse(), "meta": torch.zeros(2, device="meta"),
        "device": torch.device("cpu"),
        "quantized": torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8),
        "quantized_channels": torch.quantize_per_channel(torch.ones(2, 2), torch.ones(2), torch.zeros(2), 0, torch.qint8),
        "class_to_idx": {"cat": 0, "dog": 2, "cow": 1}, "norm_layer": functools.partial(nn.BatchNorm2d, eps=1e-4), "type": Vgg,
        "slice": slice(1, 2), "number": 1j, "bytes": b"abc", "bytearray": bytearray(b"\xe4bc"), "large": 1 << 100, "losses": [0.1] * 300,
        ("a", 1): 2, 7: torch.ones(1), None: torch.ones(1), 1.5: torch.ones(1), True: torch.ones(2),
    }


def leavings_of_the_zip_format():
    return {"nested": torch.nested.nested_tensor([torch.zeros(2)]), "float8": torch.zeros(3).to(torch.float8_e4m3fn), "uint16": torch.zeros(3, dtype=torch.uint16)}


def of_other_modules():
    """The tensors of a VGG-11 in modules that compute something else, and modules allowed after the last layer."""
    model = Vgg(False)
    model.features[0].padding = (0, 0)
    model.features[1] = nn.LeakyReLU(0.1)
    model.features[2] = nn.AvgPool2d(2)
    model.features[3].padding_mode = "reflect"
    model.features[5] = nn.MaxPool2d(3, 2, 1)
    model.classifier.append(nn.Sigmoid())
    return model


def pruned_module():
    """Pruned: its attributes include the product of weights and mask from the last run."""
    model = Vgg(False)
    mask = torch.ones(model.features[0].weight.shape)
    mask.view(-1)[::2] = 0
    torch.nn.utils.prune.custom_from_mask(model.features[0], "weight", mask)
    model.features.append(nn.AvgPool2d(1))
    model.classifier.append(nn.Softmax(1))
    return model


class WithRelu(nn.Module):
    """A ReLU behind the last layer that is no module."""

    def __init__(self):
        super().__init__()
        self.net = Vgg(False)

    def forward(self, x):
        return torch.relu(self.net(x))


def relu_at_end():
    """Its last ReLU is behind a module that holds the last layer."""
    net = Vgg(False)
    return nn.Sequential(net.features, nn.Flatten(1), net.classifier, nn.ReLU())


def save_script(name, module):
    """Removes the files that contain paths of this machine."""
    module.save(path(name))
    with zipfile.ZipFile(path(name)) as old:
        contents = [(entry, old.read(entry)) for entry in old.infolist() if not entry.filename.endswith(".debug_pkl")]
    with zipfile.ZipFile(path(name), "w") as new:
        for entry, content in contents:
            new.writestr(entry.filename, content, entry.compress_type)
    torch.jit.load(path(name))


def rezip(source, target, compression, prefix, file=None):
    """The same contents in a zip file by another program."""
    with zipfile.ZipFile(path(source)) as old, zipfile.ZipFile(file or path(target), "w", compression) as new:
        if prefix:
            new.writestr(prefix, "")
        for name in old.namelist():
            new.writestr(prefix + name.split("/", 1)[1], old.read(name))


def main():
    state = vgg(11)
    for protocol in (2, 4, 5):
        save(f"leavings_{protocol}.pth", {**leavings(state), **leavings_of_the_zip_format()}, pickle_protocol=protocol)
    old = leavings(state)
    del old["type"], old["norm_layer"]  # in the stream format they would carry their classes' code
    save("leavings_legacy.pth", old, _use_new_zipfile_serialization=False)
    save("protocol_1.pth", state, _use_new_zipfile_serialization=False, pickle_protocol=1)

    save("module.pth", Vgg(True, 1e-3))
    save("other_modules.pth", of_other_modules())
    save("pruned_module.pth", pruned_module())
    save("relu_at_end.pth", relu_at_end())
    save("data_parallel.pth", {"net": nn.DataParallel(Vgg(False)), "optimizer": torch.optim.SGD(Vgg(False).parameters(), 0.1)})
    save("lightning.ckpt", {
        "pytorch-lightning_version": "2.4.0", "epoch": 1, "global_step": 7,
        "state_dict": OrderedDict(("model." + name, tensor) for name, tensor in state.items()),
        "hyper_parameters": AttributeDict(lr=0.1, classes=["cat", "dog"]), "hparams_name": "kwargs",
        "callbacks": {"EarlyStopping{'monitor': 'loss'}": {"wait_count": 0, "best_score": torch.tensor(0.5)}},
        "loops": {"fit_loop": {"state_dict": {}, "epoch_progress": {"total": {"ready": 1}}}}})

    save_script("script.pt", torch.jit.script(Block()))
    save_script("trace.pt", torch.jit.trace(Block(), torch.zeros(1, 3, 8, 8)))
    save_script("relu_at_end.pt", torch.jit.trace(relu_at_end(), torch.zeros(1, 3, 224, 224)))
    save_script("relu_function.pt", torch.jit.script(WithRelu()))
    save_script("frozen.pt", torch.jit.freeze(torch.jit.script(Block())))

    save("expanded.pth", {name: torch.full((1,), 0.5).expand(tensor.shape) for name, tensor in state.items()})
    parameter = nn.Parameter(torch.ones(3))
    parameter.mask = torch.full((2,), 2.0)
    subclass = torch.full((3,), 3.0).as_subclass(Subclass)
    subclass.note = torch.full((2,), 4.0)
    circle = {"parameter": parameter, "subclass": subclass}
    circle["itself"] = circle
    circle["often"] = [{"same": subclass}] * 10
    save("attributes.pth", circle)
    save("quantize_dynamic.pth", torch.ao.quantization.quantize_dynamic(Vgg(False), {nn.Linear}).state_dict())

    arrays = {name: tensor.numpy() for name, tensor in state.items()}
    for protocol in (0, 2, 5):
        with open(path(f"arrays_{protocol}.pkl"), "wb") as file:
            pickle.dump(arrays, file, protocol)
    save("arrays.pth", arrays)
    for protocol in (0, 4):
        with open(path(f"tensors_{protocol}.pkl"), "wb") as file:
            pickle.dump({"net": {"features.0.weight": state["features.0.weight"], "features.0.bias": state["features.0.bias"]},
                         "classes": ["cat", "caf\u00e9"]}, file, protocol)
    np.savez(path("arrays.npz"), bias=arrays["features.0.bias"])

    rezip("zip.pth", "deflated.pth", zipfile.ZIP_DEFLATED, "archive/")
    rezip("zip.pth", "no_folder.pth", zipfile.ZIP_STORED, "")
    with open(path("streamed.pth"), "wb") as file:
        rezip("zip.pth", "", zipfile.ZIP_STORED, "zip/", NotSeekable(file))


if __name__ == "__main__":
    main()
