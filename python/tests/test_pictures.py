import io
import struct
import zlib

import numpy
import pytest
from PIL import Image

import vgg19


@pytest.fixture(scope="module")
def session(narrow):
    return vgg19.Session(narrow, size=64)


def png(array, mode):
    buffer = io.BytesIO()
    Image.fromarray(array, mode).save(buffer, "PNG")
    return buffer.getvalue()


def test_every_form_of_a_picture_is_the_same(session, pixels, tmp_path):
    data = png(pixels, "RGB")
    path = tmp_path / "picture.png"
    path.write_bytes(data)
    wide = numpy.zeros((96, 160, 3), numpy.uint8)
    wide[:, :128] = pixels
    forms = {
        "path": path,
        "text": str(path),
        "bytes": data,
        "bytearray": bytearray(data),
        "memoryview": memoryview(data),
        "array of a file": numpy.frombuffer(data, numpy.uint8),
        "array": pixels,
        "array with wide rows": wide[:, :128],
        "array in another order": numpy.ascontiguousarray(pixels[..., ::-1])[..., ::-1],
        "array upside down": numpy.ascontiguousarray(pixels[::-1])[::-1],
        "Fortran's array": numpy.asfortranarray(pixels),
        "Pillow": Image.fromarray(pixels),
        "Pillow's file": Image.open(path),
    }
    expected = session.classify(pixels)
    assert len(expected) == 5
    assert expected[0].probability >= expected[1].probability
    for name, form in forms.items():
        assert session.classify(form) == expected, name
        numpy.testing.assert_array_equal(session.preprocess(form), session.preprocess(pixels), err_msg=name)


def test_predictions_are_the_softmax_of_the_logits(session, pixels):
    logits = session.run(session.preprocess(pixels)[None])[0].astype(float)
    probabilities = numpy.exp(logits - logits.max())
    probabilities /= probabilities.sum()
    order = numpy.argsort(-logits)
    found = session.classify(pixels, top=10)
    assert [prediction.class_index for prediction in found] == list(order[:10])
    assert [prediction.probability for prediction in found] == pytest.approx(list(probabilities[order[:10]]), rel=1e-5)
    index, probability, label, synset = session.classify(pixels, top=1)[0]
    assert label and synset.startswith("n0") or synset.startswith("n1")


def test_the_command_gives_the_same_predictions(session, pixels, tmp_path, narrow_path, tool):
    import json

    path = tmp_path / "picture.png"
    path.write_bytes(png(pixels, "RGB"))
    done = tool("classify", "-m", narrow_path, "--size", 64, "--top", 5, "--json", path)
    assert done.returncode == 0, done.stderr
    top = json.loads(done.stdout)[0]["top"]
    assert [entry["probability"] for entry in top] == pytest.approx(
        [prediction.probability for prediction in session.classify(path)], abs=1e-6
    )


def test_transparent_pixels_are_over_white(session, pixels):
    alpha = numpy.random.default_rng(5).integers(0, 256, (96, 128, 1), dtype=numpy.uint8)
    rgba = numpy.concatenate([pixels, alpha], 2)
    expected = session.preprocess(png(rgba, "RGBA"))
    numpy.testing.assert_array_equal(session.preprocess(Image.fromarray(rgba, "RGBA")), expected)
    palette = Image.fromarray(pixels).quantize(16)
    palette.info["transparency"] = 3
    buffer = io.BytesIO()
    palette.save(buffer, "PNG", transparency=3)
    numpy.testing.assert_array_equal(session.preprocess(palette), session.preprocess(buffer.getvalue()))


@pytest.mark.parametrize("mode", ["L", "1", "P", "CMYK", "YCbCr", "HSV"])
def test_other_modes_of_pillow_become_rgb(session, pixels, mode):
    image = Image.fromarray(pixels).convert(mode)
    numpy.testing.assert_array_equal(session.preprocess(image), session.preprocess(image.convert("RGB")))


@pytest.mark.parametrize(("mode", "order"), [("I;16", "<u2"), ("I;16B", ">u2")])
def test_gray_of_16_bits_is_as_in_a_file(session, mode, order, tmp_path):
    gray = numpy.random.default_rng(3).integers(0, 65536, (96, 128), dtype=numpy.uint16)
    gray[:4] = numpy.arange(512).reshape(4, 128)  # dark, and around each step of the high byte
    path = tmp_path / "gray.png"
    Image.frombytes("I;16", (128, 96), gray.astype("<u2").tobytes()).save(path)
    image = Image.frombytes(mode, (128, 96), gray.astype(order).tobytes())
    numpy.testing.assert_array_equal(session.preprocess(image), session.preprocess(path))


