"""vgg19.ray on a cluster of this machine."""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import numpy
import pytest

ray = pytest.importorskip("ray", reason="ray[data] is not installed")

import pyarrow  # noqa: E402
import pyarrow.fs  # noqa: E402
import pyarrow.parquet  # noqa: E402

import documentation  # noqa: E402
import vgg19  # noqa: E402
import vgg19.ray  # noqa: E402
from vgg19 import _remote_file  # noqa: E402


@pytest.fixture(scope="module", autouse=True)
def cluster():
    tests = str(pathlib.Path(__file__).parent)
    paths = os.pathsep.join(filter(None, [tests, os.environ.get("PYTHONPATH")]))
    ray.init(num_cpus=4, include_dashboard=False, log_to_driver=False, runtime_env={"env_vars": {"PYTHONPATH": paths}})
    ray.data.DataContext.get_current().enable_progress_bars = False
    yield
    ray.shutdown()


def write_ppm(path, seed):
    pixels = numpy.random.default_rng(seed).integers(0, 256, (40, 50, 3), dtype=numpy.uint8)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"P6 50 40 255\n" + pixels.tobytes())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Sixty pictures in two folders, three of which are broken, and a file that is none."""
    folder = tmp_path_factory.mktemp("collection")
    for i in range(60):
        write_ppm(folder / ("a" if i % 2 else "b") / f"{i:02}.ppm", i)
    (folder / "a" / "01.ppm").write_bytes(b"P6 50 40 255\nshort")
    (folder / "b" / "02.ppm").write_bytes(b"")
    (folder / "b" / "00.jpg").write_text("text")
    (folder / "b" / "notes.txt").write_text("text")
    return folder


BROKEN = {"a/01.ppm", "b/02.ppm", "b/00.jpg"}


def rows_of(output):
    return [row for path in sorted(pathlib.Path(output).rglob("*.parquet")) for row in pyarrow.parquet.read_table(path).to_pylist()]


def named(rows, folder):
    """Rows by the picture's name; each picture once."""
    found = {str(pathlib.Path(row["path"]).relative_to(folder)): row for row in rows}
    assert len(found) == len(rows)
    return found


def check_classes(rows, folder, model):
    found = named(rows, folder)
    assert set(found) == {str(path.relative_to(folder)) for path in folder.rglob("*.*") if path.suffix in (".ppm", ".jpg")}
    session = vgg19.Session(model, size=32)
    for name, row in found.items():
        if name in BROKEN:
            assert row["error"] and row["labels"] is None and row["probabilities"] is None
            continue
        assert row["error"] is None
        expected = session.classify(folder / name, 3)
        assert row["class_indices"] == [one.class_index for one in expected]
        assert row["labels"] == [one.label for one in expected]
        assert row["synsets"] == [one.synset for one in expected]
        assert row["probabilities"] == pytest.approx([one.probability for one in expected], rel=1e-5)


def options(model, **more):
    return {"fn_constructor_kwargs": {"model": model, "size": 32, **more}, "batch_size": 7, "num_cpus": 1}


class KilledOnce(vgg19.ray.Classifier):
    """Of all actors one dies, when it has computed its second batch."""

    def __init__(self, *arguments, flag, **options):
        super().__init__(*arguments, **options)
        self.flag, self.calls = flag, 0

    def __call__(self, batch):
        result = super().__call__(batch)
        self.calls += 1
        if self.calls == 2:
            try:
                os.close(os.open(self.flag, os.O_CREAT | os.O_EXCL))
            except FileExistsError:
                return result
            os.kill(os.getpid(), signal.SIGKILL)
        return result


class Interrupted(vgg19.ray.Classifier):
    """Fails at one picture."""

    def __call__(self, batch):
        if any(str(path).endswith("40.ppm") for path in batch["path"]):
            time.sleep(1)
            raise RuntimeError("interrupted")
        return super().__call__(batch)


class Counting(vgg19.ray.Classifier):
    def __call__(self, batch):
        table = super().__call__(batch)
        return table.append_column("threads", pyarrow.array([self._session.threads] * len(table)))


def test_every_picture_once_though_one_of_two_actors_is_killed(folder, narrow_path, tmp_path):
    pictures = vgg19.ray.pictures(str(folder), rows=7)
    results = pictures.map_batches(KilledOnce, concurrency=2, **options(str(narrow_path), top=3, batch=4, flag=str(tmp_path / "killed")))
    results.write_parquet(str(tmp_path / "out"))
    assert (tmp_path / "killed").exists()
    check_classes(rows_of(tmp_path / "out"), folder, narrow_path)


