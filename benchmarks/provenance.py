"""Robustness and cost of the pixel mark, cost of signing, and whether changes are noticed.

::

    python -m benchmarks.provenance mark CLIP...           bits right, PSNR, time, warping error
    python -m benchmarks.provenance share CLIP             share of whole jobs' time that the mark takes
    python -m benchmarks.provenance alarms FOLDER...       false alarms in videos without a mark
    python -m benchmarks.provenance sign CLIP              time to sign, in each format, and changed bytes
"""

from __future__ import annotations

import random
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import click
import cv2
import numpy as np

import vidgan
from vidgan.errors import CredentialsError
from vidgan.media.image import YuvImage
from vidgan.media.yuv import Plane
from vidgan.provenance.credentials import Credentials, read_manifest
from vidgan.provenance.manifest import Facts, MarkFacts, ModelFacts, SourceType, StepFacts
from vidgan.provenance.mark_reading import MarkReading, bit_scores, detect
from vidgan.provenance.pixel_mark import PSNR, PixelMark
from vidgan.provenance.sidecar import place_sidecar, sidecar_of
from vidgan.provenance.signing_identity import own_anchors, own_identity
from vidgan.sources import open_source
from vidgan.temporal.flicker import warping_error

_KIND, _ID = "style", 0x1D872B41
_MARK = PixelMark(_KIND, _ID)
_FRAMES = 24
_READ_EVERY = 2
_KINDS = ("mp4", "mov", "m4v", "avi", "gif", "webp", "png", "jpg", "mkv", "webm")
_ENCODERS = {
    "avi": ("mpeg4", "yuv420p"),
    "gif": ("gif", "rgb8"),
    "webp": ("libwebp_anim", "yuv420p"),
    "png": ("png", "rgb24"),
    "jpg": ("mjpeg", "yuvj420p"),
    "webm": ("libvpx-vp9", "yuv420p"),
}
_FLIPS = 20
_MANIFEST, _MANIFEST_BYTES, _AROUND = b"jumdc2pa", 6000, 64
"""Its first words, and how long it is at most. In it, a kilobyte of zeros is left for a time stamp and not signed."""

_Path = click.Path(exists=True, path_type=Path)


@click.group()
def cli() -> None:
    """Figures for docs/provenance.md."""
    cv2.setNumThreads(1)


@cli.command()
@click.argument("clips", nargs=-1, required=True, type=_Path)
@click.option("--height", "heights", type=int, multiple=True, default=(720, 360), show_default=True)
@click.option("--style", help="Paint each clip in this style, smoothed, and mark the result.")
@click.option("--frames", default=_FRAMES, show_default=True)
@click.option("--psnr", default=PSNR, show_default=True, help="Of a marked frame, in dB.")
def mark(
    clips: tuple[Path, ...], heights: tuple[int, ...], style: str | None, frames: int, psnr: float
) -> None:
    """Shares of the 64 bits read right after encoding, and what the mark costs.

    Read from every second frame; "one" is the frame in the middle, alone. Cropped by a tenth on each side, and turned
    by 1.5 % (0.86°), both after crf 23: what the search finds.
    """
    heads = "clip, PSNR dB, ms, E_warp, crf 23, crf 28, half, one, 28 one, cropped, turned"
    click.echo(f"| {' | '.join(heads.split(', '))} |\n|{'---|' * 11}")
    pixel_mark = PixelMark(_KIND, _ID, psnr=psnr)
    for clip in clips:
        for height in heights:
            with tempfile.TemporaryDirectory() as folder:
                source = _images(clip, height, frames)
                if style is None:
                    _row(f"{clip.stem} {height}p", pixel_mark, source, source)
                else:
                    stylized = _stylized(source, style, Path(folder))
                    _row(f"{clip.stem} {height}p {style}", pixel_mark, stylized, source)


def _row(name: str, pixel_mark: PixelMark, images: Sequence[YuvImage], source: Sequence[YuvImage]) -> None:
    milliseconds, marked = _marked(images, pixel_mark)
    coded, worse, half = _encoded(marked, 23), _encoded(marked, 28), _encoded(marked, 23, halve=True)
    middle = len(coded) // 2
    some = coded[::_READ_EVERY]
    cells = [
        f"{_psnr(images, marked):.1f}",
        f"{milliseconds:.1f}",
        f"{100 * (_warping(marked, source) / _warping(images, source) - 1):+.1f} %",
        *(f"{_right(each):.3f}" for each in (some, worse[::_READ_EVERY], half[::_READ_EVERY])),
        *(f"{_right(each[middle : middle + 1]):.3f}" for each in (coded, worse)),
        _said(detect([_cropped(each) for each in some])),
        _said(detect([_turned(each, 0.86) for each in some])),
    ]
    click.echo(f"| {' | '.join([name, *cells])} |")


