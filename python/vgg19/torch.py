"""The network inside PyTorch: features and perceptual losses on CPUs, and weights to and from PyTorch.

Needs PyTorch 1.13 or later, which is imported only with this module.
"""

from __future__ import annotations

import copy
import os
import pathlib
import tempfile
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, TypeVar, Union

import torch

from vgg19 import BadInputError, Error, Model, Preprocessing, UsageError, export
from vgg19._autograd import Engine, Run

__all__ = ["Features", "from_torch", "to_state_dict"]

Layer = Union[int, str]
Weights = Union[Model, str, "os.PathLike[str]", torch.nn.Module, Mapping[str, torch.Tensor]]


Function = TypeVar("Function", bound=Callable[..., Any])


def _without_compiler(function: Function) -> Function:
    """torch.compile then calls it as it is, between the graphs of what comes before and after."""
    disable = getattr(getattr(torch, "compiler", None), "disable", None)  # from PyTorch 2.1 on
    without: Function = function if disable is None else disable(function)
    return without


class Features(torch.nn.Module):
    """Feature maps of a VGG, and their gradient with respect to the images, computed by this library.

    Takes the place of ``torchvision.models.vgg19(weights=...).features[:k]`` in a loss::

        features = vgg19.torch.Features(36, "vgg19.pth")
        loss = torch.nn.functional.l1_loss(features(generated), features(target))

    layers: what to compute. An int k: what ``features[:k]`` gives, 1 to 37 for a VGG-19. A name: torchvision's
      ("features.35") or the literature's ("conv5_4", before its ReLU, "relu5_4", "pool5", "fc7", "logits"). Or
      a sequence of these, and then forward() returns a dict with these as keys. Later layers are not run.
    weights: a vgg19.Model, the path of a model file or of anything that vgg19.convert() reads (a ``.pth``), a
      torch module (the whole network, or its ``features``), or a state dict. Batch norms are folded, so that
      an int counts the layers of a VGG without them.
    pixels: whether forward() takes R, G, B in [0, 1], and normalises them as ``model.preprocessing`` says.
      Otherwise they must be normalised already, as for torchvision's network.
    threads: None means as many as PyTorch uses (``torch.get_num_threads()`` at the first call).
    pooling: "max" or "average" in place of the network's own 2x2 pools.

    forward(): (batch, 3, height, width) or (3, height, width) on the CPU, of any floating-point type and any
    strides -> (batch, channels, height, width) of the same type, computed in float32, or (batch, values) of
    dense layers and probabilities. Height and width from 16 (32 with dense layers) to 8192, if the map that is
    asked for has a pixel then. Raises vgg19.UsageError for other tensors, BadInputError for values that are
    not finite.

    The weights are constants: neither parameters nor buffers, so there is nothing to freeze, to move or to
    save; train() and eval() are the same (nothing is dropped out). state_dict() is empty, and
    load_state_dict() takes one that is empty, or a VGG's weights, which it then uses. Models with INT8 weights
    have features, but no gradient. Second derivatives raise NotImplementedError.

    Any number of graphs may be alive at once. Threads may share a module, and take turns. torch.compile leaves
    the call as it is. Can be pickled and copied: copies share the weights.
    """

    def __init__(
        self,
        layers: Union[Layer, Sequence[Layer]],
        weights: Weights,
        *,
        pixels: bool = False,
        threads: Optional[int] = None,
        pooling: Optional[str] = None,
    ):
        super().__init__()
        self.is_single = isinstance(layers, (int, str))
        self.layers: List[Layer] = list(dict.fromkeys([layers] if isinstance(layers, (int, str)) else layers))
        self.pixels = pixels
        names = [_output_name(layer) for layer in self.layers]
        if not names:
            raise UsageError("layers: expected an int, a name, or a sequence of these, found an empty one")
        outputs = list(dict.fromkeys(names))  # layers may name the same one: 36 and "features.35"
        self._engine = self._checked(Engine(_model_of(weights, outputs), outputs, threads, pooling))

    @property
    def model(self) -> Model:
        """Whose weights these are."""
        return self._engine.model

    @_without_compiler
    def forward(self, images: torch.Tensor) -> Union[torch.Tensor, Dict[Layer, torch.Tensor]]:
        """The feature maps of normalised images, or of pixels; see the class."""
        _require_images(images)
        inputs = images.to(torch.float32)
        if self.pixels:
            inputs = _normalised(inputs, self.model.preprocessing)
        is_batch = inputs.dim() == 4
        inputs = (inputs if is_batch else inputs.unsqueeze(0)).resolve_neg().contiguous()
        results = {
            output: (result if is_batch else result.squeeze(0)).to(images.dtype)
            for output, result in zip(self._engine.outputs, self._results_of(inputs))
        }
        found = {layer: results[_output_name(layer)] for layer in self.layers}
        return found[self.layers[0]] if self.is_single else found

    def extra_repr(self) -> str:
        layers = self.layers[0] if self.is_single else self.layers
        return f"{layers!r}, {self.model!r}" + (", pixels=True" if self.pixels else "")

    def _results_of(self, inputs: torch.Tensor) -> Sequence[torch.Tensor]:
        if inputs.shape[0] == 0:
            shapes = self._engine.output_shapes(*inputs.shape[2:])
            return [inputs.new_zeros((0, *shape)) + inputs.sum() for shape in shapes]
        if inputs.requires_grad and torch.is_grad_enabled():
            gradable: Sequence[torch.Tensor] = Run.apply(self._engine, inputs)
            return gradable
        results, _ = self._engine.run(inputs, keeps_record=False)
        return results

    def _checked(self, engine: Engine) -> Engine:
        """Refuses layers that the model lacks, before a loop of training has begun."""
        if any(isinstance(layer, int) for layer in self.layers) and _has_folded_batch_norms(engine.model):
            raise UsageError(
                f"layers: expected names, such as 'relu5_4', for a network that had batch norms, found {self.layers}: "
                "they are folded into the convolutions, so that its features have other numbers"
            )
        engine.output_shapes(32, 32)
        return copy.copy(engine)  # which is planned for the shape that comes

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        """The weights are not the module's."""

    def _load_from_state_dict(
        self,
        state_dict: Mapping[str, Any],
        prefix: str,
        local_metadata: Any,
        strict: bool,
        missing_keys: List[str],
        unexpected_keys: List[str],
        error_msgs: List[str],
    ) -> None:
        """Takes a VGG's weights; see the class."""
        weights = {name[len(prefix) :]: value for name, value in state_dict.items() if name.startswith(prefix)}
        if not weights:
            return
        try:
            self._engine = self._checked(self._engine.with_model(_model_of(weights, self._engine.outputs)))
        except (BadInputError, UsageError) as error:
            error_msgs.append(f"{prefix}: {error}")


