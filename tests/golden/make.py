#!/usr/bin/env python3
"""Writes data/: narrow VGG-19s with seeded weights, and PyTorch's logits for them.

    python make.py          all of it
    python make.py heads    the networks with other heads and other names
    python make.py rectangles
                            the baseline on pictures that are no squares
    python make.py outputs  the values of all of the baseline's modules

Needs torch, torchvision, numpy and safetensors. Run it again only to change the cases: the files are kept.

NAME.model.safetensors (or .pth) is a state dict as PyTorch has it. CASE.golden.safetensors is what is expected:
"logits.SIZE.SEED", a batch of one, for each input; SIZE is 32, or 64x96, height x width. Inputs are not stored, since input_image() can be repeated
exactly in any language. "outputs.SIZE.SEED.MODULE" are values of what a module gives, "features.28" or "classifier.6": every k-th, of which there
are about two hundred, to keep the files small.
"""

import copy
import pathlib
import sys

import numpy as np
import torch
import torch.nn.utils.prune
import torchvision
from safetensors.numpy import save_file
from safetensors.torch import load_file

FOLDER = pathlib.Path(__file__).parent / "data"
SIZES = (32, 33, 65, 96)
SEEDS = (1, 2)
POOLED_AREA = 49
DEEPEST_CONVOLUTIONS = (16, 19, 21, 23, 25, 28, 30, 32, 34)


def hash32(value):
    """A hash finaliser for uint32 with full avalanche (multiplication overflows)."""
    value = (value ^ (value >> 16)) * np.uint32(0x7FEB352D)
    value = (value ^ (value >> 15)) * np.uint32(0x846CA68B)
    return value ^ (value >> 16)


def input_image(size, seed):
    """(1, 3, height, width) floats in [-2, 2): blocks of 8×8 with noise over them, from integers alone."""
    height, width = (size, size) if isinstance(size, int) else size
    channel, row, column = np.meshgrid(np.arange(3), np.arange(height), np.arange(width), indexing="ij")

    def noise(c, y, x, salt):
        return hash32((seed << 28 | salt << 26 | c << 24 | y << 12 | x).astype(np.uint32)) >> 8

    blocks = noise(channel, row // 8, column // 8, 0).astype(np.int64)
    pixels = noise(channel, row, column, 1).astype(np.int64)
    mixed = (3 * blocks + pixels) // 4  # 24 bits, so that the following float operations are exact
    return torch.from_numpy((mixed.astype(np.float32) * np.float32(2.0**-22) - np.float32(2))[None])


class NarrowVgg(torch.nn.Module):
    """torchvision's VGG with different widths."""

    def __init__(self, features, classifier, batch_norm=False):
        super().__init__()
        layers = [width if width == "M" else int(width) for width in features.split()]
        self.features = torchvision.models.vgg.make_layers(layers, batch_norm)
        self.avgpool = torch.nn.AdaptiveAvgPool2d((7, 7))
        first, second, classes = classifier
        flat = POOLED_AREA * [width for width in layers if width != "M"][-1]
        linear, relu, dropout = torch.nn.Linear, torch.nn.ReLU, torch.nn.Dropout
        self.classifier = torch.nn.Sequential(
            linear(flat, first), relu(), dropout(), linear(first, second), relu(), dropout(), linear(second, classes)
        )

    def forward(self, image):
        return self.classifier(torch.flatten(self.avgpool(self.features(image)), 1))


def seeded(network, seed):
    """Kaiming's scale keeps activations near one in all layers, so that every layer affects the logits."""
    torch.manual_seed(seed)
    for module in network.modules():
        if isinstance(module, (torch.nn.Conv2d, torch.nn.Linear)):
            torch.nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                torch.nn.init.normal_(module.bias, std=0.2)
        elif isinstance(module, (torch.nn.BatchNorm1d, torch.nn.BatchNorm2d)):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, std=0.2)
            torch.nn.init.normal_(module.running_mean, std=0.5)
            torch.nn.init.uniform_(module.running_var, 0.5, 2.0)
    return network.eval()


def logits_of(network, size, seed):
    with torch.inference_mode():
        return network(input_image(size, seed)).numpy()


def golden_logits(network, sizes=SIZES, seeds=SEEDS):
    """Checks that the logits are meaningful: they differ between inputs, and when the image is rotated."""
    logits = {}
    for size in sizes:
        for seed in seeds:
            name = size if isinstance(size, int) else "x".join(map(str, size))
            found = logits[f"logits.{name}.{seed}"] = logits_of(network, size, seed)
            with torch.inference_mode():
                turned = network(input_image(size, seed).transpose(2, 3)).numpy()
            assert np.std(found) > 0.02, (size, np.std(found))
            assert np.linalg.norm(turned - found) > 0.02 * np.linalg.norm(found)
            other = logits_of(network, size, seed + 1)
            assert np.linalg.norm(other - found) > 0.02 * np.linalg.norm(found)
    return logits


