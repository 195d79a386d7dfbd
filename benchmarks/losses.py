"""What each loss teaches, on toy data, in a minute of one CPU core: the images of docs/losses.md.

``python -m benchmarks.losses average``: squared, absolute and adversarial loss where two answers are right;
``paired``: L1, cGAN and both; ``cycle``: CycleGAN with λ = 10 and λ = 0; ``perceptual``: a pixel loss and a loss of
features of the same faults.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import click
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.data.images import image_grid, read_image, resize_bilinear, write_image
from training.losses.adversarial import ADVERSARIAL_LOSSES
from training.networks.efficientnet import EfficientNetLite0, published_weights

Draw = Callable[[int, torch.Generator], tuple[Tensor, Tensor]]
"""Number and randomness → conditions and targets, ``(N, C, H, W)`` in [-1, 1]."""

_SIDE = 32
_ENLARGED = 3
_SHOWN = 8
_GAN = ADVERSARIAL_LOSSES["least-squares"]
_WHITE = 0.7
"""Share of discs that are white."""
_PERIOD = 4
"""Pixels of a stripe and the next."""
_GROUPS = 8

_output = click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True, help="PNG to write."
)
_steps = click.option("--steps", type=click.IntRange(min=1), default=300, show_default=True)


@dataclass(frozen=True)
class Objective:
    """What a generator is trained with.

    Attributes:
        pixel: ``l1``, ``mse`` or None for no pixel loss.
        adversarial: weight of the adversarial loss of a conditional discriminator.
        pixel_weight: of the pixel loss.
    """

    pixel: str | None
    adversarial: float = 0.0
    pixel_weight: float = 1.0


@click.group()
def cli() -> None:
    """Train toy generators with different losses, and draw what they learn."""
    torch.set_num_threads(1)


@cli.command()
@_steps
@_output
def average(steps: int, output: Path) -> None:
    """Discs that are white or black by chance: the losses' answers to a question with two right ones."""
    objectives = {
        "squared error": Objective("mse"),
        "absolute error": Objective("l1"),
        "adversarial": Objective(None, adversarial=1.0),
    }
    made, target, condition = _compared(objectives, discs, steps, output)
    click.echo("| | mean gray of discs, 0 to 1 | white, of discs | gray, of discs |\n|---|---|---|---|")
    for name, images in ({"target": target} | made).items():
        levels = _means(images, condition[:, :1] > 0)
        white, gray = (levels > 0.5).float().mean(), (levels.abs() <= 0.5).float().mean()
        click.echo(f"| {name} | {(levels.mean() + 1) / 2:.2f} | {white:.0%} | {gray:.0%} |")


@cli.command()
@_steps
@_output
def paired(steps: int, output: Path) -> None:
    """Light ground beside stripes of a phase that nobody can know: L1, cGAN, and both."""
    objectives = {
        "L1": Objective("l1"),
        "cGAN": Objective(None, adversarial=1.0),
        "L1 + cGAN": Objective("l1", adversarial=1.0),
    }
    made, target, condition = _compared(objectives, stripes, steps, output)
    ground, striped = condition[:, :1] < 0, condition[:, :1] > 0
    contrast = _deviation(target, striped)
    click.echo(
        "| | error of the ground, levels of 255 | contrast of the stripes, of the target's |\n|---|---|---|"
    )
    for name, images in made.items():
        error = 127.5 * (images - target).abs()[ground].mean()
        click.echo(f"| {name} | {error:.1f} | {_deviation(images, striped) / contrast:.2f} |")


@cli.command()
@click.option("--steps", type=click.IntRange(min=1), default=1500, show_default=True)
@_output
def cycle(steps: int, output: Path) -> None:
    """Two unpaired rings of eight groups of points: only the cycle makes the way back lead back."""
    random = torch.Generator().manual_seed(99)
    points, group = ring(512, random, radius=1.0)
    rows = []
    click.echo("| | from a point to itself, there and back |\n|---|---|")
    for weight in (10.0, 0.0):
        there, back = _cycle_networks(weight, steps)
        with torch.no_grad():
            moved = there(points)
            returned = back(moved)
        click.echo(f"| λ = {weight:.0f} | {(returned - points).norm(dim=1).mean():.2f} |")
        rows.append([_points(each, group) for each in (points, moved, returned)])
    write_image(output, image_grid(rows))


