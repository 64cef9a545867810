"""Paints a picture that a network sees as another: perceptual_loss.py MODEL PICTURE OUT.ppm [STEPS]

Begins with noise, and follows the gradient of a perceptual loss (the squared distance of maps of three layers) by
Adam's method, with numpy alone.
"""

import sys

import numpy

import vgg19

LAYERS = ["relu1_2", "relu2_2", "relu3_2"]


def main(model, picture, out, steps=100):
    session = vgg19.Session(model, outputs=LAYERS, gradients=True)
    target = session.preprocess(picture)[None]
    wanted = session.run(target)
    x = numpy.random.default_rng(1).standard_normal(target.shape, numpy.float32)
    mean, square, gradient = numpy.zeros_like(x), numpy.zeros_like(x), numpy.empty_like(x)
    for step in range(1, int(steps) + 1):
        seen = session.run(x)
        differences = {name: seen[name] - wanted[name] for name in LAYERS}
        loss = sum(float(numpy.mean(values**2)) for values in differences.values())
        session.backward({name: 2 / values.size * values for name, values in differences.items()}, out=gradient)
        mean += 0.1 * (gradient - mean)
        square += 0.001 * (gradient**2 - square)
        x -= 0.05 * (mean / (1 - 0.9**step)) / (numpy.sqrt(square / (1 - 0.999**step)) + 1e-8)
        if step == 1 or step % 10 == 0:
            print(f"step {step}: loss {loss:.4f}")
    save(out, x[0], session.model.preprocessing)


def save(path, x, preprocessing):
    """The network's input as a PPM file."""
    shape = (3, 1, 1)
    values = x * numpy.reshape(preprocessing.deviation, shape) + numpy.reshape(preprocessing.mean, shape)
    if preprocessing.channel_order == "BGR":
        values = values[::-1]
    pixels = numpy.clip(values * (255 / preprocessing.range) + 0.5, 0, 255).astype(numpy.uint8)
    with open(path, "wb") as file:
        file.write(b"P6 %d %d 255\n" % (pixels.shape[2], pixels.shape[1]))
        file.write(pixels.transpose(1, 2, 0).tobytes())


if __name__ == "__main__":
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    main(*sys.argv[1:])
