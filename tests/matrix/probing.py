"""FFprobe's opinion of a file, beside PyAV's."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

from vidgan.media.ffmpeg import ColorMatrix

from .sides import Side

_MATRICES = {
    ColorMatrix.BT709: "bt709",
    ColorMatrix.BT470BG: "bt470bg",
    ColorMatrix.SMPTE170M: "smpte170m",
    ColorMatrix.BT2020_NCL: "bt2020nc",
}


def disagreements(path: Path, side: Side) -> list[str] | None:
    """What FFprobe finds otherwise than PyAV; None where it is missing, or does not read such files."""
    ffprobe = shutil.which("ffprobe")
    if ffprobe is None or path.is_dir() or not side.times or path.suffix == ".webp":
        return None
    done = subprocess.run(
        [ffprobe, "-v", "error", "-of", "json", "-show_streams", "-show_chapters", "-show_frames",
         "-show_entries", "frame=stream_index,pts_time", str(path)],
        capture_output=True, check=True, timeout=60,
    )  # fmt: skip
    return list(_differences(json.loads(done.stdout), side))


def _differences(probed: dict[str, Any], side: Side) -> Iterator[str]:
    streams = probed["streams"]
    video = next(
        each for each in streams if each["codec_type"] == "video" and not each["disposition"]["attached_pic"]
    )
    times = [
        Fraction(each["pts_time"])
        for each in probed["frames"]
        if each.get("stream_index") == video["index"] and "pts_time" in each
    ]
    if len(times) != len(side.times):
        yield f"FFprobe finds {len(times)} frames, PyAV {len(side.times)}"
    elif any(abs(a - b) > Fraction(1, 100_000) for a, b in zip(times, side.times, strict=True)):
        yield "FFprobe finds the frames at other times than PyAV"
    kinds = [each["codec_type"] for each in streams if each is not video]
    if probed["chapters"]:
        kinds = [each for each in kinds if each != "data"]
    if kinds != ["video" if each.kind == "cover" else each.kind for each in side.tracks]:
        yield f"FFprobe finds {kinds} beside the video"
    yield from _video_differences(video, side)
    if len(probed["chapters"]) != len(side.chapters):
        yield f"FFprobe finds {len(probed['chapters'])} chapters"


def _video_differences(video: dict[str, Any], side: Side) -> Iterator[str]:
    width, height = side.size[::-1] if side.rotation % 180 else side.size
    if (video["width"], video["height"]) != (width, height):
        yield f"FFprobe finds {video['width']}x{video['height']}"
    aspect = Fraction(video.get("sample_aspect_ratio", "1:1").replace(":", "/").replace("0/1", "1"))
    if aspect != side.aspect:
        yield f"FFprobe finds pixels {aspect} wide"
    matrix = _MATRICES.get(ColorMatrix(side.color[2]))
    # Older versions do not report that of VP8.
    if matrix is not None and video.get("color_space", matrix) != matrix:
        yield f"FFprobe finds the matrix {video.get('color_space')}, PyAV {matrix}"
