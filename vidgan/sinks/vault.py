"""The contract of what goes with an output besides its frames."""

from typing import Protocol


class OutputVault(Protocol):
    """The vault of an output, as :class:`vidgan.jobs.vault.JobVault` has it."""

    def take(self) -> bytes | None:
        """The vault, once the frames are written; None for none."""
        ...

    def padded_bytes(self, length: int) -> int:
        """Length that a file of so many bytes gets, where its own would say what is in it."""
        ...