def test_an_interrupted_run_goes_on(folder, narrow_path, tmp_path):
    output = str(tmp_path / "out")

    def run(stage):
        pictures = vgg19.ray.pictures(str(folder), finished=output, rows=7)
        pictures.map_batches(stage, concurrency=1, **options(str(narrow_path), top=3)).write_parquet(output)
        return pictures.count()

    with pytest.raises(Exception, match="interrupted"):
        run(Interrupted)
    done = len(rows_of(output))
    assert 0 < done < 61
    # A writer that was killed leaves a file without its end.
    whole = next(pathlib.Path(output).glob("*.parquet"))
    (pathlib.Path(output) / "killed.parquet").write_bytes(whole.read_bytes()[:-100])
    with pytest.warns(UserWarning, match="killed.parquet: removed"):
        assert run(vgg19.ray.Classifier) == 61 - done
    check_classes(rows_of(output), folder, narrow_path)
    assert run(vgg19.ray.Classifier) == 0
    check_classes(rows_of(output), folder, narrow_path)


def test_actors_have_as_many_threads_as_cpus(folder, narrow_path):
    for cpus in (1, 2):
        kwargs = {**options(str(narrow_path)), "num_cpus": cpus}
        found = vgg19.ray.pictures(str(folder)).limit(3).map_batches(Counting, concurrency=1, **kwargs).take_all()
        assert {row["threads"] for row in found} == {cpus}


@pytest.mark.parametrize("pool", ["avg", "gem", None])
def test_features(folder, narrow_path, pool):
    layers = ["relu5_4", "fc7"]
    found = named(
        vgg19.ray.pictures(str(folder))
        .map_batches(vgg19.ray.Features, concurrency=1, **options(str(narrow_path), layers=layers, pool=pool, batch=4))
        .take_all(),
        folder,
    )
    session = vgg19.Session(narrow_path, size=32, outputs=layers)
    for name, row in found.items():
        if name in BROKEN:
            assert row["error"] and row["relu5_4"] is None
            continue
        expected = session.features(folder / name)
        pixels = expected["relu5_4"][0].reshape(16, -1).astype("float64")
        if pool is not None:
            pixels = pixels.mean(1) if pool == "avg" else (pixels.clip(1e-6) ** 3).mean(1) ** (1 / 3)
        numpy.testing.assert_allclose(row["relu5_4"], pixels.reshape(-1), rtol=1e-4, atol=1e-5)
        numpy.testing.assert_allclose(row["fc7"], expected["fc7"][0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("batch_format", ["numpy", "pyarrow", "pandas"])
def test_pictures_in_columns(folder, narrow_path, batch_format):
    """What Ray's own readers give."""
    files = ray.data.read_binary_files(str(folder), include_paths=True, file_extensions=["ppm", "jpg"])
    results = files.map_batches(
        vgg19.ray.Classifier, concurrency=1, batch_format=batch_format, **options(vgg19.Model.open(narrow_path), top=3)
    )
    rows = results.take_all()
    assert set(rows[0]) == {"path", "class_indices", "labels", "synsets", "probabilities", "error"}
    check_classes(rows, folder, narrow_path)


def test_images_as_arrays(folder, narrow_path):
    good = [str(path) for path in folder.rglob("*.ppm") if str(path.relative_to(folder)) not in BROKEN][:5]
    images = ray.data.read_images(good, include_paths=True, file_extensions=["ppm"])
    rows = images.map_batches(vgg19.ray.Classifier, concurrency=1, **options(str(narrow_path), top=3)).take_all()
    session = vgg19.Session(narrow_path, size=32)
    assert len(rows) == 5
    for row in rows:
        assert row["labels"] == [one.label for one in session.classify(row["path"], 3)]


@pytest.mark.parametrize("code", **documentation.cases("ray", "README.md", "docs/ray.md"))
def test_pieces_of_the_documentation_run(folder, narrow_path, tmp_path, monkeypatch, code):
    shutil.copy(narrow_path, tmp_path / "vgg19.safetensors")
    shutil.copytree(folder, tmp_path / "photos")
    monkeypatch.chdir(tmp_path)
    # With absolute paths: actors of the cluster, which is there already, have another working folder.
    for name in ("photos", "classes", "features", "vgg19.safetensors"):
        code = code.replace(f'"{name}"', repr(str(tmp_path / name)))
    exec(compile(code, "documentation", "exec"), {})
    assert len(rows_of(tmp_path)) == 61


def test_the_example(folder, narrow_path, tmp_path):
    program = documentation.ROOT / "examples" / "classify_collection.py"
    command = [sys.executable, program, narrow_path, folder, tmp_path / "out", "2"]
    address = ray.get_runtime_context().gcs_address
    for expected in ("61 pictures to do", "0 pictures to do"):
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "RAY_ADDRESS": address})
        assert done.returncode == 0, done.stderr
        assert expected in done.stdout and "61 pictures, of which 3 cannot be read" in done.stdout
        assert len(rows_of(tmp_path / "out")) == 61


