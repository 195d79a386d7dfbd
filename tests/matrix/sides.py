"""One side of a case: an input or an output, decoded and demuxed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from av.codec import CodecContext
from av.stream import Disposition
from numpy.typing import NDArray

from tests.support.clips import COEFFICIENTS, reference_rgb
from tests.support.images import read_pixels
from tests.support.timestamps import seconds
from vidgan.media.ffmpeg import ColorMatrix
from vidgan.media.image import Pixels

from .media import FULL, UNTAGGED

COEFFICIENTS[ColorMatrix.BT2020_NCL] = (0.2627, 0.0593)


@dataclass(frozen=True, kw_only=True)
class Track:
    """A stream beside the video.

    Attributes:
        packets: their times in seconds, and their bytes.
    """

    kind: str
    codec: str
    tags: dict[str, str]
    disposition: Disposition
    packets: list[tuple[Fraction, bytes]]


@dataclass(frozen=True, kw_only=True)
class Side:
    """The contents of a file or folder.

    Attributes:
        images: of the frames: upright, RGB uint8.
        alphas: as many, or none.
        start: seconds at which players begin to count.
        color: primaries, transfer and matrix; and whether it is of full range.
    """

    images: list[Pixels]
    alphas: list[Pixels] = field(default_factory=list)
    times: list[Fraction] = field(default_factory=list)
    start: Fraction = Fraction()
    rate: Fraction | None = None
    codec: str = ""
    pixel_format: str = ""
    aspect: Fraction = Fraction(1)
    rotation: int = 0
    color: tuple[int, int, int, bool] = (*UNTAGGED, False)
    tracks: list[Track] = field(default_factory=list)
    chapters: list[tuple[Fraction, Fraction, str]] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def size(self) -> tuple[int, int]:
        height, width = self.images[0].shape[:2]
        return width, height


def decode(path: Path, *, matrix: int = ColorMatrix.UNSPECIFIED) -> Side:
    """Decodes a video, an image or a folder of images.

    Args:
        matrix: of a video without a tag.
    """
    if path.is_dir():
        names = sorted(path.iterdir(), key=lambda each: int(each.stem))
        return Side(images=[_image(each)[0] for each in names])
    if path.suffix in (".png", ".jpg", ".bmp", ".tiff"):
        pixels, alpha = _image(path)
        return Side(images=[pixels], alphas=[] if alpha is None else [alpha])
    if path.suffix == ".webp":
        return _animated_webp(path)
    return _video(path, matrix)


def _image(path: Path) -> tuple[Pixels, Pixels | None]:
    stored = read_pixels(path, cv2.IMREAD_UNCHANGED)
    alpha = np.asarray(stored[..., 3], np.uint8) if stored.ndim == 3 and stored.shape[2] == 4 else None
    return np.asarray(cv2.imread(str(path), cv2.IMREAD_COLOR_RGB), np.uint8), alpha


def _animated_webp(path: Path) -> Side:
    """By OpenCV, since FFmpeg does not read animated WebP."""
    _, animation = cv2.imreadanimation(str(path))
    ends = np.cumsum(animation.durations).tolist()
    return Side(
        images=[np.ascontiguousarray(each[..., 2::-1]) for each in animation.frames],
        alphas=_unless_opaque([each[..., 3] for each in animation.frames]),
        times=[Fraction(each, 1000) for each in [0, *ends[:-1]]],
        codec="webp",
    )


def _video(path: Path, matrix: int) -> Side:
    with av.open(str(path)) as container:
        video = next(
            each for each in container.streams.video if not each.disposition & Disposition.attached_pic
        )
        frames = _decoded(container, video)
        first = frames[0]
        return Side(
            images=[
                np.ascontiguousarray(np.rot90(_rgb(each, matrix), each.rotation // 90)) for each in frames
            ],
            alphas=_alphas(frames),
            times=[each.pts * (video.time_base or Fraction(1)) for each in frames if each.pts is not None],
            start=Fraction(container.start_time or 0, av.time_base),
            rate=video.average_rate,
            codec=video.codec_context.name,
            pixel_format=first.format.name,
            aspect=video.sample_aspect_ratio or Fraction(1),
            rotation=first.rotation,
            color=_color(first),
            tracks=_tracks(path, container, video),
            chapters=_chapters(container),
            tags=dict(container.metadata),
        )


def _color(frame: av.VideoFrame) -> tuple[int, int, int, bool]:
    full_range = frame.color_range == FULL
    return int(frame.color_primaries), int(frame.color_trc), int(frame.colorspace), full_range


def _decoded(container: av.container.InputContainer, video: av.VideoStream) -> list[av.VideoFrame]:
    if video.metadata.get("alpha_mode", video.metadata.get("ALPHA_MODE")) != "1":
        return list(container.decode(video))
    decoder = CodecContext.create("libvpx-vp9" if video.codec_context.name == "vp9" else "libvpx", "r")
    return [frame for packet in container.demux(video) for frame in decoder.decode(packet)]


def _chapters(container: av.container.InputContainer) -> list[tuple[Fraction, Fraction, str]]:
    """Start and end in seconds, and the title."""
    return [
        (
            seconds(each["start"], each["time_base"]),
            seconds(each["end"], each["time_base"]),
            each["metadata"]["title"],
        )
        for each in container.chapters()
    ]


def _tracks(path: Path, container: av.container.InputContainer, video: av.VideoStream) -> list[Track]:
    """The other streams; in mp4 the titles of chapters are a data stream, which does not count."""
    others = [
        each
        for each in container.streams
        if each != video and not (each.type == "data" and container.chapters())
    ]
    return [_track(path, each.index) for each in others]


def _track(path: Path, index: int) -> Track:
    with av.open(str(path)) as container:
        stream = container.streams[index]
        cover = bool(stream.disposition & Disposition.attached_pic)
        return Track(
            kind="cover" if cover else stream.type,
            codec="" if stream.codec_context is None else stream.codec_context.name,
            tags=dict(stream.metadata),
            disposition=stream.disposition,
            packets=[] if stream.type == "attachment" else _packets(container, stream),
        )


def _packets(container: av.container.InputContainer, stream: Any) -> list[tuple[Fraction, bytes]]:
    """Packets, without the empty ones that mp4 puts between two subtitles."""
    codec = "" if stream.codec_context is None else stream.codec_context.name
    return [
        ((each.pts or 0) * each.time_base, bytes(each))
        for each in container.demux(stream)
        if each.size and each.time_base is not None and not (codec == "mov_text" and each.size == 2)
    ]


def _rgb(frame: av.VideoFrame, untagged: int) -> Pixels:
    """RGB by H.273, written out in ``reference_rgb``; only subsampled chroma is enlarged by FFmpeg."""
    layout = frame.format
    if layout.is_rgb or layout.name.startswith(("pal", "gray")):
        return np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
    deep = layout.components[0].bits > 8
    yuv = frame.reformat(format="yuv444p16le" if deep else "yuv444p", interpolation="BICUBIC").to_ndarray()
    # PyAV has the planes one after the other only where they have 8 bits.
    codes = yuv.astype(np.float64) / 256 if deep else np.moveaxis(yuv.astype(np.float64), 0, -1)
    matrix = int(frame.colorspace)
    if matrix == ColorMatrix.UNSPECIFIED:
        matrix = untagged
    if matrix in (ColorMatrix.UNSPECIFIED, ColorMatrix.BT470BG):
        matrix = ColorMatrix.SMPTE170M
    rgb = reference_rgb(codes, matrix, frame.color_range == FULL)
    return np.clip(np.round(rgb), 0, 255).astype(np.uint8)


def _alphas(frames: Sequence[av.VideoFrame]) -> list[Pixels]:
    if not any(each.is_alpha for each in frames[0].format.components):
        return []
    return _unless_opaque([each.to_ndarray(format="rgba")[..., 3] for each in frames])


def _unless_opaque(alphas: Sequence[NDArray[np.generic]]) -> list[Pixels]:
    """Alpha planes, or none: formats that may be transparent have them even where nothing is."""
    found = [np.ascontiguousarray(each, np.uint8) for each in alphas]
    return found if any(each.min() < 255 for each in found) else []
