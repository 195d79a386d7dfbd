"""A person of an image in another pose, by warping parts (after Liu et al. 2019, "Liquid Warping GAN").

The paper warps features of the source by a fitted body model, SMPL, which is for research only. Here each of 14
parts has an affine map from its joints; a small network says whose a place of the target is, by how much the maps
are off, and what the source does not show. Features of the source are warped so at three scales and added to
those of a U-Net, as in the paper's liquid warping blocks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.networks.convolutions import SLOPE, leaky_conv
from training.networks.discriminator import SpectralDiscriminator
from training.networks.exportable import ExportableNetwork
from vidgan.media.body_parts import LABELS, PARTS

_GUIDES = 2 * len(PARTS)
_CHANNELS = 32, 64, 96, 128
"""At half the size, a quarter, an eighth, a sixteenth."""
_MOTION_CHANNELS = 32, 48, 64, 96
_BLOCKS = 3
_FARTHEST = 0.12
"""Sides by which a place may be off from where its part's affine map says."""
_RGB = 3


@dataclass(frozen=True)
class PoseInput:
    """The input of a generator, S pixels a side; S is a multiple of 16.

    Attributes:
        sources: ``(N, 3, S, S)`` RGB in [-1, 1].
        source_guides, guides: ``(N, 28, S / 2, S / 2)``, see :func:`vidgan.media.body_parts.part_guides`.
        shares: ``(N, 14, S / 2, S / 2)``.
        affines: target's pixels → source's, ``(N, 14, 2, 3)``.
    """

    sources: Tensor
    source_guides: Tensor
    guides: Tensor
    shares: Tensor
    affines: Tensor


@dataclass(frozen=True)
class PoseOutput:
    """The output of a generator.

    Attributes:
        images: the person, ``(N, 3, S, S)`` RGB in [-1, 1].
        mask_logits: of where it is, ``(N, 1, S, S)``.
        source_parts, parts: logits of labels, ``(N, 15, S / 2, S / 2)``; ``parts`` of :class:`PoseTransferFineParts`
            are ``(N, 15, S, S)``.
        places: where the target's places are in the source, in pixels, ``(N, 2, S / 2, S / 2)``.
        visible: logits of being seen in the source, ``(N, 1, S / 2, S / 2)``.
        warped: the source's pixels at those places, ``(N, 3, S, S)``.
    """

    images: Tensor
    mask_logits: Tensor
    source_parts: Tensor
    parts: Tensor
    places: Tensor
    visible: Tensor
    warped: Tensor

    @property
    def masks(self) -> Tensor:
        """Where the person is, ``(N, 1, S, S)`` in [0, 1]."""
        return torch.sigmoid(self.mask_logits)

    def over(self, backgrounds: Tensor) -> Tensor:
        """The person before a background."""
        return torch.lerp(backgrounds, self.images, self.masks)


class PoseTransfer(ExportableNetwork):
    """:class:`PoseInput` → :class:`PoseOutput`."""

    stride = 16

    def __init__(self) -> None:
        super().__init__()
        self.source = _SourceEncoder()
        self.motion = _Motion()
        self.generator = _Generator()

    def load_folded_weights(self, weights: Mapping[str, Tensor]) -> None:
        self.load_state_dict(weights)

    def forward(self, inputs: PoseInput) -> PoseOutput:
        side = inputs.sources.shape[3]
        features, source_parts = self.source(inputs.sources, inputs.source_guides)
        first = blended(inputs.affines, inputs.shares, side)
        parts, places, visible, found = self.motion(inputs, source_parts, first)
        visibility = torch.sigmoid(visible)
        full = F.interpolate(places, scale_factor=2, mode="bilinear", align_corners=False)
        warped = sample(inputs.sources, full, side)
        carried, features = self.carried(inputs.sources, warped, features, places, visibility)
        outlined = self.outlined(parts, found)
        images, mask_logits = self.generator(carried, visibility, parts, outlined, inputs.guides, features)
        return PoseOutput(images, mask_logits, source_parts, outlined, places, visible, warped)

    def outlined(self, parts: Tensor, found: Tensor) -> Tensor:
        """The part maps that give the person's outline: those at half the size.

        Args:
            parts: logits ``(N, 15, S / 2, S / 2)``.
            found: features that they were made of, ``(N, 32, S / 2, S / 2)``.
        """
        return parts

    def carried(
        self, sources: Tensor, warped: Tensor, features: list[Tensor], places: Tensor, visibility: Tensor
    ) -> tuple[Tensor, list[Tensor]]:
        """The image and the features of the source as the generator gets them: warped.

        Args:
            warped: the image at ``places``.
            places: where places are in the source, at half its size.
        """
        side = sources.shape[3]
        return warped, [sample(each, places, side) * _resized(visibility, each) for each in features]


