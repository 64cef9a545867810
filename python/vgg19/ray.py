"""Stages for Ray Data: classes and features of collections of pictures that outgrow one machine.

    pictures = vgg19.ray.pictures("s3://bucket/photos", finished="classes/")
    results = pictures.map_batches(
        vgg19.ray.Classifier, fn_constructor_kwargs={"model": "vgg19.safetensors"},
        batch_size=32, num_cpus=1, concurrency=4)
    results.write_parquet("classes/")

Each actor has a session of its own, with as many threads as Ray gives it CPUs (`num_cpus`); actors of one CPU give
the most pictures a second. A picture that cannot be read becomes a row with an `error`, and ends nothing. After an
interruption the same program goes on: `finished` leaves out the pictures of which the output has a row.

Needs `ray[data]`, which is imported only with this module.
"""

from __future__ import annotations

import concurrent.futures
import functools
import os
import warnings
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple, Union

import numpy
import pyarrow
import pyarrow.fs
import pyarrow.parquet
import ray
import ray.data

from vgg19 import Error, Model, Session, UsageError
from vgg19._remote_file import filesystem_of, local_copy

__all__ = ["Classifier", "Features", "pictures"]

# The last line: pictures of kinds that are not read; better a row with an error than none.
EXTENSIONS = (
    ".apng", ".bmp", ".dib", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg", ".mpo", ".pgm", ".png", ".pnm", ".ppm", ".webp",
    ".avif", ".heic", ".heif", ".jp2", ".jxl", ".tif", ".tiff",
)  # fmt: skip

Batch = Union[pyarrow.Table, Mapping[str, Any], Any]
"""A table of pyarrow, numpy arrays or lists by name, or a DataFrame of pandas."""


def pictures(
    source: str,
    *,
    finished: Optional[str] = None,
    filesystem: Optional[pyarrow.fs.FileSystem] = None,
    extensions: Sequence[str] = EXTENSIONS,
    rows: int = 256,
) -> ray.data.Dataset:
    """The pictures in a folder and the folders below, as a dataset with the column `path`.

    source: a folder, or the URI of one in an object store ("s3://bucket/prefix", "gs://..."). Paths begin with it.
    finished: a folder or URI with the Parquet files of earlier runs: pictures with a row there are left out. A
      file that is incomplete, because its writer was killed, is removed, with a warning.
    filesystem: of both; None: what the URI says.
    extensions: which files are pictures, by the ends of their names, in lower case.
    rows: pictures in a block of the dataset, the part after which output is written.

    Paths are listed, sorted and compared in this process: about 200 bytes each.
    """
    done = _finished_paths(finished, filesystem) if finished is not None else set()
    paths = sorted(path for path in _files(source, filesystem, tuple(extensions)) if path not in done)
    blocks = [pyarrow.table({"path": pyarrow.array(paths[i : i + rows], pyarrow.string())}) for i in range(0, len(paths), rows)]
    return ray.data.from_arrow(blocks or [pyarrow.table({"path": pyarrow.array([], pyarrow.string())})])


