"""Crossfades: the weights of styles while one replaces another."""

_NEGLIGIBLE = 0.005
"""Weight below one gray level, for which no generator is run."""

Weights = dict[str, float]
"""Styles by name and their weights, which add up to 1."""


class Crossfade:
    """Changes weights linearly over a fixed time whenever other styles are selected.

    Args:
        seconds: length of a crossfade; 0 changes between two frames.
        initial: the weights to begin with.

    Attributes:
        active: whether the last weights were those of a crossfade under way.
    """

    def __init__(self, seconds: float, initial: Weights) -> None:
        self._microseconds = seconds * 1e6
        self._from = self._to = initial
        self._began = 0
        self._current = initial
        self.active = False

    def weights(self, target: Weights, pts: int) -> Weights:
        """Weights of the frame with that time, in microseconds.

        Args:
            target: selected weights. A crossfade begins when their styles change; other weights of the same styles
                take effect at once.
        """
        if target.keys() != self._to.keys():
            self._from, self._began, self.active = self._current, pts, True
        self._to = target
        progress = (pts - self._began) / self._microseconds if self._microseconds else 1.0
        self.active = self.active and progress < 1
        self._current = self._interpolated(progress) if self.active else target
        return self._current

    def _interpolated(self, progress: float) -> Weights:
        mixed = {
            style: (1 - progress) * self._from.get(style, 0.0) + progress * self._to.get(style, 0.0)
            for style in {**self._from, **self._to}
        }
        kept = {style: weight for style, weight in mixed.items() if weight > _NEGLIGIBLE}
        total = sum(kept.values())
        return {style: weight / total for style, weight in kept.items()}
