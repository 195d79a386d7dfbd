"""Frame sizes."""

import re
from fractions import Fraction

from vidgan.errors import InputError

MAX_SIDE = 16384


def target_size(width: int, height: int, wanted: str | None) -> tuple[int, int]:
    """The frame size that ``wanted`` asks for, from an image of ``width`` × ``height``.

    Args:
        width, height: the image's own size.
        wanted: ``"720"`` (height; the width follows in proportion, even), ``"1280x720"``, or None
            for the image's own size.

    Raises:
        InputError: not one of those forms, or out of range (16 to 16384 pixels a side).
    """
    if wanted is None:
        return width, height
    match = re.fullmatch(r"(?:([0-9]{1,6})x)?([0-9]{1,6})p?", wanted.strip().lower())
    if not match:
        raise InputError(f"size {wanted!r} is neither a height like 720 nor WIDTHxHEIGHT like 1280x720")
    new_height = int(match[2])
    new_width = int(match[1]) if match[1] else 2 * round(width * new_height / height / 2)
    if not (16 <= new_width <= MAX_SIDE and 16 <= new_height <= MAX_SIDE):
        raise InputError(f"size {new_width}x{new_height} is out of range: 16 to {MAX_SIDE} pixels a side")
    return new_width, new_height


def scaled_aspect_ratio(aspect: Fraction, size: tuple[int, int], scaled: tuple[int, int]) -> Fraction:
    """The sample aspect ratio with which scaled frames have the same shape on screen.

    Square pixels stay square: who asks for another shape of them gets it.

    Args:
        aspect: sample aspect ratio of the frames.
        size, scaled: their width and height before and after.
    """
    (width, height), (new_width, new_height) = size, scaled
    # A width that was rounded to an even number is no other shape.
    if aspect == 1 or abs(new_width - Fraction(width * new_height, height)) <= 1:
        return aspect
    return (aspect * width * new_height / (height * new_width)).limit_denominator(10_000)
