#!/usr/bin/env python3
"""Writes the files in this folder: a narrow VGG-19, and its weights after training with PyTorch.

Needs torch, torchvision, numpy and safetensors. Run it again only to change the cases: the files are kept.

model.safetensors is the network before training, a PyTorch state dict. CASE.golden.safetensors has, for
images and labels that can be repeated in any language (tests/golden/make.py's inputs; label = 3 · seed modulo the
classes), without dropout:
  "loss"              the mean cross-entropy of the first step's batch
  "gradient.NAME"     its gradients
  "trained.NAME"      the parameters after the optimiser's ten steps, each with a batch of other images

objective.golden.safetensors has logits of a network and of its teacher for the same images, labels, and for each
objective of OBJECTIVES the loss summed over the images ("NAME.loss") and its gradient ("NAME.gradient").

features.golden.safetensors has, for two pools p, outputs of a network ("p.outputs": images, channels, pixels) and of its
teacher ("p.teacher"), of which the first four images are the sample that the maps are fitted to, and for the images
after them the loss ("p.loss") and its gradient ("p.gradient").
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


# The weights of the labels' and the teacher's term, and the temperature.
OBJECTIVES = {"labels": (1, 0, 1), "teacher": (0, 1, 4), "both": (0.3, 1.5, 2)}


def objectives():
    random = torch.Generator().manual_seed(7)
    logits = 4 * torch.randn(6, 11, generator=random)
    teacher = 4 * torch.randn(6, 11, generator=random)
    labels = torch.randint(11, (6,), generator=random)
    found = {"logits": logits.numpy(), "teacher": teacher.numpy(), "labels": labels.float().numpy()}
    functional = torch.nn.functional
    for name, (label_weight, teacher_weight, temperature) in OBJECTIVES.items():
        values = logits.double().requires_grad_()
        divergence = functional.kl_div(
            functional.log_softmax(values / temperature, 1),
            functional.log_softmax(teacher.double() / temperature, 1),
            reduction="sum",
            log_target=True,
        )
        loss = label_weight * functional.cross_entropy(values, labels, reduction="sum")
        loss = loss + teacher_weight * temperature**2 * divergence
        loss.backward()
        found[f"{name}.loss"] = loss.detach().float().numpy().reshape(1)
        found[f"{name}.gradient"] = values.grad.float().numpy()
    return found


SAMPLE = 4
RIDGE = 1e-4


def features():
    """The least squares in NumPy, in double precision; the gradient by PyTorch."""
    random = torch.Generator().manual_seed(8)
    shapes = [(3, 5, 16), (4, 2, 9)]  # channels, the teacher's channels, pixels
    found = {}
    for pool, (channels, teacher_channels, pixels) in enumerate(shapes):
        outputs = torch.randn(SAMPLE + 2, channels, pixels, generator=random).relu()
        mixed = torch.einsum("tc,icp->itp", torch.randn(teacher_channels, channels, generator=random), outputs)
        teacher = (mixed + 0.5 * torch.randn(mixed.shape, generator=random)).relu()
        rows = outputs[:SAMPLE].double().numpy().transpose(0, 2, 1).reshape(-1, channels)
        wanted = teacher[:SAMPLE].double().numpy().transpose(0, 2, 1).reshape(-1, teacher_channels)
        rows = np.concatenate([rows, np.ones((len(rows), 1))], axis=1)
        gram = rows.T @ rows
        ridge = RIDGE * np.diag(gram)[:channels].mean()
        gram[np.arange(channels), np.arange(channels)] += ridge
        solution = torch.from_numpy(np.linalg.solve(gram, rows.T @ wanted))
        variance = ((wanted - wanted.mean(axis=0)) ** 2).sum() / SAMPLE
        values = outputs[SAMPLE:].double().requires_grad_()
        mapped = torch.einsum("ct,icp->itp", solution[:channels], values) + solution[channels][None, :, None]
        loss = ((mapped - teacher[SAMPLE:].double()) ** 2).sum() / variance / len(shapes)
        loss.backward()
        found[f"{pool}.outputs"] = outputs.numpy()
        found[f"{pool}.teacher"] = teacher.numpy()
        found[f"{pool}.loss"] = loss.detach().float().numpy().reshape(1)
        found[f"{pool}.gradient"] = values.grad.float().numpy()
    return found


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
    save("objective.golden", objectives())
    save("features.golden", features())


if __name__ == "__main__":
    main()
