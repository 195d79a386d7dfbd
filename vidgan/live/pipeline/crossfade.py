"""Crossfades: the weights of styles while one replaces another."""

_NEGLIGIBLE = 0.005
"""Weight below one grey level, for which no generator is run."""

Weights = dict[str, float]
"""Styles by name and their weights, which add up to 1."""


class Crossfade:
    """Changes weights linearly over a fixed time whenever other styles are selected.

    Args:
        seconds: length of a crossfade; 0 changes between two frames.
        initial: the weights to begin with.
    """

    def __init__(self, seconds: float, initial: Weights) -> None:
        self._microseconds = seconds * 1e6
        self._from = self._to = initial
        self._began = 0
        self._current = initial

    def weights(self, target: Weights, pts: int) -> Weights:
        """Weights of the frame with that time, in microseconds.

        Args:
            target: selected weights. A crossfade begins when their styles change; other weights of the same styles
                take effect at once.
        """
        if target.keys() != self._to.keys():
            self._from, self._began = self._current, pts
        self._to = target
        self._current = self._interpolated(pts)
        return self._current

    @property
    def active(self) -> bool:
        """Whether the last weights were those of a crossfade that is under way."""
        return self._current != self._to

    def _interpolated(self, pts: int) -> Weights:
        progress = (pts - self._began) / self._microseconds if self._microseconds else 1.0
        if progress >= 1 or self._from == self._to:
            self._from = self._to
            return self._to
        mixed = {
            style: (1 - progress) * self._from.get(style, 0.0) + progress * self._to.get(style, 0.0)
            for style in {**self._from, **self._to}
        }
        kept = {style: weight for style, weight in mixed.items() if weight > _NEGLIGIBLE}
        total = sum(kept.values())
        return {style: weight / total for style, weight in kept.items()}
