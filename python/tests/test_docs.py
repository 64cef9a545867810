"""The pieces of Python in the documentation, and the examples, as they stand."""

import shutil
import subprocess
import sys

import numpy
import pytest

import vgg19
from documentation import ROOT, pieces


CASES = [
    pytest.param(path, number, id=f"{path} {number + 1}")
    for path in ("README.md", "docs/python.md")
    for number in range(len(pieces(path, "")))
]


@pytest.fixture
def place(tmp_path, monkeypatch, weights, narrow_path, folder_of_pictures, pixels):
    """A folder with what the pieces name, of a narrow network; the published weights are that network's too."""
    import hashlib

    shutil.copy(weights, tmp_path / "vgg19-dcbb9e9d.pth")
    shutil.copy(narrow_path, tmp_path / "vgg19.safetensors")
    for name in ("photo.jpg", "a.jpg", "b.png"):  # what they are is told by their content
        (tmp_path / name).write_bytes(b"P6 128 96 255\n" + pixels.tobytes())
    shutil.copytree(folder_of_pictures, tmp_path / "photos")
    for name, synset in (("0", "n02123045"), ("1", "n02099601")):
        shutil.copytree(folder_of_pictures / name, tmp_path / "labelled" / synset)
    digits = hashlib.sha256(weights.read_bytes()).hexdigest()
    cache = tmp_path / "cache" / "vgg19"
    cache.mkdir(parents=True)
    shutil.copy(weights, cache / f"vgg19-{digits[:8]}.pth")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("VGG19_WEIGHTS_SHA256", digits)
    return tmp_path


@pytest.mark.parametrize(("path", "number"), CASES)
def test_pieces_of_the_documentation_run(place, path, number):
    done = subprocess.run([sys.executable, "-c", pieces(path, "")[number]], cwd=place, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_the_documentation_has_pieces():
    assert len(pieces("docs/python.md", "")) == 2


def example(name, *words):
    done = subprocess.run(
        [sys.executable, ROOT / "examples" / f"{name}.py", *map(str, words)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_classify(place, narrow):
    lines = example("classify", "-", place / "photo.jpg")
    expected = vgg19.Session(narrow).classify(place / "photo.jpg")
    assert lines[0] == str(place / "photo.jpg")
    assert [line.split("%  ")[1] for line in lines[1:]] == [prediction.label for prediction in expected]


def test_retrieval(place, folder_of_pictures):
    wanted = folder_of_pictures / "1" / "2.ppm"
    lines = example("retrieval", place / "vgg19.safetensors", wanted, folder_of_pictures)
    assert len(lines) == 8
    assert lines[0].split("  ") == ["1.0000", str(wanted)]


def test_perceptual_loss(place):
    out = place / "painted.ppm"
    lines = example("perceptual_loss", place / "vgg19.safetensors", place / "photo.jpg", out, 20)
    losses = [float(line.split()[-1]) for line in lines]
    assert len(losses) == 3 and losses[-1] < 0.7 * losses[0]
    assert numpy.isfinite(vgg19.Session(place / "vgg19.safetensors").preprocess(out)).all()
