"""A film of what is shown, with the times at which it was captured."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

import av
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet

from vidgan.errors import OutputError
from vidgan.live.clock import TIME_BASE
from vidgan.live.controls import Controls
from vidgan.live.fitting import Size, resized
from vidgan.live.names import free
from vidgan.live.sources.microphone import Microphone
from vidgan.live.stylizer import Shot
from vidgan.media.encoding import Encoder, OutputFormat, add_video, format_of
from vidgan.media.ffmpeg import writing
from vidgan.media.frame import Frame, VideoInfo
from vidgan.sinks import check_output, refuse_input

UNIT = Fraction(1, 90_000)
"""Seconds per unit of a recording's times."""

_KEY_SECONDS = 2
"""Between two frames that need no others; what was recorded is safe up to the last of them."""

_SAFE = {
    # Each part can be played without what comes later; where it ends well, it becomes an ordinary file.
    "mp4": {"movflags": "+hybrid_fragmented+frag_keyframe"},
    "mov": {"movflags": "+hybrid_fragmented+frag_keyframe"},
    "matroska": {},
    "webm": {},
}
"""Options by the muxers of which an unfinished file can be played."""

_SOUND_RATE = 48_000
_GAP_SECONDS = 0.2

_NO_ROOM = errno.ENOSPC, errno.EDQUOT, errno.EFBIG


class RecordingSink:
    """Records as long as the controls say so; each time it is switched on, a film begins.

    Args:
        controls: which say when, and are told when it is over.
        path: of the first film; the next get numbers.
        fps: about how many frames come a second.
        say: is told what became of a film.
        overwrite: replace the first film if it is there.
        inputs: files that are shown, which no recording replaces.
        microphone: whose sound is recorded too; None: no sound.

    Raises:
        OutputError: no such film can be recorded there.
    """

    name = "recording"

    def __init__(
        self,
        controls: Controls,
        path: Path,
        *,
        fps: float,
        say: Callable[[str], None],
        overwrite: bool = False,
        inputs: Sequence[Path] = (),
        microphone: Microphone | None = None,
    ) -> None:
        check_recording(path, overwrite=overwrite, inputs=inputs)
        self._microphone = microphone
        self._controls, self._path, self._say, self._fps = controls, path, say, fps
        self._overwrite = overwrite
        self._film: Recording | None = None

    def write(self, shot: Shot) -> None:
        if not self._controls.recording:
            self._end()
            return
        try:
            self._write(shot)
        except OutputError as exc:
            self._controls.record(False)
            self._film = None
            self._say(str(exc))

    def finish(self) -> None:
        self._end()

    def _write(self, shot: Shot) -> None:
        if self._film is None:
            path = self._path if self._overwrite else free(self._path)
            self._film = Recording(path, shot.painted.size, self._fps, microphone=self._microphone)
            self._overwrite = False
        self._film.write(shot.painted)
        if self._film.full:
            self._controls.record(False)
            self._end()

    def _end(self) -> None:
        film, self._film = self._film, None
        if film is None:
            return
        film.close()
        reason = "; the disk is full, what was recorded until then was kept" if film.full else ""
        self._say(f"{film.path}: recorded {film.seconds:.1f} s{reason}")


