"""An output that appears under its name only when it is complete."""

import os
from pathlib import Path

from vidgan.media.ffmpeg import writing
from vidgan.provenance.sidecar import place_sidecar
from vidgan.sinks import Signer, check_output


class PartFile:
    """A file that takes the place of ``path`` at :meth:`commit`.

    Being on the same disk, the last step is one atomic rename.

    Args:
        part: the file to write to, on the same disk; None for a hidden one beside ``path``.
        signer: signs it at :meth:`sign`; None to leave it unsigned.

    Attributes:
        path: the final name.
        part: the file to write to.

    Raises:
        OutputError: the folder does not let a file be made.
    """

    def __init__(
        self, path: Path, *, overwrite: bool, part: Path | None = None, signer: Signer | None = None
    ) -> None:
        self.path = path
        self.part = part or path.absolute().with_name(f".{path.name}.{os.getpid()}.part")
        self._overwrite = overwrite
        self._signer = signer
        self._sidecar: Path | None = None
        with writing(path):
            self.part.touch()

    def sign(self) -> None:
        """Signs the part, once it is complete.

        Raises:
            CredentialsError: it cannot be signed.
        """
        if self._signer is not None:
            self._sidecar = self._signer.sign(self.part, self.path)

    def commit(self) -> None:
        """Moves the part to its final name.

        Raises:
            OutputExistsError: somebody put a file there meanwhile.
        """
        check_output(self.path, overwrite=self._overwrite)
        place_sidecar(self._sidecar, self.path)
        with writing(self.path):
            self.part.replace(self.path)

    def discard(self) -> None:
        """Removes the part, if it is still there."""
        self.part.unlink(missing_ok=True)
        if self._sidecar is not None:
            self._sidecar.unlink(missing_ok=True)
