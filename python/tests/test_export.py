"""vgg19.export() against the command."""

import subprocess
import sys

import pytest

import vgg19


def command(*words):
    done = subprocess.run([sys.executable, "-m", "vgg19", "export", *map(str, words)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("as_path", [True, False])
def test_torch_is_what_the_command_writes(narrow_path, tmp_path, as_path):
    command(narrow_path, "--torch", tmp_path / "a.pth")
    vgg19.export(narrow_path if as_path else vgg19.Model.open(narrow_path), torch=tmp_path / "b.pth")
    assert (tmp_path / "a.pth").read_bytes() == (tmp_path / "b.pth").read_bytes()


def test_onnx_is_what_the_command_writes(narrow_path, tmp_path):
    int8 = vgg19.quantize(narrow_path, tmp_path / "int8.safetensors").model
    command(int8.path, "--onnx", tmp_path / "a.onnx", "--size", "64x96", "--batch", "2", "--outputs", "relu5_4,logits", "--fp32")
    told = []
    vgg19.export(int8, onnx=tmp_path / "b.onnx", size=(64, 96), batch=2, outputs=["relu5_4", "logits"], fp32=True,
                 progress=lambda work, done, total: told.append((work, done, total)))  # fmt: skip
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()
    work, done, total = told[-1]
    assert work == "exporting" and done == total > 0


def test_of_a_model_in_memory(narrow, tmp_path):
    vgg19.export(vgg19.Model.from_bytes(bytes(narrow.buffer)), torch=tmp_path / "a.pth")
    assert vgg19.Model.convert(tmp_path / "a.pth").active_parameters == narrow.active_parameters


@pytest.mark.parametrize(
    "wrong",
    [{}, {"onnx": "a", "torch": "b"}, {"torch": "a", "size": 64}, {"torch": "a", "fp32": True}, {"onnx": "a", "batch": 0},
     {"onnx": "a", "outputs": "logits"}, {"onnx": "a", "outputs": ["relu9_9"]}, {"onnx": "a", "size": 3}])  # fmt: skip
def test_wrong_options_are_refused(narrow, tmp_path, monkeypatch, wrong):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(vgg19.UsageError):
        vgg19.export(narrow, **wrong)
    assert not list(tmp_path.iterdir())


def test_no_file_is_left_when_progress_raises(narrow, tmp_path):
    def stop(work, done, total):
        raise KeyError(work)

    with pytest.raises(KeyError, match="exporting"):
        vgg19.export(narrow, torch=tmp_path / "a.pth", progress=stop)
    assert not list(tmp_path.iterdir())
    with pytest.raises(vgg19.Error):
        vgg19.export(narrow, torch=narrow.path)
