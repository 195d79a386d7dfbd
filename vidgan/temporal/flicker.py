"""Flicker: how much a video changes where its source merely moves; and what stability cost.

The warping error of Lai et al. 2018 ("Learning Blind Video Temporal Consistency", ECCV), as their
code computes it: the flow between two frames of the *source* brings each output frame back onto the
one before; where the flow can be trusted the squared difference of the values in [0, 1] is averaged,
then over the pairs. They took FlowNet2 for the flow; here it is DIS (:mod:`vidgan.media.optical_flow`), so figures
compare with each other and only roughly with the paper's.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import zip_longest
from pathlib import Path
from statistics import fmean
from typing import Any

import cv2
import numpy as np

from vidgan.errors import InputError
from vidgan.media.frame import Frame
from vidgan.media.image import Pixels
from vidgan.media.optical_flow import Flow, estimate_flow, fetch, untrustworthy
from vidgan.sources import open_source

_MAX_DISTORTION = 0.05
"""Difference of two aspect ratios that rounding to even sides explains."""

_MIDDLE = 128
"""Mid lightness, of 0 to 255."""


@dataclass(frozen=True, kw_only=True)
class Flicker:
    """Result of :func:`measure_flicker`.

    Attributes:
        warping_errors: of each pair of frames, in time order; an image that stands still has 0.
        sharpness: gradient energy over that of the frame-by-frame result, 1 if none was given.
        fidelity_db: PSNR to the frame-by-frame result; None if none was given or they are equal.
    """

    warping_errors: list[float]
    sharpness: float | None
    fidelity_db: float | None

    @property
    def warping_error(self) -> float:
        """Mean over the pairs."""
        return fmean(self.warping_errors)

    def as_dict(self) -> dict[str, Any]:
        return {"warping_error": self.warping_error, **asdict(self)}


def measure_flicker(
    output: Path,
    source: Path,
    *,
    frame_by_frame: Path | None = None,
    chroma: bool = False,
    estimate: Callable[[Pixels, Pixels], Flow] = estimate_flow,
    on_start: Callable[[int | None], None] | None = None,
    on_frame: Callable[[int], None] | None = None,
) -> Flicker:
    """Compares a video with its source, frame by frame.

    Videos whose frames differ in number or shape are refused before any motion is estimated.

    Args:
        output: the result; its frames are those of the source, one for one.
        source: what it was made of; scaled to the size of the output.
        frame_by_frame: the same result without smoothing, to say what smoothing cost.
        chroma: look at the colors of the result alone, all as light as a middle gray.
        estimate: finds the flow from one image to another, RGB ``(H, W, 3)`` uint8.
        on_start: called once with the number of frames, where that is known.
        on_frame: called with the number of frames compared so far.

    Raises:
        InputError: one of them cannot be read, or their frames are not the same in number and shape.
    """
    for other in (source, frame_by_frame):
        if other is not None:
            _check_alike(output, other)
    with open_source(output) as processed:
        if on_start is not None:
            on_start(processed.info.frame_count)
        size = f"{processed.info.width}x{processed.info.height}"
        with open_source(source, size=size) as original:
            channels_of = _chroma_alone if chroma else _as_it_is
            pairs = ((a, channels_of(b)) for a, b in _paired(original, processed, source, output))
            errors = list(_warping_errors(_counted(pairs, on_frame), estimate))
    if not errors:
        raise InputError(f"{output}: has a single frame; flicker is between frames")
    if frame_by_frame is None:
        return Flicker(warping_errors=errors, sharpness=None, fidelity_db=None)
    with open_source(output) as processed, open_source(frame_by_frame, size=size) as plain:
        rows = [
            (gradient_energy(a), gradient_energy(b), _square_error(a, b))
            for a, b in (map(channels_of, pair) for pair in _paired(processed, plain, output, frame_by_frame))
        ]
    ours, theirs, error = (fmean(column) for column in zip(*rows, strict=True))
    return Flicker(
        warping_errors=errors,
        sharpness=ours / theirs if theirs else 1.0,
        fidelity_db=-10 * float(np.log10(error)) if error else None,
    )


def warping_error(
    before: Pixels,
    after: Pixels,
    source_before: Pixels,
    source_after: Pixels,
    estimate: Callable[[Pixels, Pixels], Flow] = estimate_flow,
) -> float:
    """The error of one pair of output frames, given their source frames; RGB ``(H, W, 3)`` uint8."""
    flow, back = estimate(source_before, source_after), estimate(source_after, source_before)
    trusted = ~untrustworthy(flow, back)
    if not trusted.any():
        return 0.0
    difference = fetch(after, flow).astype(np.float32)[trusted] - before[trusted]
    return float(np.square(difference / 255).mean())


def gradient_energy(image: Pixels) -> float:
    """Mean square of the differences of neighboring pixels, values in [0, 1]."""
    values = image.astype(np.float32) / 255
    return float(np.square(np.diff(values, axis=0)).mean() + np.square(np.diff(values, axis=1)).mean())


def plot_flicker(curves: dict[str, Flicker], image: Path) -> None:
    """Draws the error of each pair of frames over time, one curve a name, as PNG, SVG or PDF.

    Raises:
        ImportError: matplotlib is not installed.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(9, 4))
    for name, flicker in curves.items():
        label = f"{name}: {1000 * flicker.warping_error:.2f}e-3"
        axes.plot(range(1, len(flicker.warping_errors) + 1), flicker.warping_errors, label=label, linewidth=1)
    axes.set(xlabel="frame", ylabel="warping error", ylim=(0, None))
    axes.legend()
    figure.tight_layout()
    figure.savefig(image, dpi=120)
    plt.close(figure)


