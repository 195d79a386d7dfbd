"""The ranges and the channel order of a foreign graph's images, found by probing it with photos.

Every convention that people use is tried. Of the right one, what comes out is like what went in: in its
brightness and colors seen from afar, and in its detail. Two conventions whose images agree to 40 dB are one.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vidgan.errors import ModelError
from vidgan.importer.likeness import Image, likeness

_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_CAFFE_MEAN = (123.68, 116.779, 103.939)

SAME_DB = 40.0
"""Images that agree so well come from conventions that need not be told apart."""

_NO_IMAGE = -1.6
"""Score from which on nothing of the input can be recognized."""

_FAITHFUL_LOW = 0.025
_FAITHFUL_DETAIL = 0.5
"""A graph that gives its input back, from afar to within 6 levels, is an upscaler or a restorer."""

_FAITHFUL_MARGIN = 0.06
_FREE_MARGIN = 0.6
"""Scores nearer to the best than this are not told apart. A style has colors of its own."""

_MOST_ASKED = 8

_BORDER = 8
"""Pixels of a photo on each side that are not compared."""

_PLAUSIBLE_MARGIN = 0.8
"""Conventions that score less by this than the nearest that is asked for are dropped early: a score changes by up to
half of that between sizes of a photo."""


class Range(NamedTuple):
    """Values of an image: ``(level − mean) / std``, levels from 0 to 1, in the order R, G, B."""

    mean: tuple[float, float, float]
    std: tuple[float, float, float]


def _even(mean: float, std: float) -> Range:
    return Range((mean,) * 3, (std,) * 3)


RANGES: dict[str, Range] = {
    "0..1": _even(0, 1),
    "0..255": _even(0, 1 / 255),
    "-1..1": _even(0.5, 0.5),
    "imagenet": Range(_MEAN, _STD),
    "caffe": Range(tuple(each / 255 for each in _CAFFE_MEAN), (1 / 255,) * 3),  # type: ignore[arg-type]
}
"""By name. ``imagenet`` and ``caffe`` are those that classifiers of these names take."""

ORDERS = "rgb", "bgr"

_PAIRS: tuple[set[tuple[str, str]], ...] = (
    {("0..1", "0..1"), ("0..255", "0..255"), ("-1..1", "-1..1")},
    {("0..255", "0..1"), ("-1..1", "0..1"), ("0..1", "0..255"), ("0..1", "-1..1")},
    {("imagenet", "0..1"), ("imagenet", "imagenet"), ("caffe", "0..255"), ("caffe", "caffe"),
     ("imagenet", "-1..1"), ("-1..1", "0..255"), ("0..255", "-1..1"), ("imagenet", "0..255"), ("caffe", "0..1")},
)  # fmt: skip
"""Ranges in and out that go together, the commonest first."""


class Convention(NamedTuple):
    """How a graph wants its images, and how it gives them."""

    range_in: str
    range_out: str
    order_in: str
    order_out: str

    @property
    def prior(self) -> float:
        """Penalty of the score for rare conventions."""
        rank = next(
            (rank for rank, pairs in enumerate(_PAIRS) if (self.range_in, self.range_out) in pairs), 3
        )
        mixed = 0.3 if self.order_in != self.order_out else 0.0
        swapped = 0.005 if self.order_in == "bgr" else 0.0
        return (0.0, 0.01, 0.03, 0.4)[rank] + mixed + swapped

    def __str__(self) -> str:
        def half(span: str, order: str) -> str:
            return f"{order.upper()} {span}"

        return f"{half(self.range_in, self.order_in)} in, {half(self.range_out, self.order_out)} out"


def _floats(values: Sequence[float]) -> NDArray[np.float32]:
    return np.asarray(values, np.float32)


def encoded(image: Image, span: str, order: str) -> Image:
    """An image in the values of a range."""
    mean, std = RANGES[span]
    count = image.shape[2]
    values = (image - _floats(mean[:count])) / _floats(std[:count])
    return np.ascontiguousarray(values[..., ::-1] if order == "bgr" else values, np.float32)


def encoded_levels(pixels: NDArray[np.uint8] | Image, span: str, order: str) -> Image:
    """As :func:`encoded`, of levels 0 to 255 and with no rounding on the way."""
    mean, std = (255 * np.asarray(each[: pixels.shape[2]]) for each in RANGES[span])
    values = (pixels.astype(np.float32) - mean.astype(np.float32)) / std.astype(np.float32)
    return np.ascontiguousarray(values[..., ::-1] if order == "bgr" else values, np.float32)


def decoded(values: Image, span: str, order: str) -> Image:
    """The reverse of :func:`encoded`; levels below 0 and above 1 stay."""
    mean, std = RANGES[span]
    count = values.shape[2]
    values = values[..., ::-1] if order == "bgr" else values
    return np.asarray(values * _floats(std[:count]) + _floats(mean[:count]), np.float32)


@dataclass(frozen=True, slots=True)
class Hints:
    """The known parts of a convention; None for a part that has to be found."""

    range_in: str | None = None
    range_out: str | None = None
    order_in: str | None = None
    order_out: str | None = None

    def candidates(self, channels: int, *, integers_in: bool, integers_out: bool) -> list[Convention]:
        """Conventions that agree with it."""
        spans = list(RANGES) if channels > 1 else ["0..1", "0..255", "-1..1"]
        orders = list(ORDERS) if channels > 1 else ["rgb"]
        return [
            Convention(*each)
            for each in itertools.product(
                [self.range_in] if self.range_in else ["0..255"] if integers_in else spans,
                [self.range_out] if self.range_out else ["0..255"] if integers_out else spans,
                [self.order_in] if self.order_in and channels > 1 else orders,
                [self.order_out] if self.order_out and channels > 1 else orders,
            )
        ]


_PIXEL_FORMATS = {"Rgb8": "rgb", "Rgba8": "rgb", "Bgr8": "bgr", "Bgra8": "bgr", "Gray8": "rgb"}
_PIXEL_RANGES = {
    "NominalRange_0_255": "0..255",
    "Normalized_0_1": "0..1",
    "Normalized_1_1": "-1..1",
    "NormalizedRange_0_1": "0..1",
    "NormalizedRange_1_1": "-1..1",
}


def hints_of(metadata: Mapping[str, str], given: Hints) -> Hints:
    """The user's hints, and where there is none, ONNX's own metadata of images."""
    order = _PIXEL_FORMATS.get(metadata.get("Image.BitmapPixelFormat", ""))
    span = _PIXEL_RANGES.get(metadata.get("Image.NominalPixelRange", ""))
    return Hints(
        given.range_in or span,
        given.range_out or span,
        given.order_in or order,
        given.order_out or order,
    )


@dataclass(frozen=True)
class Trial:
    """The photos after the graph, in one convention.

    Attributes:
        convention: the one that was tried.
        images: the interior of each photo, clipped to 0 to 1.
        score: likeness to the photos, at most 3.
        errors: mean squared error of each part of the photos.
        faithful: whether the graph gives its input back.
    """

    convention: Convention
    images: list[Image] = field(repr=False)
    score: float
    errors: NDArray[np.float64] = field(repr=False)
    faithful: bool


class Photo(NamedTuple):
    """One probe: what the graph is given, and what it should come near to."""

    given: Image
    expected: Image


def find_convention(
    run: Callable[[Image], Image],
    photos: Sequence[Photo],
    candidates: Sequence[Convention],
    scale: int,
    *,
    previews: Sequence[Photo] = (),
    noisy: Sequence[Photo] = (),
) -> list[Trial]:
    """The conventions that may be right, the likeliest first; a single one where that is clear.

    Args:
        run: the graph, on values of its own.
        photos: what it is tried on.
        candidates: conventions to try.
        scale: sides of what it returns per side of what it takes.
        previews: smaller photos, by which candidates that are far off are dropped in a fraction of the time.
        noisy: photos with noise, for graphs of scale 1. In a range that is not its own, a restorer may do nothing,
            which is closer to a clean photo than what it does in the right one; of noise, it leaves more.

    Raises:
        ModelError: none of them makes an image of what comes out.
    """
    if previews:
        candidates = [each.convention for each in _plausible(_trials(run, previews, candidates, scale))]
    trials = _plausible(_trials(run, photos, candidates, scale))
    if not trials or trials[0].score < _NO_IMAGE:
        raise ModelError("no convention tried makes an image of it")
    near = _undecided(_distinct(trials))
    if not noisy or not near[0].faithful:
        return near
    idle = _agreement_db(near[0].images, [interior(each.given, scale) for each in photos]) >= SAME_DB
    denoised = _trials(run, noisy, [each.convention for each in trials], scale)
    denoised = [replace(each, faithful=True) for each in denoised]
    return _denoisers(near, denoised, idle=idle)


def _denoisers(near: list[Trial], denoised: list[Trial], *, idle: bool) -> list[Trial]:
    """Those near the best where that does something and removes most noise, else all, by what they leave of noise.

    Args:
        near: the best on clean photos, and what is not told apart from it.
        denoised: noisy photos after the graph, in all conventions that come into question.
        idle: whether the best gives clean photos back as they are.
    """
    own = next((each for each in denoised if each.convention == near[0].convention), None)
    others = [each for each in denoised if own and agreement_db(own, each) < SAME_DB]
    if own is None or not others or not (idle or any(_clearly_better(each, own) for each in others)):
        return near
    return sorted(_distinct(denoised), key=lambda each: float(each.errors.mean()))[:_MOST_ASKED]


def _plausible(trials: Sequence[Trial]) -> list[Trial]:
    """Those that come near the best, which is the first."""
    ordered = sorted(trials, key=lambda each: -each.score)
    if not ordered:
        return []
    least = ordered[0].score - _margin(ordered[0]) - _PLAUSIBLE_MARGIN
    return [each for each in ordered if each.score > least]


def _margin(best: Trial) -> float:
    return _FAITHFUL_MARGIN if best.faithful else _FREE_MARGIN


def _trials(
    run: Callable[[Image], Image], photos: Sequence[Photo], candidates: Sequence[Convention], scale: int
) -> list[Trial]:
    results: dict[tuple[str, str], list[Image]] = {}
    trials = []
    for convention in candidates:
        key = convention.range_in, convention.order_in
        if key not in results:
            results[key] = [run(encoded(photo.given, *key)) for photo in photos]
        images = [decoded(each, convention.range_out, convention.order_out) for each in results[key]]
        if all(np.isfinite(each).all() for each in images):
            images = [interior(each, scale) for each in images]
            trials.append(
                _judged(convention, images, [interior(each.expected, scale) for each in photos], scale)
            )
    return trials


def interior(image: Image, scale: int) -> Image:
    """Without the border, where zeros that convolutions pad with favor ranges that have 0 for gray."""
    cut = min(_BORDER * scale, *(side // 8 for side in image.shape[:2]))
    return image[cut : image.shape[0] - cut, cut : image.shape[1] - cut]


def _judged(convention: Convention, images: list[Image], expected: list[Image], scale: int) -> Trial:
    measures = [likeness(image, photo, scale) for image, photo in zip(images, expected, strict=True)]
    clipped = [image.clip(0, 1) for image in images]
    return Trial(
        convention,
        clipped,
        float(np.mean([each.score for each in measures])) - convention.prior,
        np.concatenate([_block_errors(*pair) for pair in zip(clipped, expected, strict=True)]),
        all(each.low < _FAITHFUL_LOW and each.detail > _FAITHFUL_DETAIL for each in measures),
    )


def _block_errors(image: Image, photo: Image, side: int = 32) -> NDArray[np.float64]:
    errors = ((image - photo) ** 2).mean(2, dtype=np.float64)
    rows, columns = (max(1, each // side) for each in errors.shape)
    height, width = errors.shape[0] // rows, errors.shape[1] // columns
    blocks = errors[: rows * height, : columns * width].reshape(rows, height, columns, width)
    return np.asarray(blocks.mean((1, 3)).ravel())


def _distinct(trials: list[Trial]) -> list[Trial]:
    """One of each group whose images agree: the one with the commonest convention."""
    groups: list[list[Trial]] = []
    for trial in trials:
        group = next((each for each in groups if agreement_db(each[0], trial) >= SAME_DB), None)
        if group is None:
            groups.append([trial])
        else:
            group.append(trial)
    return [min(group, key=_rank) for group in groups]


def _rank(trial: Trial) -> tuple[float, float, int]:
    """Order among conventions that agree: the commonest, then the nearer one, then by the order of ranges."""
    convention = trial.convention
    return convention.prior, -round(trial.score, 3), list(RANGES).index(convention.range_in)


def agreement_db(one: Trial, other: Trial) -> float:
    """PSNR between what two conventions make of the photos."""
    return _agreement_db(one.images, other.images)


def _agreement_db(some: Sequence[Image], others: Sequence[Image]) -> float:
    errors = [float(((a - b) ** 2).mean()) for a, b in zip(some, others, strict=True)]
    return float(-10 * np.log10(np.mean(errors) + 1e-12))


def _undecided(trials: list[Trial]) -> list[Trial]:
    best = trials[0]
    near = [each for each in trials if each.score > best.score - _margin(best)]
    if best.faithful:
        near = [best, *(each for each in near[1:] if not _clearly_better(best, each))]
    return near[:_MOST_ASKED]


def _clearly_better(one: Trial, other: Trial) -> bool:
    """Whether a faithful graph is the more faithful with ``one``, over all parts of the photos.

    A commoner convention has to be better at all, a rarer one beyond doubt.
    """
    ratios = np.log((other.errors + 1e-7) / (one.errors + 1e-7))
    mean = float(ratios.mean())
    error = float(ratios.std() / np.sqrt(ratios.size)) + 1e-9
    needed = 0.5 if one.convention.prior < other.convention.prior else 5.0
    return mean > 0 and mean / error > needed
