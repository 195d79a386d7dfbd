"""An output that appears under its name only when it is complete."""

import os
from pathlib import Path

from vidgan.media.ffmpeg import writing
from vidgan.sinks import check_output


class PartFile:
    """A file that takes the place of ``path`` at :meth:`commit`.

    Being on the same disk, the last step is one atomic rename.

    Args:
        part: the file to write to, on the same disk; None for a hidden one beside ``path``.

    Attributes:
        path: the final name.
        part: the file to write to.

    Raises:
        OutputError: the folder does not let a file be made.
    """

    def __init__(self, path: Path, *, overwrite: bool, part: Path | None = None) -> None:
        self.path = path
        self.part = part or path.absolute().with_name(f".{path.name}.{os.getpid()}.part")
        self._overwrite = overwrite
        with writing(path):
            self.part.touch()

    def commit(self) -> None:
        """Moves the part to its final name.

        Raises:
            OutputExistsError: somebody put a file there meanwhile.
        """
        check_output(self.path, overwrite=self._overwrite)
        with writing(self.path):
            self.part.replace(self.path)

    def discard(self) -> None:
        """Removes the part, if it is still there."""
        self.part.unlink(missing_ok=True)
