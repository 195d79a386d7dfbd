"""The contract of what signs finished files."""

from pathlib import Path
from typing import Protocol


class Signer(Protocol):
    """Signs finished files, as :class:`vidgan.provenance.credentials.Credentials` does."""

    def sign(self, part: Path, name: Path) -> Path | None:
        """Signs a file that will be called ``name``; returns its sidecar, where it has one."""
        ...
