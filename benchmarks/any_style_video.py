"""Styles of paintings on video, beside the bundled styles: how soon, how fast, how steady, and whether a grid shows.

The figures of :mod:`benchmarks.any_style` that need no other tool and no loss networks.
"""

import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean, median
from typing import Any

from benchmarks.flicker import CLIPS, CUTS, hard_cuts, remembered, slow_pan, still_photo, trimmed
from benchmarks.spectrum import Peak, check_model, painter_of
from export.named_styles import predict
from vidgan import stylize
from vidgan.jobs.speed import Speed, first_frame_seconds, make_clip, measure_speed, work_of
from vidgan.media.optical_flow import estimate_flow
from vidgan.models.registry import UNIVERSAL, bundled_models, find_model
from vidgan.models.store import FOLDER_VARIABLE
from vidgan.models.universal.folding import keep_style
from vidgan.temporal.flicker import measure_flicker

BUNDLED_STYLE = "starry"
"""Speed and memory are compared with this one; all bundled styles are one graph."""

BOUNDS = {"first_frame": 30.0, "speed": 0.97, "memory": 1.05, "warping_error": 1.15}
_SIZE = "640x360"
_ROUNDS = 3
_FIRST_FRAMES = 30
_INTEGERS = "int8", "int8-yuv420"

Styles = Mapping[str, Path]
"""Folders of kept styles, by the names of their paintings."""


def kept_styles(folder: Path, paintings: Sequence[Path], out: Path) -> dict[str, Path]:
    """The styles of paintings, made as ``--style IMAGE`` makes them.

    Args:
        folder: of the universal style model.
        out: gets a folder for each.
    """
    made = {}
    for path in paintings:
        facts = {"name": path.stem, "title": f"Style of {path.name}"}
        shutil.rmtree(out / path.stem, ignore_errors=True)
        made[path.stem] = keep_style(folder, predict(folder, path), facts, out / path.stem)
    return made


def time_first_frame(folder: Path, painting: Path) -> dict[str, float]:
    """Seconds from a command's start to its first stylized frame, of a new painting and of one that is kept."""
    with tempfile.TemporaryDirectory(prefix="vidgan-any-style-") as name:
        shutil.copytree(folder, Path(name) / "models" / UNIVERSAL)
        # Another data folder, in which no style is kept yet.
        own = {"XDG_DATA_HOME": name, FOLDER_VARIABLE: str(Path(name) / "models")}
        clip = make_clip(None, Path(name) / "clip.mp4", size=_SIZE, frames=_FIRST_FRAMES)
        work = work_of(str(painting))
        return {
            state: first_frame_seconds(clip, work, environment=os.environ | own) for state in ("new", "kept")
        }


