"""Videos taken from a source to a sink as they are, and inputs made by FFmpeg's and mkvtoolnix's commands."""

import shutil
import subprocess
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

from vidgan.media.trim import WHOLE, Trim
from vidgan.sinks import open_sink
from vidgan.sinks.verification import Verification
from vidgan.sources import open_source

VIDEO = ("-f", "lavfi", "-i", "testsrc2=s=96x64:r=25:d=1")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a video.

    Attributes:
        path: of the output.
        warnings: of the source and the sink.
        verification: of the sink.
    """

    path: Path
    warnings: list[str]
    verification: Verification | None

    def says(self, *words: str) -> bool:
        """Whether one sentence has all the words."""
        return any(all(word in warning for word in words) for warning in self.warnings)


def transcode(input: Path, output: Path, *, trim: Trim = WHOLE, **options: Any) -> Outcome:
    """Every frame of the input, unchanged, with all other streams."""
    with open_source(input, trim=trim) as source:
        with open_sink(
            output,
            source.info,
            copy_streams_from=input,
            timeline=source.timeline,
            trim=trim,
            overwrite=True,
            **options,
        ) as sink:
            for frame in source:
                sink.write(frame)
        return Outcome(
            path=output, warnings=[*source.warnings, *sink.warnings], verification=sink.verification
        )


def ffmpeg(*arguments: object) -> None:
    """Runs FFmpeg's command; the test is skipped where it, or an encoder, is missing."""
    command = shutil.which("ffmpeg")
    if command is None:
        pytest.skip("needs FFmpeg's command")
    done = subprocess.run(
        [command, "-v", "error", "-y", "-nostdin", *map(str, arguments)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    if "Unknown encoder" in done.stderr:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stderr


def ffprobe(path: Path, entries: str) -> list[str]:
    """What FFprobe sees, a line an entry, as a second opinion; the test is skipped without it."""
    command = shutil.which("ffprobe")
    if command is None:
        pytest.skip("needs FFprobe")
    done = subprocess.run(
        [command, "-v", "error", "-show_entries", entries, "-of", "csv=p=0", str(path)],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    return done.stdout.split()


def times_of(path: Path, kind: str) -> list[Fraction]:
    """Presentation times of the packets of the first stream of that kind, in the order of the file."""
    with av.open(str(path)) as container:
        stream = next(each for each in container.streams if each.type == kind)
        return [
            packet.pts * packet.time_base
            for packet in container.demux(stream)
            if packet.size > 2 and packet.pts is not None and packet.time_base is not None
        ]


def payload_of(path: Path, kind: str) -> list[bytes]:
    """The packets of the first stream of that kind."""
    with av.open(str(path)) as container:
        stream = next(each for each in container.streams if each.type == kind)
        return [bytes(packet) for packet in container.demux(stream) if packet.size]


def codec_of(path: Path, kind: str) -> str:
    """FFmpeg's name of the codec of the first stream of that kind."""
    with av.open(str(path)) as container:
        stream = next(each for each in container.streams if each.type == kind)
        return stream.codec_context.codec.canonical_name
