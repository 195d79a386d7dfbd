"""vid2vid: videos of label maps to temporally consistent videos (Wang et al. 2018).

Each step is one frame of several videos; the generator takes its previous output. One discriminator sees images, the
other three consecutive images. A temporal consistency loss compares the output with the warped previous one.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from training.core.discriminator_trainer import DiscriminatorTrainer
from training.core.network_trainer import NetworkTrainer, to_floats
from training.core.optimizer import gan_adam, linear_decay
from training.core.recipe import RecipeEntry, RunState, setting
from training.core.weights import load_weights
from training.data.images import image_grid
from training.data.labels import Classes
from training.data.photos import list_photos
from training.data.sequences import LabeledVideos, Sequences
from training.losses.pixel import l1
from training.networks.discriminator import MultiScaleDiscriminator
from training.networks.translators import LabelSequenceToImage
from training.networks.unet import UNet
from training.networks.vid2vid import SequenceOutput, SequentialGenerator, warp
from training.recipes.settings import LabeledConfig

_EMA_DECAY = 0.998
_VIDEO_FRAMES = 3
"""Consecutive images that the video discriminator takes."""
_CONFIDENCE = 8.0
"""How fast the confidence in a flow falls with its warping error on real images, in [-1, 1]."""


@dataclass(frozen=True, kw_only=True)
class Vid2VidConfig(LabeledConfig):
    """All settings of a run."""

    recipe: str = "vid2vid"
    network: str = "vid2vid"
    video_photos: str = setting("Folder of a video's frames, sorted by name.", kind="folder")
    video_labels: str = setting("Folder of their label maps, with the same names.", kind="folder")
    still_photos: str = setting("Folder of single photos, to be moved by a virtual camera.", kind="folder")
    still_labels: str = setting("Folder of their label maps, with the same names.", kind="folder")
    train_frames: int = setting("Frames of the video to train on; later ones are for evaluation.", 71)
    init: str | None = setting("Checkpoint of pix2pix with the same classes to start from.", None, kind="run")
    coarse_steps: int = setting("First steps, at half the size: coarse to fine.", 0)
    sequence_length: int = setting("Consecutive frames of a training sequence.", 6)
    pixel_weight: float = setting("Weight of the L1 loss.", 50.0)
    flow_weight: float = setting("Weight of the flow loss.", 20.0)
    temporal_weight: float = setting("Weight of the temporal consistency loss.", 50.0)
    feature_matching_weight: float = setting("Weight of feature matching, as in pix2pixHD.", 10.0)
    adversarial_weight: float = setting("Weight of the adversarial losses.", 1.0)
    gan_mode: str = "least-squares"
    discriminator_channels: int = 32
    batch: int = setting("Videos per step.", 4)
    steps: int = setting("Training steps, one frame of each video.", 6_000)


class Vid2VidRecipe(RunState[Vid2VidConfig]):
    """The state of one run, advanced by :meth:`step`: one frame of every video.

    Raises:
        ValueError, FileNotFoundError: videos or labels are missing or not usable.
    """

    def __init__(self, config: Vid2VidConfig, device: torch.device) -> None:
        super().__init__(config, device)
        self.classes = Classes.read(config.classes)
        self.videos = _videos_of(config, self.classes, device)
        self.photos = [photo for _, photo in (*self.videos.video_files, *self.videos.still_files)]
        self.held_out: list[Path] = []
        torch.manual_seed(config.seed)
        generator = _initial_generator(config, len(self.classes))
        self.trainer = NetworkTrainer(generator, gan_adam, config.precision, device, decay=_EMA_DECAY)
        self.image_discriminator = self._discriminator(len(self.classes) + 3)
        self.video_discriminator = self._discriminator(3 * _VIDEO_FRAMES)
        self._batch: tuple[int, Sequences] | None = None
        self._outputs: list[Tensor] = []

    def step(self, index: int) -> dict[str, float]:
        """Advances every video by a frame and returns the weighted losses by name."""
        config = self.config
        learning_rate = config.learning_rate * linear_decay(index, config.steps)
        frame = index % config.sequence_length
        if frame == 0:
            self._outputs = []
        videos = self._sequences(index // config.sequence_length)
        self.trainer.network.train()
        with self.trainer.precision.autocast():
            output = _next_output(self.trainer.network, self.classes, videos, self._outputs)
            losses = self._losses(videos, output, frame)
        self.trainer.step(losses, learning_rate, index)
        self._outputs.append(output.image.detach())
        losses["discriminators"] = self._train_discriminators(videos, frame, learning_rate)
        return to_floats(losses)

    @torch.no_grad()
    def sample_sheet(self) -> Tensor:
        """Labels, outputs and targets of two sequences, ``(3, H, W)`` RGB in [0, 1]."""
        random = torch.Generator(self.device).manual_seed(0)
        videos = self.videos.batch(2, self.config.sequence_length, random)
        outputs: list[Tensor] = []
        while len(outputs) < self.config.sequence_length:
            outputs.append(_next_output(self.trainer.ema_model, self.classes, videos, outputs).image)
        rows = []
        for video in range(2):
            labels = self.classes.render(videos.labels[:, video])
            images = torch.stack([each[video] for each in outputs])
            rows += [labels, (images + 1) / 2, (videos.photos[:, video] + 1) / 2]
        return image_grid(rows)

    def state_dict(self) -> dict[str, Any]:
        return self.trainer.state_dict() | {
            "image_discriminator": self.image_discriminator.state_dict(),
            "video_discriminator": self.video_discriminator.state_dict(),
            "outputs": list(self._outputs),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.trainer.load_state_dict(state)
        self.image_discriminator.load_state_dict(state["image_discriminator"])
        self.video_discriminator.load_state_dict(state["video_discriminator"])
        self._outputs = [each.to(self.device) for each in state["outputs"]]

    def _sequences(self, number: int) -> Sequences:
        """The batch with that number; its randomness depends on the number and the seed only."""
        if self._batch is None or self._batch[0] != number:
            random = torch.Generator(self.device).manual_seed(self.config.seed + number)
            videos = self.videos.batch(self.config.batch, self.config.sequence_length, random)
            coarse = number * self.config.sequence_length < self.config.coarse_steps
            self._batch = number, videos.half_size(self.trainer.network.stride) if coarse else videos
        return self._batch[1]

    def _losses(self, videos: Sequences, output: SequenceOutput, frame: int) -> dict[str, Tensor]:
        """Weighted losses by name."""
        config, target = self.config, videos.photos[frame]
        fake = self._discriminator_input(videos, output.image, frame)
        real = self._discriminator_input(videos, target, frame)
        losses = {
            "l1": config.pixel_weight * (l1(output.image, target) + l1(output.synthesized, target)) / 2,
            "adversarial": config.adversarial_weight * self.image_discriminator.generator_loss(fake),
            "feature matching": config.feature_matching_weight * self._feature_matching(fake, real),
        }
        if frame:
            losses["flow"] = config.flow_weight * _flow_loss(output.flow, videos, frame)
            losses["temporal"] = config.temporal_weight * self._temporal_loss(videos, output, frame)
        if frame >= _VIDEO_FRAMES - 1:
            window = _window([*self._outputs, output.image], frame)
            losses["video"] = config.adversarial_weight * self.video_discriminator.generator_loss(window)
        return losses

    def _temporal_loss(self, videos: Sequences, output: SequenceOutput, frame: int) -> Tensor:
        """L1 between the output and the warped previous one, weighted by the confidence in the flow."""
        known = videos.flow[frame]
        flow = torch.where(known.isfinite(), known, output.flow.detach())
        error = (warp(videos.photos[frame - 1], flow) - videos.photos[frame]).abs().mean(1, keepdim=True)
        change = (output.image - warp(self._outputs[-1], flow)).abs()
        return (torch.exp(-_CONFIDENCE * error) * change).mean()

    def _train_discriminators(self, videos: Sequences, frame: int, learning_rate: float) -> Tensor:
        """One step of the discriminators; returns the sum of their losses."""
        fake = self._discriminator_input(videos, self._outputs[-1], frame)
        real = self._discriminator_input(videos, videos.photos[frame], frame)
        loss = self.image_discriminator.step(fake, real, learning_rate)
        if frame >= _VIDEO_FRAMES - 1:
            fake, real = _window(self._outputs, frame), _window(list(videos.photos), frame)
            loss = loss + self.video_discriminator.step(fake, real, learning_rate)
        return loss

    def _discriminator_input(self, videos: Sequences, images: Tensor, frame: int) -> Tensor:
        """Images with their labels, for the image discriminator."""
        inputs = torch.cat([self.classes.one_hot(videos.labels[frame]), images], 1)
        return inputs.contiguous(memory_format=torch.channels_last)

    def _feature_matching(self, fake: Tensor, real: Tensor) -> Tensor:
        """L1 between the image discriminator's activations for generated and for real images."""
        network = self.image_discriminator.network
        assert isinstance(network, MultiScaleDiscriminator)
        with torch.no_grad():
            expected = network.features(real)
        pairs = zip(network.features(fake), expected, strict=True)
        return torch.stack([l1(found, target) for found, target in pairs]).mean()

    def _discriminator(self, inputs: int) -> DiscriminatorTrainer:
        config = self.config
        network = MultiScaleDiscriminator(inputs, scales=1, base_channels=config.discriminator_channels)
        return DiscriminatorTrainer(network, config.gan_mode, gan_adam, config.precision, self.device)


