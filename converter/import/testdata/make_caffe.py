#!/usr/bin/env python3
"""Makes caffe/: narrow VGG-11s with layers of both versions, put together by hand, and what PyTorch computes with the
same weights.

With protoc, protobuf for Python, torch and safetensors: python3 make_caffe.py
"""
import pathlib
import subprocess
import sys
import tempfile

import numpy
import torch
from safetensors.numpy import save_file
from torch.nn import functional

HERE = pathlib.Path(__file__).parent
FOLDER = HERE / "caffe"
VGG11 = [(1, 4), (1, 5), (2, 6), (2, 7), (2, 7)]
CLASSES = 5


def messages():
    """The classes that protoc makes of converter/caffe/caffe.proto, without the small runtime that C++ uses."""
    folder = pathlib.Path(tempfile.mkdtemp())
    text = (HERE.parent.parent / "caffe" / "caffe.proto").read_text()
    (folder / "caffe.proto").write_text(text.replace("option optimize_for = LITE_RUNTIME;", ""))
    subprocess.run(["protoc", f"--proto_path={folder}", f"--python_out={folder}", "caffe.proto"], check=True)
    sys.path.insert(0, str(folder))
    import caffe_pb2
    return caffe_pb2


caffe = messages()
TYPES = caffe.V1LayerParameter.LayerType


def picture(size):
    """The same numbers as in testing/foreign.h."""
    c, h, w = numpy.meshgrid(numpy.arange(3), numpy.arange(size), numpy.arange(size), indexing="ij")
    return torch.from_numpy(numpy.sin(7 * c + 0.13 * h + 0.29 * w).astype(numpy.float32)[None])


class Old:
    """Layers of the first version, with sizes as num, channels, height and width."""

    def __init__(self):
        self.net = caffe.NetParameter(name="VGG_narrow", input=["data"], input_dim=[1, 3, 64, 64])

    def layer(self, kind, name, bottom, top, blobs=(), **settings):
        layer = self.net.layers.add(type=TYPES.Value(kind), name=name, bottom=[bottom], top=[top], **settings)
        for values in blobs:
            sizes = (1,) * (4 - values.ndim) + values.shape
            layer.blobs.add(num=sizes[0], channels=sizes[1], height=sizes[2], width=sizes[3], data=values.flatten())


class New:
    """Layers of the second version, with shapes, as a training leaves them: data, labels, losses."""

    def __init__(self):
        self.net = caffe.NetParameter(name="VGG_narrow_bn")
        self.net.layer.add(name="data", type="Data", top=["data", "label"])
        self.net.layer.add(name="label_data_1_split", type="Split", bottom=["label"], top=["label_0", "label_1"])

    def layer(self, kind, name, bottom, top, blobs=(), **settings):
        layer = self.net.layer.add(name=name, type=kind, bottom=[bottom], top=[top], **settings)
        for values in blobs:
            blob = layer.blobs.add(data=values.flatten(), diff=numpy.zeros(3))
            blob.shape.dim.extend(values.shape)


def old(random):
    net, data, value, bottom = Old(), picture(64), None, "data"
    value, channels = data, 3
    for block, (count, width) in enumerate(VGG11, 1):
        for k in range(1, count + 1):
            name = f"conv{block}_{k}"
            weight = random.normal(0, (2 / 9 / channels) ** 0.5, (width, channels, 3, 3)).astype(numpy.float32)
            bias = random.normal(0, 0.1, width).astype(numpy.float32)
            net.layer("CONVOLUTION", name, bottom, name, (weight, bias),
                      convolution_param={"num_output": width, "pad": [1], "kernel_size": [3]})
            net.layer("RELU", f"relu{block}_{k}", name, name)
            value = functional.relu(functional.conv2d(value, torch.from_numpy(weight), torch.from_numpy(bias), padding=1))
            bottom, channels = name, width
        net.layer("POOLING", f"pool{block}", bottom, f"pool{block}", pooling_param={"pool": 0, "kernel_size": 2, "stride": 2})
        value, bottom = functional.max_pool2d(value, 2), f"pool{block}"
    value = value.flatten(1)
    for k, width in enumerate((8, 9, CLASSES), 6):
        weight = random.normal(0, (2 / value.shape[1]) ** 0.5, (width, value.shape[1])).astype(numpy.float32)
        bias = random.normal(0, 0.1, width).astype(numpy.float32)
        net.layer("INNER_PRODUCT", f"fc{k}", bottom, f"fc{k}", (weight, bias), inner_product_param={"num_output": width})
        value, bottom = functional.linear(value, torch.from_numpy(weight), torch.from_numpy(bias)), f"fc{k}"
        if k < 8:
            net.layer("RELU", f"relu{k}", bottom, bottom)
            net.layer("DROPOUT", f"drop{k}", bottom, bottom)
            value = functional.relu(value)
    net.layer("SOFTMAX", "prob", bottom, "prob")
    return net.net, value


