"""Models and pictures for the tests. The narrow models are those of tests/serve and tests/golden."""

import os
import pathlib
import signal
import subprocess
import sys

import numpy
import pytest

import vgg19

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "serve"))

import narrow_models  # noqa: E402

# What a script starts in the background ignores Ctrl-C, and so would all that is started here.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def weights(tmp_path_factory):
    """A narrow VGG-19 of a thousand classes, with torchvision's names."""
    path = tmp_path_factory.mktemp("weights") / "narrow.safetensors"
    narrow_models.write_weights(path)
    return path


@pytest.fixture(scope="session")
def narrow_path(weights, tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "narrow.safetensors"
    vgg19.convert(weights, path)
    return path


@pytest.fixture(scope="session")
def narrow(narrow_path):
    return vgg19.Model.open(narrow_path)


@pytest.fixture(scope="session")
def golden():
    return ROOT / "tests" / "golden" / "data"


@pytest.fixture(scope="session")
def golden_model(golden):
    return vgg19.Model.convert(golden / "baseline.model.safetensors")


@pytest.fixture(scope="session")
def pixels():
    """uint8 (96, 128, 3) without repetition, the same each time."""
    return numpy.random.default_rng(19).integers(0, 256, (96, 128, 3), dtype=numpy.uint8)


@pytest.fixture(scope="session")
def folder_of_pictures(tmp_path_factory):
    """Eight PPM pictures in two class folders."""
    folder = tmp_path_factory.mktemp("pictures")
    source = numpy.random.default_rng(7)
    for name in ("0", "1"):
        (folder / name).mkdir()
        for number in range(4):
            picture = source.integers(0, 256, (40, 48, 3), dtype=numpy.uint8)
            (folder / name / f"{number}.ppm").write_bytes(b"P6 48 40 255\n" + picture.tobytes())
    return folder


@pytest.fixture(scope="session")
def tool():
    """Runs the command-line tool as a user does: tool("classify", ...) gives the finished process."""

    def run(*words, **options):
        command = [sys.executable, "-m", "vgg19", *map(os.fspath, map(str, words))]
        return subprocess.run(command, capture_output=True, **options)

    return run
