"""The format of model files: names of tensors and metadata, which the runtime reads."""

import json
from collections.abc import Mapping
from typing import Any

import onnx
import onnx.helper

from vidgan.media.tiling import GIVEN_STATS as GIVEN_STATS
from vidgan.media.tiling import STATS as STATS
from vidgan.session.loading import NEXT_STATE as NEXT_STATE
from vidgan.session.loading import STATE as STATE

__all__ = ["GIVEN_STATS", "NEXT_STATE", "STATE", "STATS", "describe"]


def describe(model: onnx.ModelProto, facts: Mapping[str, Any]) -> None:
    """Writes ``facts`` to the model's metadata: strings as they are, other values as JSON."""
    onnx.helper.set_model_props(
        model,
        {
            f"vidgan.{key}": value if isinstance(value, str) else json.dumps(value)
            for key, value in facts.items()
        },
    )
    model.producer_name = "vidgan"
