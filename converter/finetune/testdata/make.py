#!/usr/bin/env python3
"""Writes the files in this folder: a narrow VGG-19, and its weights after training with PyTorch.

Needs torch, torchvision, numpy and safetensors. Run it again only to change the cases: the files are kept.

model.safetensors is the network before training, a PyTorch state dict. CASE.golden.safetensors has, for
images and labels that can be repeated in any language (tests/golden/make.py's inputs; label = 3 · seed modulo the
classes), without dropout:
  "loss"              the mean cross-entropy of the first step's batch
  "gradient.NAME"     its gradients
  "trained.NAME"      the parameters after the optimiser's ten steps, each with a batch of other images
"""

import copy
import importlib.util
import pathlib

import numpy as np
import torch
from safetensors.numpy import save_file

FOLDER = pathlib.Path(__file__).parent
STEPS = 10
BATCH = 3

spec = importlib.util.spec_from_file_location("golden", FOLDER.parents[2] / "tests/golden/make.py")
golden = importlib.util.module_from_spec(spec)
spec.loader.exec_module(golden)

WIDTHS = "3 17 M 5 33 M 4 18 6 5 M 6 9 17 5 M 9 33 6 7 M"
CLASSIFIER = (12, 9, 5)


def save(name, arrays):
    arrays = {key: np.ascontiguousarray(value) for key, value in arrays.items()}
    save_file(arrays, FOLDER / f"{name}.safetensors")
    (FOLDER / f"{name}.safetensors").chmod(0o644)


def numpy_of(tensors, prefix):
    return {f"{prefix}.{name}": tensor.detach().numpy().copy() for name, tensor in tensors}


def batch_of(step, size):
    """Images with seeds 1, 2, 3, then 4, 5, 6, and so on up to 15, and their labels."""
    seeds = [(BATCH * step + image) % 15 + 1 for image in range(BATCH)]
    images = torch.cat([golden.input_image(size, seed) for seed in seeds])
    return images, torch.tensor([3 * seed % CLASSIFIER[-1] for seed in seeds])


def train(network, size, optimizer):
    found = {}
    for step in range(STEPS):
        images, labels = batch_of(step, size)
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(network(images), labels)
        loss.backward()
        if step == 0:
            found["loss"] = loss.detach().numpy().reshape(1)
            found |= numpy_of(((name, p.grad) for name, p in network.named_parameters()), "gradient")
        optimizer.step()
    return found | numpy_of(network.named_parameters(), "trained")


def sgd(network):
    """Weight decay applies to weights only."""
    weights = [p for name, p in network.named_parameters() if name.endswith("weight")]
    biases = [p for name, p in network.named_parameters() if name.endswith("bias")]
    groups = [{"params": weights, "weight_decay": 0.05}, {"params": biases}]
    return torch.optim.SGD(groups, lr=0.001, momentum=0.9)


def main():
    torch.set_num_threads(1)
    network = golden.seeded(golden.NarrowVgg(WIDTHS, CLASSIFIER), 6)  # evaluation mode, so without dropout
    save("model", {key: value.numpy() for key, value in network.state_dict().items()})
    learner = copy.deepcopy(network)
    save("adam.golden", train(learner, 32, torch.optim.Adam(learner.parameters(), lr=1e-4)))
    learner = copy.deepcopy(network)
    save("sgd.golden", train(learner, 65, sgd(learner)))


if __name__ == "__main__":
    main()
