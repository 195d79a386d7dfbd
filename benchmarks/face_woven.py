"""Figures of woven passcodes: what comes back from faces that were changed by a code, through H.264 too."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
import click
import cv2
import numpy as np
import torch
from av.video.stream import VideoStream
from torch import Tensor

from benchmarks.face_evaluators import Bytes, Detector, Floats, People, Recognizer
from benchmarks.face_figures import recognized
from training.evaluation.lpips import Lpips
from training.faces.dataset import aligned_inputs
from training.networks.exportable import ExportableNetwork
from training.networks.woven import drawn_codes
from training.recipes.runs import load_network, read_run
from vidgan.media.face_alignment import FRAME, FRAME_FROM
from vidgan.media.face_guides import MASK, Shape

RATE_FACTORS = 18, 23, 28
"""crf of x264."""
_AT_ONCE = 16
_PLACE = slice(FRAME_FROM, FRAME_FROM + FRAME)
_GOALS: dict[str, dict[int | None, str]] = {
    "TAR at FAR 1e-3": {None: "≥ 0.90", 18: "≥ 0.75", 23: "≥ 0.5"},
    "TAR at FAR 1e-3, a wrong code": {None: "≤ 0.05", 18: "≤ 0.05", 23: "≤ 0.05", 28: "≤ 0.05"},
    "YuNet finds a face, a wrong code": {None: "≥ 0.95"},
    "PSNR, dB": {None: "≥ 26"},
    "LPIPS": {None: "≤ 0.10"},
}


@dataclass(frozen=True)
class _Shown:
    """Images ``(N, 144, 144, 3)`` uint8 RGB.

    Attributes:
        changed: by a code, as a video holds them.
        recovered: with the same code.
        wrong: with another one.
    """

    changed: Bytes
    recovered: Bytes
    wrong: Bytes


class Weaver:
    """The trained network of a run on aligned images."""

    def __init__(self, run: Path) -> None:
        self.network: ExportableNetwork = load_network(read_run(run))

    def shown(self, people: People, factor: int | None) -> _Shown:
        """What is seen of people, of each by a code of its own.

        Args:
            factor: crf of the video that is between the directions, an intra frame each; None for none.
        """
        count = len(people.images)
        codes, wrong = (drawn_codes(count, torch.Generator().manual_seed(seed)) for seed in (1, 2))
        masks = np.stack([_mask(*each) for each in zip(people.images, people.points, strict=True)])
        changed = self._applied(people.images, masks, codes)
        stored = changed if factor is None else np.stack(list(_coded(changed, factor)))
        return _Shown(stored, self._applied(stored, masks, -codes), self._applied(stored, masks, wrong))

    @torch.no_grad()
    def _applied(self, images: Bytes, masks: Bytes, codes: Tensor) -> Bytes:
        result = images.copy()
        for start in range(0, len(images), _AT_ONCE):
            some = slice(start, start + _AT_ONCE)
            before = images[some, _PLACE, _PLACE]
            faces = torch.from_numpy(before).permute(0, 3, 1, 2).float() / 127.5 - 1
            made = (self.network(faces, codes[some]).permute(0, 2, 3, 1).numpy() + 1) * 127.5
            share = masks[some, :, :, np.newaxis].astype(np.float32) / 255
            mixed = before + share * (made - before)
            result[some, _PLACE, _PLACE] = np.rint(mixed.clip(0, 255)).astype(np.uint8)
        return result


def _mask(image: Bytes, points: Floats) -> Bytes:
    _, guides = aligned_inputs(image, points, Shape.of(np.zeros(Shape.COUNT, np.float32), 0.0), FRAME)
    return guides[..., MASK]


def _coded(images: Bytes, factor: int) -> Iterator[Bytes]:
    """Images after H.264, 4:2:0, an intra frame each."""
    buffer = BytesIO()
    with av.open(buffer, "w", "matroska") as output:
        stream = output.add_stream("libx264", Fraction(25))
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = images.shape[2], images.shape[1], "yuv420p"
        stream.options = {"crf": str(factor), "g": "1"}
        for image in images:
            output.mux(stream.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
        output.mux(stream.encode())
    buffer.seek(0)
    with av.open(buffer, "r") as video:
        for frame in video.decode(video=0):
            yield np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)


def table_of_woven(run: Path, people: People, weights: Path) -> str:
    """Markdown: a row a figure, a column a codec."""
    weaver, recognizer, detector = Weaver(run), Recognizer(weights), Detector(weights)
    lpips = Lpips(weights / "squeezenet1_1_lpips.safetensors")
    original = recognizer(people.images)
    columns: dict[int | None, dict[str, float]] = {}
    for factor in (None, *RATE_FACTORS):
        seen = weaver.shown(people, factor)
        tars = {
            name: recognized(original, recognizer(images), people.names).other[1]
            for name, images in (
                ("", seen.recovered),
                (", changed", seen.changed),
                (", a wrong code", seen.wrong),
            )
        }
        columns[factor] = {f"TAR at FAR 1e-3{name}": value for name, value in tars.items()} | {
            "YuNet finds a face, changed": float(detector(seen.changed).mean()),
            "YuNet finds a face, a wrong code": float(detector(seen.wrong).mean()),
            "PSNR, dB": _psnr(people.images, seen.recovered),
            "LPIPS": _distance(lpips, people.images, seen.recovered),
        }
        click.echo(f"{_named(factor)}: {columns[factor]}", err=True)
    lines = ["| | " + " | ".join(_named(each) for each in columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for name in columns[None]:
        cells = [
            f"{column[name]:.3f}" + (f" ({goal})" if (goal := _GOALS.get(name, {}).get(factor)) else "")
            for factor, column in columns.items()
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _named(factor: int | None) -> str:
    return "no codec" if factor is None else f"crf {factor}"


def _psnr(before: Bytes, after: Bytes) -> float:
    part = (slice(None), _PLACE, _PLACE)
    errors = np.square(before[part].astype(np.float32) - after[part]).mean((1, 2, 3))
    return float(np.mean(10 * np.log10(255**2 / np.maximum(errors, 1e-3))))


@torch.no_grad()
def _distance(lpips: Lpips, before: Bytes, after: Bytes) -> float:
    found = []
    for start in range(0, len(before), _AT_ONCE):
        one, other = (
            torch.from_numpy(np.ascontiguousarray(each[start : start + _AT_ONCE, _PLACE, _PLACE]))
            .permute(0, 3, 1, 2)
            .float()
            / 255
            for each in (before, after)
        )
        found.append(lpips.between(lpips.features(one), lpips.features(other)))
    return float(torch.cat(found).mean())


def write_sheet(run: Path, people: People, target: Path, factors: Sequence[int | None]) -> None:
    """Rows of faces: as they were, and, by each codec, changed, brought back, and with a wrong code."""
    weaver, rows = Weaver(run), [people.images]
    for factor in factors:
        seen = weaver.shown(people, factor)
        rows += [seen.changed, seen.recovered, seen.wrong]
    sheet = np.concatenate([np.concatenate(list(row[:, _PLACE, _PLACE]), 1) for row in rows])
    cv2.imwrite(str(target), sheet[..., ::-1])
