"""For tests: a folder of variants of a VGG-19 with few channels, made by the program itself."""
import array
import json
import pathlib
import random
import struct
import subprocess

CHANNELS = [4, 4, 6, 6, 8, 8, 8, 8, 17, 17, 17, 17, 12, 12, 12, 12]
# torchvision's place of each convolution in `features`
PLACES = [0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34]
DENSE = [24, 20, 1000]  # as many classes as ImageNet has, so that predictions have names
POOLED_SIDE = 7
IDS = ["baseline", "pruned", "int8", "pruned-int8", "res160", "int8-full", "pruned-int8-full"]


def write_models(tool, folder):
    """Every variant in IDS, res160 from the baseline's file, and a report.json with accuracies."""
    folder = pathlib.Path(folder)
    weights, noise = folder / "weights", folder / "noise"
    write_state_dict(weights)
    write_noise_images(noise)

    def model(name):
        return folder / f"{name}.safetensors"

    def run(*arguments):
        subprocess.run([tool, *map(str, arguments)], check=True, capture_output=True)

    def quantize(source, target, *scope):
        run("quantize", model(source), "-o", model(target), *scope)

    all_layers = ["--scope", "all", "--calib", noise, "-n", 2]
    run("convert", weights, "-o", model("baseline"))
    run("prune", model("baseline"), "-o", model("pruned"))
    quantize("baseline", "int8")
    quantize("pruned", "pruned-int8")
    quantize("baseline", "int8-full", *all_layers)
    quantize("pruned", "pruned-int8-full", *all_layers)
    weights.unlink()
    write_report(folder / "report.json")


def shapes():
    inputs = 3
    for place, outputs in zip(PLACES, CHANNELS):
        yield f"features.{place}", [outputs, inputs, 3, 3]
        inputs = outputs
    inputs *= POOLED_SIDE * POOLED_SIDE
    for place, outputs in zip([0, 3, 6], DENSE):
        yield f"classifier.{place}", [outputs, inputs]
        inputs = outputs


def write_state_dict(path):
    """Random weights under torchvision's names, of a size that keeps activations alive, as safetensors."""
    chance = random.Random(19)
    header, data = {}, bytearray()

    def add(name, shape, limit):
        count = 1
        for size in shape:
            count *= size
        begin = len(data)
        data.extend(array.array("f", (chance.uniform(-limit, limit) for _ in range(count))).tobytes())
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [begin, len(data)]}

    for layer, shape in shapes():
        inputs = 1
        for size in shape[1:]:
            inputs *= size
        add(f"{layer}.weight", shape, (6 / inputs) ** 0.5)
        add(f"{layer}.bias", shape[:1], 0.1)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def write_noise_images(folder):
    folder.mkdir()
    for seed in range(2):
        pixels = random.Random(seed).randbytes(64 * 64 * 3)
        (folder / f"{seed}.ppm").write_bytes(b"P6 64 64 255\n" + pixels)


def write_report(path):
    variants = [{"id": name, "accuracy": {"images": 2000, "top1": 0.72 - 0.01 * place, "top5": 0.9,
                                          "top1_interval": [0.70 - 0.01 * place, 0.74 - 0.01 * place]}}
                for place, name in enumerate(IDS)]
    path.write_text(json.dumps({"variants": variants}))
