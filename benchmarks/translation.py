"""What videos from label maps and colors for gray videos are worth: how they flicker, what is seen in them.

``python -m benchmarks.translation drive``: label maps of a drive that nobody was trained on, run frame
by frame and by a model that remembers; ``colors``: chroma of gray videos, smoothed and frame by frame;
``steady``: videos repainted by translators that were trained without pairs;
``strip``: side by side; ``edges``: labels that compression made wrong.
"""

import json
import tempfile
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import Any

import av
import click
import cv2
import numpy as np
from numpy.typing import NDArray

from training.data.labels import Classes, read_labels
from training.data.pairs import matched
from training.evaluation.segmentation import Confusion
from vidgan import Session, colorize, load_model, open_source, segment, stylize, translate
from vidgan.media.label_map import Palette
from vidgan.tasks.colorize.lab import lightness_of
from vidgan.temporal.flicker import measure_flicker

_FPS = 15
_LOSSLESS: Any = {"encoder": "libx264rgb", "encoder_options": {"qp": "0", "preset": "veryfast"}}
_STILL = 15

_File = click.Path(exists=True, dir_okay=False, path_type=Path)
_Folder = click.Path(exists=True, file_okay=False, path_type=Path)
_models = click.option("-m", "--model", "models", multiple=True, required=True, help="Repeatable.")
_json = click.option(
    "--json", "report", type=click.Path(dir_okay=False, path_type=Path), help="Also as JSON."
)


@click.group()
def cli() -> None:
    """Measure and show what translators make of videos."""


@cli.command()
@_models
@click.option("--labels", type=_Folder, required=True, help="Label maps of a drive, in the order of names.")
@click.option("--photos", type=_Folder, required=True, help="Their photos.")
@click.option("--first", type=int, default=71, show_default=True, help="Number of the first frame.")
@click.option(
    "--segmenter", "segmenter_name", default="camvid-segment", show_default=True, help="A model of segment."
)
@click.option("--size", default="256x192", show_default=True)
@click.option("--sheet", type=click.Path(dir_okay=False, path_type=Path), help="Draw some frames.")
@_json
def drive(
    models: tuple[str, ...], labels: Path, photos: Path, first: int, segmenter_name: str, size: str,
    sheet: Path | None, report: Path | None,
) -> None:  # fmt: skip
    """Warping error and FCN-score of videos of label maps, beside the true one."""
    width, height = (int(side) for side in size.split("x"))
    segmenter = load_model(segmenter_name, "segment", device="cpu")
    palette = Palette.of(segmenter.spec.classes)
    classes = Classes(*zip(*segmenter.spec.classes, strict=True))
    pairs = matched(labels, photos)[first:]
    target = [cv2.resize(read_labels(path, classes).numpy(), (width, height), interpolation=cv2.INTER_NEAREST)
             for path, _ in pairs]  # fmt: skip
    with tempfile.TemporaryDirectory() as place:
        drawn, true = Path(place) / "labels.mkv", Path(place) / "target.mkv"
        _write(drawn, (palette.draw(each) for each in target))
        _write(true, (_photo(path, (width, height)) for _, path in pairs))
        videos = {"photos": true}
        for model in models:
            videos[model] = Path(place) / f"{len(videos)}.mkv"
            translate(drawn, videos[model], model=model, **_LOSSLESS)
        still = Path(place) / "still.mkv"
        _write(still, [palette.draw(target[0])] * _STILL)
        rows = {}
        click.echo("| | E_warp | still | per pixel | per class | class IoU |\n|---|---|---|---|---|---|")
        for name, video in videos.items():
            scores = _fcn(video, segmenter, palette, target)
            boiling = 0.0 if video == true else _boiling(still, video.with_name("boiling.mkv"), name)
            rows[name] = {
                "warping_error": measure_flicker(video, true).warping_error,
                "still": boiling,
            } | scores
            click.echo(
                f"| {name} | " + " | ".join(f"{value:.5f}"[:7] for value in rows[name].values()) + " |"
            )
        if sheet is not None:
            _draw(sheet, [drawn, *videos.values()], 5)
    _report(report, rows)


