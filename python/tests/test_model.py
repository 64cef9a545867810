import copy
import gc
import json
import mmap
import pathlib
import pickle
import struct
import weakref

import numpy
import pytest

import vgg19


def test_says_what_the_file_has(narrow, narrow_path):
    assert narrow.variant == "baseline"
    assert narrow.classes == 1000
    assert narrow.class_names == []
    assert narrow.lineage == ["convert narrow.safetensors"]
    assert narrow.pooling == "max"
    assert narrow.file_bytes == narrow_path.stat().st_size
    assert narrow.path == narrow_path and isinstance(narrow.path, pathlib.Path)
    assert narrow.preprocessing.input_size == (224, 224)
    assert narrow.preprocessing.mean == pytest.approx((0.485, 0.456, 0.406))
    assert narrow.preprocessing.channel_order == "RGB"
    assert repr(narrow) == (
        f"<vgg19.Model 'baseline', 1000 classes, {narrow.active_parameters} parameters, {narrow_path}>"
    )


def test_counts_parameters_and_multiplications(narrow):
    widths = [(3, 8), (8, 8), (8, 8), (8, 8), (8, 16)] + [(16, 16)] * 11
    dense = [(16 * 49, 16), (16, 16), (16, 1000)]
    assert narrow.active_parameters == sum(9 * i * o + o for i, o in widths) + sum(i * o + o for i, o in dense)
    sides = [64] * 2 + [32] * 2 + [16] * 4 + [8] * 4 + [4] * 4
    macs = sum(9 * i * o * side * side for (i, o), side in zip(widths, sides)) + sum(i * o for i, o in dense)
    assert narrow.macs(64) == macs == narrow.macs((64, 64))
    assert narrow.macs((64, 32)) < macs


def test_opens_text_and_path_and_refuses_others(narrow_path, tmp_path):
    assert vgg19.Model.open(str(narrow_path)).path == vgg19.Model.open(narrow_path).path
    with pytest.raises(TypeError):
        vgg19.Model.open(7)
    with pytest.raises(vgg19.BadInputError, match="nowhere.safetensors"):
        vgg19.Model.open(tmp_path / "nowhere.safetensors")
    with pytest.raises(ValueError):
        vgg19.Model.open(tmp_path)
    other = tmp_path / "other.safetensors"
    other.write_bytes(b"no model at all, but long enough to look at")
    with pytest.raises(vgg19.BadInputError, match="other.safetensors"):
        vgg19.Model.open(other)


def test_without_a_path_it_is_the_published_model(weights, tmp_path, monkeypatch):
    import hashlib
    import shutil

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    digits = hashlib.sha256(weights.read_bytes()).hexdigest()
    monkeypatch.setenv("VGG19_WEIGHTS_SHA256", digits)
    with pytest.raises(vgg19.UsageError, match="fetch-weights"):
        vgg19.Model.open()
    (tmp_path / "vgg19").mkdir(exist_ok=True)
    shutil.copy(weights, tmp_path / "vgg19" / f"vgg19-{digits[:8]}.pth")
    model = vgg19.Model.open()
    assert model.classes == 1000 and tmp_path in model.path.parents


def with_metadata(data, change):
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    change(header["__metadata__"])
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data[8 + length :]


def test_refuses_a_model_of_another_version(narrow_path, tmp_path):
    def change(metadata):
        name = next(name for name in metadata if "version" in name)
        metadata[name] = "99"
        del metadata["integrity"], metadata["header_checksum"]  # without both nothing is checked

    later = tmp_path / "later.safetensors"
    later.write_bytes(with_metadata(narrow_path.read_bytes(), change))
    with pytest.raises(vgg19.BadInputError, match="99"):
        vgg19.Model.open(later)


def test_bytes_are_used_in_place_and_kept(narrow_path):
    memory = numpy.frombuffer(narrow_path.read_bytes(), numpy.uint8).copy()
    owner = weakref.ref(memory)
    model = vgg19.Model.from_bytes(memory)
    assert numpy.shares_memory(numpy.frombuffer(model.buffer, numpy.uint8), memory)
    del memory
    gc.collect()
    session = vgg19.Session(model, size=32)
    assert owner() is not None
    assert model.path is None and "in memory" in repr(model)
    assert session.run(numpy.zeros((1, 3, 32, 32), numpy.float32)).shape == (1, 1000)
    del model, session
    gc.collect()
    assert owner() is None


@pytest.mark.parametrize("wrap", [bytes, bytearray, memoryview])
def test_takes_every_buffer(narrow_path, narrow, wrap):
    data = narrow_path.read_bytes()
    assert vgg19.Model.from_bytes(wrap(data)).active_parameters == narrow.active_parameters
    with open(narrow_path, "rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    assert vgg19.Model.from_bytes(mapped).file_bytes == len(data)


def test_refuses_bytes_at_an_odd_place_and_what_has_none(narrow_path):
    data = numpy.empty(narrow_path.stat().st_size + 1, numpy.uint8)
    data[1:] = numpy.frombuffer(narrow_path.read_bytes(), numpy.uint8)
    with pytest.raises(vgg19.Error):
        vgg19.Session(vgg19.Model.from_bytes(data[1:]), size=32)
    with pytest.raises(TypeError):
        vgg19.Model.from_bytes("text")
    with pytest.raises(vgg19.BadInputError):
        vgg19.Model.from_bytes(b"")


def test_the_buffer_of_a_file_is_its_bytes(narrow, narrow_path):
    assert bytes(narrow.buffer) == narrow_path.read_bytes()
    assert narrow.buffer.readonly


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_is_pickled_by_path_or_bytes(narrow, narrow_path, protocol):
    again = pickle.loads(pickle.dumps(narrow, protocol))
    assert again.path == narrow.path
    assert len(pickle.dumps(narrow, protocol)) < 1000
    memory = vgg19.Model.from_bytes(narrow_path.read_bytes())
    again = pickle.loads(pickle.dumps(memory, protocol))
    assert again.path is None and bytes(again.buffer) == narrow_path.read_bytes()


def test_out_of_band_pickling_copies_nothing(narrow_path):
    memory = vgg19.Model.from_bytes(narrow_path.read_bytes())
    buffers = []
    data = pickle.dumps(memory, 5, buffer_callback=buffers.append)
    assert len(data) < 1000 and len(buffers) == 1
    again = pickle.loads(data, buffers=buffers)
    assert again.active_parameters == memory.active_parameters


def test_a_mapped_file_is_shared(narrow_path, narrow):
    model = vgg19.Model.open(narrow_path, mapped=True)
    assert model.path == narrow_path and pickle.loads(pickle.dumps(model)).path == narrow_path
    input = numpy.ones((1, 3, 32, 32), numpy.float32)
    numpy.testing.assert_array_equal(
        vgg19.Session(model, size=32).run(input), vgg19.Session(narrow, size=32).run(input)
    )
    lines = pathlib.Path("/proc/self/maps").read_text().splitlines()
    assert any(str(narrow_path) in line for line in lines)
    with pytest.raises(vgg19.BadInputError, match="nowhere"):
        vgg19.Model.open(narrow_path.parent / "nowhere", mapped=True)


def test_copies_are_the_model(narrow):
    assert copy.copy(narrow) is narrow
    assert copy.deepcopy({"model": narrow})["model"] is narrow
