#!/usr/bin/env python3
"""Makes onnx/: narrow VGG-19s as PyTorch's two exporters, the ONNX zoo and others write them, and what ONNX
Runtime computes with them.

With onnx 1.23, onnxruntime 1.32, onnxscript 0.7, torch 2.15 and torchvision 0.29: python3 make_onnx.py
"""
import pathlib

import numpy
import onnx
import onnxruntime
import torch
import torchvision
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save_file

FOLDER = pathlib.Path(__file__).parent / "onnx"
WIDTHS = [4, 4, "M", 5, 5, "M", 6, 6, 6, 6, "M", 7, 7, 7, 7, "M", 7, 7, 7, 7, "M"]
CLASSES = 5


def picture(size):
    """The same numbers as in onnx_test.cc."""
    c, h, w = numpy.meshgrid(numpy.arange(3), numpy.arange(size), numpy.arange(size), indexing="ij")
    return numpy.sin(7 * c + 0.13 * h + 0.29 * w).astype(numpy.float32)[None]


def torch_network(batch_norm, side):
    torch.manual_seed(19)
    network = torchvision.models.VGG(
        torchvision.models.vgg.make_layers(WIDTHS, batch_norm=batch_norm), num_classes=CLASSES, init_weights=False)
    network.avgpool = torch.nn.AdaptiveAvgPool2d((side, side))
    network.classifier = torch.nn.Sequential(
        torch.nn.Linear(7 * side * side, 8), torch.nn.ReLU(True), torch.nn.Dropout(),
        torch.nn.Linear(8, 9), torch.nn.ReLU(True), torch.nn.Dropout(), torch.nn.Linear(9, CLASSES))
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-0.2, 0.2)
            module.running_var.uniform_(0.5, 1.5)
            module.weight.data.uniform_(0.8, 1.2)
            module.bias.data.uniform_(-0.1, 0.3)
        elif isinstance(module, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(module.weight)
    return network.eval()


def export(name, network, size, **options):
    torch.onnx.export(network, (torch.zeros(1, 3, size, size),), FOLDER / name, **options)
    model = onnx.load(FOLDER / name)
    for part in (*model.graph.node, *model.graph.value_info, *model.graph.initializer, *model.graph.input, *model.graph.output):
        del part.metadata_props[:]  # the new exporter's stack traces
    onnx.save(model, FOLDER / name)


class Graph:
    """A graph that nodes are added to, one after the other."""

    def __init__(self, random, raw=True, half=False):
        self.random, self.raw, self.half = random, raw, half
        self.nodes, self.weights, self.value = [], [], "data"

    def weight(self, name, values):
        values = values.astype(numpy.float16 if self.half else numpy.float32)
        tensor = numpy_helper.from_array(values, name) if self.raw else helper.make_tensor(
            name, TensorProto.FLOAT, values.shape, values.flatten().tolist())
        self.weights.append(tensor)
        if not self.half:
            return name
        self.nodes.append(helper.make_node("Cast", [name], [name + "_float"], to=TensorProto.FLOAT))
        return name + "_float"

    def node(self, kind, name, inputs=(), outputs=1, **attributes):
        values = [name + "_out" + str(i) for i in range(outputs)]
        self.nodes.append(helper.make_node(kind, [self.value, *inputs], values, name=name, **attributes))
        self.value = values[0]

    def normal(self, *shape):
        return self.random.normal(0, (2 / numpy.prod(shape[1:])) ** 0.5, shape)

    def save(self, name, opset, outputs=None, lists_weights=False, **options):
        inputs = [helper.make_tensor_value_info("data", TensorProto.FLOAT, ["N", 3, 32, 32])]
        if lists_weights:
            inputs += [helper.make_tensor_value_info(w.name, w.data_type, w.dims) for w in self.weights]
        outputs = [helper.make_tensor_value_info(self.value, TensorProto.FLOAT, outputs or ["N", CLASSES])]
        graph = helper.make_graph(self.nodes, name, inputs, outputs, self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
        model.ir_version = 3 if lists_weights else 8
        onnx.checker.check_model(model)
        onnx.save(model, FOLDER / name, **options)


def zoo(name, batch_norm):
    """As MXNet wrote vgg19-7 and vgg19-bn-7: lists of floats, weights among the inputs, Dropout."""
    graph = Graph(numpy.random.default_rng(7), raw=False)
    channels, k = 3, 0
    for block, width in enumerate(WIDTHS):
        if width == "M":
            graph.node("MaxPool", f"vgg0_pool{[2, 5, 10, 15, 20].index(block)}_fwd", kernel_shape=[2, 2],
                       strides=[2, 2], pads=[0, 0, 0, 0])
            continue
        inputs = [graph.weight(f"vgg0_conv{k}_weight", graph.normal(width, channels, 3, 3)),
                  graph.weight(f"vgg0_conv{k}_bias", graph.random.normal(0, 0.1, width))]
        graph.node("Conv", f"vgg0_conv{k}_fwd", inputs, kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[1, 1],
                   dilations=[1, 1], group=1)
        if batch_norm:
            inputs = [graph.weight(f"vgg0_batchnorm{k}_{part}", graph.random.uniform(*range, width))
                      for part, range in (("gamma", (0.8, 1.2)), ("beta", (-0.1, 0.3)),
                                          ("running_mean", (-0.2, 0.2)), ("running_var", (0.5, 1.5)))]
            graph.node("BatchNormalization", f"vgg0_batchnorm{k}_fwd", inputs, epsilon=1e-4, momentum=0.9)
        graph.node("Relu", f"vgg0_relu{k}_fwd")
        channels, k = width, k + 1
    graph.node("Flatten", "flatten_60")
    for k, (rows, columns) in enumerate([(8, 7), (9, 8), (CLASSES, 9)]):
        inputs = [graph.weight(f"vgg0_dense{k}_weight", graph.normal(rows, columns)),
                  graph.weight(f"vgg0_dense{k}_bias", graph.random.normal(0, 0.1, rows))]
        graph.node("Gemm", f"vgg0_dense{k}_fwd", inputs, alpha=1.0, beta=1.0, transA=0, transB=1)
        if k < 2:
            graph.node("Relu", f"vgg0_dense{k}_relu_fwd")
            graph.node("Dropout", f"vgg0_dropout{k}_fwd", ratio=0.5)
    graph.save(name, 7, lists_weights=True)


def products(name):
    """Half-precision weights, SAME padding, average pools, a mean, a computed shape, MatMul and Add."""
    graph = Graph(numpy.random.default_rng(8), half=True)
    channels = 3
    for k, width in enumerate(WIDTHS):
        if width == "M":
            graph.node("AveragePool", f"pool{k}", kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1)
            continue
        graph.node("Conv", f"conv{k}", [graph.weight(f"c{k}", graph.normal(width, channels, 3, 3))], auto_pad="SAME_UPPER")
        graph.node("Relu", f"relu{k}")
        channels = width
    graph.node("ReduceMean", "mean", axes=[-2, -1])
    flat = graph.value
    graph.node("Shape", "shape")
    graph.weights += [numpy_helper.from_array(numpy.array(v, numpy.int64), n) for n, v in (("first", [0]), ("rest", [-1]))]
    graph.node("Gather", "batch", ["first"])
    graph.nodes.append(helper.make_node("Concat", [graph.value, "rest"], ["flat_shape"], axis=0))
    graph.value = flat
    graph.node("Reshape", "reshape", ["flat_shape"])
    for k, (rows, columns) in enumerate([(7, 8), (8, 9), (9, CLASSES)]):
        weight = graph.weight(f"d{k}", graph.normal(columns, rows).T if k else graph.normal(columns, rows))
        if k == 0:  # stored the other way around
            graph.nodes.append(helper.make_node("Transpose", [weight], ["d0_turned"], perm=[1, 0]))
            weight = "d0_turned"
        graph.node("MatMul", f"dense{k}", [weight])
        graph.node("Add", f"bias{k}", [graph.weight(f"b{k}", graph.random.normal(0, 0.1, columns))])
        if k < 2:
            graph.node("Relu", f"dense_relu{k}")
    graph.node("Softmax", "probabilities", axis=1)
    graph.save(name, 13)


def features(name):
    """Up to conv3_2, whose weights are in another file."""
    graph = Graph(numpy.random.default_rng(9))
    channels = 3
    for k, width in enumerate(WIDTHS[:8]):
        if width == "M":
            graph.node("MaxPool", f"pool{k}", kernel_shape=[2, 2], strides=[2, 2])
            continue
        inputs = [graph.weight(f"c{k}", graph.normal(width, channels, 3, 3)),
                  graph.weight(f"b{k}", graph.random.normal(0, 0.1, width))]
        graph.node("Conv", f"conv{k}", inputs, pads=[1, 1, 1, 1])
        graph.node("Relu", f"relu{k}")
        channels = width
    graph.save(name, 13, outputs=["N", 6, 8, 8], save_as_external_data=True, location=name + ".data", size_threshold=0)


def main():
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.iterdir():  # weights in other files would be added to those that are there
        old.unlink()
    export("old_exporter.onnx", torch_network(False, 7), 224, dynamo=False)
    export("old_exporter_bn.onnx", torch_network(True, 1), 32, dynamo=False,
           training=torch.onnx.TrainingMode.EVAL, do_constant_folding=False)
    export("new_exporter_bn.onnx", torch_network(True, 1), 32, dynamo=True, external_data=False, optimize=False)
    zoo("zoo.onnx", False)
    zoo("zoo_bn.onnx", True)
    products("products.onnx")
    features("features.onnx")
    expected = {}
    for path in sorted(FOLDER.glob("*.onnx")):
        session = onnxruntime.InferenceSession(path)
        size = session.get_inputs()[0].shape[2]
        output = session.run(None, {session.get_inputs()[0].name: picture(size)})[0]
        expected[path.stem] = output.astype(numpy.float32)
        print(path.name, path.stat().st_size, output.flatten()[:5])
    save_file(expected, FOLDER / "expected.safetensors")


if __name__ == "__main__":
    main()
