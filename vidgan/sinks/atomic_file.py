"""An output that appears under its name only when it is complete."""

import os
from pathlib import Path

from vidgan.media.ffmpeg import writing
from vidgan.provenance.sidecar import place_sidecar
from vidgan.segments.journal import hidden_name
from vidgan.sinks.output_path import check_output
from vidgan.sinks.signer import Signer


class AtomicFile:
    """A file that takes the place of ``path`` at :meth:`commit`.

    Being on the same disk, the last step is one atomic rename.

    Args:
        temporary: the file to write to, on the same disk; None for a hidden one beside ``path``.
        signer: signs it at :meth:`sign`; None to leave it unsigned.

    Attributes:
        path: the final name.
        temporary: the file to write to.

    Raises:
        OutputError: the folder does not let a file be made.
    """

    def __init__(
        self, path: Path, *, overwrite: bool, temporary: Path | None = None, signer: Signer | None = None
    ) -> None:
        self.path = path
        hidden = hidden_name(path.name, f".{os.getpid()}.part")
        self.temporary = temporary or path.absolute().with_name(hidden)
        self._overwrite = overwrite
        self._signer = signer
        self._sidecar: Path | None = None
        with writing(path):
            self.temporary.touch()

    def sign(self) -> None:
        """Signs the file, once it is complete.

        Raises:
            CredentialsError: it cannot be signed.
        """
        if self._signer is not None:
            self._sidecar = self._signer.sign(self.temporary, self.path)

    def commit(self) -> None:
        """Moves the file to its final name.

        Raises:
            OutputExistsError: somebody put a file there meanwhile.
        """
        check_output(self.path, overwrite=self._overwrite)
        place_sidecar(self._sidecar, self.path)
        with writing(self.path):
            self.temporary.replace(self.path)

    def discard(self) -> None:
        """Removes the file, if it is still there."""
        self.temporary.unlink(missing_ok=True)
        if self._sidecar is not None:
            self._sidecar.unlink(missing_ok=True)
