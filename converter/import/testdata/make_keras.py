#!/usr/bin/env python3
"""Makes keras/: narrow VGGs as Keras 3 and its predecessors write them, and what Keras computes with them.

With keras 3.15 (its torch backend), torch 2.15 and h5py 3.16: KERAS_BACKEND=torch python3 make_keras.py
"""
import pathlib

import h5py
import keras
import numpy
from keras import layers
from safetensors.numpy import save_file

FOLDER = pathlib.Path(__file__).parent / "keras"
VGG11 = [(1, 4), (1, 5), (2, 6), (2, 7), (2, 7)]
CLASSES = 5


def picture(size):
    """The same numbers as in testing/foreign.h, with the channels last."""
    h, w, c = numpy.meshgrid(numpy.arange(size), numpy.arange(size), numpy.arange(3), indexing="ij")
    return numpy.sin(7 * c + 0.13 * h + 0.29 * w).astype(numpy.float32)[None]


def applications(size, top=True):
    """A VGG-11 with the names of keras.applications."""
    data = value = keras.Input((size, size, 3))
    for block, (count, width) in enumerate(VGG11, 1):
        for k in range(1, count + 1):
            value = layers.Conv2D(width, 3, padding="same", activation="relu", name=f"block{block}_conv{k}")(value)
        value = layers.MaxPooling2D((2, 2), strides=(2, 2), name=f"block{block}_pool")(value)
    if top:
        value = layers.Flatten(name="flatten")(value)
        value = layers.Dense(8, activation="relu", name="fc1")(value)
        value = layers.Dense(9, activation="relu", name="fc2")(value)
        value = layers.Dense(CLASSES, activation="softmax", name="predictions")(value)
    return keras.Model(data, value, name="vgg11")


def sequential():
    """Automatic names, batch norms, average pools, a mean over the map."""
    parts = [keras.Input((32, 32, 3))]
    for count, width in VGG11:
        for _ in range(count):
            parts += [layers.Conv2D(width, 3, padding="same", use_bias=False), layers.BatchNormalization(epsilon=2e-3),
                      layers.Activation("relu")]
        parts.append(layers.AveragePooling2D((2, 2)))
    parts += [layers.GlobalAveragePooling2D(), layers.Dense(8), layers.ReLU(), layers.Dropout(0.5), layers.Dense(CLASSES)]
    return keras.Sequential(parts)


def set_weights(network):
    random = numpy.random.default_rng(3)
    for layer in network.layers:
        values = []
        for weight in layer.weights:
            shape = weight.shape
            if "variance" in weight.name or "gamma" in weight.name:
                values.append(random.uniform(0.5, 1.5, shape))
            elif len(shape) == 1:
                values.append(random.normal(0, 0.1, shape))
            else:
                values.append(random.normal(0, (2 / numpy.prod(shape[:-1])) ** 0.5, shape))
        layer.set_weights(values)
    return network


def old_weights(network, path):
    """As the first versions of Keras wrote weights, and keras.applications has its files."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [layer.name.encode() for layer in network.layers]
        for layer in network.layers:
            group = file.create_group(layer.name)
            names = [f"{layer.name}_{kind}_1:0" for kind in ("W", "b")][:len(layer.weights)]
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, values in zip(names, layer.get_weights()):
                group[name] = values


def compressed(path, destination):
    """The same arrays in pieces, compressed."""
    with h5py.File(path) as source, h5py.File(destination, "w") as file:
        def copy(name, item):
            if isinstance(item, h5py.Dataset):
                file.create_dataset(name, data=item[()], chunks=True, compression="gzip", shuffle=True)
        source.visititems(copy)


def without_names(path):
    """As Keras 3 wrote weights before it noted the layers' names."""
    with h5py.File(path, "r+") as file:
        def strip(_, item):
            if "name" in item.attrs:
                del item.attrs["name"]
        file.visititems(strip)


def main():
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.iterdir():
        old.unlink()
    network = set_weights(applications(64))
    network.save(FOLDER / "functional.keras")
    network.save_weights(FOLDER / "named.weights.h5")
    old_weights(network, FOLDER / "old_weights.h5")
    compressed(FOLDER / "old_weights.h5", FOLDER / "compressed.h5")
    expected = {"functional": network.predict(picture(64), verbose=0)}
    network = set_weights(applications(64, top=False))
    network.save(FOLDER / "no_top.h5")
    expected["no_top"] = network.predict(picture(64), verbose=0).transpose(0, 3, 1, 2)
    keras.utils.clear_session()
    network = set_weights(sequential())
    network.save(FOLDER / "sequential_bn.h5")
    network.save(FOLDER / "sequential_bn.keras")
    network.save_weights(FOLDER / "numbered.weights.h5")
    without_names(FOLDER / "numbered.weights.h5")
    expected["sequential_bn"] = network.predict(picture(32), verbose=0)
    save_file({name: numpy.ascontiguousarray(values, numpy.float32) for name, values in expected.items()},
              FOLDER / "expected.safetensors")
    for path in sorted(FOLDER.iterdir()):
        path.chmod(0o644)
        print(path.name, path.stat().st_size)


if __name__ == "__main__":
    main()
