"""Input and output of a job: kinds, default names, and the checks before any work."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vidgan.errors import InputNotFoundError, OutputError
from vidgan.media.address import address_in, not_found
from vidgan.media.encoding import VIDEO_SUFFIXES
from vidgan.sinks import STDOUT, Kind, check_output, is_pattern, may_move, refuse_input
from vidgan.sources import POSES_SUFFIX, default_suffix, is_image, is_still

InputKind = Literal["video", "image", "image folder"]


@dataclass(frozen=True)
class Input:
    """Input of a job.

    Attributes:
        path: a file or folder.
        kind: by what is in it; a moving PNG or WebP is a video.
    """

    path: Path
    kind: InputKind

    @classmethod
    def at(cls, path: Path) -> "Input":
        return cls(path, "image folder" if path.is_dir() else "image" if is_still(path) else "video")

    @property
    def streams_from(self) -> Path | None:
        """The file whose sound, subtitles and tags belong into the output."""
        has_streams = self.kind == "video" and self.path.suffix.lower() != POSES_SUFFIX
        return self.path if has_streams and self.path.is_file() else None

    def default_output(self, name: str, suffix: str | None) -> Path:
        """``clip.mp4`` → ``clip.starry.mp4``; ``frames/`` → ``frames.starry/%06d.png``.

        Args:
            name: of the models.
            suffix: of a video; None for the input's, or ``.mkv`` where vidgan does not write that.
        """
        if self.kind == "image folder":
            folder = self.path.absolute()
            return folder.with_name(f"{folder.name}.{name}") / "%06d.png"
        own = default_suffix(self.path)
        if self.kind == "video":
            own = suffix or (own if own in VIDEO_SUFFIXES or may_move(self.path) else ".mkv")
        return self.path.with_name(f"{self.path.stem}.{name}{own}")

    def check_exists(self) -> None:
        """Refuses an input that is not there, before anything is said about the output.

        Raises:
            InputNotFoundError: there is no such file or folder, or it is an address.
        """
        if not self.path.exists():
            raise InputNotFoundError(not_found(self.path, "no such file or folder"))

    def check_output(self, output: Path, *, overwrite: bool) -> None:
        """Refuses an output that does not go with the input, before any work.

        Raises:
            OutputError: it does not, or cannot be written.
        """
        path = self.path
        refuse_input(output, [path])
        if path.is_file() and (self.kind == "image") != is_image(output) and output != STDOUT:
            if self.kind == "image":
                raise OutputError(f"{output}: the input is an image, so the output must be one too")
            if not may_move(output) and not is_pattern(output):
                raise OutputError(
                    f"{output}: the input is a video; a name like frames/%06d.png makes an image of each frame"
                )
        check_output(output, overwrite=overwrite)


@dataclass(frozen=True)
class Output:
    """Where the result goes.

    Attributes:
        path: of a file, a pattern of numbered images, or ``-``.
        kind: by its name, and by what the frames are.
    """

    path: Path
    kind: Kind

    @property
    def place(self) -> Path:
        """The file or folder that appears in the end."""
        return self.path.parent if self.kind == "images" else self.path

    @property
    def is_resumable(self) -> bool:
        return self.kind in ("video", "images")


def is_folder(output: Path) -> bool:
    """Whether an output is a folder that the result goes into: one that is there, or a new name without a suffix."""
    if output == STDOUT or address_in(output) is not None:
        return False
    return output.is_dir() or not (output.suffix or output.exists())


@contextlib.contextmanager
def made_folder(output: Path | None) -> Iterator[None]:
    """Makes the folder that an output is to go into; it is removed again where nothing came of it.

    Raises:
        OutputError: it cannot be made.
    """
    if output is None or not is_folder(output) or output.is_dir():
        yield
        return
    try:
        output.mkdir()
    except OSError as exc:
        raise OutputError(f"{output}: the folder cannot be made: {exc.strerror}") from exc
    try:
        yield
    except BaseException:
        # What is unfinished stays, and its folder with it.
        with contextlib.suppress(OSError):
            output.rmdir()
        raise