def _marked(images: Sequence[YuvImage], pixel_mark: PixelMark = _MARK) -> tuple[float, list[YuvImage]]:
    """CPU milliseconds for each image, and the images with the mark."""
    started = time.process_time()
    marked = [replace(each, luma=pixel_mark.embed(each.luma)) for each in images]
    return (time.process_time() - started) / len(images) * 1000, marked


def _images(path: Path, height: int, count: int) -> list[YuvImage]:
    with open_source(path, size=str(height), yuv=True) as source:
        return [frame.image.yuv() for frame in islice(source, count)]


def _stylized(images: Sequence[YuvImage], style: str, folder: Path) -> list[YuvImage]:
    plain, stylized = folder / "plain.mkv", folder / "stylized.mkv"
    _write(images, plain, 12)
    vidgan.stylize(plain, stylized, style=style, encoder_options={"crf": "12"})
    return _images(stylized, images[0].size[1], len(images))


def _encoded(images: Sequence[YuvImage], crf: int, *, halve: bool = False) -> list[Plane]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "coded.mkv"
        _write(images, path, crf, halve=halve)
        with open_source(path, yuv=True) as source:
            return [frame.image.yuv().luma for frame in source]


def _write(images: Sequence[YuvImage], path: Path, crf: int, *, halve: bool = False) -> None:
    """With x264's default preset."""
    width, height = (each // 4 * 2 if halve else each for each in images[0].size)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(25), options={"crf": str(crf)})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for image in images:
            container.mux(stream.encode(_video_frame(image).reformat(width=width, height=height)))
        container.mux(stream.encode(None))


def _video_frame(image: YuvImage) -> av.VideoFrame:
    frame = av.VideoFrame(*image.size, "yuv420p")
    planes = image.to_yuv420(full_range=False, bt709=image.size[1] >= 720, chroma_location="left")
    for plane, values in zip(frame.planes, planes, strict=True):
        rows, columns = values.shape
        np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[:rows, :columns] = values
    return frame


def _psnr(images: Sequence[YuvImage], marked: Sequence[YuvImage]) -> float:
    errors = [np.square(a.luma.astype(float) - b.luma).mean() for a, b in zip(images, marked, strict=True)]
    return float(10 * np.log10(255**2 / np.mean(errors)))


def _warping(images: Sequence[YuvImage], source: Sequence[YuvImage]) -> float:
    count = len(images) - 1
    pairs = (
        (images[i].pixels, images[i + 1].pixels, source[i].pixels, source[i + 1].pixels) for i in range(count)
    )
    return float(np.mean([warping_error(*each) for each in pairs]))


def _right(lumas: Sequence[Plane]) -> float:
    return float((np.sign(bit_scores(lumas)) == _MARK.payload.signs()).mean())


def _cropped(luma: Plane) -> Plane:
    height, width = luma.shape
    return luma[height // 10 : height - height // 10, width // 10 : width - width // 10]


def _turned(luma: Plane, degrees: float) -> Plane:
    height, width = luma.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    return np.asarray(cv2.warpAffine(luma, matrix, (width, height)), np.uint8)


def _said(found: MarkReading | None) -> str:
    if found is None:
        return "not found"
    read = "read" if found.id == _MARK.payload.id else "found"
    return f"{read}, odds {found.odds:.0e}"


@cli.command()
@click.argument("clip", type=_Path)
@click.option("--height", default=720, show_default=True, help="Of the outputs.")
@click.option("--frames", default=_FRAMES, show_default=True)
def share(clip: Path, height: int, frames: int) -> None:
    """CPU time of the mark beside that of jobs that write files of that height, start of the job included."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        whole, half = folder / "whole.mkv", folder / "half.mkv"
        images = _images(clip, height, frames)
        _write(images, whole, 12)
        _write(images, half, 12, halve=True)
        milliseconds, _ = _marked(images)
        jobs: dict[str, Callable[[Path], object]] = {
            "stylize": lambda output: vidgan.stylize(whole, output, style="starry", mark="on"),
            "upscale": lambda output: vidgan.upscale(half, output, scale=2, mark="on"),
            "deidentify": lambda output: vidgan.deidentify(whole, output, pixelate=True),
        }
        click.echo("| job | ms | mark ms | share |\n|---|---|---|---|")
        for task, run in jobs.items():
            started = time.process_time()
            run(folder / f"{task}.mp4")
            spent = (time.process_time() - started) / len(images) * 1000
            click.echo(f"| {task} | {spent:.0f} | {milliseconds:.1f} | {milliseconds / spent:.1%} |")


@cli.command()
@click.argument("folders", nargs=-1, required=True, type=_Path)
@click.option("--every", default=5, show_default=True, help="Frames; each of these is looked at alone, too.")
@click.option("--search/--no-search", default=True, show_default=True)
def alarms(folders: tuple[Path, ...], every: int, search: bool) -> None:
    """False alarms in videos and images without a mark, and the mark's score in them, which is 1 by chance."""
    counts = {"files": 0, "frames": 0, "alarms": 0}
    scores: list[float] = []
    for path in sorted(each for folder in folders for each in folder.iterdir() if each.suffix != ".md"):
        with open_source(path, yuv=True) as source:
            lumas = [frame.over_black().image.yuv().luma for frame in islice(source, 0, None, every)]
        readings = [detect(lumas[:12], search=search), *(detect([each], search=False) for each in lumas)]
        counts["files"] += 1
        counts["frames"] += len(lumas)
        counts["alarms"] += sum(each is not None for each in readings)
        scores += [float(np.square(bit_scores(each)).mean()) for each in (lumas, *([one] for one in lumas))]
    counted = ", ".join(f"{value} {name}" for name, value in counts.items())
    click.echo(f"{counted}; score {np.mean(scores):.2f} on average, {max(scores):.2f} at most")


@cli.command()
@click.argument("clip", type=_Path)
@click.option("--style", default="starry", show_default=True)
def sign(clip: Path, style: str) -> None:
    """Time to sign, validity and changed bytes in each format; and the share of a run that signing is."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        credentials = Credentials(_facts(clip), own_identity())
        click.echo(
            "| format | MB | ms to sign | kB added | valid | changes noticed |\n|---|---|---|---|---|---|"
        )
        for kind in _KINDS:
            _sign_row(credentials, clip, folder / f"signed.{kind}")
        started = time.perf_counter()
        vidgan.stylize(clip, folder / "stylized.mp4", style=style)
        run = time.perf_counter() - started
        started = time.perf_counter()
        signing = Credentials(_facts(clip), own_identity())
        signing.sign(folder / "stylized.mp4", folder / "stylized.mp4")
        spent = time.perf_counter() - started
        click.echo(f"\na run of {run:.2f} s, signed in {1000 * spent:.0f} ms: {100 * spent / run:.2f} %")


def _facts(clip: Path) -> Facts:
    model = ModelFacts(name="starry", sha256="0" * 64, license="CC-BY-4.0", precision="int8")
    return Facts(
        description="Repainted in the style of a painting",
        source_type=SourceType.COMPOSITE,
        steps=[StepFacts(task="style", settings={"strength": 1.0}, models=[model])],
        input=clip,
        mark=MarkFacts(kind="style", id=_MARK.payload.id),
    )


def _sign_row(credentials: Credentials, clip: Path, path: Path) -> None:
    _transcode(clip, path)
    size = path.stat().st_size
    started = time.perf_counter()
    sidecar = credentials.sign(path, path)
    spent = time.perf_counter() - started
    place_sidecar(sidecar, path)
    added = path.stat().st_size - size + (sidecar_of(path).stat().st_size if sidecar else 0)
    noticed = sum(_notices_change(path, seed) for seed in range(_FLIPS))
    cells = [path.suffix[1:], f"{size / 1e6:.2f}", f"{1000 * spent:.0f}", f"{added / 1e3:.1f}", _state(path)]
    click.echo(f"| {' | '.join(cells)} | {noticed} of {_FLIPS} |")


def _transcode(clip: Path, path: Path) -> None:
    encoder, pixel_format = _ENCODERS.get(path.suffix[1:], ("libx264", "yuv420p"))
    still = path.suffix in (".png", ".jpg")
    with open_source(clip, size="360") as source, av.open(str(path), "w") as container:
        stream = container.add_stream(encoder, rate=Fraction(25))
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = source.info.width, source.info.height, pixel_format
        for index, frame in enumerate(islice(source, 1 if still else 50)):
            image = av.VideoFrame.from_ndarray(frame.pixels, "rgb24").reformat(format=pixel_format)
            image.pts, image.time_base = index, Fraction(1, 25)
            container.mux(stream.encode(image))
        container.mux(stream.encode(None))


def _state(path: Path) -> str:
    found = read_manifest(path, own_anchors())
    return "none" if found is None else str(found[0]["validation_state"])


def _notices_change(path: Path, seed: int) -> bool:
    """Whether one changed byte, anywhere outside of the manifest itself, is noticed."""
    changed = bytearray(path.read_bytes())
    begin = changed.find(_MANIFEST)
    inside = range(begin - _AROUND, begin + _AROUND + _MANIFEST_BYTES) if begin >= 0 else range(0)
    places = [place for place in range(len(changed)) if place not in inside]
    changed[random.Random(seed).choice(places)] ^= 0xFF
    copy = path.with_name(f"changed{path.suffix}")
    copy.write_bytes(changed)
    if sidecar_of(path).exists():
        shutil.copy(sidecar_of(path), sidecar_of(copy))
    try:
        return _state(copy) == "Invalid"
    except CredentialsError:
        return True


if __name__ == "__main__":
    cli()
