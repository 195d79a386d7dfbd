"""The ``with`` block of a sink."""

import contextlib
from abc import ABC, abstractmethod
from typing import Self

from vidgan.sinks.verification import Verification


class CompletedOutput(ABC):
    """Completes the output when the ``with`` block is left normally, and throws away what is not complete.

    Attributes:
        warnings: remarks for the user.
        verification: of the output, once it is complete; None where it is not read again.
    """

    warnings: list[str]
    verification: Verification | None = None
    _closing: contextlib.ExitStack
    """Everything that is closed at the end, whether the output is complete or not."""

    @abstractmethod
    def _complete(self) -> None:
        """Finishes the output after the last frame."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._closing:
            if kind is None:
                self._complete()
