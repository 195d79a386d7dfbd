"""Former place of :mod:`vidgan.media.encoding`."""

from vidgan.media.encoding import DEFAULT_ENCODER as USUAL
from vidgan.media.encoding import (
    VIDEO_SUFFIXES,
    WITH_ALPHA_SUFFIXES,
    Encoder,
    EncoderChoice,
    Encoding,
    add_video,
    format_of,
    lossless,
)
from vidgan.media.encoding import OutputFormat as Format

__all__ = [
    "USUAL",
    "VIDEO_SUFFIXES",
    "WITH_ALPHA_SUFFIXES",
    "Encoder",
    "EncoderChoice",
    "Encoding",
    "Format",
    "add_video",
    "format_of",
    "lossless",
]
