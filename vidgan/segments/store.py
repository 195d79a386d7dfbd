"""A film in the making: segments that are complete on disk, and a journal that says so.

The folder ``.NAME.vidgan`` beside the output holds::

    journal.jsonl      the job's facts, a line for each complete segment, and that there are no more
    00000.nut …        the segments, each encoded for itself, some losslessly
    00003.npz          what the smoother remembers after a segment; of the last two
    lock               held by the process at work

A segment counts once its line is in the journal, and the line is written once the segment is on the
disk. So whatever kills the process, the next one finds whole segments and goes on after the last.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import av
import numpy as np
from av.packet import Packet
from av.video.stream import VideoStream
from filelock import FileLock, Timeout

from vidgan.errors import InputError, OutputError
from vidgan.media.encoder import Encoder, Encoding, add_video
from vidgan.media.ffmpeg import reading, writing
from vidgan.media.frame import Frame, VideoInfo
from vidgan.media.image import RgbImage
from vidgan.segments.journal import COMPLETE, JOURNAL, LOCK, Segment, append, folder_of, read_journal, remove

if TYPE_CHECKING:
    from vidgan.temporal.filter import State

SEGMENT_FRAMES = 250
"""Between two key frames x264 leaves as many at most, so segments cost nothing in size."""

_KEPT_STATES = 2
_PATIENCE_SECONDS = 0.2
"""For the lock: whoever merely looks whether it is held, holds it for a moment."""


@dataclass(frozen=True, kw_only=True)
class EncodedPart:
    """A segment on its way from one machine to another.

    Attributes:
        data: the segment's file.
        times, end, reordered: as in :class:`Segment`.
    """

    data: bytes
    times: list[int]
    end: int
    reordered: int


class Parts:
    """The folder of one output; made or continued by entering its ``with`` block.

    A folder whose facts differ is another job's: its parts are thrown away, never mixed in. Leaving the
    block keeps the folder if there is something to continue, except after an :class:`InputError`:
    that input will have to become another one first.

    Args:
        output: where the film will be.
        facts: everything that decides what comes out, as JSON; None for a film that nobody will continue.

    Raises:
        OutputError: the folder cannot be made, or another process is at work on the same output.
    """

    def __init__(self, output: Path, facts: dict[str, Any] | None = None) -> None:
        self.output = output
        # What nobody will continue must not be taken for what somebody will.
        named = output if facts is not None else output.with_name(f"{output.name}.{os.getpid()}")
        self.folder = folder_of(named)
        self.segments: list[Segment] = []
        self.discarded = False
        self._facts = json.loads(json.dumps(facts))
        self._states: dict[int, State | None] = {}
        self._lock = FileLock(self.folder / LOCK)

    @property
    def frames(self) -> int:
        """In all segments."""
        return sum(each.frames for each in self.segments)

    @property
    def whole(self) -> Path:
        """Where the film is put together."""
        return self.folder / f"whole{self.output.suffix}"

    def __enter__(self) -> Self:
        with writing(self.output):
            self.folder.mkdir(exist_ok=True)
            try:
                self._lock.acquire(timeout=_PATIENCE_SECONDS)
            except Timeout:
                raise OutputError(f"{self.output}: another vidgan is at work on it") from None
            try:
                self._continue()
            except BaseException:
                self.__exit__(*sys.exc_info())
                raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.whole.is_dir():
            shutil.rmtree(self.whole, ignore_errors=True)
        else:
            self.whole.unlink(missing_ok=True)
        kept = bool(self._facts and self.segments and kind and not issubclass(kind, InputError))
        self._lock.release()
        if not kept:
            remove(self.folder)
        elif exc is not None:
            exc.add_note(
                f"{self.output}: {self.frames} frames of it are done; the same command goes on from there"
            )

    def _continue(self) -> None:
        """Takes over what another run left, if it is of this job."""
        found, segments = read_journal(self.folder / JOURNAL)
        if found is not None and found == self._facts:
            self.segments = self._intact(segments)
        else:
            self.discarded = bool(segments)
        self._write_journal()

    def state(self) -> State | None:
        """What the smoother remembered after the last segment."""
        if not self.segments or self.segments[-1].state_sha256 is None:
            return None
        with np.load(self._state_file(len(self.segments) - 1), allow_pickle=False) as arrays:
            return tuple(arrays[name] for name in sorted(arrays.files))

    def remember(self, frames: int, state: State | None) -> None:
        """Takes note of what the smoother remembers after so many frames of the film.

        To be called before the next frame is written, from whichever thread.
        """
        if frames % SEGMENT_FRAMES == 0:
            self._states[frames] = state

    def add(self, part: PartWriter) -> None:
        """Counts a finished segment as done."""
        index = len(self.segments)
        state = self._states.pop(self.frames + part.frames, None)
        with writing(self.output):
            state_sha256 = None
            if state is not None:
                path = self._state_file(index)
                _save(path, state)
                state_sha256 = _settled(path)
            self._count(part.times, part.end, part.reordered, state_sha256)
            self._state_file(index - _KEPT_STATES).unlink(missing_ok=True)

    def take_over(self, encoded: EncodedPart) -> None:
        """Counts the next segment as done, which was encoded elsewhere."""
        with writing(self.output):
            self._part_file(len(self.segments)).write_bytes(encoded.data)
            self._count(encoded.times, encoded.end, encoded.reordered, None)

    def close_journal(self) -> None:
        """Says that the film is complete, and on its way to its place."""
        with writing(self.output):
            append(self.folder / JOURNAL, COMPLETE)

    def _count(self, times: list[int], end: int, reordered: int, state_sha256: str | None) -> None:
        sha256 = _settled(self._part_file(len(self.segments)))
        segment = Segment(times=times, end=end, reordered=reordered, sha256=sha256, state_sha256=state_sha256)
        self.segments.append(segment)
        append(self.folder / JOURNAL, asdict(segment))

    def writer(self, encoding: Encoding, info: VideoInfo) -> PartWriter:
        """For the next segment."""
        return PartWriter(self.output, self._part_file(len(self.segments)), encoding, info)

    def frames_of_all(self, info: VideoInfo) -> Iterator[Frame]:
        """Those of all segments, which are lossless, with the film's times."""
        previous: Frame | None = None
        for frame in self._decoded(info):
            if previous is not None:
                yield previous.at(previous.pts, duration=frame.pts - previous.pts)
            previous = frame
        if previous is not None:
            yield previous.at(previous.pts, duration=self.segments[-1].end - previous.pts)

    def packets(self, time_base: Fraction) -> Iterator[Packet[VideoStream]]:
        """Those of all segments, in decoding order, with the film's times in its time base."""
        reordered = max((each.reordered for each in self.segments), default=0)
        waiting: list[int] = []
        for index, segment in enumerate(self.segments):
            with reading(self._part_file(index)), av.open(str(self._part_file(index))) as container:
                packets = [each for each in container.demux(video=0) if each.size]
            ticks = [_ticks(packet, time_base) for packet in packets]
            shown = [time - min(ticks) + segment.start for time in ticks]
            in_order = sorted(shown)
            if not waiting:
                lead = in_order[min(reordered, len(in_order) - 1)] - in_order[0]
                waiting = [time - lead for time in in_order[:reordered]]
            # What is decoded now is what was to be shown so many frames ago.
            decoded = waiting + in_order
            waiting = decoded[len(packets) :]
            end = self.segments[index + 1].start if index + 1 < len(self.segments) else segment.end
            following = dict(zip(in_order, [*in_order[1:], end], strict=True))
            for packet, pts, dts in zip(packets, shown, decoded, strict=False):
                packet.time_base, packet.pts, packet.dts = time_base, pts, dts
                packet.duration = following[pts] - pts
                yield packet

    def _decoded(self, info: VideoInfo) -> Iterator[Frame]:
        for index, segment in enumerate(self.segments):
            path = self._part_file(index)
            first: int | None = None
            with reading(path), av.open(str(path)) as container:
                for picture in container.decode(video=0):
                    ticks = _ticks(picture, info.time_base)
                    first = ticks if first is None else first
                    pixels = picture.to_ndarray(format="rgba")
                    yield Frame(
                        image=RgbImage(np.ascontiguousarray(pixels[..., :3])),
                        pts=ticks - first + segment.start,
                        time_base=info.time_base,
                        alpha=np.ascontiguousarray(pixels[..., 3]) if info.alpha else None,
                    )

    def _intact(self, segments: list[Segment]) -> list[Segment]:
        """As many of the segments, from the first on, as are whole and can be continued."""
        count = 0
        while count < len(segments) and _sha256(self._part_file(count)) == segments[count].sha256:
            count += 1
        while count and segments[count - 1].state_sha256 not in (None, _sha256(self._state_file(count - 1))):
            count -= 1
        return segments[:count]

    def _write_journal(self) -> None:
        """Anew, so that a line that was cut off does not stand in the way of the next."""
        fresh = self.folder / f"{JOURNAL}.new"
        fresh.unlink(missing_ok=True)
        append(fresh, {"facts": self._facts})
        for segment in self.segments:
            append(fresh, asdict(segment))
        fresh.replace(self.folder / JOURNAL)

    def _part_file(self, index: int) -> Path:
        return self.folder / f"{index:05}.nut"

    def _state_file(self, index: int) -> Path:
        return self.folder / f"{index:05}.npz"


