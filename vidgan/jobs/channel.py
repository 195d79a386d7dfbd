"""A bounded queue between two threads that can end and can fail."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")

_POLL_SECONDS = 0.2


class StoppedError(Exception):
    """The other side, or the whole pipeline, has stopped."""


class Channel(Generic[T]):
    """At most ``capacity`` items on their way from one thread to another.

    The producer puts items and then closes; the consumer iterates. :meth:`stop` wakes both sides,
    whatever they wait for, with :class:`StoppedError`.
    """

    def __init__(self, capacity: int = 4) -> None:
        self._capacity = capacity
        self._items: deque[T] = deque()
        self._closed = False
        self._stopped = False
        self._changed = threading.Condition()

    def put(self, item: T) -> None:
        with self._changed:
            self._wait(lambda: len(self._items) < self._capacity)
            self._items.append(item)
            self._changed.notify_all()

    def close(self) -> None:
        """Says that nothing more will come."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def __iter__(self) -> Iterator[T]:
        while True:
            with self._changed:
                self._wait(lambda: bool(self._items) or self._closed)
                if not self._items:
                    return
                item = self._items.popleft()
                self._changed.notify_all()
            yield item

    def _wait(self, ready: Callable[[], bool]) -> None:
        # With a time-out, because on Windows a wait without one cannot be interrupted by Ctrl-C.
        while not self._stopped and not ready():
            self._changed.wait(_POLL_SECONDS)
        if self._stopped:
            raise StoppedError