class PoseTransferByConcatenation(PoseTransfer):
    """The paper's ablation: the same layers without warping blocks.

    The generator gets the source's image and features where they are in the source, beside the target's pose.
    """

    def carried(
        self, sources: Tensor, warped: Tensor, features: list[Tensor], places: Tensor, visibility: Tensor
    ) -> tuple[Tensor, list[Tensor]]:
        return sources, features


class PoseTransferFineParts(PoseTransfer):
    """Part maps at the size of the image, by a sub-pixel convolution (Shi et al. 2016) that is added to the others.

    Weights of :class:`PoseTransfer` can be loaded, and compute the same until the convolution has learned.
    """

    def __init__(self) -> None:
        super().__init__()
        self.fine = nn.Conv2d(_MOTION_CHANNELS[0], 4 * LABELS, 3, 1, 1)
        nn.init.zeros_(self.fine.weight)
        nn.init.zeros_(self.fine.bias)  # type: ignore[arg-type]

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> Any:
        untrained = {f"fine.{name}": torch.zeros_like(each) for name, each in self.fine.named_parameters()}
        return super().load_state_dict({**untrained, **state_dict}, strict, assign)

    def outlined(self, parts: Tensor, found: Tensor) -> Tensor:
        coarse = F.interpolate(parts, scale_factor=2, mode="bilinear", align_corners=False)
        return coarse + F.pixel_shuffle(self.fine(found), 2)


def blended(affines: Tensor, shares: Tensor, side: int) -> Tensor:
    """Places in the source, in pixels, by affine maps that parts have a share in.

    Args:
        affines: ``(N, 14, 2, 3)``.
        shares: ``(N, 14, h, w)``, which sum to 1.
        side: of the images whose pixels the maps are in.

    Returns:
        ``(N, 2, h, w)``.
    """
    size = shares.shape[3]
    steps = (torch.arange(size, device=shares.device) + 0.5) * (side / size) - 0.5
    maps = torch.einsum("npij,nphw->nijhw", affines, shares)
    return maps[:, :, 0] * steps + maps[:, :, 1] * steps[:, None] + maps[:, :, 2]


def sample(images: Tensor, places: Tensor, side: int) -> Tensor:
    """Images ``(N, C, h, w)`` at places ``(N, 2, H, W)`` in pixels of an image of that side: ``(N, C, H, W)``.

    The places' size is brought to that of the images where it differs.
    """
    if places.shape[2:] != images.shape[2:]:
        places = _resized(places, images)
    grid = (places.permute(0, 2, 3, 1) + 0.5) * (2 / side) - 1
    return F.grid_sample(images, grid, padding_mode="border", align_corners=False)


class _SourceEncoder(nn.Module):
    """Features at half the size, a quarter and an eighth; and what parts the source shows."""

    def __init__(self) -> None:
        super().__init__()
        first, second, third, _ = _CHANNELS
        self.stem = leaky_conv(4 * _RGB + _GUIDES, first)
        self.down = nn.ModuleList((leaky_conv(first, second, 2), leaky_conv(second, third, 2)))
        self.refine = nn.ModuleList((_Residual(first), _Residual(second), _Residual(third)))
        self.lateral = nn.ModuleList(nn.Conv2d(each, first, 1) for each in (first, second, third))
        self.parts = nn.Sequential(leaky_conv(first, first), nn.Conv2d(first, LABELS, 1))

    def forward(self, sources: Tensor, guides: Tensor) -> tuple[list[Tensor], Tensor]:
        x = self.stem(torch.cat([F.pixel_unshuffle(sources, 2), guides], 1))
        features = [self.refine[0](x)]
        for down, refine in zip(self.down, list(self.refine)[1:], strict=True):
            features.append(refine(down(features[-1])))
        mixed = sum(
            _resized(lateral(each), features[0]) for lateral, each in zip(self.lateral, features, strict=True)
        )
        return features, self.parts(mixed)