def save(name, arrays):
    FOLDER.mkdir(exist_ok=True)
    save_file({key: np.ascontiguousarray(value) for key, value in arrays.items()}, FOLDER / f"{name}.safetensors")
    (FOLDER / f"{name}.safetensors").chmod(0o644)


def save_model(name, network):
    save(f"{name}.model", {key: value.numpy() for key, value in network.state_dict().items()})


# ---- pruning ----


def filters_to_remove(network):
    """Per layer, the filters that PyTorch's structured pruning sets to zero at a ratio of 0.1."""
    removed = {}
    for index in DEEPEST_CONVOLUTIONS:
        convolution = torch.nn.Conv2d(1, 1, 1)
        convolution.weight = torch.nn.Parameter(network.features[index].weight.detach().clone())
        torch.nn.utils.prune.ln_structured(convolution, "weight", amount=0.1, n=2, dim=0)
        kept = convolution.weight_mask.flatten(1).any(dim=1)
        removed[index] = torch.nonzero(~kept).flatten().numpy()
    return removed


def mask_filters(network, removed):
    """The network after PyTorch's pruning: zero weights, unchanged biases."""
    with torch.no_grad():
        for index, filters in removed.items():
            network.features[index].weight[filters] = 0


def remove_filters(network, removed):
    """Takes the filters out. Their constant, ReLU(bias), goes into the bias of the layer that read it.

    The bias is the one before pruning: a removed filter has no weights, so it reads nothing from other removed ones.
    """
    readers = [layer for layer in network.features if isinstance(layer, torch.nn.Conv2d)] + [network.classifier[0]]
    constants = {
        index: torch.relu(network.features[index].bias.detach().double())[filters] for index, filters in removed.items()
    }
    with torch.no_grad():
        for index, filters in removed.items():
            layer = network.features[index]
            reader = readers[readers.index(layer) + 1]
            channels = layer.out_channels
            kept = np.setdiff1d(np.arange(channels), filters)
            weight = reader.weight.double().reshape(reader.weight.shape[0], channels, -1)
            reader.bias += torch.einsum("ocp,c->o", weight[:, filters], constants[index]).float()
            reader.weight.data = weight[:, kept].float().reshape(weight.shape[0], -1, *reader.weight.shape[2:])
            if reader is network.classifier[0]:
                reader.weight.data = reader.weight.data.flatten(1)
                reader.in_features = reader.weight.shape[1]
            else:
                reader.in_channels = len(kept)
            layer.weight.data = layer.weight.data[kept]
            layer.bias.data = layer.bias.data[kept]
            layer.out_channels = len(kept)


def silence_filters(network, removed):
    """Filters with zero output without weights: then removing is the same as masking."""
    with torch.no_grad():
        for index, filters in removed.items():
            network.features[index].bias[filters] = -network.features[index].bias[filters].abs()


def removed_tensors(removed):
    return {f"removed.{index}": filters.astype(np.int64) for index, filters in removed.items()}


def make_pruned_folded(name, network):
    """Checks that some of the removed filters have a positive bias."""
    removed = filters_to_remove(network)
    pruned = copy.deepcopy(network)
    remove_filters(pruned, removed)
    save(f"{name}.golden", golden_logits(pruned) | removed_tensors(removed))


def make_pruned_masked(name, network):
    """Checks that none has, so that PyTorch's masked network agrees with the one without the filters."""
    removed = filters_to_remove(network)
    silence_filters(network, removed)
    save_model(name, network)
    masked = copy.deepcopy(network)
    mask_filters(masked, removed)
    golden = golden_logits(masked)
    remove_filters(network, removed)
    for key, logits in golden_logits(network).items():
        assert np.linalg.norm(logits - golden[key]) <= 2e-6 * np.linalg.norm(logits)
    save(f"{name}.golden", golden | removed_tensors(removed))


# ---- INT8 ----


def int8_dense(layer, activations):
    """One dense layer as the engine computes it, and the smallest distance of a value to a rounding tie."""
    weight = layer.weight.detach().numpy()
    weight_scale = np.abs(weight).max(axis=1) / np.float32(127)
    quantized_weight = np.rint(weight / weight_scale[:, None]).astype(np.int64)
    input_scale = np.maximum(activations, 0).max() / np.float32(255)
    steps = activations * (np.float32(1) / input_scale)
    quantized = np.clip(np.rint(steps), 0, 255).astype(np.int64)
    accumulators = (quantized_weight @ quantized).astype(np.float32)
    margin = np.abs(steps - np.floor(steps) - np.float32(0.5)).min()
    return layer.bias.detach().numpy() + accumulators * (input_scale * weight_scale), margin


