"""A latest-value mailbox between two threads."""

import threading
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")

_POLL_SECONDS = 0.2


class Mailbox(Generic[T]):
    """Holds the newest item; a newer item replaces one that was not taken.

    Attributes:
        dropped: number of items that were replaced before they were taken.
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
        """Marks the end: no further items will be put."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def closed(self) -> bool:
        """Whether the mailbox is empty and no further items will be put."""
        with self._changed:
            return self._closed and self._item is None

    def take(self, timeout: float) -> T | None:
        """Waits up to ``timeout`` seconds for an item; None if none arrives."""
        with self._changed:
            self._changed.wait_for(lambda: self._item is not None or self._closed, timeout)
            item, self._item = self._item, None
            return item

    def __iter__(self) -> Iterator[T]:
        """Items as they arrive, until the mailbox is closed."""
        while not self.closed:
            item = self.take(_POLL_SECONDS)
            if item is not None:
                yield item
