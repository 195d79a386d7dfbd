"""How images are encoded: an encoder, its pixel format and its options."""

from __future__ import annotations

from dataclasses import dataclass, field

import av

from vidgan.errors import OutputError


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
        name: FFmpeg's, e.g. ``libx265``; None for the default encoder of the format.
        options: of the encoder, e.g. ``{"crf": "18"}``.
    """

    name: str | None = None
    options: dict[str, str] = field(default_factory=dict)


DEFAULT_ENCODER = EncoderChoice()


def find_codec(encoder: str) -> av.Codec:
    """FFmpeg's encoder of that name.

    Raises:
        OutputError: there is none.
    """
    try:
        return av.Codec(encoder, "w")
    except av.codec.codec.UnknownCodecError:
        raise OutputError(f"there is no encoder {encoder!r}; 'ffmpeg -encoders' lists FFmpeg's") from None


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
