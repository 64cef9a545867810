"""VGG-19 on CPUs: classification, features, gradients and smaller networks, without a framework.

    import vgg19
    session = vgg19.Session("vgg19.safetensors")
    print(session.classify("photo.jpg"))

Model is an opened file, Session a model ready to run; convert(), quantize(), prune() and evaluate() make and
measure models. vgg19.torch has losses for PyTorch, vgg19.ray stages for Ray Data; both are imported by
themselves. `python -m vgg19` is the command-line tool.
"""

from vgg19._results import (
    Accuracy,
    ClassAccuracy,
    Comparison,
    Confusion,
    Conversion,
    Evaluation,
    LayerSensitivity,
    Output,
    PlanStep,
    Prediction,
    Preprocessing,
    PrunedLayer,
    Pruning,
    Quantization,
    QuantizedLayer,
    RefittedLayer,
    Share,
)
from vgg19._surgery import convert, evaluate, export, prune, quantize
from vgg19._vgg19 import (
    BadInputError,
    CancelledError,
    Error,
    FailedError,
    Model,
    Session,
    UsageError,
    __version__,
)

__all__ = [
    "Accuracy",
    "BadInputError",
    "CancelledError",
    "ClassAccuracy",
    "Comparison",
    "Confusion",
    "Conversion",
    "Error",
    "Evaluation",
    "FailedError",
    "LayerSensitivity",
    "Model",
    "Output",
    "PlanStep",
    "Prediction",
    "Preprocessing",
    "PrunedLayer",
    "Pruning",
    "Quantization",
    "QuantizedLayer",
    "RefittedLayer",
    "Session",
    "Share",
    "UsageError",
    "__version__",
    "convert",
    "evaluate",
    "export",
    "prune",
    "quantize",
]
