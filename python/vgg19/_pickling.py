"""What a pickled model calls when it is loaded."""

from __future__ import annotations

import os
from typing import Any

from vgg19._vgg19 import Model


def open_model(path: os.PathLike[str], mapped: bool) -> Model:
    return Model.open(path, mapped=mapped)


def model_of_bytes(buffer: Any) -> Model:
    return Model.from_bytes(buffer)
