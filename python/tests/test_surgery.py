"""convert, quantize, prune and evaluate: the same files and figures as the commands'."""

import json

import numpy
import pytest

import vgg19


def same_bytes(model, path):
    return bytes(model.buffer) == path.read_bytes()


def run(tool, *words):
    done = tool(*words)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def test_convert_writes_what_the_command_writes(golden, tmp_path, tool):
    source = golden / "batch_norm.model.pth"
    run(tool, "convert", source, "-o", tmp_path / "by-command.safetensors", "--size", "64x96", "--pooling", "average")
    seen = []
    done = vgg19.convert(
        source,
        tmp_path / "by-python.safetensors",
        size=(64, 96),
        pooling="average",
        progress=lambda *report: seen.append(report),
    )
    assert same_bytes(done.model, tmp_path / "by-command.safetensors")
    assert done.model.path == tmp_path / "by-python.safetensors"
    assert "batch norm" in done.title and done.tensors > 16 and "classifier.0" in done.dense
    assert {work for work, _, _ in seen} == {"converting"} and seen[-1][1] == seen[-1][2]
    assert done.model.preprocessing.input_size == (64, 96) and done.model.pooling == "average"


def test_convert_knows_every_option(weights, tmp_path, tool):
    names = tmp_path / "names.txt"
    names.write_text("".join(f"class {number}\n" for number in range(1000)))
    options = ["--channels", "BGR", "--range", 255, "--mean", "103.9,116.8,123.7", "--std", "1,2,3"]
    run(tool, "convert", weights, "-o", tmp_path / "c.safetensors", "--classes", names, "--dense-order", "output", *options)
    model = vgg19.Model.convert(
        weights,
        classes=names,
        dense_order="output",
        channels="BGR",
        range=255,
        mean=(103.9, 116.8, 123.7),
        deviation=[1, 2, 3],
    )
    assert same_bytes(model, tmp_path / "c.safetensors")
    assert model.path is None and model.class_names[7] == "class 7"
    caffe = vgg19.Model.convert(weights, preprocessing="caffe")
    assert caffe.preprocessing.channel_order == "BGR" and caffe.preprocessing.range == 255
    for options in (
        {"pooling": "median"},
        {"channels": "RBG"},
        {"preprocessing": "mine"},
        {"dense_order": "wild"},
        {"mean": (1000, 0, 0)},
    ):
        with pytest.raises(vgg19.UsageError):
            vgg19.convert(weights, **options)
    with pytest.raises(TypeError):
        vgg19.convert(weights, colour="BGR")


