"""Encoders, the containers they write into, and how frames are converted for them."""

from vidgan.media.encoding.choice import DEFAULT_ENCODER, EncoderChoice, Encoding
from vidgan.media.encoding.encoder import Encoder, add_video, opening
from vidgan.media.encoding.formats import (
    VIDEO_SUFFIXES,
    WITH_ALPHA_SUFFIXES,
    OutputFormat,
    final_delay_options,
    format_of,
    lossless,
)

__all__ = [
    "DEFAULT_ENCODER",
    "VIDEO_SUFFIXES",
    "WITH_ALPHA_SUFFIXES",
    "Encoder",
    "EncoderChoice",
    "Encoding",
    "OutputFormat",
    "add_video",
    "final_delay_options",
    "format_of",
    "lossless",
    "opening",
]
