import array
import gc
import weakref

import numpy
import pytest
from golden_data import input_image, tensors

import vgg19


def zeros(session):
    return numpy.zeros((session.batch, 3, *session.input_size), numpy.float32)


def relative_l2(found, expected):
    return numpy.linalg.norm(found - expected) / numpy.linalg.norm(expected)


def test_gives_the_logits_of_pytorch(golden, golden_model):
    squares = tensors(golden / "baseline.golden.safetensors")
    rectangles = tensors(golden / "rectangles.golden.safetensors")
    session = vgg19.Session(golden_model, size=32)
    for name, expected in {**squares, **rectangles}.items():
        kind, size, seed = name.split(".")
        height, width = (int(side) for side in (size.split("x") if "x" in size else (size, size)))
        session.reshape((height, width))
        logits = session.run(input_image(height, width, int(seed)))
        assert isinstance(logits, numpy.ndarray) and logits.dtype == numpy.float32
        assert relative_l2(logits, expected) < 1e-5, name


def test_several_outputs_are_a_dict_in_the_order_of_the_question(narrow):
    session = vgg19.Session(narrow, size=(64, 96), batch=2, outputs=["relu5_4", "fc7", "logits"])
    assert [output.name for output in session.outputs] == ["relu5_4", "fc7", "logits"]
    assert session.outputs[0].shape == (2, 16, 4, 6)
    input = numpy.random.default_rng(1).standard_normal((2, 3, 64, 96), numpy.float32)
    found = session.run(input)
    assert list(found) == ["relu5_4", "fc7", "logits"]
    assert {name: values.shape for name, values in found.items()} == {
        "relu5_4": (2, 16, 4, 6),
        "fc7": (2, 16),
        "logits": (2, 1000),
    }
    one = vgg19.Session(narrow, size=(64, 96), outputs="relu5_4")
    numpy.testing.assert_array_equal(one.run(input[1:]), found["relu5_4"][1:])


def test_refuses_an_output_that_is_asked_for_twice(narrow):
    with pytest.raises(vgg19.UsageError, match="outputs: expected each name once, found 'logits' twice"):
        vgg19.Session(narrow, size=32, outputs=["logits", "fc7", "logits"])
    both = vgg19.Session(narrow, size=32, outputs=["features.35", "relu5_4"])  # two names of one layer
    found = both.run(zeros(both))
    numpy.testing.assert_array_equal(found["features.35"], found["relu5_4"])


def test_a_batch_of_one_is_bitwise_the_same(narrow):
    input = numpy.random.default_rng(2).standard_normal((3, 3, 32, 32), numpy.float32)
    many = vgg19.Session(narrow, size=32, batch=3).run(input)
    one = vgg19.Session(narrow, size=32, threads=1)
    for index in range(3):
        numpy.testing.assert_array_equal(one.run(input[index : index + 1]), many[index : index + 1])


def test_out_is_written_and_returned(narrow):
    session = vgg19.Session(narrow, size=32)
    input = input_image(32, 32, 1)
    expected = session.run(input)
    out = numpy.full((1, 1000), numpy.nan, numpy.float32)
    assert session.run(input, out=out) is out
    numpy.testing.assert_array_equal(out, expected)
    several = vgg19.Session(narrow, size=32, outputs=["fc7", "logits"])
    found = several.run(input, out={"logits": out})
    assert found["logits"] is out and found["fc7"].shape == (1, 16)
    assert several.run(input, {"logits": out})["logits"] is out


def test_arrays_are_used_where_they_lie(narrow):
    session = vgg19.Session(narrow, size=32, outputs=["relu1_1"])
    storage = numpy.zeros((1, 8, 32, 32), numpy.float32)
    session.run(input_image(32, 32, 1), out=memoryview(storage))
    assert storage.any()
    floats = array.array("f", bytes(4 * 3 * 32 * 32))
    shaped = memoryview(floats).cast("B").cast("f", (1, 3, 32, 32))
    numpy.testing.assert_array_equal(session.run(shaped), session.run(zeros(session)))


