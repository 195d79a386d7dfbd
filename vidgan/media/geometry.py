"""Sizes."""

import re

from vidgan.errors import InputError

MAX_SIDE = 16384


def target_size(width: int, height: int, wanted: str | None) -> tuple[int, int]:
    """The frame size that ``wanted`` asks for, from a picture of ``width`` × ``height``.

    Args:
        width, height: the picture's own size.
        wanted: ``"720"`` (height; the width follows in proportion, even), ``"1280x720"``, or None
            for the picture's own size.

    Raises:
        InputError: not one of those forms, or out of range (16 to 16384 pixels a side).
    """
    if wanted is None:
        return width, height
    match = re.fullmatch(r"(?:(\d{1,6})x)?(\d{1,6})p?", wanted.strip().lower())
    if not match:
        raise InputError(f"size {wanted!r} is neither a height like 720 nor WIDTHxHEIGHT like 1280x720")
    new_height = int(match[2])
    new_width = int(match[1]) if match[1] else 2 * round(width * new_height / height / 2)
    if not (16 <= new_width <= MAX_SIDE and 16 <= new_height <= MAX_SIDE):
        raise InputError(f"size {new_width}x{new_height} is out of range: 16 to {MAX_SIDE} pixels a side")
    return new_width, new_height
