"""Local media files, opened by FFmpeg through PyAV without following what they point to."""

import contextlib
import re
import threading
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import av.logging
from av.codec.hwaccel import HWAccel
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from vidgan.errors import InputError
from vidgan.media.ffmpeg import reading
from vidgan.sources.flv import open_joined
from vidgan.sources.limits import MAX_FRAME_PIXELS

_OPENING_OTHERS = {
    *("hls", "dash", "webm_dash_manifest", "concat", "imf", "sdp", "rtsp", "rtp", "sap"),
    *("image2", "vobsub", "lavfi", "avisynth", "vapoursynth"),
}
"""Formats that are lists of other files or addresses, or names that stand for several."""

DECODER_LIMITS = {"max_pixels": str(MAX_FRAME_PIXELS)}
"""Options of a decoder, which refuses larger frames before it takes memory for them."""

_FORMATS = ",".join(sorted(av.formats_available - _OPENING_OTHERS))

_NO_TIMESTAMPS = 0x0080
_MAY_JUMP = 0x0200
"""FFmpeg's AVFMT_NOTIMESTAMPS and AVFMT_TS_DISCONT."""

_DECODING_TIMES = {"avi"}
"""Formats that number packets in decoding order; FFmpeg's guesses of presentation times are of no use."""

_CROPPING = {"matroska,webm", "mov,mp4,m4a,3gp,3g2,mj2"}
_PRIMING_SECONDS = 1
"""Sound that begins less than this before 0 is what a decoder needs to start; players do not play it."""

_log_level = threading.Lock()


class Crop(NamedTuple):
    """Pixels at the edges that are not shown."""

    left: int = 0
    right: int = 0
    top: int = 0
    bottom: int = 0


def open_container(path: Path, hardware: HWAccel | None = None) -> InputContainer:
    """Opens a local media file, and nothing that the file may point to.

    Args:
        path: the file.
        hardware: device that decodes it; None for the processor. FFmpeg's errors about it are raised as they are.

    Raises:
        InputError: it cannot be read, is no media file, or is a playlist or the like.
    """
    with contextlib.nullcontext() if hardware else reading(path):
        try:
            # "file:" keeps a name with a colon from being taken for an address.
            return av.open(
                open_joined(path) or f"file:{path.absolute()}",
                "r",
                options={"protocol_whitelist": "file", "format_whitelist": _FORMATS, **DECODER_LIMITS},
                metadata_errors="replace",
                hwaccel=hardware,
            )
        except av.error.ArgumentError as exc:
            if hardware:
                raise
            raise InputError(
                f"{path}: is a playlist, or a name that stands for several files, or damaged; "
                "give the media file itself"
            ) from exc


def start_of(container: InputContainer) -> Fraction:
    """The time, in seconds, at which players begin to count.

    FFmpeg rounds it to microseconds; the streams know it exactly. Sound that a decoder needs to start does
    not count.
    """
    rounded = Fraction(container.start_time or 0, av.time_base)
    starts = [
        (stream.type, stream.start_time * stream.time_base)
        for stream in container.streams
        if stream.start_time is not None and stream.time_base is not None
    ]
    near = [start for _, start in starts if abs(start - rounded) < Fraction(1, av.time_base)]
    start = min(near, default=rounded)
    of_video = [each for kind, each in starts if kind == "video"]
    if -_PRIMING_SECONDS < start < 0 and all(each >= 0 for each in of_video):
        return Fraction(0)
    return start


def main_video(container: InputContainer, path: Path) -> VideoStream:
    """The stream that players show.

    Raises:
        InputError: there is none.
    """
    videos = [each for each in container.streams.video if not each.disposition & Disposition.attached_pic]
    if not videos:
        raise InputError(f"{path}: has no video in it" + (", only sound" if container.streams.audio else ""))
    best = container.streams.best("video")
    return next((each for each in videos if best is not None and each.index == best.index), videos[0])


def has_timestamps(container: InputContainer) -> bool:
    """Whether the format knows times; raw streams do not."""
    return not container.format.flags & _NO_TIMESTAMPS


def has_decoding_times_only(container: InputContainer) -> bool:
    """Whether the times of the format are those at which packets are decoded."""
    return container.format.name in _DECODING_TIMES


def may_jump(container: InputContainer) -> bool:
    """Whether times of the file may jump, as in recordings of broadcasts and in FLV files that were joined."""
    return bool(container.format.flags & _MAY_JUMP) or container.file is not None


def crop_of(container: InputContainer, stream: VideoStream) -> Crop:
    """The crop rectangle that a container has for a stream: MP4's ``clap``, Matroska's ``PixelCrop``."""
    if container.format.name not in _CROPPING:
        return Crop()
    for note in side_data_of(container).get(stream.index, []):
        if found := re.fullmatch(r"Frame Cropping: (\d+)/(\d+)/(\d+)/(\d+)", note):
            return Crop(*map(int, found.groups()))
    return Crop()


def side_data_of(container: InputContainer) -> dict[int, list[str]]:
    """FFmpeg's description of each stream's side data, by index, e.g. ``"Stereo 3D: side by side, …"``.

    PyAV gives no access to the side data of an input's streams, so FFmpeg's description of the file is read.
    """
    with _log_level:
        before = av.logging.get_level()
        av.logging.set_level(av.logging.INFO)
        try:
            lines = container.dumps_format().splitlines()  # type: ignore[attr-defined]
        finally:
            av.logging.set_level(before)
    found: dict[int, list[str]] = {}
    index, within = -1, False
    for line in lines:
        if stream := re.match(r"\s+Stream #\d+:(\d+)", line):
            index, within = int(stream[1]), False
        elif line.strip().lower() == "side data:":
            within = True
        elif within and line.startswith("      "):
            found.setdefault(index, []).append(line.strip())
        else:
            within = False
    return found