def from_torch(
    weights: Union[torch.nn.Module, Mapping[str, torch.Tensor]],
    path: Union[None, str, "os.PathLike[str]"] = None,
    **options: Any,
) -> Model:
    """The model of a VGG's module or state dict, as vgg19.convert() makes it of the file that holds it.

    path: where the model file is written; None keeps the model in memory.
    options: of vgg19.convert(), such as features_only=True.

    A module tells more than its state dict: the kind of its pools and the epsilon of its batch norms. Batch
    norms are folded, weights become float32. Raises BadInputError for what is no VGG.
    """
    if not isinstance(weights, (torch.nn.Module, Mapping)):
        raise TypeError(f"from_torch: expected a torch.nn.Module or a state dict, found {type(weights).__name__}")
    with tempfile.TemporaryDirectory(prefix="vgg19-") as folder:
        checkpoint = pathlib.Path(folder) / "weights.pth"
        try:
            torch.save(weights, checkpoint)
        except (TypeError, AttributeError, RuntimeError) as error:
            raise UsageError(f"from_torch: cannot be saved ({error}); give its state_dict() instead") from error
        try:
            return Model.convert(checkpoint, path, **options)
        except Error as error:  # which names a file that the caller does not know
            raise type(error)(str(error).replace(str(checkpoint), "from_torch")) from None


def to_state_dict(model: Union[Model, str, "os.PathLike[str]"]) -> Dict[str, torch.Tensor]:
    """The weights of a model in float32 under torchvision's names, for load_state_dict().

    Of an unpruned model they fit ``torchvision.models.vgg19()`` (of features alone: its ``features``, under
    their names there); of a pruned one a module with its widths; the two factors of a dense layer are
    "classifier.0.0" and "classifier.0.1". Quantised weights are multiplied by their scales. What
    ``vgg19.export(model, torch=path)`` writes; changing the tensors does not change the model.
    """
    with tempfile.TemporaryDirectory(prefix="vgg19-") as folder:
        path = os.path.join(folder, "weights.pth")
        export(model, torch=path)
        states: Dict[str, torch.Tensor] = torch.load(path, map_location="cpu")
        return states


def _output_name(layer: Layer) -> str:
    if isinstance(layer, bool) or not isinstance(layer, (int, str)):
        raise TypeError(f"layers: expected ints and names, found {layer!r}")
    if isinstance(layer, str):
        return layer
    if layer < 1:
        raise UsageError(f"layers: expected an int from 1 on, as in features[:k], found {layer}")
    return f"features.{layer - 1}"


def _model_of(weights: Weights, outputs: Sequence[str]) -> Model:
    if isinstance(weights, Model):
        return weights
    maps = ("features.", "conv", "relu1_", "relu2_", "relu3_", "relu4_", "relu5_", "pool")
    features_only = all(name.startswith(maps) for name in outputs)
    if isinstance(weights, (torch.nn.Module, Mapping)):
        return from_torch(weights, features_only=features_only)
    try:
        return Model.open(weights)
    except BadInputError:  # not a model file: then anything that convert reads, which has the better message
        return Model.convert(weights, features_only=features_only)


def _has_folded_batch_norms(model: Model) -> bool:
    return any("batch norm folded" in step for step in model.lineage)


def _require_images(images: torch.Tensor) -> None:
    expected = "images: expected a floating-point tensor (batch, 3, height, width) or (3, height, width)"
    if not isinstance(images, torch.Tensor):
        raise UsageError(f"{expected}, found {type(images).__name__}")
    if images.dim() not in (3, 4) or images.shape[-3] != 3 or not images.is_floating_point():
        raise UsageError(f"{expected}, found {images.dtype} {tuple(images.shape)}")
    if images.device.type != "cpu":
        raise UsageError(f"images: expected a tensor on the CPU, where vgg19 computes, found one on {images.device}")


def _normalised(pixels: torch.Tensor, preprocessing: Preprocessing) -> torch.Tensor:
    if preprocessing.channel_order == "BGR":
        pixels = pixels.flip(-3)
    mean, deviation = (
        torch.tensor(numbers, dtype=pixels.dtype, device=pixels.device).view(3, 1, 1)
        for numbers in (preprocessing.mean, preprocessing.deviation)
    )
    normalised: torch.Tensor = (pixels * preprocessing.range - mean) / deviation
    return normalised