class OnlyDlpack:
    """A tensor of another library."""

    def __init__(self, values):
        self.values = values

    def __dlpack__(self, **options):
        return self.values.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.values.__dlpack_device__()


def test_takes_tensors_by_dlpack(narrow):
    session = vgg19.Session(narrow, size=32)
    input, out = input_image(32, 32, 2), numpy.zeros((1, 1000), numpy.float32)
    session.run(OnlyDlpack(input), out=OnlyDlpack(out))
    numpy.testing.assert_array_equal(out, session.run(input))


class Raising:
    """Once: a second question would find nothing wrong."""

    def __init__(self, error):
        self.errors = [error]

    def __dlpack__(self, **options):
        raise self.errors.pop()

    def __dlpack_device__(self):
        return (1, 0)


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError, ZeroDivisionError])
def test_what_an_array_raises_is_not_swallowed(narrow, error):
    session = vgg19.Session(narrow, size=32)
    with pytest.raises(error):
        session.run(Raising(error()))
    with pytest.raises(error):
        session.run(zeros(session), out=Raising(error()))
    with pytest.raises(error):
        session.preprocess(Raising(error()))


def test_an_array_that_does_not_give_its_memory_says_why(narrow):
    session = vgg19.Session(narrow, size=32)
    with pytest.raises(vgg19.UsageError, match="Raising that does not: no export today"):
        session.run(Raising(BufferError("no export today")))
    for dtype in (">f4", object):
        with pytest.raises(vgg19.UsageError, match=f"found .*ndarray of {numpy.dtype(dtype)}"):
            session.run(numpy.zeros((1, 3, 32, 32), dtype))


@pytest.mark.parametrize(
    ("input", "message"),
    [
        (numpy.zeros((1, 3, 32, 32)), r"input: expected float32 \(1, 3, 32, 32\), found float64 \(1, 3, 32, 32\)"),
        (numpy.zeros((1, 3, 32, 32), numpy.uint8), "found uint8"),
        (numpy.zeros((3, 32, 32), numpy.float32), r"found float32 \(3, 32, 32\)"),
        (numpy.zeros((1, 32, 32, 3), numpy.float32), r"found float32 \(1, 32, 32, 3\)"),
        (numpy.zeros((1, 3, 32, 64), numpy.float32)[..., ::2], "C order.*strides.*ascontiguousarray"),
        (numpy.zeros((1, 32, 32, 3), numpy.float32).transpose(0, 3, 1, 2), "C order"),
        (numpy.zeros((1, 3, 32, 32), numpy.float32)[:, ::-1], "C order"),
    ],
)
def test_refuses_other_arrays(narrow, input, message):
    session = vgg19.Session(narrow, size=32)
    with pytest.raises(vgg19.UsageError, match=message):
        session.run(input)
    with pytest.raises(ValueError):
        session.run(input)


def test_refuses_what_is_no_array(narrow):
    session = vgg19.Session(narrow, size=32)
    for other in (None, 3, "text", [[1.0]]):
        with pytest.raises(TypeError, match="input"):
            session.run(other)
    with pytest.raises(TypeError):
        session.run(zeros(session), out="text")


def test_refuses_arrays_that_cannot_be_written(narrow):
    session = vgg19.Session(narrow, size=32, outputs=["fc6", "fc7"])
    input = zeros(session)
    out = numpy.zeros((1, 16), numpy.float32)
    out.setflags(write=False)
    with pytest.raises(vgg19.UsageError, match="fc6: expected an array to write"):
        session.run(input, out={"fc6": out})
    same = numpy.zeros((1, 16), numpy.float32)
    with pytest.raises(vgg19.UsageError, match="share no memory"):
        session.run(input, out={"fc6": same, "fc7": same})
    with pytest.raises(vgg19.UsageError, match="fc6, fc7, found 'fc8'"):
        session.run(input, out={"fc8": same})
    with pytest.raises(vgg19.UsageError, match="out: expected a dict"):
        session.run(input, out=same)
    with pytest.raises(vgg19.UsageError, match=r"fc7: expected float32 \(1, 16\), found float32 \(16,\)"):
        session.run(input, out={"fc7": numpy.zeros(16, numpy.float32)})