@cli.command()
@click.argument("photo", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_output
def perceptual(photo: Path, output: Path) -> None:
    """One photo with three faults: squared error, and distance of EfficientNet-Lite0's features."""
    image = resize_bilinear(read_image(photo)[None], (160, 224))
    network = EfficientNetLite0()
    network.load_published(published_weights())
    faults = {
        "itself": image,
        "moved by 3 pixels": image.roll(3, 3),
        "8 % lighter": (image * 0.92 + 0.08),
        "blurred": _blurred(image, 2.2),
    }
    click.echo("| | squared error, 10⁻³ | distance of features |\n|---|---|---|")
    for name, changed in faults.items():
        error = 1e3 * (changed - image).square().mean()
        click.echo(f"| {name} | {error:.1f} | {feature_distance(network, changed, image):.2f} |")
    write_image(output, image_grid([[each[0] for each in faults.values()]]))


# Toy data.


def discs(count: int, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """Where a disc is, and the disc, white or black on gray; with a number that nothing depends on."""
    center = 10 + 12 * torch.rand(count, 2, 1, 1, generator=random)
    radius = 4 + 4 * torch.rand(count, 1, 1, generator=random)
    rows, columns = torch.meshgrid(torch.arange(_SIDE), torch.arange(_SIDE), indexing="ij")
    inside = ((rows - center[:, 0]) ** 2 + (columns - center[:, 1]) ** 2 < radius**2)[:, None].float()
    color = torch.where(torch.rand(count, 1, 1, 1, generator=random) < _WHITE, 1.0, -1.0)
    return torch.cat([2 * inside - 1, _chance(count, random)], 1), inside * color


def stripes(count: int, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """Two areas with their border anywhere, and light ground in one, stripes of any phase in the other."""
    border = 8 + 16 * torch.rand(count, 1, 1, 1, generator=random)
    columns = torch.arange(_SIDE, dtype=torch.float32).expand(count, 1, _SIDE, _SIDE)
    rows = columns.transpose(2, 3)
    striped = (rows > border).float()
    phase = _PERIOD * torch.rand(count, 1, 1, 1, generator=random)
    wave = torch.sin(2 * torch.pi * (columns + phase) / _PERIOD)
    position = [turn(2 * torch.pi * columns / _PERIOD) for turn in (torch.sin, torch.cos)]
    condition = torch.cat([2 * striped - 1, *position, _chance(count, random)], 1)
    return condition, striped * (0.7 * wave - 0.2) + (1 - striped) * 0.6


def ring(count: int, random: torch.Generator, *, radius: float) -> tuple[Tensor, Tensor]:
    """Points in eight groups on a circle ``(N, 2)``, and their groups."""
    group = torch.randint(_GROUPS, (count,), generator=random)
    angle = 2 * torch.pi * group / _GROUPS
    center = radius * torch.stack([angle.cos(), angle.sin()], 1)
    return center + 0.06 * torch.randn(count, 2, generator=random), group


def _chance(count: int, random: torch.Generator) -> Tensor:
    """Two random numbers for each image, as planes."""
    return torch.randn(count, 2, 1, 1, generator=random).expand(-1, -1, _SIDE, _SIDE)


# Training.


def trained(objective: Objective, draw: Draw, steps: int) -> nn.Module:
    """A small convolutional generator, trained with an objective."""
    torch.manual_seed(0)
    random = torch.Generator().manual_seed(0)
    channels = draw(1, random)[0].shape[1]
    generator, discriminator = _generator(channels), _discriminator(channels + 1)
    optimizers = [
        torch.optim.Adam(each.parameters(), 2e-3, betas=(0.5, 0.99)) for each in (generator, discriminator)
    ]
    for _ in range(steps):
        condition, target = draw(16, random)
        made = generator(condition)
        if objective.adversarial:
            real, fake = (discriminator(torch.cat([condition, each], 1)) for each in (target, made.detach()))
            _step(optimizers[1], _GAN.discriminator_loss(real, fake))
        loss = objective.pixel_weight * _pixel_loss(objective.pixel, made, target)
        if objective.adversarial:
            loss = loss + objective.adversarial * _GAN.generator_loss(
                discriminator(torch.cat([condition, made], 1))
            )
        _step(optimizers[0], loss)
    return generator.eval()


def _pixel_loss(kind: str | None, made: Tensor, target: Tensor) -> Tensor:
    if kind is None:
        return torch.zeros(())
    return F.l1_loss(made, target) if kind == "l1" else F.mse_loss(made, target)


def _cycle_networks(weight: float, steps: int) -> tuple[nn.Module, nn.Module]:
    """Generators there and back, trained with that weight of the cycle (Zhu et al. 2017)."""
    torch.manual_seed(0)
    random = torch.Generator().manual_seed(0)
    there, back, discriminator_a, discriminator_b = (_perceptron(outputs) for outputs in (2, 2, 1, 1))
    generators = torch.optim.Adam(chain(there.parameters(), back.parameters()), 1e-3, betas=(0.5, 0.99))
    discriminators = torch.optim.Adam(
        chain(discriminator_a.parameters(), discriminator_b.parameters()), 1e-3, betas=(0.5, 0.99)
    )
    for _ in range(steps):
        a, b = ring(128, random, radius=1.0)[0], ring(128, random, radius=2.0)[0]
        to_b, to_a = there(a), back(b)
        _step(
            discriminators,
            _GAN.discriminator_loss(discriminator_b(b), discriminator_b(to_b.detach()))
            + _GAN.discriminator_loss(discriminator_a(a), discriminator_a(to_a.detach())),
        )
        closed = F.l1_loss(back(to_b), a) + F.l1_loss(there(to_a), b)
        adversarial = _GAN.generator_loss(discriminator_b(to_b)) + _GAN.generator_loss(discriminator_a(to_a))
        _step(generators, adversarial + weight * closed)
    return there, back


def _step(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad()
    torch.autograd.backward(loss)
    optimizer.step()


def _generator(channels: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(channels, 24, 3, 1, 1), nn.LeakyReLU(0.2),
        nn.Conv2d(24, 24, 3, 1, 1), nn.LeakyReLU(0.2),
        nn.Conv2d(24, 24, 3, 1, 1), nn.LeakyReLU(0.2),
        nn.Conv2d(24, 1, 3, 1, 1), nn.Tanh(),
    )  # fmt: skip


def _discriminator(channels: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(channels, 24, 4, 2, 1), nn.LeakyReLU(0.2),
        nn.Conv2d(24, 32, 4, 2, 1), nn.LeakyReLU(0.2),
        nn.Conv2d(32, 1, 3, 1, 1),
    )  # fmt: skip


def _perceptron(outputs: int) -> nn.Module:
    return nn.Sequential(
        nn.Linear(2, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, outputs)
    )


# Figures.


@torch.no_grad()
def feature_distance(network: EfficientNetLite0, one: Tensor, two: Tensor) -> Tensor:
    """Mean distance of normalized features at 1/8 and 1/16 of the size, 0 to 2 (Johnson et al. 2016; LPIPS)."""
    pairs = list(zip(network(one), network(two), strict=True))[2:4]
    unit = [[F.normalize(each.mean((2, 3)), dim=1) for each in pair] for pair in pairs]
    return torch.stack([(a - b).norm(dim=1).mean() for a, b in unit]).mean()


@torch.no_grad()
def _compared(
    objectives: Mapping[str, Objective], draw: Draw, steps: int, output: Path
) -> tuple[dict[str, Tensor], Tensor, Tensor]:
    """Outputs by objective, targets and conditions; some of them are drawn, condition, outputs and target."""
    condition, target = draw(64, torch.Generator().manual_seed(1))
    made = {}
    for name, objective in objectives.items():
        with torch.enable_grad():
            network = trained(objective, draw, steps)
        made[name] = network(condition)
    rows = [condition[:, :1], *made.values(), target]
    shown = F.interpolate(torch.cat([each[:_SHOWN] for each in rows]), scale_factor=_ENLARGED)
    images = F.pad((shown + 1) / 2, [2, 2, 2, 2], value=1.0).expand(-1, 3, -1, -1)
    write_image(output, image_grid(torch.split(images, _SHOWN)))
    return made, target, condition


def _means(images: Tensor, where: Tensor) -> Tensor:
    """Mean of each image where a mask is set, ``(N,)``."""
    return (images * where).sum((1, 2, 3)) / where.sum((1, 2, 3))


def _deviation(images: Tensor, where: Tensor) -> Tensor:
    return images[where].std()


def _blurred(images: Tensor, sigma: float) -> Tensor:
    offsets = torch.arange(-6, 7, dtype=torch.float32)
    kernel = torch.softmax(-(offsets**2) / (2 * sigma**2), 0)
    weight = (kernel[:, None] * kernel)[None, None].expand(3, 1, -1, -1)
    return F.conv2d(F.pad(images, [6, 6, 6, 6], mode="replicate"), weight, groups=3)


def _points(points: Tensor, group: Tensor, side: int = 160) -> Tensor:
    """A scatter plot, a color for each group."""
    image = torch.ones(3, side, side)
    places = ((points / 2.6 + 1) / 2 * side).long().clamp(2, side - 3)
    for (x, y), index in zip(places.tolist(), group.tolist(), strict=True):
        hue = 2 * torch.pi * (index / _GROUPS + torch.tensor([0, 1 / 3, 2 / 3]))
        image[:, y - 1 : y + 2, x - 1 : x + 2] = (0.45 + 0.45 * hue.cos())[:, None, None]
    return image


if __name__ == "__main__":
    cli()
