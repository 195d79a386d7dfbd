"""Items of a stream of unknown length, at equal distances, for a sheet."""

from collections.abc import Callable
from typing import Generic, TypeVar

import numpy as np

T = TypeVar("T")


class EvenSample(Generic[T]):
    """Every n-th item of a stream; n doubles whenever more than ``most`` items are kept.

    Args:
        most: items that are kept at most.
    """

    def __init__(self, most: int) -> None:
        self._most, self._stride = most, 1
        self._items: dict[int, T] = {}

    def offer(self, number: int, make: Callable[[], T]) -> None:
        """Keeps the item of that number, which is made only then, or leaves it out."""
        if number % self._stride:
            return
        self._items[number] = make()
        if len(self._items) > self._most:
            self._stride *= 2
            self._items = {place: each for place, each in self._items.items() if place % self._stride == 0}

    def spread(self, count: int) -> list[T]:
        """At most ``count`` of the kept items, from the first to the last."""
        items = list(self._items.values())
        if not items:
            return []
        return [
            items[place] for place in np.unique(np.linspace(0, len(items) - 1, count).round().astype(int))
        ]