@pytest.mark.parametrize("value", [numpy.nan, numpy.inf, -numpy.inf])
def test_refuses_values_that_are_not_finite(narrow, value):
    session = vgg19.Session(narrow, size=32, outputs="relu1_1", gradients=True)
    input = zeros(session)
    session.run(input)
    input[0, 2, 5, 7] = value
    with pytest.raises(vgg19.BadInputError, match=f"index {2 * 32 * 32 + 5 * 32 + 7}"):
        session.run(input)
    session.run(zeros(session))
    gradient = numpy.zeros((1, 8, 32, 32), numpy.float32)
    gradient[0, 0, 0, 1] = value
    with pytest.raises(vgg19.BadInputError, match="gradient of relu1_1"):
        session.backward(gradient)


def test_backward_is_the_slope(narrow):
    """Against a central difference along the gradient, where the slope is its length."""
    random = numpy.random.default_rng(3)
    session = vgg19.Session(narrow, size=32, outputs=["relu2_1", "conv3_1"], gradients=True)
    input = random.standard_normal((1, 3, 32, 32), numpy.float32)
    weights = {output.name: random.standard_normal(output.shape, numpy.float32) for output in session.outputs}

    def loss(values):
        found = session.run(values)
        return sum(float((weights[name].astype(float) * found[name]).sum()) for name in weights)

    session.run(input)
    gradient = session.backward(weights)
    assert gradient.shape == input.shape
    direction = gradient / numpy.linalg.norm(gradient)
    step = numpy.float32(1e-2)
    slope = (loss(input + step * direction) - loss(input - step * direction)) / (2 * step)
    assert slope == pytest.approx(numpy.linalg.norm(gradient), rel=1e-2)


def test_backward_adds_what_the_outputs_give(narrow):
    session = vgg19.Session(narrow, size=32, outputs=["relu1_1", "relu2_1"], gradients=True)
    session.run(input_image(32, 32, 1))
    ones = {output.name: numpy.ones(output.shape, numpy.float32) for output in session.outputs}
    both = session.backward(ones)
    alone = [session.backward({name: ones[name]}) for name in ones]
    numpy.testing.assert_allclose(both, alone[0] + alone[1], rtol=1e-4, atol=1e-4)
    numpy.testing.assert_array_equal(session.backward({"relu1_1": ones["relu1_1"], "relu2_1": None}), alone[0])
    out = numpy.empty_like(both)
    assert session.backward(ones, out=out) is out
    numpy.testing.assert_array_equal(out, both)


def test_backward_refuses_what_it_cannot_do(narrow):
    without = vgg19.Session(narrow, size=32, outputs="relu1_1")
    without.run(zeros(without))
    gradient = numpy.zeros((1, 8, 32, 32), numpy.float32)
    with pytest.raises(vgg19.UsageError, match="gradients"):
        without.backward(gradient)
    session = vgg19.Session(narrow, size=32, outputs="relu1_1", gradients=True)
    with pytest.raises(vgg19.UsageError, match="has run"):
        session.backward(gradient)
    session.run(zeros(session))
    with pytest.raises(vgg19.UsageError, match="the gradient of relu1_1: expected float32"):
        session.backward(gradient[:, :4])
    with pytest.raises(vgg19.UsageError, match="'conv9'"):
        session.backward({"conv9": gradient})


def test_reshape_changes_size_and_batch_and_keeps_a_failed_session(narrow):
    session = vgg19.Session(narrow, size=32)
    session.reshape((40, 48), batch=2)
    assert session.input_size == (40, 48) and session.batch == 2
    assert session.outputs == [("logits", (2, 1000))]
    assert session.run(zeros(session)).shape == (2, 1000)
    with pytest.raises(vgg19.UsageError):
        session.reshape(8)
    assert session.input_size == (40, 48) and session.run(zeros(session)).shape == (2, 1000)
    session.reshape(None)
    assert session.input_size == (224, 224) and session.batch == 1