def translator_of(config: Vid2VidConfig) -> LabelSequenceToImage:
    """The network that is exported, with fresh weights."""
    classes = Classes.read(config.classes)
    generator = SequentialGenerator(len(classes), base_channels=config.base_channels, depth=config.depth)
    return LabelSequenceToImage(generator, classes)


def _videos_of(config: Vid2VidConfig, classes: Classes, device: torch.device) -> LabeledVideos:
    videos = LabeledVideos(
        (Path(config.video_labels), Path(config.video_photos)),
        config.train_frames,
        (Path(config.still_labels), Path(config.still_photos)),
        classes,
        size=(config.image_height, config.image_width),
        device=device,
    )
    if len(videos.video_files) < config.sequence_length:
        raise ValueError(
            f"{config.video_photos}: {len(videos.video_files)} frames to train on are fewer than a sequence "
            f"has, {config.sequence_length}"
        )
    return videos


def _initial_generator(config: Vid2VidConfig, classes: int) -> SequentialGenerator:
    """The generator with fresh weights, or those of ``init``."""
    generator = SequentialGenerator(classes, base_channels=config.base_channels, depth=config.depth)
    if config.init:
        shape = {"base_channels": config.base_channels, "depth": config.depth}
        single = UNet(classes, 3, input_noise=True, **shape)  # type: ignore[arg-type]
        load_weights(single, Path(config.init))
        generator.start_from(single)
    return generator


