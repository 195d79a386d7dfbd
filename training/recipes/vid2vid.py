"""vid2vid: label films become films that hold together (Wang et al. 2018).

One frame of several films a step: the generator sees what it painted before. Judges look at pictures and at
three of them in a row; what moved is to be the same where it went.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from training.core.discriminator_trainer import Judge
from training.core.network_trainer import Learner, as_numbers
from training.core.weights import load_weights
from training.data.labels import Classes
from training.data.sequences import LabelledFilms, Sequences
from training.networks.discriminator import MultiScaleDiscriminator
from training.networks.unet import UNet
from training.networks.vid2vid import Painted, SequentialGenerator, fetch
from training.recipes.pix2pix import adam, falling

_DECAY = 0.998
_ROW = 3
"""Pictures that the judge of motion sees at once."""
_SURE = 8.0
"""How fast trust in a flow falls with what it gets wrong of the true pictures, in [-1, 1]."""


@dataclass(frozen=True, kw_only=True)
class Vid2VidConfig:
    """Everything that decides what a run computes. Paths are strings so that it is plain JSON.

    Attributes:
        drive_labels, drive_photos: folders of a labelled film's frames.
        frames: how many of them are trained on; the rest is for evaluation.
        still_labels, still_photos: folders of labelled photos.
        classes: as :meth:`Classes.read` takes them.
        init: a checkpoint of pix2pix to start from.
        width, depth: of the U-Net, those of ``init``.
        height, length: of the pictures.
        coarse_steps: first steps, at half of that: coarse to fine.
        run: frames of a film that are painted in a row.
        pixel_weight, flow_weight, steady_weight: of the difference of pixels, of what the flow gets wrong of
            true pictures (and of known motion), and of what moved and changed.
        matching_weight: of feature matching, what the judge of pictures sees in them (pix2pixHD).
        batch: films at once.
    """

    drive_labels: str
    drive_photos: str
    still_labels: str
    still_photos: str
    recipe: str = "vid2vid"
    network: str = "vid2vid"
    frames: int = 71
    classes: str = "camvid"
    init: str | None = None
    width: int = 32
    depth: int = 6
    height: int = 192
    length: int = 256
    coarse_steps: int = 0
    run: int = 6
    pixel_weight: float = 50.0
    flow_weight: float = 20.0
    steady_weight: float = 50.0
    matching_weight: float = 10.0
    adversarial: str = "least-squares"
    adversarial_weight: float = 1.0
    discriminator_width: int = 32
    batch: int = 4
    steps: int = 6_000
    learning_rate: float = 2e-4
    precision: str = "float32"
    seed: int = 0

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class Vid2VidRecipe:
    """The state of one run, advanced by :meth:`step`: one frame of every film.

    Args:
        config: what to train.
        device: where.

    Raises:
        ValueError, FileNotFoundError: films or labels are not there, or not what they should be.
    """

    def __init__(self, config: Vid2VidConfig, device: torch.device) -> None:
        self.config = config
        self.device = device
        self.classes = Classes.read(config.classes)
        self.films = LabelledFilms(
            (Path(config.drive_labels), Path(config.drive_photos)),
            config.frames,
            (Path(config.still_labels), Path(config.still_photos)),
            self.classes,
            size=(config.height, config.length),
            device=device,
        )
        if len(self.films.drive_files) < config.run:
            raise ValueError(
                f"{config.drive_photos}: {len(self.films.drive_files)} frames to train on are fewer than "
                f"are painted in a row, {config.run}"
            )
        self.photos = [photo for _, photo in (*self.films.drive_files, *self.films.still_files)]
        self.held_out: list[Path] = []
        torch.manual_seed(config.seed)
        generator = SequentialGenerator(len(self.classes), width=config.width, depth=config.depth)
        if config.init:
            painter = UNet(len(self.classes), 3, width=config.width, depth=config.depth, grain=True)
            load_weights(painter, Path(config.init))
            generator.start_from(painter)
        self.learner = Learner(generator, adam, config.precision, device, decay=_DECAY)
        self.pictures = self._judge(len(self.classes) + 3)
        self.motion = self._judge(3 * _ROW)
        self._drawn: tuple[int, Sequences] | None = None
        self._painted: list[Tensor] = []

    @property
    def steps(self) -> int:
        return self.config.steps

    def step(self, index: int) -> dict[str, float]:
        """Advances every film by a frame and returns the weighted losses by name."""
        config = self.config
        rate = config.learning_rate * falling(index, config.steps)
        moment = index % config.run
        if moment == 0:
            self._painted = []
        films = self._films(index // config.run)
        self.learner.network.train()
        with self.learner.precision.autocast():
            painted = _next(self.learner.network, self.classes, films, self._painted)
            losses = self._losses(films, painted, moment)
        self.learner.step(losses, rate, index)
        self._painted.append(painted.picture.detach())
        losses["judge"] = self._teach(films, moment, rate)
        return as_numbers(losses)

    @torch.no_grad()
    def sample_sheet(self) -> Tensor:
        """A part of a film: labels, what comes out, and the truth, ``(3, H, W)`` RGB in [0, 1]."""
        random = torch.Generator(self.device).manual_seed(0)
        films = self.films.batch(2, self.config.run, random)
        painted: list[Tensor] = []
        while len(painted) < self.config.run:
            painted.append(_next(self.learner.average, self.classes, films, painted).picture)
        rows = []
        for film in range(2):
            labels = self.classes.drawn(films.labels[:, film])
            made = torch.stack([each[film] for each in painted])
            rows += [labels, (made + 1) / 2, (films.photos[:, film] + 1) / 2]
        return torch.cat([torch.cat(list(row), 2) for row in rows], 1).float().cpu()

    def state_dict(self) -> dict[str, Any]:
        return self.learner.state_dict() | {
            "pictures": self.pictures.state_dict(),
            "motion": self.motion.state_dict(),
            "painted": list(self._painted),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.learner.load_state_dict(state)
        self.pictures.load_state_dict(state["pictures"])
        self.motion.load_state_dict(state["motion"])
        self._painted = [each.to(self.device) for each in state["painted"]]

    def _films(self, number: int) -> Sequences:
        """Those that come as that one; what is random in them depends on nothing else."""
        if self._drawn is None or self._drawn[0] != number:
            random = torch.Generator(self.device).manual_seed(self.config.seed + number)
            films = self.films.batch(self.config.batch, self.config.run, random)
            coarse = number * self.config.run < self.config.coarse_steps
            self._drawn = number, films.halved(self.learner.network.stride) if coarse else films
        return self._drawn[1]

    def _losses(self, films: Sequences, painted: Painted, moment: int) -> dict[str, Tensor]:
        """By name and weighted."""
        config, truth = self.config, films.photos[moment]
        shown = self._shown(films, painted.picture, moment)
        losses = {
            "l1": config.pixel_weight * (_l1(painted.picture, truth) + _l1(painted.made_up, truth)) / 2,
            "adversarial": config.adversarial_weight * self.pictures.fooled(shown),
            "matching": config.matching_weight * self._matching(shown, self._shown(films, truth, moment)),
        }
        if moment:
            before = films.photos[moment - 1]
            losses["flow"] = config.flow_weight * _flow_error(painted.flow, films, moment)
            moved = torch.where(films.flow[moment].isfinite(), films.flow[moment], painted.flow.detach())
            trust = torch.exp(-_SURE * (fetch(before, moved) - truth).abs().mean(1, keepdim=True))
            change = (painted.picture - fetch(self._painted[-1], moved)).abs()
            losses["steady"] = config.steady_weight * (trust * change).mean()
        if moment >= _ROW - 1:
            row = _row([*self._painted, painted.picture], moment)
            losses["motion"] = config.adversarial_weight * self.motion.fooled(row)
        return losses

    def _teach(self, films: Sequences, moment: int, rate: float) -> Tensor:
        """The judges learn; the sum of their losses."""
        fake = self._shown(films, self._painted[-1], moment)
        loss = self.pictures.step(fake, self._shown(films, films.photos[moment], moment), rate)
        if moment >= _ROW - 1:
            loss = loss + self.motion.step(
                _row(self._painted, moment), _row(list(films.photos), moment), rate
            )
        return loss

    def _shown(self, films: Sequences, picture: Tensor, moment: int) -> Tensor:
        """To the judge of pictures, with their labels."""
        shown = torch.cat([self.classes.one_hot(films.labels[moment]), picture], 1)
        return shown.contiguous(memory_format=torch.channels_last)

    def _matching(self, fake: Tensor, real: Tensor) -> Tensor:
        """How different what the judge sees of pictures is from what it sees of true ones."""
        network = self.pictures.network
        assert isinstance(network, MultiScaleDiscriminator)
        with torch.no_grad():
            wanted = network.features(real)
        pairs = zip(network.features(fake), wanted, strict=True)
        return torch.stack([_l1(seen, true) for seen, true in pairs]).mean()

    def _judge(self, inputs: int) -> Judge:
        config = self.config
        network = MultiScaleDiscriminator(inputs, scales=1, width=config.discriminator_width)
        return Judge(network, config.adversarial, adam, config.precision, self.device)


def _next(
    generator: SequentialGenerator, classes: Classes, films: Sequences, painted: list[Tensor]
) -> Painted:
    """The frame after those that were painted."""
    moment = len(painted)
    now = classes.one_hot(films.labels[moment])
    before = classes.one_hot(films.labels[moment - 1]) if moment else torch.zeros_like(now)
    past = painted[-1] if moment else now.new_zeros(films.photos[0].shape)
    known = now.new_full((len(now), 1, *now.shape[2:]), float(moment > 0))
    made: Painted = generator(now, before, past, known)
    return made


def _flow_error(flow: Tensor, films: Sequences, moment: int) -> Tensor:
    """What it gets wrong of true pictures, and, in tenths of a pixel, of motion that is known."""
    known = films.flow[moment]
    wrong = (flow - known)[known.isfinite()].abs().sum() / max(1, int(known.isfinite().sum()))
    return _l1(fetch(films.photos[moment - 1], flow), films.photos[moment]) + wrong / 10


def _row(pictures: list[Tensor], moment: int) -> Tensor:
    """What the judge of motion sees."""
    row = torch.cat(pictures[moment - _ROW + 1 : moment + 1], 1)
    return row.contiguous(memory_format=torch.channels_last)


def _l1(x: Tensor, y: Tensor) -> Tensor:
    return (x.float() - y.float()).abs().mean()
