"""Codecs of the input."""

from vidgan.media.ffmpeg import ColorMatrix

from ..case import Case
from ..media import FULL, UNTAGGED, Audio, Video
from .inputs import OPUS

_HEVC = {"x265-params": "log-level=none:bframes=3"}
_MJPEG = Video(
    "in.avi",
    codec="mjpeg",
    pixel_format="yuvj420p",
    color=(*UNTAGGED[:2], ColorMatrix.SMPTE170M, FULL),
    options={"qscale": "2"},
)
_PRORES = Video("in.mov", codec="prores_ks", pixel_format="yuv422p10le", audio=(Audio("pcm_s16le"),))


def _codec(
    name: str,
    codec: str,
    input: str,
    *options: tuple[str, str],
    covers: str = "codec",
    suffix: str = ".mkv",
    output: str = ".mkv",
    audio: tuple[Audio, ...] = (),
) -> Case:
    video = Video(f"in{suffix}", codec=codec, options=dict(options), audio=audio)
    return Case(name, covers, video, input, f"out{output}")


def _ffv1(
    name: str, pixel_format: str, input: str, covers: str, color: tuple[int, int, int, bool] | None
) -> Case:
    video = Video("in.mkv", codec="ffv1", pixel_format=pixel_format)
    return Case(name, covers, video, input, "out.mkv", psnr=30.0, color=color)


CASES = [
    _codec("hevc", "libx265", "HEVC", *_HEVC.items(), covers="codec; B-frames", output=".mp4"),
    _codec(
        "mpeg4-b",
        "mpeg4",
        "MPEG-4 with B-frames",
        ("bf", "2"),
        ("qscale", "3"),
        covers="codec; B-frames",
        suffix=".mp4",
        output=".mov",
    ),
    _codec("vp8", "libvpx", "VP8, Opus", ("b", "2M"), suffix=".webm", output=".webm", audio=(OPUS,)),
    _codec("av1", "libsvtav1", "AV1", ("preset", "10"), ("crf", "20"), suffix=".webm", output=".webm"),
    Case(
        "mjpeg",
        "codec; full range, chroma in the middle",
        _MJPEG,
        "MJPEG",
        "out.mov",
        warnings=("have no place for: software",),
    ),
    _ffv1("ffv1", "yuv444p", "FFV1 4:4:4", "codec; 4:4:4", None),
    _ffv1("ffv1-rgb", "bgr0", "FFV1 RGB", "codec; RGB", (*UNTAGGED, False)),
    Case(
        "prores", "codec; 4:2:2, 10 bits", _PRORES, "ProRes 422, PCM", "out.mov", pixel_format="yuv420p10le"
    ),
]