class SegmentWriter:
    """Encodes frames into segments, and adds each to its parts when it is full."""

    def __init__(self, parts: Parts, encoding: Encoding, info: VideoInfo) -> None:
        self._parts, self._encoding, self._info = parts, encoding, info
        self._part: PartWriter | None = None

    def write(self, frame: Frame) -> None:
        if self._part is not None and self._part.frames == SEGMENT_FRAMES:
            self.finish()
        if self._part is None:
            self._part = self._parts.writer(self._encoding, self._info)
        self._part.write(frame)

    def finish(self) -> None:
        """Ends the last segment."""
        if self._part is not None:
            part, self._part = self._part, None
            part.finish()
            self._parts.add(part)

    def abandon(self) -> None:
        """Leaves the last segment as it is, which is as good as lost."""
        if self._part is not None:
            self._part.abandon()


class PartWriter:
    """Encodes one segment.

    NUT, because it keeps any time base; its times begin at 0 there.
    """

    def __init__(self, output: Path, path: Path, encoding: Encoding, info: VideoInfo) -> None:
        self.path = path
        self.times: list[int] = []
        self.end = 0
        self._output = output
        self._decoded: list[int] = []
        with writing(output):
            self._container = av.open(str(path), "w", format="nut")
            self._stream = add_video(self._container, encoding, info)
        self._encoder = Encoder(self._stream, encoding, info)

    def write(self, frame: Frame) -> None:
        self.times.append(frame.pts)
        self.end = frame.pts + frame.duration
        self._mux(self._encoder.encode(frame.at(frame.pts - self.times[0])))

    @property
    def frames(self) -> int:
        return len(self.times)

    @property
    def reordered(self) -> int:
        """By how many frames decoding runs ahead of showing."""
        place = {pts: index for index, pts in enumerate(sorted(self._decoded))}
        return max(index - place[pts] for index, pts in enumerate(self._decoded))

    def finish(self) -> None:
        self._mux(self._encoder.flush())
        with writing(self._output):
            self._container.close()

    def _mux(self, packets: list[Packet[VideoStream]]) -> None:
        self._decoded += [each.pts for each in packets if each.pts is not None]
        with writing(self._output):
            self._container.mux(packets)

    def abandon(self) -> None:
        """Closes the file, whatever is in it."""
        with writing(self._output):
            self._container.close()


def _save(path: Path, state: State) -> None:
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, **{f"{number:02}": each for number, each in enumerate(state)})


def _settled(path: Path) -> str:
    """The file's checksum, once it is on the disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())
    return _sha256(path)


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return ""


def _ticks(timed: Packet[VideoStream] | av.VideoFrame, time_base: Fraction) -> int:
    assert timed.pts is not None and timed.time_base is not None
    return round(timed.pts * timed.time_base / time_base)
