"""At what size to paint, so that a rate is held."""

from statistics import median

from vidgan.live.fitting import Size

_FACTORS = 1, 5 / 6, 2 / 3, 1 / 2, 5 / 12, 1 / 3, 1 / 4, 1 / 6
_GRID = 8
"""Generators think on a grid of so many pixels."""

_LEAST = 64
_LOOK_EVERY = 15
"""Frames between two looks at how long they took."""

_LATE, _GOOD, _SURE = 0.95, 0.8, 0.7
"""Shares of a frame's time: above the first a frame takes too long, the next smaller size shall take the
second at most, and a larger one is tried only where it would take no more than the third."""

_PATIENCE, _MOST_PATIENCE = 4, 64
"""Looks in a row that have to be good before a larger size is tried; twice as many after each that failed."""


class Pace:
    """Steps the size down when frames take too long, and up again when there is room.

    What a frame takes is taken to grow with its pixels.

    Args:
        full: the largest size.
        fps: frames a second to hold.
        pixel_seconds: about what a pixel takes, to begin with what will do; 0: begin with the largest.

    Attributes:
        size: at which to paint the next frame.
    """

    def __init__(self, full: Size, fps: float, pixel_seconds: float = 0.0) -> None:
        self._sizes = _sizes(full)
        self._budget = 1 / fps
        self._index = 0
        self._index = self._fitting(pixel_seconds * full[0] * full[1] / self._budget)
        self._seconds: list[float] = []
        self._good = 0
        self._patience = _PATIENCE

    @property
    def size(self) -> Size:
        return self._sizes[self._index]

    def took(self, seconds: float) -> None:
        """Says how long a frame of the present size took."""
        self._seconds.append(seconds)
        if len(self._seconds) >= _LOOK_EVERY:
            usual = median(self._seconds)
            self._seconds.clear()
            self._look(usual / self._budget)

    def _look(self, load: float) -> None:
        """With what a frame takes as a share of the time it has."""
        if load > _LATE and self._index < len(self._sizes) - 1:
            self._index = max(self._index + 1, self._fitting(load))
            self._good, self._patience = 0, min(_MOST_PATIENCE, 2 * self._patience)
        elif self._index and load * self._pixels(self._index - 1) <= _SURE:
            self._good += 1
            if self._good >= self._patience:
                self._index, self._good = self._index - 1, 0
        else:
            self._good = 0

    def _fitting(self, load: float) -> int:
        """The largest size that would do where the present one is such a load; the smallest if none would."""
        fitting = (i for i, _ in enumerate(self._sizes) if load * self._pixels(i) <= _GOOD)
        return next(fitting, len(self._sizes) - 1)

    def _pixels(self, index: int) -> float:
        """Of another size, for one of the present."""
        (width, height), (now_width, now_height) = self._sizes[index], self.size
        return width * height / (now_width * now_height)


def _sizes(full: Size) -> list[Size]:
    """The full size and smaller ones of its shape, down to what can still be recognised."""
    smaller = [
        (_on_grid(full[0] * factor), _on_grid(full[1] * factor))
        for factor in _FACTORS[1:]
        if min(full) * factor >= _LEAST
    ]
    return [full, *smaller]


def _on_grid(side: float) -> int:
    return max(_GRID, round(side / _GRID) * _GRID)