def int8_logits(network, size, seed):
    with torch.inference_mode():
        activations = torch.flatten(network.avgpool(network.features(input_image(size, seed)))).numpy()
    margins = []
    for index in (0, 3, 6):
        activations, margin = int8_dense(network.classifier[index], activations)
        margins.append(margin)
        if index != 6:
            activations = np.maximum(activations, 0)
    return activations[None], min(margins)


def make_int8(name, network):
    """Uses only inputs without activations near a tie: there, convolutions summed in another order could round
    the other way, and the logits could not be compared exactly."""
    golden = {}
    for size in SIZES:
        seeds = [seed for seed in range(1, 16) if int8_logits(network, size, seed)[1] > 1e-3]
        assert seeds, f"size {size}: every input comes near a tie"
        for seed in seeds[:2]:
            golden[f"logits.{size}.{seed}"] = int8_logits(network, size, seed)[0]
            golden[f"fp32.logits.{size}.{seed}"] = logits_of(network, size, seed)
    save(f"{name}.golden", golden)


# ---- other heads, other names ----


class VggWithHead(torch.nn.Module):
    """A VGG with any head, on a map of side × side pixels."""

    def __init__(self, features, head, side, batch_norm=False, bias=True, epsilon=1e-5):
        super().__init__()
        layers = [width if width == "M" else int(width) for width in features.split()]
        self.features = torchvision.models.vgg.make_layers(layers, batch_norm)
        for index, layer in enumerate(self.features):
            if isinstance(layer, torch.nn.Conv2d) and not bias:
                self.features[index] = torch.nn.Conv2d(layer.in_channels, layer.out_channels, 3, padding=1, bias=False)
            if isinstance(layer, torch.nn.BatchNorm2d):
                layer.eps = epsilon
        self.avgpool = torch.nn.AdaptiveAvgPool2d(side)
        self.classifier = head

    def forward(self, image):
        return self.classifier(torch.flatten(self.avgpool(self.features(image)), 1))


def literature_names(network):
    """conv1_1, bn1_1, … for the modules of `features`, and fc6, fc7, … for the dense layers."""
    names, block, place, dense = {}, 1, 0, 6
    for index, layer in enumerate(network.features):
        if isinstance(layer, torch.nn.MaxPool2d):
            block, place = block + 1, 0
        elif isinstance(layer, torch.nn.Conv2d):
            place += 1
            names[f"features.{index}"] = f"conv{block}_{place}"
        elif isinstance(layer, torch.nn.BatchNorm2d):
            names[f"features.{index}"] = f"bn{block}_{place}"
    for index, layer in enumerate(network.classifier):
        if isinstance(layer, torch.nn.Linear):
            names[f"classifier.{index}"] = f"fc{dense}"
            dense += 1
    return names


def renamed(state, names):
    return {f"{names[key.rpartition('.')[0]]}.{key.rpartition('.')[2]}": value for key, value in state.items()}


def make_heads():
    linear, relu, dropout = torch.nn.Linear, torch.nn.ReLU, torch.nn.Dropout
    sizes = (32, 65, 96)

    # A CIFAR VGG as in training scripts: one dense layer, no biases before batch norm, DataParallel.
    network = seeded(VggWithHead("4 4 M 6 6 M 8 8 8 M 12 12 12 M 10 10 10 M", linear(10, 7), 1, True, False), 31)
    state = torch.nn.DataParallel(network).state_dict()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9)
    torch.save({"net": state, "acc": 93.5, "epoch": 200, "optimizer": optimizer.state_dict()}, FOLDER / "cifar.model.pth")
    save("cifar.golden", golden_logits(network, sizes=sizes))

    # Caffe's names, pruning masks, and a second network in the file.
    head = torch.nn.Sequential(linear(12 * 49, 16), relu(), dropout(), linear(16, 16), relu(), dropout(), linear(16, 5))
    network = seeded(VggWithHead("6 6 M 8 8 M 10 10 10 10 M 12 12 12 12 M 12 12 12 12 M", head, 7), 32)
    for layer in [*network.features, *network.classifier]:
        if isinstance(layer, (torch.nn.Conv2d, linear)):
            torch.nn.utils.prune.l1_unstructured(layer, "weight", 0.3)
    network(torch.zeros(1, 3, 32, 32))  # applies the masks
    other = seeded(VggWithHead("2 M 2 M 2 2 M 2 2 M 2 2 M", linear(2, 3), 1), 33)
    state = renamed(network.state_dict(), literature_names(network))
    torch.save({"student": other.state_dict(), "model": state}, FOLDER / "literature.model.pth")
    save("literature.golden", golden_logits(network, sizes=sizes))

    # Two dense layers on 2×2 pixels, after dropout, and weight normalisation in both forms that PyTorch has.
    head = torch.nn.Sequential(dropout(), linear(12 * 4, 11), relu(), linear(11, 6))
    network = seeded(VggWithHead("4 M 6 M 8 8 M 9 9 M 12 12 M", head, 2), 34)
    for layer in network.features:
        if isinstance(layer, torch.nn.Conv2d):
            torch.nn.utils.parametrizations.weight_norm(layer)
    torch.nn.utils.weight_norm(network.classifier[1])
    torch.nn.utils.weight_norm(network.classifier[3], dim=1)
    for name, parameter in network.named_parameters():
        if name.endswith(("original0", "weight_g")):
            parameter.data *= torch.rand(parameter.shape) + 0.5
    torch.save(network.state_dict(), FOLDER / "weight_norm.model.pth")
    save("weight_norm.golden", golden_logits(network, sizes=sizes))

    # Batch norm after a dense layer.
    head = torch.nn.Sequential(linear(12 * 4, 16, bias=False), torch.nn.BatchNorm1d(16), relu(), dropout(), linear(16, 6))
    network = seeded(VggWithHead("4 M 6 M 8 8 M 9 9 M 12 12 M", head, 2), 36)
    torch.save(network.state_dict(), FOLDER / "dense_norm.model.pth")
    save("dense_norm.golden", golden_logits(network, sizes=sizes))

    # An epsilon other than PyTorch's, with variances small enough to make a difference.
    network = seeded(VggWithHead("4 M 6 M 8 8 M 9 9 M 12 12 M", linear(12, 6), 1, True, epsilon=1e-2), 35)
    save("epsilon.golden", golden_logits(network, sizes=sizes))
    torch.save(network.state_dict(), FOLDER / "epsilon.model.pth")