class Recording:
    """One film in the making. It grows under its own name, and can be played whatever ends it.

    Args:
        path: a film's, mp4, mov, mkv or webm.
        size: of its pictures; those of another size are fitted in.
        fps: about how many frames come a second.
        microphone: whose sound is recorded too.

    Attributes:
        seconds: from its first frame to its last.
        full: whether the disk was, and nothing more can be written.
    """

    def __init__(self, path: Path, size: Size, fps: float, *, microphone: Microphone | None = None) -> None:
        self.path = path
        self.seconds = 0.0
        rate = Fraction(fps).limit_denominator(1001)
        info = VideoInfo(width=size[0], height=size[1], time_base=UNIT, frame_rate=rate)
        chosen = _format(path, info)
        self._size = size
        self._first: int | None = None
        self._last = -1
        with writing(path):
            self._file = _Room(path.open("wb"))
            self._container = av.open(self._file, "w", format=chosen.muxer, options=_SAFE[chosen.muxer])
            stream = add_video(self._container, chosen.encoding, info)
            self._sound = None if microphone is None else _Sound(self._container, microphone, chosen.muxer)
        self._encoder = Encoder(stream, chosen.encoding, info)

    @property
    def full(self) -> bool:
        return self._file.full

    def write(self, frame: Frame) -> None:
        """Adds a frame, whose ``pts`` is the live clock's.

        Raises:
            OutputError: it cannot be written, for another reason than a full disk.
        """
        if self._first is None:
            self._first = frame.pts
        self.seconds = float((frame.pts - self._first) * TIME_BASE)
        self._last = max(self._last + 1, round((frame.pts - self._first) * TIME_BASE / UNIT))
        with writing(self.path):
            timed = resized(frame, self._size).at(self._last, time_base=UNIT)
            self._container.mux(self._encoder.encode(timed))
            if self._sound is not None:
                self._container.mux(self._sound.packets(since=self._first))

    def close(self) -> None:
        """Completes the film."""
        try:
            with writing(self.path):
                self._container.mux(self._encoder.flush())
                if self._sound is not None:
                    self._container.mux(self._sound.flush())
                self._container.close()
        finally:
            self._file.close()


def check_recording(path: Path, *, overwrite: bool, inputs: Sequence[Path] = ()) -> None:
    """Refuses a name that nothing can be recorded under.

    Raises:
        OutputExistsError: it is there and ``overwrite`` is False.
        OutputError: it is no video's, or one of the inputs, or its folder is missing.
    """
    refuse_input(path, inputs)
    check_output(path, overwrite=overwrite)
    _format(path, VideoInfo(width=64, height=64, time_base=UNIT))


def _format(path: Path, info: VideoInfo) -> OutputFormat:
    chosen = format_of(path, info)
    if chosen.muxer not in _SAFE:
        raise OutputError(f"{path}: recordings are mp4, mov, mkv or webm")
    options = chosen.encoding.options | {"g": str(round((info.frame_rate or 25) * _KEY_SECONDS))}
    if "x264-params" in options:
        # With frames that are coded out of their order, a film that is not complete begins late.
        options["x264-params"] += ":bframes=0"
    return replace(chosen, encoding=replace(chosen.encoding, options=options))


class _Sound:
    """What a microphone hears, as packets of a film.

    Pieces follow each other as they were heard; only where some are missing, time goes on without them.
    """

    def __init__(self, container: OutputContainer, microphone: Microphone, muxer: str) -> None:
        self._microphone = microphone
        stream = container.add_stream("libopus" if muxer == "webm" else "aac", rate=_SOUND_RATE)
        assert isinstance(stream, AudioStream)
        stream.layout = "stereo"
        self._stream = stream
        self._resampler = AudioResampler(format=stream.format, layout="stereo", rate=_SOUND_RATE)
        self._next = 0
        # Of before the film.
        microphone.heard()

    def packets(self, *, since: int) -> list[Packet[AudioStream]]:
        """Of what was heard since it was last asked for, in a film that began then, on the live clock."""
        packets: list[Packet[AudioStream]] = []
        for piece, began in self._microphone.heard():
            if began < since:
                continue
            due = round((began - since) * TIME_BASE * _SOUND_RATE)
            if due - self._next > _GAP_SECONDS * _SOUND_RATE:
                self._next = due
            piece.pts = None
            for sound in self._resampler.resample(piece):
                sound.pts, sound.time_base = self._next, Fraction(1, _SOUND_RATE)
                self._next += sound.samples
                packets += self._stream.encode(sound)
        return packets

    def flush(self) -> list[Packet[AudioStream]]:
        return self._stream.encode(None)


class _Room:
    """A file that stays as it was when there was no more room, whatever is written to it then.

    Attributes:
        full: whether that has happened.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.full = False
        self._file = file

    def write(self, data: bytes) -> int:
        if not self.full:
            try:
                self._file.write(data)
                # What Python keeps back would fail later, when nobody can say any more what it was.
                self._file.flush()
            except OSError as exc:
                if exc.errno not in _NO_ROOM:
                    raise
                self.full = True
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        return 0 if self.full else self._file.seek(offset, whence)

    def tell(self) -> int:
        return 0 if self.full else self._file.tell()

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._file.close()
