"""Sizes of paintings, as the predictor of style vectors takes them."""

SIDE_LEFT = 3
"""Sides are multiples of 8 and this: the pools of the trunk then end where the image does."""

LONG_SIDE = 384
"""Long side of a painting in pixels, for strokes of the usual size."""

_LEAST = 8 * 8 + SIDE_LEFT


def painting_size(height: int, width: int, *, stroke: float = 1.0) -> tuple[int, int]:
    """Height and width to which a painting is scaled before its style vector is predicted.

    Args:
        stroke: size of strokes; the larger the painting is, the larger are they.

    Raises:
        ValueError: the stroke is not positive.
    """
    if not stroke > 0:
        raise ValueError(f"strokes of size {stroke}: must be above 0")
    scale = LONG_SIDE * stroke / max(height, width)
    rows, columns = (
        max(_LEAST, round((side * scale - SIDE_LEFT) / 8) * 8 + SIDE_LEFT) for side in (height, width)
    )
    return rows, columns
