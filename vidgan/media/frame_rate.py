"""Frame rates as text."""

import re
from fractions import Fraction

_RATE = re.compile(r"(\d{1,9}(/[1-9]\d{0,8})?|\d{0,9}\.\d{1,20})")


def parse_frame_rate(text: str) -> Fraction:
    """``"25"``, ``"12.5"`` or ``"30000/1001"``; not what else a Fraction takes: ``"1e999999999"`` takes all memory.

    Raises:
        ValueError: it is none of these.
    """
    if not _RATE.fullmatch(text.strip()):
        raise ValueError(
            f'{text[:40]!r} is no frame rate; write a number, or a fraction such as "30000/1001"'
        )
    return Fraction(text)