class _Stage:
    """What the stages have in common: pictures of a batch go through the session, `batch` at a time."""

    def __init__(
        self,
        model: Union[Model, str, "os.PathLike[str]"],
        *,
        outputs: Sequence[str],
        size: Union[None, int, Tuple[int, int]],
        batch: int,
        threads: Optional[int],
        filesystem: Optional[pyarrow.fs.FileSystem],
    ):
        if batch < 1:
            raise UsageError(f"batch: expected 1 or more, found {batch}")
        self._filesystem = filesystem
        self._batch = batch
        self._session = Session(
            model if isinstance(model, Model) else local_copy(model),
            threads=_cpus_of_actor() if threads is None else threads,
            size=size,
            batch=batch,
            outputs=outputs,
        )
        self._size = self._session.input_size
        self._readers = concurrent.futures.ThreadPoolExecutor(8)

    def __call__(self, batch: Batch) -> pyarrow.Table:
        """The batch's rows, without their pictures, and with the results."""
        count = _row_count(batch)
        errors: List[Optional[str]] = [None] * count
        results: List[Any] = [None] * count
        for rows, images in self._inputs(batch, errors):
            for row, result in zip(rows, self._results(images)):
                results[row] = result
        table = _without_pictures(batch)
        for name, values in self._columns(results).items():
            table = table.append_column(name, values)
        return table.append_column("error", pyarrow.array(errors, pyarrow.string()))

    def _inputs(self, batch: Batch, errors: List[Optional[str]]) -> Iterator[Tuple[List[int], numpy.ndarray]]:
        """Rows of pictures that can be read, with the network's input for them, as many as the session takes."""
        rows: List[int] = []
        images = numpy.empty((self._batch, 3, *self._size), numpy.float32)
        for row, picture in enumerate(self._pictures(batch)):
            try:
                self._session.preprocess(picture(), out=images[len(rows)])
            except (Error, FileNotFoundError, TypeError) as error:
                errors[row] = str(error)
                continue
            rows.append(row)
            if len(rows) == self._batch:
                yield rows, images
                rows = []
        if rows:
            yield rows, images[: len(rows)]

    def _pictures(self, batch: Batch) -> List[Callable[[], Any]]:
        """For each row what gives its picture: of the column `bytes`, else `image`, else of the file at `path`."""
        for name in ("bytes", "image"):
            if name in _column_names(batch):
                return [functools.partial(_itself, value) for value in _values(batch, name)]
        if "path" not in _column_names(batch):
            raise UsageError(f"expected a column path, bytes or image, found {sorted(_column_names(batch))}")
        # Files are read while earlier ones are computed.
        return [self._readers.submit(_content, path, self._filesystem).result for path in _values(batch, "path")]

    def _results(self, images: numpy.ndarray) -> List[Any]:
        if self._session.batch != len(images):
            self._session.reshape(self._size, len(images))
        values = self._session.run(images)
        names = [output.name for output in self._session.outputs]
        arrays = [values] if len(names) == 1 else [values[name] for name in names]
        return [self._result([array[i] for array in arrays]) for i in range(len(images))]

    def _result(self, values: List[numpy.ndarray]) -> Any:
        raise NotImplementedError

    def _columns(self, results: List[Any]) -> Dict[str, pyarrow.Array]:
        raise NotImplementedError


class Classifier(_Stage):
    """The `top` most probable classes of each picture, for Dataset.map_batches().

    model: a vgg19.Model, or the path or URI of a model file, which must be there on every machine; one of an
      object store is fetched once for each machine, into the user's cache folder.
    size: of the input, a square or (height, width); None: the model's own.
    batch: pictures per run. Models with dense layers in FP32 gain much by it, others little.
    threads: None: as many as the actor has CPUs.
    filesystem: of `path`; None: what each path says.

    Takes rows with a picture in `bytes` (a file's), `image` (uint8 (height, width, 3), in a batch of numpy arrays)
    or at `path` (a path or URI). Gives them without `bytes` and `image`, and with the columns class_indices
    (list of int32), labels and synsets (lists of strings), probabilities (list of float32), the most probable
    class first, and error: why there is no result, else null. Files that cannot be decoded and files that do not
    exist are such errors; when an object store does not answer, the task fails, and Ray tries it again.
    """

    def __init__(
        self,
        model: Union[Model, str, "os.PathLike[str]"],
        *,
        top: int = 5,
        size: Union[None, int, Tuple[int, int]] = None,
        batch: int = 8,
        threads: Optional[int] = None,
        filesystem: Optional[pyarrow.fs.FileSystem] = None,
    ):
        super().__init__(
            model, outputs=["logits"], size=size, batch=batch, threads=threads, filesystem=filesystem
        )
        self._top = min(top, self._session.model.classes)

    def _result(self, values: List[numpy.ndarray]) -> Any:
        return self._session.predictions(values[0], self._top)

    def _columns(self, results: List[Any]) -> Dict[str, pyarrow.Array]:
        def column(field: str, kind: pyarrow.DataType) -> pyarrow.Array:
            values = [None if found is None else [getattr(one, field) for one in found] for found in results]
            return pyarrow.array(values, pyarrow.list_(kind))

        return {
            "class_indices": column("class_index", pyarrow.int32()),
            "labels": column("label", pyarrow.string()),
            "synsets": column("synset", pyarrow.string()),
            "probabilities": column("probability", pyarrow.float32()),
        }


