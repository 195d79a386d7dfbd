"""Encoders, the containers they write into, and how frames are converted for them."""

from vidgan.media.encoding.choice import DEFAULT_ENCODER, EncoderChoice, Encoding
from vidgan.media.encoding.encoder import Encoder, add_video, opening, rgb_image
from vidgan.media.encoding.formats import (
    VIDEO_SUFFIXES,
    WITH_ALPHA_SUFFIXES,
    OutputFormat,
    even_sides_needed,
    final_delay_options,
    format_of,
    lossless,
)
from vidgan.media.encoding.palettes import ColorTable, choose_palettes

__all__ = [
    "DEFAULT_ENCODER",
    "VIDEO_SUFFIXES",
    "WITH_ALPHA_SUFFIXES",
    "ColorTable",
    "Encoder",
    "EncoderChoice",
    "Encoding",
    "OutputFormat",
    "add_video",
    "choose_palettes",
    "even_sides_needed",
    "final_delay_options",
    "format_of",
    "lossless",
    "opening",
    "rgb_image",
]