def test_says_what_it_does(narrow, narrow_path):
    messages = []
    session = vgg19.Session(
        str(narrow_path), size=32, threads=2, isa="portable", log=lambda *message: messages.append(message)
    )
    assert session.threads == 2 and session.model.path == narrow.path
    assert {level for level, _ in messages} <= {"detail", "information", "warning"} and messages
    plan = session.plan
    assert [step.layer for step in plan if step.kind == "dense"] == ["classifier.0", "classifier.3", "classifier.6"]
    assert sum(step.macs for step in plan) == narrow.macs(32)
    assert all("portable" in step.kernel for step in plan if step.kind == "convolution")


def test_pools_can_be_averages(narrow):
    input = input_image(32, 32, 1)
    by_maximum, by_average = (
        vgg19.Session(narrow, size=32, pooling=pooling, outputs=["relu1_2", "pool1"]).run(input)
        for pooling in ("max", "average")
    )
    before = by_average["relu1_2"].reshape(1, 8, 16, 2, 16, 2)
    numpy.testing.assert_allclose(by_average["pool1"], before.mean((3, 5)), rtol=1e-5, atol=1e-6)
    numpy.testing.assert_array_equal(by_maximum["pool1"], before.max((3, 5)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 31}, "32"),
        ({"size": (32, 9000)}, "8192"),
        ({"batch": 0}, "batch"),
        ({"threads": -1}, "threads"),
        ({"outputs": ["relu9_9"]}, "relu9_9"),
        ({"isa": "vax"}, "vax"),
        ({"pooling": "median"}, "median"),
        ({"plan_file": "/nowhere"}, "nowhere"),
    ],
)
def test_refuses_options(narrow, options, message):
    with pytest.raises(vgg19.Error, match=message):
        vgg19.Session(narrow, **options)


def test_refuses_arguments_of_other_types(narrow):
    for options in ({"size": "32"}, {"size": (1, 2, 3)}, {"threads": "two"}, {"outputs": 3}, {"batches": 2}):
        with pytest.raises((TypeError, vgg19.Error)):
            vgg19.Session(narrow, **options)
    with pytest.raises(TypeError):
        vgg19.Session(None)


def test_what_log_raises_leaves_the_constructor(narrow):
    def refuse(level, message):
        raise KeyError(level)

    with pytest.raises(KeyError):
        vgg19.Session(narrow, size=32, log=refuse)


def test_exceptions_have_pythons_bases():
    assert issubclass(vgg19.UsageError, (vgg19.Error, ValueError)) and issubclass(vgg19.UsageError, vgg19.Error)
    assert issubclass(vgg19.BadInputError, vgg19.Error) and issubclass(vgg19.BadInputError, ValueError)
    assert issubclass(vgg19.FailedError, vgg19.Error) and issubclass(vgg19.FailedError, RuntimeError)
    assert issubclass(vgg19.CancelledError, vgg19.Error)
    assert vgg19.Error.__module__ == "vgg19"


def test_cycles_are_collected(narrow, narrow_path):
    class Log:
        def __call__(self, level, message):
            self.called = True

    class Bytes(bytearray):
        pass

    def with_log():
        log = Log()
        log.session = vgg19.Session(narrow, size=32, log=log)
        assert log.called
        return weakref.ref(log)

    def with_buffer():
        owner = Bytes(narrow_path.read_bytes())
        owner.session = vgg19.Session(vgg19.Model.from_bytes(owner), size=32)
        owner.model = owner.session.model
        return weakref.ref(owner)

    for make in (with_log, with_buffer):
        kept = make()
        assert kept() is not None
        gc.collect()
        assert kept() is None, make
    session = vgg19.Session(vgg19.Model.from_bytes(Bytes(narrow_path.read_bytes())), size=32, log=Log())
    gc.collect()  # leaves what is in use
    again = vgg19.Session(session.model, size=32)
    numpy.testing.assert_array_equal(session.run(zeros(session)), again.run(zeros(again)))