@cli.command()
@click.argument("videos", nargs=-1, type=_File, required=True)
@click.option("-m", "--model", default="colorize", show_default=True)
@click.option("--frames", type=int, default=60, show_default=True)
@click.option("--size", default="360", show_default=True)
@_json
def colors(videos: tuple[Path, ...], model: str, frames: int, size: str, report: Path | None) -> None:
    """Warping error of the colors of videos, what became of lightness, and mean chroma relative to the video's."""
    from vidgan import Trim

    session = load_model(model, "colorize", device="cpu")
    rows = {}
    click.echo(
        "| | frame by frame | smoothed | ratio | lightness error | chroma |\n|---|---|---|---|---|---|"
    )
    for video in videos:
        with tempfile.TemporaryDirectory() as place:
            errors = {}
            wrong, saturation = 0, 0.0
            for smooth in ("off", "flow"):
                made = Path(place) / f"{smooth}.mkv"
                trim = Trim(frames=frames)
                colorize(video, made, model=session, smooth=smooth, size=size, trim=trim, **_LOSSLESS)
                _write(Path(place) / "source.mkv", _frames(video, size=size, frames=frames))
                errors[smooth] = measure_flicker(made, Path(place) / "source.mkv", chroma=True).warping_error
                pairs = list(zip(_frames(made), _frames(video, size=size, frames=frames), strict=True))
                wrong = max(wrong, *(_lightness_error(*pair) for pair in pairs))
                saturation = _chroma(made for made, _ in pairs) / _chroma(true for _, true in pairs)
        ratio = errors["flow"] / errors["off"]
        rows[video.name] = errors | {"ratio": ratio, "lightness_error": wrong, "chroma": saturation}
        click.echo(
            f"| {video.name} | {errors['off']:.6f} | {errors['flow']:.6f} | {ratio:.2f} | {wrong} | {saturation:.2f} |"
        )
    _report(report, rows)


@cli.command()
@click.argument("videos", nargs=-1, type=_File, required=True)
@click.option("-m", "--model", required=True)
@click.option("--baseline", required=True, help="The same, trained without the steady term.")
@click.option("--frames", type=int, default=30, show_default=True)
@click.option("--size", default="640x360", show_default=True)
@_json
def steady(
    videos: tuple[Path, ...], model: str, baseline: str, frames: int, size: str, report: Path | None
) -> None:
    """Warping error of videos repainted by a translator, beside one that nobody asked to hold still."""
    ways: dict[str, tuple[str, Any]] = {
        "baseline": (baseline, "off"), "frame by frame": (model, "off"), "smoothed": (model, "flow"),
    }  # fmt: skip
    rows: dict[str, dict[str, float]] = {}
    click.echo(f"| | {' | '.join(ways)} |\n|{'---|' * (len(ways) + 1)}")
    for video in videos:
        with tempfile.TemporaryDirectory() as place:
            source = Path(place) / "source.mkv"
            _write(source, _frames(video, size=size, frames=frames))
            made = Path(place) / "made.mkv"
            rows[video.name] = {}
            for way, (each, smooth) in ways.items():
                translate(source, made, model=each, smooth=smooth, overwrite=True, **_LOSSLESS)
                rows[video.name][way] = measure_flicker(made, source).warping_error
        click.echo(f"| {video.name} | {_thousandths(rows[video.name])} |")
    rows["mean"] = {way: fmean(row[way] for row in rows.values()) for way in ways}
    click.echo(f"| mean | {_thousandths(rows['mean'])} |")
    _report(report, rows)


