"""How a network is exported: tensors, padding, metadata, parity bounds, and preparation for int8."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from training.data.images import read_image, to_uint8

RUNTIME_PARITY_DB: Mapping[str, float] = {"float32": 55.0, "float16": 40.0, "int8": 28.0}
"""Least PSNR between an exported generator and the trained one, by precision."""


@dataclass(frozen=True)
class ImageTensor:
    """A uint8 input or output of an exported model.

    Attributes:
        name: in the graph.
        channels: ``(N, H, W, channels)``; 0 for ``(N, H, W)``.
    """

    name: str
    channels: int


@dataclass(frozen=True, kw_only=True)
class ExportSpec:
    """How a network becomes a model file.

    Attributes:
        input, output: the graph's image tensors.
        scale: the output's sides per side of the input.
        padding: of sizes that are no multiples of the stride; ``"edge"`` if the stride may exceed the image.
        example: rows and columns, in strides, of the example that is traced.
        computes_stats: takes and returns image statistics, see :mod:`training.networks.local_contrast`.
        assumed_stats: statistics that every image is taken to have, ``(1, 4)``; None to compute them.
        state_channels: of a recurrent state ``(N, channels, H, W)``; 0 for none.
        precisions: variants that can be written.
        min_parity: least likeness of file and network by precision, and ``"compact"``: PSNR in dB, or the share of
            equal labels. A missing ``"compact"`` is as of ``"float32"``.
        compact: storage of large weights in compact files.
        yuv420: also written for luma and chroma, in int8.
        int8_input_range: range of the first convolution's input in int8; None to calibrate it.
    """

    input: ImageTensor
    output: ImageTensor
    scale: int = 1
    padding: Literal["reflect", "edge"] = "reflect"
    example: tuple[int, int] = (40, 36)
    computes_stats: bool = False
    assumed_stats: Tensor | None = None
    state_channels: int = 0
    precisions: tuple[str, ...] = ("float32", "float16", "int8")
    min_parity: Mapping[str, float] = field(default_factory=lambda: dict(RUNTIME_PARITY_DB))
    compact: Literal["float16", "int8"] = "float16"
    yuv420: bool = False
    int8_input_range: tuple[float, float] | None = None


class ExportableNetwork(nn.Module):
    """A network that :mod:`export` can write as a model file.

    Attributes:
        stride: sides of inputs of :meth:`run_bytes` are multiples of it.
    """

    stride: int

    def export_spec(self) -> ExportSpec:
        """How the network is exported."""
        raise NotImplementedError

    def export_metadata(self) -> dict[str, Any]:
        """Metadata of the model file about the network."""
        return {}

    @property
    def trained(self) -> nn.Module:
        """The module whose weights a checkpoint holds."""
        return self

    def fold(self) -> None:
        """Merges into convolutions what can be merged; for evaluation only. The function is unchanged."""

    def prepare_int8(self, images: Iterable[Tensor], *, levels: int | None = None) -> None:
        """Changes the folded network so that int8 loses less; the function is unchanged up to rounding.

        Args:
            images: of training data, as :meth:`read_input` returns them.
            levels: also round the weights in front of the first convolution to this many steps each side of 0.
        """

    def load_folded_weights(self, weights: Mapping[str, Tensor]) -> None:
        """The inverse of :meth:`fold`: loads the weights of an exported network, by their names there.

        Raises:
            NotImplementedError: this network cannot start from an exported file.
            KeyError, RuntimeError: the weights are of another network.
        """
        raise NotImplementedError("only a swift network can start from an .onnx; others from a checkpoint")

    def read_input(self, path: Path) -> Tensor:
        """An input of the network from a file of its training data: uint8 ``(H, W, C)`` or ``(H, W)``."""
        return to_uint8(read_image(path)).permute(1, 2, 0)

    def run_bytes(self, input: Tensor, extra: Tensor | None = None, /) -> Tensor | tuple[Tensor, ...]:
        """The exported graph's computation, uint8 in and out, for sizes that are multiples of the stride.

        Args:
            extra: image statistics or recurrent state, if the network takes any.
        """
        raise NotImplementedError

    @torch.no_grad()
    def reference(self, input: Tensor) -> Tensor:
        """The trained network's output for one uint8 input, ``(H, W, C)`` or ``(H, W)`` of any size."""
        raise NotImplementedError