def test_convert_refuses_files(weights, tmp_path):
    with pytest.raises(vgg19.BadInputError, match="nowhere.pth"):
        vgg19.convert(tmp_path / "nowhere.pth", tmp_path / "out.safetensors")
    with pytest.raises(vgg19.UsageError):
        vgg19.convert(weights, weights)
    with pytest.raises(vgg19.UsageError, match="not a directory|directory"):
        vgg19.convert(weights, tmp_path / "nowhere" / "out.safetensors")
    with pytest.raises(vgg19.UsageError, match="directory"):
        vgg19.convert(weights, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("dense", ["int8", "int4"])
def test_quantize_dense_writes_what_the_command_writes(narrow, narrow_path, tmp_path, tool, dense):
    run(tool, "quantize", narrow_path, "-o", tmp_path / "q.safetensors", "--dense", dense)
    done = vgg19.quantize(narrow, dense=dense)
    assert same_bytes(done.model, tmp_path / "q.safetensors")
    assert done.model.variant == "int8" and done.layers == []


def test_quantize_all_writes_what_the_command_writes(narrow, narrow_path, folder_of_pictures, tmp_path, tool):
    table = tmp_path / "sensitivity.tsv"
    output = tmp_path / "q.safetensors"
    flags = ["--range", "max", "--keep-fp32", "features.2,classifier.6", "--no-winograd", "features.5", "--no-exif"]
    flags += ["--no-bias-correction", "--no-equalization", "--sensitivity", table, "--size", 64, "-n", 5]
    run(tool, "quantize", narrow_path, "-o", output, "--scope", "all", "--calib", folder_of_pictures, *flags)
    seen = []
    done = vgg19.quantize(
        narrow,
        scope="all",
        pictures=folder_of_pictures,
        count=5,
        size=64,
        range="max",
        keep_fp32=["features.2", "classifier.6"],
        no_winograd=["features.5"],
        exif=False,
        bias_correction=False,
        equalization=False,
        sensitivity=True,
        progress=lambda *report: seen.append(report),
    )
    assert same_bytes(done.model, output)
    assert done.pictures == 5 and done.broken == []
    assert [layer.name for layer in done.layers][:2] == ["features.5", "features.7"]
    assert not done.layers[0].winograd
    rows = [line.split("\t") for line in table.read_text().splitlines()[1:]]
    assert [(layer.layer, layer.way) for layer in done.sensitivity] == [(row[1], row[2]) for row in rows]
    works = list(dict.fromkeys(work for work, _, _ in seen))
    assert works == ["looking at pictures", "calibrating", "quantizing", "measuring layers", "writing"]


def test_quantize_all_with_defaults(narrow_path, folder_of_pictures, tmp_path, tool):
    output = tmp_path / "q.safetensors"
    run(tool, "quantize", narrow_path, "-o", output, "--scope", "all", "--calib", folder_of_pictures, "--size", 32)
    done = vgg19.quantize(narrow_path, scope="all", pictures=folder_of_pictures, size=32)
    assert same_bytes(done.model, output)
    assert done.model.variant == "int8-full" and done.pictures == 8
    logits = vgg19.Session(done.model, size=32).run(numpy.zeros((1, 3, 32, 32), numpy.float32))
    assert numpy.isfinite(logits).all()
    with pytest.raises(vgg19.BadInputError, match="quantised|quantized|INT8|FP32"):
        vgg19.quantize(done.model)
    with pytest.raises(vgg19.UsageError):
        vgg19.Session(done.model, size=32, gradients=True, outputs="relu1_1")


def test_quantize_refuses_options(narrow, folder_of_pictures, tmp_path):
    full = {"scope": "all", "pictures": folder_of_pictures, "size": 32}
    for options, message in [
        ({"scope": "some"}, "scope"),
        ({"scope": "all"}, "pictures"),
        ({"pictures": folder_of_pictures}, "scope"),
        ({"dense": "int2"}, "int2"),
        ({**full, "range": "median"}, "median"),
        ({**full, "keep_fp32": ["features.3"]}, "features.3"),
        ({**full, "keep_fp32": "features.2"}, "list"),
        ({**full, "count": 0}, "count"),
    ]:
        with pytest.raises(vgg19.UsageError, match=message):
            vgg19.quantize(narrow, tmp_path / "out.safetensors", **options)
    with pytest.raises(vgg19.BadInputError, match="nowhere"):
        vgg19.quantize(narrow, scope="all", pictures=tmp_path / "nowhere")
    assert list(tmp_path.iterdir()) == []


def test_prune_writes_what_the_command_writes(narrow, narrow_path, folder_of_pictures, tmp_path, tool):
    run(tool, "prune", narrow_path, "-o", tmp_path / "p.safetensors", "--write-plan", tmp_path / "plan.json")
    done = vgg19.prune(narrow)
    assert same_bytes(done.model, tmp_path / "p.safetensors")
    assert [layer.name for layer in done.layers][0] == "features.16" and len(done.layers) == 9
    assert all(layer.channels == 16 and len(layer.removed) == 2 for layer in done.layers)
    by_plan = vgg19.prune(narrow, plan=tmp_path / "plan.json")
    assert by_plan.layers == done.layers
    options = ["--ratio", 0.5, "--layers", "10,12", "--round-to", 4, "--criterion", "random", "--seed", 7]
    run(tool, "prune", narrow_path, "-o", tmp_path / "r.safetensors", *options)
    done = vgg19.prune(narrow, ratio=0.5, layers=[10, 12], round_to=4, criterion="random", seed=7)
    assert same_bytes(done.model, tmp_path / "r.safetensors")


def test_prune_refits_as_the_command_does(narrow, narrow_path, folder_of_pictures, tmp_path, tool):
    calibration = ["--calib", folder_of_pictures, "-n", 8, "--size", 64]
    options = ["--criterion", "activation", "--ratio", 0.25]
    run(tool, "prune", narrow_path, "-o", tmp_path / "p.safetensors", *calibration, *options)
    done = vgg19.prune(narrow, pictures=folder_of_pictures, count=8, size=64, criterion="activation", ratio=0.25)
    assert same_bytes(done.model, tmp_path / "p.safetensors")
    assert done.pictures == 8 and done.refitted and all(0 <= layer.error <= 1 for layer in done.refitted)
    run(tool, "prune", narrow_path, "-o", tmp_path / "t.safetensors", *calibration, "--target-macs", 0.6, "--no-refit")
    done = vgg19.prune(narrow, pictures=folder_of_pictures, count=8, size=64, target_macs=0.6, refit=False)
    assert same_bytes(done.model, tmp_path / "t.safetensors")
    assert done.model.macs(64) <= 0.6 * narrow.macs(64) and done.refitted == []


def test_prune_refuses_options(narrow, tmp_path):
    for options, message in [
        ({"ratio": 1.5}, "ratio"),
        ({"target_macs": 0.5}, "pictures"),
        ({"criterion": "activation"}, "pictures"),
        ({"criterion": "best"}, "best"),
        ({"layers": [3]}, "3"),
        ({"ratio": 0.5, "target_macs": 0.5}, "ratio"),
        ({"plan": tmp_path / "plan.json", "ratio": 0.5}, "plan"),
    ]:
        with pytest.raises(vgg19.UsageError, match=message):
            vgg19.prune(narrow, **options)
    with pytest.raises(vgg19.BadInputError, match="plan.json"):
        vgg19.prune(narrow, plan=tmp_path / "plan.json")


def test_evaluate_gives_the_commands_figures(narrow, narrow_path, folder_of_pictures, tmp_path, tool):
    (folder_of_pictures / "1" / "broken.ppm").write_bytes(b"P6 48 40 255\nshort")
    other = vgg19.prune(narrow, tmp_path / "other.safetensors", ratio=0.5).model
    shown = json.loads(
        run(
            tool, "eval", "-m", narrow_path, "--data", folder_of_pictures, "--size", 32, "--class-order", "index",
            "--reference", other.path, "--json", "--per-class", "--confusion",
        )
    )  # fmt: skip
    found = vgg19.evaluate(narrow, folder_of_pictures, size=32, class_order="index", reference=other, batch=3)
    assert found.total.pictures == shown["images"] == 8
    for name in ("top1", "top3", "top5"):
        share = getattr(found.total, name)
        assert share.count / 8 == pytest.approx(shown[name])
        assert share.interval == pytest.approx(shown[f"{name}_interval"])
    assert [(entry.name, entry.model_class) for entry in found.classes] == [("0", 0), ("1", 1)]
    assert sum(count.pictures for count in found.predictions) == 8
    assert len(found.broken) == 1 and "broken.ppm" in found.broken[0]
    assert found.comparison.reference.pictures == 8 and 0 < found.comparison.mean_cosine < 1
    assert found.comparison.mean_cosine == pytest.approx(shown["reference"]["mean_cosine"], abs=1e-6)
    (folder_of_pictures / "1" / "broken.ppm").unlink()


def test_evaluate_refuses(narrow, folder_of_pictures, tmp_path, weights):
    for options in ({"class_order": "wild"}, {"class_order": "name", "label_map": tmp_path / "map"}, {"batch": 0}):
        with pytest.raises(vgg19.UsageError):
            vgg19.evaluate(narrow, folder_of_pictures, **options)
    with pytest.raises(vgg19.BadInputError):
        vgg19.evaluate(narrow, tmp_path / "nowhere")
    with pytest.raises(vgg19.UsageError):
        vgg19.evaluate(vgg19.Model.convert(weights, features_only=True), folder_of_pictures)


@pytest.mark.parametrize("work", ["looking at pictures", "measuring channels", "calibrating", "quantizing", "writing"])
def test_what_progress_raises_ends_the_work_and_leaves_no_file(narrow, folder_of_pictures, tmp_path, work):
    def refuse(current, done, total):
        if current == work:
            raise LookupError(current)

    with pytest.raises(LookupError, match=work):
        vgg19.quantize(
            narrow, tmp_path / "q.safetensors", scope="all", pictures=folder_of_pictures, size=32, progress=refuse
        )
    assert list(tmp_path.iterdir()) == []


def test_a_model_in_memory_can_be_changed_too(narrow_path):
    memory = vgg19.Model.from_bytes(narrow_path.read_bytes())
    done = vgg19.quantize(memory)
    assert bytes(done.model.buffer) == bytes(vgg19.quantize(narrow_path).model.buffer)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"range": 0}, "range: expected a number from 1 to 65535, found 0"),
        ({"range": float("nan")}, "range: .*found nan"),
        ({"batch_norm_epsilon": 0}, "batch_norm_epsilon: expected a number from 1e-30 to 1, found 0"),
        ({"batch_norm_epsilon": -1}, "batch_norm_epsilon"),
        ({"batch_norm_epsilon": 2}, "batch_norm_epsilon"),
        ({"mean": [0.5, -1, 0.5]}, r"mean\[1\]: expected a number from 0 to 65535, found -1"),
        ({"deviation": [1, 1, 0]}, r"deviation\[2\]: .*found 0"),
        ({"size": 5}, "size: expected a whole number from 16 to 8192.*found 5"),
    ],
)
def test_convert_refuses_what_the_command_refuses(weights, options, message):
    with pytest.raises(vgg19.UsageError, match=message):
        vgg19.convert(weights, **options)


