"""The format of model files: names of tensors and metadata, which the runtime reads."""

import json
from collections.abc import Mapping
from typing import Any

import onnx
import onnx.helper

from vidgan.media.tiling import KNOWN_LIGHT as GIVEN_STATS
from vidgan.media.tiling import LIGHT as STATS
from vidgan.session.loading import NEXT_PAST as NEXT_STATE
from vidgan.session.loading import PAST as STATE

__all__ = ["GIVEN_STATS", "METADATA_NAMES", "NEXT_STATE", "STATE", "STATS", "describe"]

METADATA_NAMES = {"receptive_field": "reach", "bytes_per_input_pixel": "memory"}
"""Names in the file of metadata that training calls otherwise."""


def describe(model: onnx.ModelProto, facts: Mapping[str, Any]) -> None:
    """Writes ``facts`` to the model's metadata: strings as they are, other values as JSON."""
    onnx.helper.set_model_props(
        model,
        {
            f"vidgan.{METADATA_NAMES.get(key, key)}": value if isinstance(value, str) else json.dumps(value)
            for key, value in facts.items()
        },
    )
    model.producer_name = "vidgan"