@pytest.mark.parametrize("mode", ["I", "F", "LAB"])
def test_refuses_modes_of_pillow_whose_values_are_no_bytes(session, mode):
    with pytest.raises(vgg19.UsageError, match=rf"8 bits per channel.*found mode {mode}; .*convert"):
        session.preprocess(Image.new(mode, (64, 64)))


def test_preprocess_normalises(narrow, pixels):
    session = vgg19.Session(narrow, size=96)
    square = numpy.full((110, 110, 3), 128, numpy.uint8)
    found = session.preprocess(square)
    assert found.shape == (3, 96, 96) and found.dtype == numpy.float32
    means, deviations = numpy.array(narrow.preprocessing.mean), numpy.array(narrow.preprocessing.deviation)
    numpy.testing.assert_allclose(found[:, 5, 7], (128 / 255 - means) / deviations, rtol=1e-5)
    out = numpy.empty_like(found)
    assert session.preprocess(square, out=out) is out
    numpy.testing.assert_array_equal(out, found)


def test_features_of_many_pictures(narrow, pixels, tmp_path):
    pictures = [numpy.roll(pixels, shift, 0) for shift in range(5)]
    one = vgg19.Session(narrow, size=64, outputs=["fc7", "relu5_1"])
    alone = [one.features(picture) for picture in pictures]
    for batch in (1, 2, 3, 8):
        found = vgg19.Session(narrow, size=64, batch=batch, outputs=["fc7", "relu5_1"]).features(*pictures)
        assert found["fc7"].shape == (5, 16) and found["relu5_1"].shape == (5, 16, 4, 4)
        for index in range(5):
            for name in found:
                numpy.testing.assert_array_equal(found[name][index], alone[index][name][0])
    assert one.features()["fc7"].shape == (0, 16)


def test_names_of_the_models_own_classes(golden, pixels):
    model = vgg19.Model.convert(golden / "cifar.model.pth")
    session = vgg19.Session(model)
    assert len(session.classify(pixels)) == min(5, model.classes)
    with pytest.raises(vgg19.UsageError, match=f"1 to {model.classes}"):
        session.classify(pixels, top=model.classes + 1)
    with pytest.raises(vgg19.UsageError, match="top"):
        session.classify(pixels, top=0)


def test_a_model_of_features_has_no_classes(weights, pixels):
    model = vgg19.Model.convert(weights, features_only=True)
    assert model.classes == 0
    session = vgg19.Session(model, size=64)
    assert session.features(pixels).shape == (1, 16, 2, 2)
    with pytest.raises(vgg19.UsageError):
        session.classify(pixels)


def broken_png(pixels):
    """Its header promises more pixels than its data have."""
    data = bytearray(png(pixels, "RGB"))
    data[16:24] = struct.pack(">II", 50_000, 4_000)
    data[29:33] = struct.pack(">I", zlib.crc32(bytes(data[12:29])))
    return bytes(data)


def test_refuses_other_things(session, pixels, tmp_path):
    for other in (3, None, ["a", "list"], {}, object()):
        with pytest.raises(TypeError, match="expected a path, a file's bytes"):
            session.classify(other)
    for array in (pixels.astype(numpy.float32), pixels[..., :1], pixels[..., 0], pixels.transpose(2, 0, 1)):
        with pytest.raises(vgg19.UsageError, match=r"expected uint8 \(height, width, 3\), found"):
            session.classify(array)
    with pytest.raises(vgg19.UsageError):
        session.classify(pixels[:0])
    with pytest.raises(vgg19.BadInputError, match="nowhere.jpg"):
        session.classify(tmp_path / "nowhere.jpg")
    for data in (b"", b"no picture", png(pixels, "RGB")[:200], broken_png(pixels)):
        with pytest.raises(vgg19.BadInputError):
            session.classify(data)


def test_only_sessions_that_can_classify_do(narrow, pixels):
    with pytest.raises(vgg19.UsageError, match="batch"):
        vgg19.Session(narrow, size=64, batch=2).classify(pixels)
    with pytest.raises(vgg19.UsageError, match="logits"):
        vgg19.Session(narrow, size=64, outputs="fc7").classify(pixels)
    several = vgg19.Session(narrow, size=64, outputs=["fc7", "logits"])
    assert several.classify(pixels) == vgg19.Session(narrow, size=64).classify(pixels)
