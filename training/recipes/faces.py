"""Settings and data that recipes on aligned faces share."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from training.core.network_trainer import NetworkTrainer
from training.core.optimizer import gan_adam_099, muon_and_adam
from training.core.recipe import RecipeConfig, RunState, Split, setting
from training.core.weights import load_weights
from training.data.photos import list_photos
from training.evaluation.lpips import Lpips
from training.faces.dataset import Faces
from training.networks.recognizer import Recognizers

OPTIMIZERS: dict[str, Callable[[nn.Module], list[torch.optim.Optimizer]]] = {
    "adam": gan_adam_099,
    "muon": muon_and_adam,
}
"""Optimizers of the generator; learning rates are set at each step."""

_N = TypeVar("_N", bound=nn.Module)


@dataclass(frozen=True, kw_only=True)
class FaceConfig(RecipeConfig):
    """Settings of recipes that generate faces; recognizers and LPIPS compare them."""

    faces: list[str] = setting("Folder of aligned faces, 144×144; repeatable.", kind="folders")
    shown: list[str] = setting("Those of them whose images may be shown on sample sheets.", kind="folders")
    shares: list[float] = setting("Shares of the folders in a batch.", kind="numbers")
    landmarks: str = setting("MediaPipe's network of 468 points, ONNX.", kind="file")
    recognizer: str = setting("First face recognizer, ONNX.", kind="file")
    second_recognizer: str = setting("Second face recognizer, MobileFaceNet, safetensors.", kind="file")
    feature_extractor: str = setting("SqueezeNet 1.1 with the heads of LPIPS, safetensors.", kind="file")
    cache: str = setting("File of points and embeddings of the faces.", kind="file")
    size: int = setting("Side of the faces in pixels; a multiple of 16.", 128)
    learning_rate: float = setting("Highest learning rate.", 1e-3)
    optimizer: str = setting("Optimizer of the generator.", "muon", choices=OPTIMIZERS)
    init: str | None = setting(
        "Checkpoint of another run, or its float32 .onnx, to start from.", None, kind="run"
    )


_C = TypeVar("_C", bound=FaceConfig)


class FaceRecipe(RunState[_C]):
    """The faces of a run, and the networks that compare faces.

    Raises:
        ValueError, FileNotFoundError: faces or networks are not what they should be.
    """

    def __init__(self, config: _C, device: torch.device) -> None:
        super().__init__(config, device)
        self.recognizers = Recognizers(Path(config.recognizer), Path(config.second_recognizer)).to(device)
        self.faces = Faces(
            [Path(each) for each in config.faces],
            shown=[Path(each) for each in config.shown],
            shares=config.shares,
            landmarks=Path(config.landmarks),
            recognizers=self.recognizers,
            cache=Path(config.cache),
        )
        self.photos, self.held_out = self.faces.photos, self.faces.held_out
        self.lpips = Lpips(Path(config.feature_extractor))

    def _trainer(self, generator: _N) -> NetworkTrainer[_N]:
        config = self.config
        if config.init:
            load_weights(generator, Path(config.init))
        return NetworkTrainer(generator, OPTIMIZERS[config.optimizer], config.precision, self.device)

    def _held_out_picks(self, count: int) -> Tensor:
        """About so many faces that are not trained on."""
        picks = self.faces.held_out_picks
        return picks[:: max(1, len(picks) // count)][:count]


def examples(config: FaceConfig, direction: str) -> Split:
    """Only faces that may be shown."""
    return list_photos([Path(each) for each in config.shown]), []


def sheet_of(rows: list[Tensor]) -> Tensor:
    """Rows of images ``(N, 3, S, S)`` in [-1, 1] as one image ``(3, H, W)`` RGB in [0, 1], on the CPU."""
    return torch.cat([torch.cat(list((row + 1) / 2), 2) for row in rows], 1).float().cpu()