def new(random):
    net, value, bottom, channels = New(), picture(32), "data", 3
    for block, (count, width) in enumerate(VGG11, 1):
        for k in range(1, count + 1):
            name = f"conv{block}_{k}"
            weight = random.normal(0, (2 / 9 / channels) ** 0.5, (width, channels, 3, 3)).astype(numpy.float32)
            mean, variance, scale, offset = (random.uniform(low, high, width).astype(numpy.float32)
                                             for low, high in ((-0.2, 0.2), (0.5, 1.5), (0.8, 1.2), (-0.1, 0.3)))
            times = numpy.array([4], numpy.float32)
            net.layer("Convolution", name, bottom, name, (weight,), convolution_param={
                "num_output": width, "bias_term": False, "pad_h": 1, "pad_w": 1, "kernel_h": 3, "kernel_w": 3, "stride": [1]})
            net.layer("BatchNorm", name + "/bn", name, name, (mean * 4, variance * 4, times), batch_norm_param={"eps": 2e-4})
            net.layer("Scale", name + "/scale", name, name, (scale, offset), scale_param={"bias_term": True})
            net.layer("ReLU", f"relu{block}_{k}", name, name)
            value = functional.batch_norm(functional.conv2d(value, torch.from_numpy(weight), padding=1),
                                          *map(torch.from_numpy, (mean, variance, scale, offset)), eps=2e-4).relu()
            bottom, channels = name, width
        net.layer("Pooling", f"pool{block}", bottom, f"pool{block}", pooling_param={"pool": 1, "kernel_size": 2, "stride": 2})
        value, bottom = functional.avg_pool2d(value, 2), f"pool{block}"
    net.layer("Pooling", "global", bottom, "global", pooling_param={"pool": 1, "global_pooling": True})
    weight = random.normal(0, 0.5, (CLASSES, channels)).astype(numpy.float32)
    net.layer("InnerProduct", "fc", "global", "fc", (weight,), inner_product_param={"num_output": CLASSES, "bias_term": False})
    net.layer("Split", "fc_split", "fc", "fc_0")
    net.net.layer[-1].top.append("fc_1")
    net.net.layer.add(name="loss", type="SoftmaxWithLoss", bottom=["fc_0", "label_0"], top=["loss"])
    net.net.layer.add(name="accuracy", type="Accuracy", bottom=["fc_1", "label_1"], top=["accuracy"])
    return net.net, functional.linear(value.mean((2, 3)), torch.from_numpy(weight))


def main():
    FOLDER.mkdir(exist_ok=True)
    expected = {}
    for name, make in (("old", old), ("new", new)):
        net, value = make(numpy.random.default_rng(5))
        (FOLDER / f"{name}.caffemodel").write_bytes(net.SerializeToString())
        expected[name] = value.numpy()
    save_file(expected, FOLDER / "expected.safetensors")
    for path in sorted(FOLDER.iterdir()):
        path.chmod(0o644)
        print(path.name, path.stat().st_size)


if __name__ == "__main__":
    main()