@cli.command()
@click.argument("video", type=_File)
@_models
@click.option("--style", "styles", multiple=True, help="A style beside them; repeatable.")
@click.option("--size", help="Scale first, as translate does.")
@click.option("--at", multiple=True, type=float, default=(0.0, 2.0, 4.0), show_default=True, help="Seconds.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True)
def strip(
    video: Path,
    models: tuple[str, ...],
    styles: tuple[str, ...],
    size: str | None,
    at: tuple[float, ...],
    output: Path,
) -> None:
    """A video, and what translators and styles make of it, side by side: a moment a row."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        made = [folder / f"{number}.mkv" for number in range(len(models) + len(styles))]
        for model, path in zip(models, made, strict=False):
            translate(video, path, model=model, size=size, **_LOSSLESS)
        for style, path in zip(styles, made[len(models) :], strict=True):
            stylize(video, path, style=style, size=size, **_LOSSLESS)
        columns = [list(_frames(video, size=size)), *(list(_frames(each)) for each in made)]
    with open_source(video) as source:
        rate = float(source.info.frame_rate or _FPS)
    rows = [
        np.hstack([column[min(round(rate * each), len(column) - 1)] for column in columns]) for each in at
    ]
    _save(output, np.vstack(rows))


@cli.command()
@click.argument("video", type=_File)
@click.option("-m", "--model", default="camvid", show_default=True, help="Whose colors they are.")
@click.option("--crf", "qualities", multiple=True, type=int, default=(18, 23, 30), show_default=True)
@click.option("--frames", type=int, default=30, show_default=True)
def edges(video: Path, model: str, qualities: tuple[int, ...], frames: int) -> None:
    """Labels that H.264 with halved color makes wrong, by nearest colors and with neighbors."""
    palette = Palette.of(load_model(model, "translate", device="cpu").spec.classes)
    colors = np.array(palette.colors, np.int32)
    true = list(_frames(video, frames=frames))
    click.echo("| crf | nearest color | with its neighbors |\n|---|---|---|")
    for quality in qualities:
        with tempfile.TemporaryDirectory() as place:
            lossy = Path(place) / "lossy.mp4"
            _write(lossy, true, "libx264", {"crf": str(quality)}, "yuv420p")
            wrong = np.zeros(2)
            for seen, drawn in zip(_frames(lossy), true, strict=True):
                labels = palette.labels(drawn)
                nearest = np.square(seen[..., None, :] - colors).sum(3).argmin(2)
                wrong += (nearest != labels).mean(), (palette.labels(seen) != labels).mean()
        click.echo(f"| {quality} | {wrong[0] / len(true):.2%} | {wrong[1] / len(true):.2%} |")


def _frames(path: Path, *, size: str | None = None, frames: int | None = None) -> Iterator[NDArray[np.uint8]]:
    with open_source(path, size=size) as source:
        for number, frame in enumerate(source):
            if number == frames:
                return
            yield frame.pixels


def _write(
    path: Path,
    images: Iterable[NDArray[np.uint8]],
    encoder: str = _LOSSLESS["encoder"],
    options: dict[str, str] = _LOSSLESS["encoder_options"],
    pixels: str = "rgb24",
) -> None:
    """Without loss, if nothing else is said."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(encoder, rate=_FPS, options=options)
        assert isinstance(stream, av.VideoStream)
        for number, image in enumerate(images):
            if number == 0:
                stream.width, stream.height, stream.pix_fmt = image.shape[1], image.shape[0], pixels
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, _FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _photo(path: Path, size: tuple[int, int]) -> NDArray[np.uint8]:
    pixels = cv2.resize(cv2.imread(str(path)), size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), np.uint8)


def _fcn(
    video: Path, segmenter: Session, palette: Palette, target: list[NDArray[np.uint8]]
) -> dict[str, float]:
    import torch

    found = video.with_name(f"{video.stem}-labels.mkv")
    segment(video, found, model=segmenter)
    counted = [index for index, (name, _) in enumerate(segmenter.spec.classes) if name != "void"]
    table = Confusion(len(segmenter.spec.classes), counted)
    for wanted, image in zip(target, _frames(found), strict=True):
        table.add(torch.from_numpy(wanted), torch.from_numpy(palette.labels(image)))
    scores = table.scores()
    return {"pixels": scores.pixels, "classes": scores.classes, "iou": scores.iou}


def _boiling(still: Path, video: Path, model: str) -> float:
    """Mean squared change between frames, in [0, 1], where nothing changes in the label maps."""
    translate(still, video, model=model, overwrite=True, **_LOSSLESS)
    frames = [each.astype(np.float32) / 255 for each in _frames(video)]
    return float(np.mean([np.square(b - a).mean() for a, b in pairwise(frames)]))


def _thousandths(errors: dict[str, float]) -> str:
    """And what part of the first each is."""
    first = next(iter(errors.values()))
    return " | ".join(f"{1e3 * error:.2f}e-3 ({error / first:.2f})" for error in errors.values())


def _lightness_error(made: NDArray[np.uint8], source: NDArray[np.uint8]) -> int:
    return int(np.abs(lightness_of(made).astype(int) - lightness_of(source)).max())


def _chroma(images: Iterable[NDArray[np.uint8]]) -> float:
    """Mean distance from gray in the plane of a and b."""
    planes = (cv2.cvtColor(each, cv2.COLOR_RGB2Lab)[..., 1:].astype(np.float32) - 128 for each in images)
    return fmean(float(np.linalg.norm(each, axis=2).mean()) for each in planes)


def _draw(path: Path, videos: list[Path], count: int) -> None:
    """A video a row, some of its frames beside each other."""
    rows = []
    for video in videos:
        frames = list(_frames(video))
        rows.append(np.hstack(frames[:: max(1, len(frames) // count)][:count]))
    _save(path, np.vstack(rows))


def _save(path: Path, pixels: NDArray[np.uint8]) -> None:
    cv2.imwrite(str(path), cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 88])


def _report(path: Path | None, rows: object) -> None:
    if path is not None:
        path.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    cli()