ODD = "5 7 M 9 11 M 17 17 16 13 M 33 24 19 33 M 31 17 33 15 M"


def make_rectangles():
    """Taller and wider, odd and even, with maps before the average pool that are larger and smaller than 7×7."""
    network = NarrowVgg(ODD, (24, 20, 10)).eval()
    network.load_state_dict(load_file(FOLDER / "baseline.model.safetensors"))
    sizes = ((32, 96), (97, 33), (160, 224), (224, 320), (45, 301))
    save("rectangles.golden", golden_logits(network, sizes=sizes, seeds=(1,)))


def golden_outputs(network, sizes, seed, samples=199):
    outputs = {}

    def add(name, value):
        flat = value.numpy().ravel()
        outputs[name] = flat[:: max(1, flat.size // samples)].copy()  # the next module may work in place

    with torch.inference_mode():
        for height, width in sizes:
            value = input_image((height, width), seed)
            prefix = f"outputs.{height}x{width}.{seed}."
            for index, module in enumerate(network.features):
                value = module(value)
                add(f"{prefix}features.{index}", value)
            value = network.avgpool(value)
            add(f"{prefix}avgpool", value)
            value = torch.flatten(value, 1)
            for index, module in enumerate(network.classifier):
                value = module(value)
                add(f"{prefix}classifier.{index}", value)
            add(f"{prefix}probabilities", torch.softmax(value, 1))
    return outputs


def make_outputs():
    network = NarrowVgg(ODD, (24, 20, 10)).eval()
    network.load_state_dict(load_file(FOLDER / "baseline.model.safetensors"))
    save("outputs.golden", golden_outputs(network, ((224, 224), (160, 240), (33, 47), (512, 384)), 1))


def main():
    torch.set_num_threads(1)
    if "outputs" in sys.argv[1:]:
        return make_outputs()
    if "heads" in sys.argv[1:]:
        return make_heads()
    if "rectangles" in sys.argv[1:]:
        return make_rectangles()
    make_heads()
    even = "8 8 M 8 8 M 12 12 20 25 M 15 30 25 16 M 24 16 33 20 M"

    baseline = seeded(NarrowVgg(ODD, (24, 20, 10)), 19)
    save_model("baseline", baseline)
    save("baseline.golden", golden_logits(baseline))
    make_int8("int8", baseline)
    make_rectangles()
    make_outputs()
    make_pruned_folded("pruned_folded", baseline)
    make_pruned_masked("pruned_masked", seeded(NarrowVgg(even, (24, 20, 10)), 20))

    batch_norm = seeded(NarrowVgg("4 4 M 6 6 M 8 8 8 8 M 12 12 12 12 M 10 10 10 10 M", (24, 20, 10), True), 25)
    torch.save(batch_norm.state_dict(), FOLDER / "batch_norm.model.pth")
    save("batch_norm.golden", golden_logits(batch_norm))

    large = seeded(NarrowVgg("2 2 M 3 3 M 4 4 4 4 M 5 5 5 5 M 4 4 4 4 M", (9, 8, 5)), 24)
    save_model("large", large)
    save("large.golden", golden_logits(large, sizes=(160, 224, 225), seeds=(1,)))


if __name__ == "__main__":
    main()