def compare_speed(style: Path, frames: int, *, rounds: int = _ROUNDS) -> dict[str, dict[str, float]]:
    """Speed and memory of a kept style and of a bundled one, in turn; medians of the rounds.

    Returns:
        Frames per second without start-up, CPU milliseconds a frame and megabytes, by ``"painting"``, ``"bundled"``,
        and their ratio.
    """
    works = {"painting": work_of(str(style / "int8.onnx")), "bundled": work_of(BUNDLED_STYLE)}
    runs: dict[str, list[Speed]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            runs[name].append(
                measure_speed(None, work, size=_SIZE, frames=frames, options=["--reuse", "off"])
            )
    figures = {
        name: {
            "fps": median(each.fps_frames_only for each in speeds),
            "cpu_ms": median(each.cpu_ms for each in speeds),
            "peak_mb": median(each.peak_mb or 0.0 for each in speeds),
        }
        for name, speeds in runs.items()
    }
    ratio = {
        key: value / figures["bundled"][key] if figures["bundled"][key] else 1.0
        for key, value in figures["painting"].items()
    }
    return {**figures, "ratio": ratio}


def compare_steadiness(
    styles: Styles, clips: Path, names: Sequence[str] = CLIPS, *, frames: int
) -> dict[str, Any]:
    """Warping errors of smoothed video, mean over the clips, over those of the bundled styles."""
    errors: dict[str, list[float]] = {}
    models = {name: str(folder / "int8.onnx") for name, folder in styles.items()}
    with tempfile.TemporaryDirectory(prefix="vidgan-any-style-") as place:
        for clip in names:
            source = trimmed(clips / clip, Path(place) / clip, frames)
            estimate = remembered(estimate_flow)
            for name, style in (models | {each: each for each in bundled_models("style")}).items():
                path = source.with_name("stylized.mp4")
                stylize(source, path, style=style, reuse="off", device="cpu", overwrite=True)
                measured = measure_flicker(path, source, estimate=estimate)
                errors.setdefault(name, []).append(measured.warping_error)
    means = {name: fmean(each) for name, each in errors.items()}
    bundled = fmean(means[name] for name in bundled_models("style"))
    ratios = {name: means[name] / bundled for name in styles}
    return {"errors": means, "bundled": bundled, "ratios": ratios, "ratio": fmean(ratios.values())}


def find_grids(styles: Styles) -> dict[str, Peak]:
    """The most visible peak of each style's int8 models, see :mod:`benchmarks.spectrum`."""
    worst: dict[str, Peak] = {}
    for name, folder in styles.items():
        for variant in _INTEGERS:
            for peak in check_model(painter_of(folder / f"{variant}.onnx")).values():
                before = worst.get(name, peak)
                worst[name] = max(before, peak, key=lambda each: (each.visible, each.amplitude))
    return worst


def measure_filter(style: Path, clips: Path) -> dict[str, Any]:
    """Cuts, a still photo and a slow pan, as in the steadiness table, of a kept style."""
    model = str(find_model(str(style / "int8.onnx"), precision="int8").file.path)
    return {
        "still": still_photo(model),
        "pan": slow_pan(model),
        "cuts": {clip: hard_cuts(clips / clip, expected, model) for clip, expected in CUTS.items()},
    }


def video_lines(figures: Mapping[str, Any]) -> list[str]:
    """The figures in words, each with its bound."""
    first, speed, steady = figures["first_frame"], figures["speed"]["ratio"], figures["steadiness"]
    grids: Mapping[str, Peak] = figures["grids"]
    seen = sum(peak.visible for peak in grids.values())
    strongest = max(peak.amplitude for peak in grids.values())
    filtered = figures["filter"]
    missed = sum(len(each["missed"]) + len(each["false"]) for each in filtered["cuts"].values())
    return [
        f"first frame: {first['new']:.1f} s for a new painting, {first['kept']:.1f} s for one that is kept"
        + _held(first["new"] <= BOUNDS["first_frame"], "at most", BOUNDS["first_frame"]),
        f"speed: {speed['fps']:.3f} of {BUNDLED_STYLE}'s frames per second, {speed['cpu_ms']:.3f} of its CPU time"
        + _held(speed["fps"] >= BOUNDS["speed"], "at least", BOUNDS["speed"]),
        f"memory: {speed['peak_mb']:.3f} of {BUNDLED_STYLE}'s"
        + _held(speed["peak_mb"] <= BOUNDS["memory"], "at most", BOUNDS["memory"]),
        f"warping error, smoothed: {steady['ratio']:.3f} of the bundled styles', "
        f"{min(steady['ratios'].values()):.2f} to {max(steady['ratios'].values()):.2f}"
        + _held(steady["ratio"] <= BOUNDS["warping_error"], "at most", BOUNDS["warping_error"]),
        f"grids: visible in {seen} of {len(grids)} styles, the strongest has {strongest:.2f} gray levels"
        + _held(seen == 0, "at most", 0),
        f"cuts: {missed} missed or false; still photo: {filtered['still']['ratio']:.2f} of its deviation frame by "
        f"frame; pan: drift of {filtered['pan']['frame 300']['drift_pixels']:.2f} pixels after 300 frames",
    ]


def _held(is_held: bool, word: str, bound: float) -> str:
    return f" ({word} {bound:g}: {'yes' if is_held else 'NO'})"
