"""What type checkers see."""

import pathlib
import subprocess
import sys

import pytest

import vgg19

SAMPLE = """
import numpy
import vgg19

model: vgg19.Model = vgg19.Model.open("m.safetensors")
names: list[str] = model.class_names
session = vgg19.Session(model, threads=2, size=(64, 96), outputs=["fc7"], gradients=True, log=print)
best: vgg19.Prediction = session.classify("photo.jpg", top=1)[0]
label: str = best.label
size: tuple[int, int] = session.input_size
shape = session.outputs[0].shape
array = session.run(numpy.zeros((1, 3, 64, 96), numpy.float32), out=None)
share: vgg19.Share = vgg19.evaluate(model, "photos", progress=lambda work, done, total: None).total.top1
smaller: vgg19.Model = vgg19.quantize(vgg19.prune(model).model, scope="dense").model
try:
    session.reshape(32, batch=2)
except vgg19.UsageError as error:
    print(error)
"""

WRONG = """
import vgg19
vgg19.Session(3)
vgg19.Model.open("m").classes.upper()
vgg19.Session("m", thread=2)
vgg19.quantize("m", scop="all")
"""


@pytest.fixture
def check(tmp_path):
    pytest.importorskip("mypy")

    def run(code):
        path = tmp_path / "sample.py"
        path.write_text(code)
        command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", tmp_path / "cache", path]
        return subprocess.run(command, capture_output=True, text=True).stdout

    return run


def test_right_code_is_right(check):
    assert "Success" in check(SAMPLE)


def test_wrong_code_is_wrong(check):
    found = check(WRONG)
    assert "Found 4 errors" in found, found


def test_everything_public_is_explained():
    for name in vgg19.__all__:
        if name == "__version__":
            continue
        documented = getattr(vgg19, name)
        assert documented.__doc__ and not documented.__doc__.startswith(f"{name}("), name
    for kind in (vgg19.Model, vgg19.Session):
        for name, member in vars(kind).items():
            if not name.startswith("_"):
                assert member.__doc__, f"{kind.__name__}.{name}"


def test_the_stub_names_everything():
    stub = (pathlib.Path(vgg19.__file__).parent / "_vgg19.pyi").read_text()
    for kind in (vgg19.Model, vgg19.Session):
        for name in vars(kind):
            if not name.startswith("_"):
                assert f"def {name}(" in stub
