"""What a row of the table says: the input, the output, and what is checked of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import Any

from vidgan.media.image import Pixels

from .media import Video

Make = Callable[[Path], Path]
"""Makes an input in a folder and returns its path."""


@dataclass(frozen=True)
class Case:
    """A row of the table.

    Whatever is not stated is as in the input: every frame once, at its time, of its size and colors; every other
    stream, packet for packet.

    Attributes:
        name: of the row.
        covers: what is checked.
        make: makes the input in a folder.
        input: in words.
        output: name; ``-nut`` and ``-y4m`` are standard output.
        options: of :func:`vidgan.stylize`.
        psnr: decibels of the worst frame against the input's; None where they cannot be compared.
        reference: draws the expected frame, where that is not what a plain decoder shows.
        size, codec, pixel_format, color: of the output.
        loses: numbers of the streams beside the video that the output cannot hold.
        converts: numbers of the streams that are converted, and the codec that they get.
        tags: of the container, that must be kept.
        warnings: words of all expected warnings.
        also: one more check of both files.
        refused: the error, and words of it.
        frames: their number, where a plain decoder of the input loses some.
    """

    name: str
    covers: str
    make: Make
    input: str
    output: str = "out.mp4"
    _: KW_ONLY
    options: dict[str, Any] = field(default_factory=dict)
    psnr: float | None = 32.0
    reference: Callable[[int, int, int], Pixels] | None = None
    size: tuple[int, int] | None = None
    codec: str = ""
    pixel_format: str = ""
    color: tuple[int, int, int, bool] | None = None
    loses: tuple[int, ...] = ()
    converts: dict[int, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    keeps_alpha: bool = False
    keeps_aspect: bool = True
    keeps_tags: bool = True
    also: Callable[[Path, Path], list[str]] | None = None
    refused: tuple[type[Exception], str] | None = None
    frames: int | None = None

    @property
    def output_in_words(self) -> str:
        return f"{self.output[1:]} on stdout" if self.output.startswith("-") else Path(self.output).suffix[1:]

    @property
    def same_container(self) -> bool:
        """Whether names and dispositions of streams must be those of the input."""
        return isinstance(self.make, Video) and Path(self.make.name).suffix == Path(self.output).suffix