class Features(_Stage):
    """Outputs of the network for each picture, for Dataset.map_batches().

    layers: a name or names, as in vgg19.Session: "relu5_4", "fc7", ...
    pool: of maps over their pixels: "avg", "gem" (the generalised mean of power 3), or None, the whole map.
    The rest is as for Classifier, also the rows. Gives a column for each layer, under its name: a list of
    float32 of fixed size, a map's in the order (channels, height, width); and the column error.
    """

    def __init__(
        self,
        model: Union[Model, str, "os.PathLike[str]"],
        layers: Union[str, Sequence[str]],
        *,
        pool: Optional[str] = "avg",
        size: Union[None, int, Tuple[int, int]] = None,
        batch: int = 8,
        threads: Optional[int] = None,
        filesystem: Optional[pyarrow.fs.FileSystem] = None,
    ):
        if pool not in (None, "avg", "gem"):
            raise UsageError(f'pool: expected "avg", "gem" or None, found {pool!r}')
        names = [layers] if isinstance(layers, str) else list(layers)
        super().__init__(model, outputs=names, size=size, batch=batch, threads=threads, filesystem=filesystem)
        self._pool = pool

    def _result(self, values: List[numpy.ndarray]) -> Any:
        return [_pooled(value, self._pool).reshape(-1).copy() for value in values]

    def _columns(self, results: List[Any]) -> Dict[str, pyarrow.Array]:
        return {
            output.name: _fixed_size_lists([None if found is None else found[i] for found in results], self._floats(i))
            for i, output in enumerate(self._session.outputs)
        }

    def _floats(self, index: int) -> int:
        shape = self._session.outputs[index].shape[1:]
        return shape[0] if self._pool is not None else int(numpy.prod(shape))


def _itself(value: Any) -> Any:
    return value


def _cpus_of_actor() -> int:
    """As Ray was asked for with num_cpus; at least 1."""
    return max(1, int(ray.get_runtime_context().get_assigned_resources().get("CPU", 1)))


def _pooled(value: numpy.ndarray, pool: Optional[str]) -> numpy.ndarray:
    """As `vgg19 features --pool` does; vectors stay as they are."""
    if pool is None or value.ndim == 1:
        return value
    pixels = value.reshape(value.shape[0], -1).astype(numpy.float64)
    if pool == "gem":
        return numpy.cbrt((numpy.maximum(pixels, 1e-6) ** 3).mean(1)).astype(numpy.float32)
    return pixels.mean(1).astype(numpy.float32)


def _fixed_size_lists(values: List[Optional[numpy.ndarray]], length: int) -> pyarrow.Array:
    mask = pyarrow.array([value is None for value in values], pyarrow.bool_())
    flat = numpy.zeros((len(values), length), numpy.float32)
    for row, value in enumerate(values):
        if value is not None:
            flat[row] = value
    return pyarrow.FixedSizeListArray.from_arrays(pyarrow.array(flat.reshape(-1)), length, mask=mask)


def _column_names(batch: Batch) -> List[str]:
    return batch.column_names if isinstance(batch, pyarrow.Table) else list(batch.keys())


def _row_count(batch: Batch) -> int:
    if isinstance(batch, Mapping):
        return len(next(iter(batch.values()), ()))
    return len(batch)


def _values(batch: Batch, name: str) -> Sequence[Any]:
    column = batch[name]
    return column.to_pylist() if isinstance(column, pyarrow.ChunkedArray) else column


def _without_pictures(batch: Batch) -> pyarrow.Table:
    names = [name for name in _column_names(batch) if name not in ("bytes", "image")]
    if isinstance(batch, pyarrow.Table):
        return batch.select(names)
    if not isinstance(batch, Mapping):
        return pyarrow.Table.from_pandas(batch[names], preserve_index=False)
    return pyarrow.table({name: pyarrow.array(list(batch[name])) for name in names})


def _content(path: str, filesystem: Optional[pyarrow.fs.FileSystem]) -> memoryview:
    """The bytes of a file. Throws FileNotFoundError; another OSError says that the store has failed."""
    filesystem, key = filesystem_of(path, filesystem)
    with filesystem.open_input_file(key) as file:
        return memoryview(file.read())


def _files(source: str, filesystem: Optional[pyarrow.fs.FileSystem], ends: Tuple[str, ...]) -> Iterator[str]:
    """Paths that begin with `source`."""
    filesystem, folder = filesystem_of(source, filesystem)
    folder = folder.rstrip("/")
    for info in filesystem.get_file_info(pyarrow.fs.FileSelector(folder, recursive=True)):
        if info.type == pyarrow.fs.FileType.File and info.path.lower().endswith(ends):
            yield source.rstrip("/") + info.path[len(folder) :]


def _finished_paths(folder: str, filesystem: Optional[pyarrow.fs.FileSystem]) -> set:
    filesystem, root = filesystem_of(folder, filesystem)
    done: set = set()
    for info in filesystem.get_file_info(pyarrow.fs.FileSelector(root, recursive=True, allow_not_found=True)):
        if info.type != pyarrow.fs.FileType.File or not info.path.endswith(".parquet"):
            continue
        try:
            with filesystem.open_input_file(info.path) as file:
                done.update(pyarrow.parquet.ParquetFile(file).read(columns=["path"])["path"].to_pylist())
        except pyarrow.ArrowInvalid as error:
            warnings.warn(f"{info.path}: removed, because its writer did not end it ({error})", stacklevel=3)
            filesystem.delete_file(info.path)
    return done
