"""Makes models: what the commands convert, export, quantize, prune and eval do."""

from __future__ import annotations

import numbers
import operator
import os
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Optional, Sequence, Tuple, Union

from vgg19 import _vgg19
from vgg19._results import Conversion, Evaluation, Pruning, Quantization

if TYPE_CHECKING:
    from vgg19._vgg19 import Model

Path = Union[str, "os.PathLike[str]"]
Size = Union[int, Tuple[int, int]]
Progress = Callable[[str, int, int], object]
"""Told how far a part of the work is: progress("calibrating", done, total). What it raises ends the call, and
no file is written. It must not wait for another thread that uses the model."""


def _require_progress(progress: Any) -> None:
    if progress is not None and not callable(progress):
        raise TypeError(f"progress: expected a function, found {progress!r}")


def _given(**options: Any) -> Dict[str, Any]:
    """The options that are not None; the others keep the defaults of the library."""
    return {name: value for name, value in options.items() if value is not None}


def _as_model(model: Union[Model, Path]) -> Model:
    return model if isinstance(model, _vgg19.Model) else _vgg19.Model.open(model)


def _written(destination: Optional[Path], write: Callable[[Path], Any]) -> Tuple[Model, Any]:
    """The model that write() has written, and what it returned. Without a destination the file exists only as
    long as the model."""
    if destination is not None:
        result = write(destination)
        return _vgg19.Model.open(destination), result
    import mmap
    import tempfile

    with tempfile.TemporaryDirectory(prefix="vgg19-") as folder:
        path = os.path.join(folder, "model.safetensors")
        result = write(path)
        with open(path, "rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return _vgg19.Model.from_bytes(mapped), result


def convert(
    source: Path,
    destination: Optional[Path] = None,
    *,
    key: Optional[str] = None,
    classes: Optional[Path] = None,
    size: Optional[Size] = None,
    preprocessing: Optional[str] = None,
    channels: Optional[str] = None,
    range: Optional[float] = None,
    mean: Optional[Sequence[float]] = None,
    deviation: Optional[Sequence[float]] = None,
    pooling: Optional[str] = None,
    features_only: bool = False,
    dense_order: Optional[str] = None,
    batch_norm_epsilon: Optional[float] = None,
    progress: Optional[Progress] = None,
) -> Conversion:
    """Converts weights of other programs, such as a checkpoint of PyTorch, into a model file.

    source: the weights, in any format that `vgg19 convert` reads; it is recognised by its content.
    destination: the file to write, which must not be the source. None: the model is in memory.
    key: the path of the VGG in the file, if there are several: "state_dict_ema"; "." is the root.
    classes: a file of class names in the order of the outputs.
    size: the input for which the model is meant, in pixels; a square, or (height, width).
    preprocessing: how pictures were prepared in training, "torchvision" or "caffe"; channels ("RGB" or "BGR"),
      range (1 or 255), mean and deviation (three numbers each, in the order of the channels) change parts of
      it.
    pooling: "max" or "average". None: max, or what the file says.
    features_only: leave out the classifier.
    dense_order: "input" (fast) or "output" (as PyTorch loads it).
    batch_norm_epsilon: None: the file's, else PyTorch's 1e-5.

    Raises BadInputError that lists what is missing, extra or of another shape.
    """
    _require_progress(progress)
    options = _given(
        key=key,
        classes=classes,
        size=size,
        preprocessing=preprocessing,
        channels=channels,
        range=range,
        mean=_list("mean", mean),
        deviation=_list("deviation", deviation),
        pooling=pooling,
        features_only=features_only,
        dense_order=dense_order,
        batch_norm_epsilon=batch_norm_epsilon,
    )
    model, report = _written(destination, lambda path: _vgg19._convert(source, path, options, progress))
    return Conversion(model, *report)


def converted_model(source: Path, destination: Optional[Path], **options: Any) -> Model:
    """Model.convert()."""
    return convert(source, destination, **options).model


def export(
    model: Union[Model, Path],
    *,
    onnx: Optional[Path] = None,
    torch: Optional[Path] = None,
    size: Optional[Size] = None,
    batch: Optional[int] = None,
    outputs: Optional[Sequence[str]] = None,
    fp32: bool = False,
    progress: Optional[Progress] = None,
) -> None:
    """Writes a model for other programs: one file, either `onnx` or `torch`.

    onnx: a graph for ONNX Runtime, OpenVINO and others, for inputs (batch, 3, height, width). INT8 layers stay
      INT8, INT4 becomes FP32.
    torch: a state dict with torchvision's names and shapes, in FP32, for torch.load and load_state_dict.
    size: of the graph's input; None: the model's own. batch: None: any number, which each run decides.
    outputs: of the graph, by their names; None: "logits", or the last map of a model without a classifier.
    fp32: write quantised layers of the graph in FP32.
    """
    _require_progress(progress)
    if (onnx is None) == (torch is None):
        raise _vgg19.UsageError("export: expected either onnx or torch, found " + ("none" if onnx is None else "both"))
    if onnx is None and (size is not None or batch is not None or outputs is not None or fp32):
        raise _vgg19.UsageError("export: size, batch, outputs and fp32 are only for onnx: a state dict has weights alone")
    if isinstance(outputs, str):
        raise _vgg19.UsageError("outputs: expected a list of names, found a text")
    options = _given(
        size=size,
        batch=None if batch is None else _positive("batch", batch),
        outputs=_list("outputs", outputs),
        fp32=fp32,
    )
    destination = torch if onnx is None else onnx
    _vgg19._export(_as_model(model), destination, onnx is not None, options, progress)


def quantize(
    model: Union[Model, Path],
    destination: Optional[Path] = None,
    *,
    scope: str = "dense",
    dense: str = "int8",
    pictures: Optional[Path] = None,
    count: int = 128,
    size: Optional[Size] = None,
    range: str = "mse",
    keep_fp32: Sequence[str] = (),
    no_winograd: Union[str, Sequence[str]] = (),
    equalization: bool = True,
    bias_correction: bool = True,
    sensitivity: bool = False,
    threads: int = 0,
    isa: Optional[str] = None,
    exif: bool = True,
    progress: Optional[Progress] = None,
) -> Quantization:
    """Gives a model INT8 weights, symmetric, with a scale per output channel.

    scope: "dense": only the dense layers, whose inputs are quantised at run time. "all": also all convolutions
      except the first, calibrated on `pictures`.
    dense: "int8", or "int4" (about half the size; inputs stay FP32).
    pictures: a folder of pictures (or of one folder per class), or CIFAR-10's files; only for scope "all",
      which needs them. `count` of them are used, at equal distances from the whole set.
    size: of the calibration's inputs; None: the model's own.
    range: which input maps to the largest 8-bit value: "max", "percentile" (99.99 %) or "mse".
    keep_fp32: layers that stay FP32, such as ["features.2", "classifier.6"].
    no_winograd: convolutions that must not use Winograd, or "all".
    sensitivity: also run each layer alone in INT8.
    threads: 0 means as many as this process has CPUs. isa, exif: as in Session and `vgg19 classify`.
    """
    _require_progress(progress)
    if scope == "all" and pictures is None:
        raise _vgg19.UsageError('pictures: expected pictures to calibrate with for scope "all", found none')
    if scope != "all" and (pictures is not None or sensitivity or keep_fp32 or no_winograd):
        raise _vgg19.UsageError(
            'pictures, sensitivity, keep_fp32 and no_winograd are only for scope "all", found scope ' + repr(scope)
        )
    if isinstance(keep_fp32, str) or (isinstance(no_winograd, str) and no_winograd != "all"):
        raise _vgg19.UsageError("keep_fp32 and no_winograd: expected a list of layers, found a text")
    options = _given(
        scope=scope,
        dense=dense,
        pictures=pictures,
        count=_positive("count", count),
        size=size,
        range=range,
        keep_fp32=_list("keep_fp32", keep_fp32),
        no_winograd=[] if no_winograd == "all" else _list("no_winograd", no_winograd),
        all_direct=no_winograd == "all",
        equalization=equalization,
        bias_correction=bias_correction,
        sensitivity=sensitivity,
        threads=threads,
        isa=isa,
        exif=exif,
    )
    source = _as_model(model)
    made, report = _written(destination, lambda path: _vgg19._quantize(source, path, options, progress))
    return Quantization(made, *report)


def prune(
    model: Union[Model, Path],
    destination: Optional[Path] = None,
    *,
    ratio: Optional[float] = None,
    target_macs: Optional[float] = None,
    layers: Optional[Sequence[int]] = None,
    round_to: Optional[int] = None,
    criterion: Optional[str] = None,
    seed: Optional[int] = None,
    plan: Optional[Path] = None,
    pictures: Optional[Path] = None,
    count: int = 1024,
    refit: bool = True,
    size: Optional[Size] = None,
    threads: int = 0,
    isa: Optional[str] = None,
    exif: bool = True,
    progress: Optional[Progress] = None,
) -> Pruning:
    """Removes filters from convolutions, and the weights that read their output.

    ratio: the share of a layer's filters to remove, 0 to 1; None: 0.1.
    target_macs: instead, the share of the multiply-accumulates that remains; a scan on `pictures` finds the
      filters whose removal costs least.
    layers: indices in `features`; None: the nine deepest, or all with target_macs.
    round_to: the number of kept filters is rounded up to a multiple of this; None: 1.
    criterion: which filters go first: "l2" or "l1" (the smallest norm), "activation" (the least effect on the
      next layer; needs pictures), or "random" (by `seed`). None: "l2".
    plan: a file of `vgg19 prune --write-plan`, instead of all these.
    pictures: a folder of pictures, or CIFAR-10's files: the next layers' weights are refitted on `count` of
      them, unless refit=False.
    """
    _require_progress(progress)
    options = _given(
        ratio=ratio,
        target_macs=target_macs,
        layers=_list("layers", layers),
        round_to=None if round_to is None else _positive("round_to", round_to),
        criterion=criterion,
        seed=seed,
        plan=plan,
    )
    if plan is not None and len(options) > 1:
        raise _vgg19.UsageError("plan says what to remove: it cannot go with " + ", ".join(sorted(set(options) - {"plan"})))
    if ratio is not None and target_macs is not None:
        raise _vgg19.UsageError("target_macs says how much to remove: it cannot go with ratio")
    for name, share in (("ratio", ratio), ("target_macs", target_macs)):
        if share is not None and not isinstance(share, numbers.Real):
            raise TypeError(f"{name}: expected a number from 0 to 1, found {share!r}")
        if share is not None and not 0 <= share <= 1:
            raise _vgg19.UsageError(f"{name}: expected a number from 0 to 1, found {share}")
    if pictures is not None:
        options.update(_given(pictures=pictures, count=_positive("count", count), size=size))
        options.update(exif=exif, refit=refit)
    options.update(_given(threads=threads, isa=isa))
    source = _as_model(model)
    made, report = _written(destination, lambda path: _vgg19._prune(source, path, options, progress))
    return Pruning(made, *report)


def evaluate(
    model: Union[Model, Path],
    pictures: Path,
    *,
    reference: Union[Model, Path, None] = None,
    count: Optional[int] = None,
    batch: int = 8,
    size: Optional[Size] = None,
    label_map: Optional[Path] = None,
    class_order: Optional[str] = None,
    threads: int = 0,
    isa: Optional[str] = None,
    exif: bool = True,
    progress: Optional[Progress] = None,
) -> Evaluation:
    """Measures a model's accuracy on labelled pictures: top-1, top-3 and top-5, with 95 % Wilson intervals.

    pictures: a folder with one folder per class, or CIFAR-10's files.
    reference: another model to compare with on the same pictures.
    count: of the pictures, at equal distances from the whole set; None: all.
    label_map: a file with the model's class for each class of the data. class_order: instead, how class folders
      map to the model's classes: "name", "index", "alphabetical" or "natural". None: the only possible reading.
    """
    _require_progress(progress)
    options = _given(
        pictures=pictures,
        count=_positive("count", (1 << 62) if count is None else count),
        batch=_positive("batch", batch),
        size=size,
        label_map=label_map,
        class_order=class_order,
        threads=threads,
        isa=isa,
        exif=exif,
    )
    other = None if reference is None else _as_model(reference)
    result: Evaluation = _vgg19._evaluate(_as_model(model), other, options, progress)
    return result


def _list(name: str, values: Any) -> Optional[List[Any]]:
    if values is None:
        return None
    try:
        return list(values)
    except TypeError:
        raise TypeError(f"{name}: expected a list, found {values!r}") from None


def _positive(name: str, number: int) -> int:
    try:
        number = operator.index(number)
    except TypeError:
        raise TypeError(f"{name}: expected a whole number, found {number!r}") from None
    if number < 1:
        raise _vgg19.UsageError(f"{name}: expected at least 1, found {number}")
    return number


__all__: List[str] = ["convert", "quantize", "prune", "evaluate"]
