"""An output that appears under its name only when it is complete."""

import os
from pathlib import Path

from vidgan.media import vault_file
from vidgan.media.ffmpeg import writing
from vidgan.provenance.sidecar import place_sidecar
from vidgan.segments.journal import hidden_name
from vidgan.sinks.output_path import check_output
from vidgan.sinks.signer import Signer
from vidgan.sinks.vault import OutputVault


class AtomicFile:
    """A file that takes the place of ``path`` at :meth:`commit`.

    Being on the same disk, the last step is one atomic rename.

    Args:
        temporary: the file to write to, on the same disk; None for a hidden one beside ``path``.
        signer: signs it at :meth:`sign`; None to leave it unsigned.
        vault: goes with the file once that is complete; None for none.

    Attributes:
        path: the final name.
        temporary: the file to write to.

    Raises:
        OutputError: the folder does not let a file be made.
    """

    def __init__(
        self,
        path: Path,
        *,
        overwrite: bool,
        temporary: Path | None = None,
        signer: Signer | None = None,
        vault: OutputVault | None = None,
    ) -> None:
        self.path = path
        hidden = hidden_name(path.name, f".{os.getpid()}.part")
        self.temporary = temporary or path.absolute().with_name(hidden)
        self._overwrite = overwrite
        self._signer, self._vault = signer, vault
        self._sidecar: Path | None = None
        self._vault_sidecar: Path | None = None
        with writing(path):
            self.temporary.touch()

    def sign(self) -> None:
        """Adds the vault to the file, once that is complete, and signs both.

        Raises:
            CredentialsError: it cannot be signed.
            OutputError: the vault cannot be written.
        """
        if self._vault is not None:
            self._add_vault(self._vault)
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
            vault_file.place_sidecar(self._vault_sidecar, self.path)
            self.temporary.replace(self.path)

    def discard(self) -> None:
        """Removes the file, if it is still there."""
        self.temporary.unlink(missing_ok=True)
        for sidecar in (self._sidecar, self._vault_sidecar):
            if sidecar is not None:
                sidecar.unlink(missing_ok=True)

    def _add_vault(self, given: OutputVault) -> None:
        """Adds it to a format that holds it after the rest, or puts it into a file beside one that does not."""
        suffix = self.path.suffix.lower()
        vault = None if suffix in vault_file.ATTACHED_SUFFIXES else given.take()
        with writing(self.path):
            vault_file.pad(self.temporary, suffix, given.padded_bytes(self.temporary.stat().st_size))
            if vault is None:
                return
            if suffix in vault_file.BOXED_SUFFIXES:
                vault_file.append_box(self.temporary, vault)
            else:
                self._vault_sidecar = vault_file.sidecar_of(self.temporary)
                self._vault_sidecar.write_bytes(vault)
