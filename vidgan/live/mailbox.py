"""One place between two threads, for the newest of what one of them makes."""

import threading
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")

_POLL_SECONDS = 0.2


class Slot(Generic[T]):
    """Holds one item; a newer one takes its place, whether or not somebody took the old one.

    Attributes:
        dropped: items whose place was taken before anybody took them.
    """

    def __init__(self) -> None:
        self.dropped = 0
        self._item: T | None = None
        self._closed = False
        self._changed = threading.Condition()

    def put(self, item: T) -> None:
        with self._changed:
            self.dropped += self._item is not None
            self._item = item
            self._changed.notify_all()

    def close(self) -> None:
        """Says that nothing more will come."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def closed(self) -> bool:
        """Whether nothing is there and nothing more will come."""
        with self._changed:
            return self._closed and self._item is None

    def take(self, timeout: float) -> T | None:
        """The item, waited for so many seconds; None if there is none, or none will come."""
        with self._changed:
            self._changed.wait_for(lambda: self._item is not None or self._closed, timeout)
            item, self._item = self._item, None
            return item

    def __iter__(self) -> Iterator[T]:
        """The items as they come, until the slot is closed."""
        while not self.closed:
            item = self.take(_POLL_SECONDS)
            if item is not None:
                yield item
