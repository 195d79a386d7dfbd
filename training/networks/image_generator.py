"""Base classes of generators that map RGB images to RGB images."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from training.data.bicubic import downscale
from training.data.images import read_image, to_uint8
from training.networks.cost import largest_activations
from training.networks.exportable import RUNTIME_PARITY_DB, ExportableNetwork, ExportSpec, ImageTensor
from training.networks.pixels import quantize_image, reflect_pad


class ImageGenerator(ExportableNetwork):
    """Maps RGB in [0, 1], ``(N, 3, H, W)`` float32, to the same range and ``scale`` times the size."""

    scale: int = 1

    def export_spec(self) -> ExportSpec:
        return ExportSpec(input=ImageTensor("images", 3), output=ImageTensor("output", 3), scale=self.scale)

    def set_instance_share(self, share: float) -> None:
        """Fades instance normalization into fixed statistics, where the generator can; 1 → 0."""

    @contextmanager
    def fixed_statistics(self) -> Iterator[None]:
        """Runs the generator with fixed statistics, as it is exported."""
        yield

    def run_bytes(self, images: Tensor, extra: Tensor | None = None, /) -> Tensor | tuple[Tensor, ...]:
        """:meth:`forward` for uint8 ``(N, H, W, 3)``."""
        x = images.permute(0, 3, 1, 2).to(next(self.parameters()).dtype) / 255
        return quantize_image(self(x)).permute(0, 2, 3, 1)

    @torch.no_grad()
    def reference(self, image: Tensor) -> Tensor:
        """One uint8 image ``(H, W, 3)`` through :meth:`forward`, in float32."""
        x = image.permute(2, 0, 1)[None].float() / 255
        height, width = (self.scale * side for side in image.shape[:2])
        y = self(reflect_pad(x, self.stride))[0, :, :height, :width]
        return to_uint8(y.clamp(0, 1)).permute(1, 2, 0)


class Upscaler(ImageGenerator):
    """A generator of super-resolution.

    Attributes:
        scale: 2 or 4.
        receptive_field: radius in pixels of the input area that an output pixel depends on.
    """

    receptive_field: int

    def export_spec(self) -> ExportSpec:
        # An upscaler is about 35 dB from the target; an error of 28 dB would dominate.
        return replace(super().export_spec(), min_parity={**RUNTIME_PARITY_DB, "int8": 40.0})

    def export_metadata(self) -> dict[str, Any]:
        # Floats, and as much again for onnxruntime's copies.
        memory = round(2 * 4 * largest_activations(self))
        return {
            "task": "upscale",
            "scale": self.scale,
            "receptive_field": self.receptive_field,
            "bytes_per_input_pixel": memory,
        }

    def read_input(self, path: Path) -> Tensor:
        image = read_image(path)
        height, width = (side // self.scale * self.scale for side in image.shape[1:])
        return to_uint8(downscale(image[:, :height, :width], self.scale).clamp(0, 1)).permute(1, 2, 0)
