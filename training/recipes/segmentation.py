"""Semantic segmentation: photos to label maps, by the cross entropy of each pixel (Long et al. 2015).

The network evaluates generators of photos from label maps: what it recognizes was rendered well (FCN-score, Isola et
al. 2017). It is trained on real photos only.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.core.network_trainer import RECALIBRATION_STEPS, NetworkTrainer
from training.core.optimizer import adamw, linear_decay
from training.core.randomness import restore
from training.core.recipe import RecipeEntry, RunState, setting
from training.data.images import image_grid, resize_bilinear
from training.data.labels import Classes, resize_labels
from training.data.pairs import LabelsToPhotos
from training.data.photos import list_photos
from training.networks.efficientnet import published_weights
from training.networks.light_segmenter import LightSegmenter
from training.networks.translators import Segmenter
from training.networks.unet import UNet
from training.recipes.settings import LabeledConfig

NETWORKS = "segmentation-unet", "light-segmenter"


@dataclass(frozen=True, kw_only=True)
class SegmentationConfig(LabeledConfig):
    """All settings of a run."""

    recipe: str = "segmentation"
    network: str = setting(
        "A U-Net with fresh weights, or a small network on the early blocks of EfficientNet-Lite0.",
        "segmentation-unet",
        choices=NETWORKS,
    )
    photos: str = setting("Folder of photos.", kind="folder")
    labels: str = setting("Folder of their label maps, with the same names.", kind="folder")
    class_balance: float = setting(
        "Power of a class's inverse frequency that weighs its pixels; 0 for none.", 0.3
    )
    zoom: float = setting("Crops are enlarged up to this factor; 1 for none.", 1.0)
    encoder_lr_ratio: float = setting(
        "Learning rate of the light segmenter's encoder, per that of its decoder.", 0.2
    )
    batch: int = setting("Images per step.", 8)
    steps: int = setting("Training steps.", 4_000)
    learning_rate: float = setting("Highest learning rate.", 1e-3)


class SegmentationRecipe(RunState[SegmentationConfig]):
    """The state of one run, advanced by :meth:`step`.

    Raises:
        ValueError, FileNotFoundError: photos or labels are missing or not usable.
    """

    def __init__(self, config: SegmentationConfig, device: torch.device) -> None:
        super().__init__(config, device)
        self.classes = Classes.read(config.classes)
        self.pairs = LabelsToPhotos(
            Path(config.labels),
            Path(config.photos),
            self.classes,
            size=(round(config.zoom * config.image_height), round(config.zoom * config.image_width)),
            device=device,
        )
        self.photos, self.held_out = self.pairs.photos, self.pairs.held_out
        torch.manual_seed(config.seed)
        segmenter = segmenter_of(config, dropout=True)
        network, self._stride = segmenter.network, segmenter.stride
        optimizers: Callable[[nn.Module], list[torch.optim.Optimizer]] = adamw
        if isinstance(network, LightSegmenter):
            network.encoder.load_published(published_weights())
            optimizers = self._fine_tuning
        self.trainer = NetworkTrainer(network, optimizers, config.precision, device)
        self.random = torch.Generator(device).manual_seed(config.seed)
        self.weights = self._class_weights()

    def step(self, index: int) -> dict[str, float]:
        """Advances by one step and returns its loss and the pixel accuracy."""
        config = self.config
        torch.manual_seed(config.seed + index)  # Dropout: a resumed run draws the same.
        maps, photos = self.pairs.batch(config.batch, self.random)
        photos, target = self._zoomed(photos, maps.argmax(1))
        photos = self._augmented(photos).contiguous(memory_format=torch.channels_last)
        self.trainer.network.train()
        with self.trainer.precision.autocast():
            scores = self.trainer.network(photos).float()
        loss = F.cross_entropy(scores, target, self.weights)
        learning_rate = config.learning_rate * linear_decay(index, config.steps)
        self.trainer.step({"cross entropy": loss}, learning_rate, index)
        if index >= config.steps - RECALIBRATION_STEPS:
            self.trainer.recalibrate_batchnorm(photos)
        accuracy = (scores.argmax(1) == target).float().mean()
        return {"cross entropy": float(loss.detach()), "accuracy": float(accuracy)}

    @torch.no_grad()
    def sample_sheet(self, columns: int = 6) -> Tensor:
        """Held-out photos, predictions and targets, ``(3, H, W)`` RGB in [0, 1]."""
        maps, photos = (self._whole_blocks(each) for each in self.pairs.samples(columns))
        predicted = self.classes.render(self.trainer.ema_model(photos).argmax(1))
        return image_grid([(photos + 1) / 2, predicted, self.pairs.show_condition(maps)])

    def state_dict(self) -> dict[str, Any]:
        return self.trainer.state_dict() | {"random": self.random.get_state()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.trainer.load_state_dict(state)
        restore(self.random, state["random"])

    def _whole_blocks(self, images: Tensor) -> Tensor:
        """``(N, C, H, W)`` cropped to multiples of the network's stride; a zoom gives other sizes."""
        height, width = (side // self._stride * self._stride for side in images.shape[2:])
        return images[..., :height, :width]

    def _class_weights(self) -> Tensor:
        """Weights of the classes: rare ones more, void 0; 1 on average over pixels."""
        random = torch.Generator(self.device).manual_seed(0)
        share = torch.stack([self.pairs.batch(8, random)[0].mean((0, 2, 3)) for _ in range(8)]).mean(0)
        weights = share.clamp(min=1e-4) ** -self.config.class_balance
        counted = torch.zeros_like(weights)
        counted[self.classes.counted] = 1
        return weights * counted / (weights * counted * share).sum()

    def _zoomed(self, photos: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """Random parts of photos and of class indices ``(N, H, W)``, at the size of the crops."""
        if self.config.zoom == 1:
            return photos, target
        size = self.config.image_height, self.config.image_width
        parts, indices = [], []
        for photo, index in zip(photos, target, strict=True):
            drawn = torch.rand(3, generator=self.random, device=self.device).tolist()
            share = 1 - drawn[0] * (1 - 1 / self.config.zoom)
            height, width = (round(share * side) for side in index.shape)
            top, left = (
                int(draw * (whole - part + 1))
                for draw, whole, part in zip(drawn[1:], index.shape, (height, width), strict=True)
            )
            part = slice(top, top + height), slice(left, left + width)
            parts.append(resize_bilinear(photo[None, :, *part], size))
            indices.append(resize_labels(index[None, None, *part].byte(), size)[0])
        return torch.cat(parts), torch.cat(indices).long()

    def _fine_tuning(self, network: nn.Module) -> list[torch.optim.Optimizer]:
        """AdamW with a lower rate for the encoder, whose weights are pretrained."""
        named = list(network.named_parameters())
        encoder = [each for name, each in named if name.startswith("encoder.")]
        decoder = [each for name, each in named if not name.startswith("encoder.")]
        groups = [
            {"params": encoder, "lr_ratio": self.config.encoder_lr_ratio},
            {"params": decoder, "lr_ratio": 1.0},
        ]
        return [torch.optim.AdamW(groups)]

    def _augmented(self, photos: Tensor) -> Tensor:
        """Random contrast and brightness of each photo, ``(N, 3, H, W)`` in [-1, 1]."""
        drawn = torch.rand((2, len(photos), 1, 1, 1), generator=self.random, device=self.device)
        return photos * (0.7 + 0.6 * drawn[0]) + 0.4 * (drawn[1] - 0.5)


def segmenter_of(config: SegmentationConfig, *, dropout: bool = False) -> Segmenter:
    """The network that is exported, with fresh weights."""
    classes = Classes.read(config.classes)
    if config.network == "light-segmenter":
        return Segmenter(LightSegmenter(len(classes)), classes)
    network = UNet(3, len(classes), base_channels=config.base_channels, depth=config.depth, dropout=dropout)
    return Segmenter(network, classes)


SEGMENTATION = RecipeEntry(
    name="segmentation",
    config=SegmentationConfig,
    recipe=SegmentationRecipe,
    network=segmenter_of,
    examples=lambda config, direction: (list_photos([Path(config.photos)]), []),
    command=("segmentation", "Train semantic segmentation of photos."),
)
