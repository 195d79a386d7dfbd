"""How images are encoded: an encoder, its pixel format and its options."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field

import av

from vidgan.errors import OutputError

ALIASES = {
    "h264": "libx264",
    "avc": "libx264",
    "x264": "libx264",
    "h265": "libx265",
    "hevc": "libx265",
    "x265": "libx265",
    "av1": "libsvtav1",
    "svtav1": "libsvtav1",
    "vp8": "libvpx",
    "vp9": "libvpx-vp9",
    "prores": "prores_ks",
    "nvenc": "h264_nvenc",
    "qsv": "h264_qsv",
    "amf": "h264_amf",
    "vaapi": "h264_vaapi",
    "videotoolbox": "h264_videotoolbox",
}
"""Encoders by the usual names of their codec, project or driver."""

_X26X_PRESETS = (
    "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow", "placebo",
)  # fmt: skip
_PRESETS = {
    "libx264": _X26X_PRESETS,
    "libx264rgb": _X26X_PRESETS,
    "libx265": _X26X_PRESETS,
    "libsvtav1": tuple(map(str, range(-1, 14))),
}
"""Values of the option ``preset``, where it is known to be one of a few."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """An encoder and how it is set.

    Attributes:
        encoder: FFmpeg's name.
        pixel_format: FFmpeg's name of the format that the encoder takes.
        options: of the encoder.
    """

    encoder: str
    pixel_format: str
    options: dict[str, str] = field(default_factory=dict)

    @property
    def is_rgb(self) -> bool:
        """Whether the pixel format is RGB, with a palette or without."""
        return self.pixel_format.startswith(("rgb", "bgr", "gbr", "pal"))

    @property
    def has_alpha(self) -> bool:
        """Whether the pixel format holds transparency."""
        components = av.VideoFormat(self.pixel_format).components
        return self.pixel_format == "pal8" or any(each.is_alpha for each in components)


@dataclass(frozen=True, slots=True)
class EncoderChoice:
    """The user's choice of an encoder; the format's default applies to what is not named.

    Attributes:
        name: FFmpeg's, e.g. ``libx265``; None for the default encoder of the format. One of :data:`ALIASES`,
            e.g. ``h265``, becomes FFmpeg's.
        options: of the encoder, e.g. ``{"crf": "18"}``.
    """

    name: str | None = None
    options: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.name is not None:
            object.__setattr__(self, "name", ALIASES.get(self.name.lower(), self.name))


DEFAULT_ENCODER = EncoderChoice()


def find_codec(encoder: str) -> av.Codec:
    """FFmpeg's encoder of that name.

    Raises:
        OutputError: there is none.
    """
    try:
        return av.Codec(encoder, "w")
    except av.codec.codec.UnknownCodecError:
        near = difflib.get_close_matches(encoder, {*av.codecs_available, *ALIASES}, cutoff=0.75)
        hint = f"did you mean {' or '.join(near)}?" if near else "'ffmpeg -encoders' lists FFmpeg's"
        raise OutputError(f"there is no encoder {encoder!r}; {hint}") from None


def check_preset(encoder: str, options: dict[str, str]) -> None:
    """Refuses a preset that the encoder does not have.

    Raises:
        OutputError: it has not.
    """
    known, preset = _PRESETS.get(encoder), options.get("preset")
    if known is not None and preset is not None and preset not in known:
        raise OutputError(f"the encoder {encoder} has no preset {preset!r}; there are {', '.join(known)}")


def nearest_pixel_format(encoder: str, wanted: str) -> str:
    """``wanted`` where the encoder takes it, or else the format that is most like it.

    Raises:
        OutputError: there is no such encoder, or it is not for video.
    """
    codec = find_codec(encoder)
    if codec.type != "video":
        raise OutputError(f"the encoder {encoder!r} is for {codec.type}, not for video")
    formats = [each.name for each in codec.video_formats or []]
    if not formats or wanted in formats:
        return wanted
    return next((each for each in ("yuv420p", "nv12", "yuv444p") if each in formats), formats[0])