def _check_alike(output: Path, source: Path) -> None:
    """Refuses videos whose frames differ in number or shape, without decoding where the files say both.

    Raises:
        InputError: they do.
    """
    with open_source(output) as processed, open_source(source) as original:
        output_info, input_info = processed.info, original.info
        expected = input_info.width * output_info.height
        if abs(output_info.width * input_info.height - expected) > _MAX_DISTORTION * expected:
            raise InputError(
                f"{output}: has frames of {output_info.width}x{output_info.height}, {source} has "
                f"{input_info.width}x{input_info.height}, which is another shape; not of the same video"
            )
        if output_info.frame_count is not None and output_info.frame_count == input_info.frame_count:
            return
        # Some files say their number of frames only roughly.
        counts = [sum(1 for _ in each.times()) for each in (processed, original)]
    if counts[0] != counts[1]:
        shorter = output if counts[0] < counts[1] else source
        raise InputError(
            f"{shorter}: ends after {min(counts)} frames, the other has {max(counts)}; not of the same video"
        )


def _counted(
    pairs: Iterable[tuple[Pixels, Pixels]], on_frame: Callable[[int], None] | None
) -> Iterator[tuple[Pixels, Pixels]]:
    for count, pair in enumerate(pairs, 1):
        yield pair
        if on_frame is not None:
            on_frame(count)


def _warping_errors(
    pairs: Iterable[tuple[Pixels, Pixels]], estimate: Callable[[Pixels, Pixels], Flow]
) -> Iterator[float]:
    before: tuple[Pixels, Pixels] | None = None
    for source, output in pairs:
        if before is not None:
            yield warping_error(before[1], output, before[0], source, estimate)
        before = source, output


def _paired(
    first: Iterable[Frame], second: Iterable[Frame], first_path: Path, second_path: Path
) -> Iterator[tuple[Pixels, Pixels]]:
    for count, (a, b) in enumerate(zip_longest(first, second)):
        if a is None or b is None:
            shorter = first_path if a is None else second_path
            raise InputError(f"{shorter}: ends after {count} frames, the other goes on; not of the same clip")
        yield a.pixels, b.pixels


def _as_it_is(pixels: Pixels) -> Pixels:
    return pixels


def _chroma_alone(pixels: Pixels) -> Pixels:
    lab = cv2.cvtColor(pixels, cv2.COLOR_RGB2Lab)
    lab[:, :, 0] = _MIDDLE
    return np.asarray(cv2.cvtColor(lab, cv2.COLOR_Lab2RGB), np.uint8)


def _square_error(a: Pixels, b: Pixels) -> float:
    return float(cv2.norm(a, b, cv2.NORM_L2SQR)) / (a.size * 255**2)
