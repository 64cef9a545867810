"""What models, sessions and the functions that make models tell, as tuples with names."""

from __future__ import annotations

from typing import TYPE_CHECKING, List, NamedTuple, Optional, Tuple

if TYPE_CHECKING:
    from vgg19._vgg19 import Model


class Prediction(NamedTuple):
    """A class of a picture, from Session.classify()."""

    class_index: int
    probability: float
    label: str
    """Such as "tabby": the model's own name for the class, else ImageNet's, else ""."""
    synset: str
    """The WordNet id, such as "n02123045"; "" for a model without ImageNet's 1000 classes."""


class Output(NamedTuple):
    """A result of a session: float32, in C order."""

    name: str
    """As it was asked for."""
    shape: Tuple[int, ...]
    """(batch, channels, height, width) of maps and of "avgpool", (batch, values) of the rest."""


class Preprocessing(NamedTuple):
    """How a picture becomes the network's input.

    It is resized with antialiased bilinear interpolation, keeping its aspect ratio, to the smallest size that
    covers round(input_size * resize_ratio); then the centre is cropped, the channels are put into
    `channel_order`, and each value x in [0, range] is normalised to (x - mean) / deviation.
    """

    input_size: Tuple[int, int]
    """(height, width) in pixels."""
    resize_ratio: float
    mean: Tuple[float, float, float]
    """Of the channels in their order: the first is red's in RGB, and blue's in BGR."""
    deviation: Tuple[float, float, float]
    channel_order: str
    """"RGB" or "BGR"."""
    range: float
    """What the largest sample becomes before the mean is subtracted: 1, or 255."""


class PlanStep(NamedTuple):
    """One step of what a session runs."""

    kind: str
    """"convolution", "max_pool", "quantization", "average_pool", "flatten", "dense", "output", "relu",
    "average_pool_2x2" or "softmax"."""
    arithmetic: str
    """"fp32" or "int8"."""
    layer: str
    kernel: str
    macs: int
    """Multiply-accumulates for one picture; 0 if nothing is multiplied."""
    operations: int
    """Multiplications and additions that one run of the batch executes."""
    weight_bytes: int
    """Read by one run."""
    activation_bytes: int
    """Read and written by one run of the batch."""


class Conversion(NamedTuple):
    """What convert() found, and the model that it wrote."""

    model: Model
    title: str
    """Such as "VGG-19 with batch norm"; "" if the source was a model of this project."""
    prefix: str
    """Its path in the source; "" at the root."""
    tensors: int
    """How many were taken."""
    dense: str
    """The dense layers: "classifier.0, classifier.3, classifier.6: 25088 → 4096 → 4096 → 1000"."""
    left: List[Tuple[str, int]]
    """The places of tensors that were not taken, and their numbers."""
    skipped: List[str]
    notes: List[str]
    """What was assumed, and how to say otherwise."""


class QuantizedLayer(NamedTuple):
    """A convolution that became INT8. Errors are relative L2 errors of its output on the calibration."""

    name: str
    input_scale: float
    clipped: float
    """The share of inputs above the largest 8-bit value."""
    direct_error: float
    winograd_error: float
    winograd_f4x4_error: float
    winograd: bool
    """Whether it may run by Winograd."""


class LayerSensitivity(NamedTuple):
    """The effect on the logits if one layer is INT8 and all others are FP32."""

    layer: str
    way: str
    """"direct", "winograd", "winograd_f4x4" or "dense"."""
    kernel: str
    relative_l2: float
    cosine: float
    same_prediction: float


class Quantization(NamedTuple):
    """What quantize() did."""

    model: Model
    layers: List[QuantizedLayer]
    """The convolutions of scope "all"."""
    sensitivity: List[LayerSensitivity]
    """The worst first; empty unless it was asked for."""
    pictures: int
    """How many were used."""
    broken: List[str]
    """Pictures that could not be read, and why."""


class PrunedLayer(NamedTuple):
    """A convolution that lost output channels."""

    name: str
    channels: int
    """Before."""
    removed: List[int]


class RefittedLayer(NamedTuple):
    """A layer whose weights were chosen anew, to make up for filters that were removed before it."""

    name: str
    unknowns: int
    samples: int
    ridge: float
    """0 if no refit was an improvement."""
    error: float
    """The squared error on held-out pictures, relative to pruning alone."""


class Pruning(NamedTuple):
    """What prune() did."""

    model: Model
    layers: List[PrunedLayer]
    refitted: List[RefittedLayer]
    """Empty without pictures, or with refit=False."""
    pictures: int
    """How many were used."""
    broken: List[str]
    """Pictures that could not be read, and why."""


class Share(NamedTuple):
    """How many pictures of all."""

    count: int
    interval: Tuple[float, float]
    """Wilson's 95 % interval of the share."""


class Accuracy(NamedTuple):
    """Of so many pictures, how many had their class among the top predictions."""

    pictures: int
    top1: Share
    top3: Share
    top5: Share


class ClassAccuracy(NamedTuple):
    """The accuracy on one class of the data."""

    name: str
    model_class: int
    accuracy: Accuracy


class Confusion(NamedTuple):
    """How many pictures of one class of the data were predicted as a class of the model."""

    data_class: int
    predicted: int
    pictures: int


class Comparison(NamedTuple):
    """A model beside its reference, on the same pictures."""

    reference: Accuracy
    same_top1: Share
    only_model_right: int
    only_reference_right: int
    mean_cosine: float
    """Of the logits."""
    smallest_cosine: float
    smallest_cosine_picture: str


class Evaluation(NamedTuple):
    """What evaluate() found."""

    total: Accuracy
    classes: List[ClassAccuracy]
    predictions: List[Confusion]
    comparison: Optional[Comparison]
    """With a reference."""
    class_order: str
    """How the data's classes became the model's."""
    broken: List[str]
    """Pictures that could not be read; they count nowhere else."""
