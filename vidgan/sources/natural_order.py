"""File names in the order of the numbers in them."""

import re
from pathlib import Path


def in_natural_order(images: list[Path]) -> list[Path]:
    """Sorted by name, 2 before 10."""
    return sorted(images, key=_natural)


def _natural(path: Path) -> list[tuple[int, str]]:
    # Every second part is a number; other digits than these, such as "²", are not.
    parts = re.split(r"([0-9]+)", path.name)
    return [(int(part), "") if index % 2 else (-1, part) for index, part in enumerate(parts)]