def test_limits_are_the_commands(narrow, folder_of_pictures, tmp_path):
    for options in ({"isa": "mmx"}, {"threads": -1}, {"threads": 1025}):
        for call in (
            lambda **options: vgg19.quantize(narrow, **options),
            lambda **options: vgg19.prune(narrow, **options),
            lambda **options: vgg19.evaluate(narrow, folder_of_pictures, class_order="index", **options),
        ):
            with pytest.raises(vgg19.UsageError, match=f"{next(iter(options))}: expected"):
                call(**options)
    with pytest.raises(vgg19.UsageError, match="batch: expected a number from 1 to 65536, found 65537"):
        vgg19.export(narrow, onnx=tmp_path / "model.onnx", batch=65537)
    assert not list(tmp_path.iterdir())
    for size in (0, 15, 8193, (32, 2**40), 2**63):
        with pytest.raises(vgg19.UsageError, match="size: expected a whole number from 16 to 8192"):
            narrow.macs(size)
    assert 0 < narrow.macs(16) < narrow.macs((32, 8192))


def test_wrong_values_are_named(narrow, weights, folder_of_pictures, tmp_path):
    onnx = tmp_path / "model.onnx"
    session = vgg19.Session(narrow, size=32)
    picture = numpy.zeros((32, 32, 3), numpy.uint8)
    calibrate = {"scope": "all", "pictures": folder_of_pictures}
    calls = {
        "top": [lambda v=v: session.classify(picture, top=v) for v in (-1, 1.5, "3", 2**70)],
        "the picture": [lambda: session.preprocess("a\0b")],
        "mean": [lambda v=v: vgg19.convert(weights, mean=v) for v in ([1], 5, "abc")],
        "range": [lambda: vgg19.convert(weights, range="255")],
        "key": [lambda: vgg19.convert(weights, key=3)],
        "features_only": [lambda: vgg19.convert(weights, features_only=3)],
        "progress": [lambda: vgg19.convert(weights, progress=3)],
        "log": [lambda: vgg19.Session(narrow, size=32, log=3)],
        "count": [lambda v=v: vgg19.quantize(narrow, **calibrate, count=v) for v in (2.5, 2**70, "3")],
        "keep_fp32": [lambda v=v: vgg19.quantize(narrow, **calibrate, keep_fp32=v) for v in ([3], 3)],
        "scope": [lambda: vgg19.quantize(narrow, scope=3)],
        "threads": [lambda v=v: vgg19.quantize(narrow, threads=v) for v in (1.5, 2**40)],
        "layers": [lambda v=v: vgg19.prune(narrow, layers=v) for v in (["a"], [1.5], [-1], 3)],
        "seed": [lambda v=v: vgg19.prune(narrow, seed=v) for v in (-1, 2**70, 1.5)],
        "ratio": [lambda: vgg19.prune(narrow, ratio="a")],
        "round_to": [lambda v=v: vgg19.prune(narrow, round_to=v) for v in (-1, 0, 1.5)],
        "criterion": [lambda: vgg19.prune(narrow, criterion=3)],
        "batch": [lambda v=v: vgg19.export(narrow, onnx=onnx, batch=v) for v in (1.5, 2**64, -1)],
        "outputs": [lambda v=v: vgg19.export(narrow, onnx=onnx, outputs=v) for v in ([3], 3)],
        "fp32": [lambda: vgg19.export(narrow, onnx=onnx, fp32="no")],
        "a name in gradients": [lambda: session.backward({3: picture})],
    }
    for name, with_wrong_values in calls.items():
        for call in with_wrong_values:
            with pytest.raises((TypeError, vgg19.UsageError), match=f"^{name}: expected"):
                call()
                pytest.fail(name)


@pytest.mark.filterwarnings("ignore:nanobind")
def test_a_model_that_was_never_opened_is_refused(narrow, folder_of_pictures):
    empty = vgg19.Model.__new__(vgg19.Model)
    with pytest.raises(TypeError, match="model: expected a Model that was opened"):
        vgg19.Session(empty)
    with pytest.raises(TypeError, match="reference: expected a Model that was opened"):
        vgg19.evaluate(narrow, folder_of_pictures, reference=empty)