def _next_output(
    generator: SequentialGenerator, classes: Classes, videos: Sequences, outputs: list[Tensor]
) -> SequenceOutput:
    """The frame after ``outputs``."""
    frame = len(outputs)
    labels = classes.one_hot(videos.labels[frame])
    previous_labels = classes.one_hot(videos.labels[frame - 1]) if frame else torch.zeros_like(labels)
    previous = outputs[-1] if frame else labels.new_zeros(videos.photos[0].shape)
    known = labels.new_full((len(labels), 1, *labels.shape[2:]), float(frame > 0))
    output: SequenceOutput = generator(labels, previous_labels, previous, known)
    return output


def _flow_loss(flow: Tensor, videos: Sequences, frame: int) -> Tensor:
    """Warping error on real images, plus a tenth of the endpoint error in pixels where the flow is known."""
    known = videos.flow[frame]
    endpoint = (flow - known)[known.isfinite()].abs().sum() / max(1, int(known.isfinite().sum()))
    return l1(warp(videos.photos[frame - 1], flow), videos.photos[frame]) + endpoint / 10


def _window(images: list[Tensor], frame: int) -> Tensor:
    """The images up to ``frame`` that the video discriminator takes."""
    window = torch.cat(images[frame - _VIDEO_FRAMES + 1 : frame + 1], 1)
    return window.contiguous(memory_format=torch.channels_last)


VID2VID = RecipeEntry(
    name="vid2vid",
    config=Vid2VidConfig,
    recipe=Vid2VidRecipe,
    network=translator_of,
    examples=lambda config, direction: (list_photos([Path(config.video_labels)]), []),
    command=("vid2vid", "Train videos from videos of label maps."),
)