class _Motion(nn.Module):
    """Whose each place of the target is, where it is in the source, and whether it is seen there; and its features."""

    def __init__(self) -> None:
        super().__init__()
        first, *others = _MOTION_CHANNELS
        self.stem = leaky_conv(_GUIDES + _RGB + LABELS, first)
        self.down = nn.ModuleList()
        inputs = first
        for channels in others:
            self.down.append(nn.Sequential(leaky_conv(inputs, channels, 2), _Residual(channels)))
            inputs = channels
        self.up = nn.ModuleList()
        for channels in reversed(_MOTION_CHANNELS[:-1]):
            self.up.append(leaky_conv(inputs + channels, channels))
            inputs = channels
        self.last = nn.Conv2d(first, LABELS + 2 + 1, 3, 1, 1)
        nn.init.normal_(self.last.weight, std=0.01)
        nn.init.zeros_(self.last.bias)  # type: ignore[arg-type]

    def forward(
        self, inputs: PoseInput, source_parts: Tensor, first: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        side, size = inputs.sources.shape[3], inputs.guides.shape[3]
        known = torch.cat([F.avg_pool2d(inputs.sources, side // size), torch.softmax(source_parts, 1)], 1)
        x = self.stem(torch.cat([inputs.guides, sample(known, first, side)], 1))
        skips = [x]
        for down in self.down:
            skips.append(down(skips[-1]))
        x = skips.pop()
        for up in self.up:
            x = up(torch.cat([F.interpolate(x, scale_factor=2, mode="nearest"), skips.pop()], 1))
        parts, offset, visible = self.last(x).split([LABELS, 2, 1], 1)
        # Before a label is certain, distances to the limbs say the rest.
        shares = torch.softmax(parts[:, 1:] + torch.log(inputs.shares + 1e-4), 1)
        places = blended(inputs.affines, shares, side) + _FARTHEST * side * torch.tanh(offset)
        return parts, places, visible, x


class _Generator(nn.Module):
    """A U-Net on pixels unshuffled by 2, to whose features those of the source are added."""

    def __init__(self) -> None:
        super().__init__()
        first, second, third, fourth = _CHANNELS
        self.stem = leaky_conv(4 * _RGB + 1 + LABELS + len(PARTS), first)
        self.blocks = nn.ModuleList(nn.Conv2d(each, each, 1) for each in (first, second, third))
        self.down = nn.ModuleList(
            (leaky_conv(first, second, 2), leaky_conv(second, third, 2), leaky_conv(third, fourth, 2))
        )
        self.trunk = nn.Sequential(*(_Residual(fourth) for _ in range(_BLOCKS)))
        self.up = nn.ModuleList(
            (
                leaky_conv(fourth + third, third),
                leaky_conv(third + second, second),
                leaky_conv(second + first, first),
            )
        )
        self.last = nn.Conv2d(first, 4 * (_RGB + 2), 3, 1, 1)
        nn.init.normal_(self.last.weight, std=0.02)
        nn.init.zeros_(self.last.bias)  # type: ignore[arg-type]

    def forward(
        self,
        warped: Tensor,
        visibility: Tensor,
        parts: Tensor,
        outlined: Tensor,
        guides: Tensor,
        features: list[Tensor],
    ) -> tuple[Tensor, Tensor]:
        visibility_full = _resized(visibility, warped)
        inputs = [F.pixel_unshuffle(warped * visibility_full, 2), visibility, torch.softmax(parts, 1)]
        x = self.stem(torch.cat([*inputs, guides[:, : len(PARTS)]], 1))
        skips = []
        for block, feature, down in zip(self.blocks, features, self.down, strict=True):
            x = x + block(feature)
            skips.append(x)
            x = down(x)
        x = self.trunk(x)
        for up in self.up:
            x = up(torch.cat([F.interpolate(x, scale_factor=2, mode="nearest"), skips.pop()], 1))
        generated, mask, copied = F.pixel_shuffle(self.last(x), 2).split([_RGB, 1, 1], 1)
        # Prints and faces are copied where they are visible, the rest is generated.
        share = visibility_full * torch.sigmoid(copied)
        images = torch.lerp(torch.tanh(generated), warped, share)
        person = torch.logsumexp(outlined[:, 1:], 1, keepdim=True) - outlined[:, :1]
        return images, mask + _resized(person, warped)


class PoseDiscriminator(SpectralDiscriminator):
    """Images and their guides → scores ``(N, 1, S / 16, S / 16)``.

    Takes ``(N, 12 + 28, S / 2, S / 2)`` of :func:`discriminated`.

    Args:
        base_channels: of the first stage.
    """

    def __init__(self, base_channels: int) -> None:
        super().__init__(4 * _RGB + _GUIDES, base_channels)


def discriminated(images: Tensor, guides: Tensor) -> Tensor:
    """The input of :class:`PoseDiscriminator`."""
    return torch.cat([F.pixel_unshuffle(images, 2), guides], 1)


class _Residual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first, self.second = leaky_conv(channels, channels), nn.Conv2d(channels, channels, 3, 1, 1)
        nn.init.kaiming_normal_(self.second.weight, a=SLOPE)
        with torch.no_grad():
            self.second.weight.mul_(0.3)
        nn.init.zeros_(self.second.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(self.first(x))


def _resized(x: Tensor, like: Tensor) -> Tensor:
    if x.shape[2:] == like.shape[2:]:
        return x
    if x.shape[3] > like.shape[3]:
        return F.avg_pool2d(x, x.shape[3] // like.shape[3])
    return F.interpolate(x, scale_factor=like.shape[3] // x.shape[3], mode="bilinear", align_corners=False)