class TestOneProcess:
    """Without actors."""

    def test_files_of_a_store(self, folder, narrow_path, tmp_path, monkeypatch):
        """A filesystem that is not the local one; and the model is fetched from it, once."""
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        (tmp_path / "bucket").mkdir()
        shutil.copy(narrow_path, tmp_path / "bucket" / "model.safetensors")
        shutil.copytree(folder, tmp_path / "bucket" / "photos")
        store = pyarrow.fs.SubTreeFileSystem(str(tmp_path), pyarrow.fs.LocalFileSystem())
        monkeypatch.setattr(_remote_file, "_store", lambda place: store)
        for _ in range(2):
            stage = vgg19.ray.Classifier("s3://bucket/model.safetensors", size=32, top=3, threads=1)
        assert len(list((tmp_path / "cache").rglob("*.safetensors"))) == 1
        assert not list((tmp_path / "cache").rglob("*.partial"))
        paths = list(vgg19.ray._files("s3://bucket/photos/", None, vgg19.ray.EXTENSIONS))
        assert "s3://bucket/photos/a/03.ppm" in paths and len(paths) == 61
        for other in (paths, [path.replace("s3://", "") for path in paths]):
            stage = vgg19.ray.Classifier(narrow_path, size=32, top=3, threads=1, filesystem=store if other is not paths else None)
            rows = stage({"path": numpy.array(other, object)}).to_pylist()
            check_classes([{**row, "path": str(folder / row["path"].split("photos/")[1])} for row in rows], folder, narrow_path)
        os.utime(tmp_path / "bucket" / "model.safetensors", (1, 1))
        vgg19.ray.Classifier("s3://bucket/model.safetensors", size=32, threads=1)
        assert len(list((tmp_path / "cache").rglob("*.safetensors"))) == 2
        with pytest.raises(vgg19.BadInputError, match="nothing"):
            vgg19.ray.Classifier("s3://bucket/nothing.safetensors")

    def test_a_file_that_is_not_there_is_an_error(self, narrow_path, tmp_path):
        stage = vgg19.ray.Classifier(narrow_path, size=32, threads=1)
        write_ppm(tmp_path / "a.ppm", 1)
        rows = stage({"path": [str(tmp_path / "a.ppm"), str(tmp_path / "b.ppm")], "id": [4, 5]}).to_pylist()
        assert [row["id"] for row in rows] == [4, 5]
        assert rows[0]["error"] is None and "b.ppm" in rows[1]["error"]

    def test_a_store_that_fails_is_none(self, narrow_path, tmp_path):
        class Failing:
            def open_input_file(self, key):
                raise OSError("no answer")

        stage = vgg19.ray.Classifier(narrow_path, size=32, threads=1, filesystem=Failing())
        with pytest.raises(OSError, match="no answer"):
            stage({"path": ["a.ppm"]})

    def test_only_broken_pictures_have_the_same_columns(self, narrow_path):
        classify = vgg19.ray.Classifier(narrow_path, size=32, threads=1)
        features = vgg19.ray.Features(narrow_path, "relu5_4", size=32, threads=1)
        pixels = numpy.zeros((40, 50, 3), numpy.uint8)
        for stage in (classify, features):
            good = stage({"image": [pixels], "path": ["a"]})
            bad = stage({"image": [None], "path": ["a"]})
            assert good.schema == bad.schema
            assert bad["error"][0].as_py() and good["error"][0].as_py() is None

    @pytest.mark.parametrize("wrong", [{"batch": 0}, {"size": 3}, {"threads": -1}])
    def test_wrong_options(self, narrow_path, wrong):
        with pytest.raises(vgg19.UsageError):
            vgg19.ray.Classifier(narrow_path, **{"threads": 1, **wrong})

    def test_wrong_layers_and_columns(self, narrow_path):
        with pytest.raises(vgg19.UsageError, match="pool"):
            vgg19.ray.Features(narrow_path, "relu5_4", pool="sum")
        with pytest.raises(vgg19.UsageError, match="relu9"):
            vgg19.ray.Features(narrow_path, "relu9", threads=1)
        with pytest.raises(vgg19.UsageError, match="column"):
            vgg19.ray.Classifier(narrow_path, size=32, threads=1)({"name": ["a"]})
