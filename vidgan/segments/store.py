"""An unfinished output: segments that are complete on disk, and a journal that says so.

The folder ``.NAME.vidgan`` beside the output holds::

    journal.jsonl      the job's fingerprint, a line for each complete segment, and that there are no more
    00000.nut …        the segments, each encoded on its own, some losslessly
    00003.npz          the state of stateful steps after a segment; of the last two segments
    joined.mp4         the output while segments are joined
    lock               held by the process at work

A segment counts once its line is in the journal, and the line is written once the segment is on the
disk. So whatever kills the process, the next one finds whole segments and continues after the last.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import av
import numpy as np
from av.packet import Packet
from av.video.stream import VideoStream
from filelock import FileLock, Timeout

from vidgan.errors import InputError, OutputError
from vidgan.media.encoding import Encoding
from vidgan.media.ffmpeg import reading, writing
from vidgan.media.frame import Frame, VideoInfo
from vidgan.media.image import RgbImage
from vidgan.segments.encoder import EncodedSegment, SegmentEncoder
from vidgan.segments.journal import (
    COMPLETE,
    JOURNAL,
    LOCK,
    SegmentRecord,
    append,
    folder_of,
    head_of,
    read_journal,
    remove,
)
from vidgan.segments.state import JobState, check_data, load_arrays, save_arrays

SEGMENT_FRAMES = 250
"""Between two key frames x264 leaves as many at most, so segments cost nothing in size."""

_KEPT_STATES = 2
_PATIENCE_SECONDS = 0.2
"""For the lock: whoever merely looks whether it is held, holds it for a moment."""


class SegmentStore:
    """The folder of one output's segments; made or continued by entering its ``with`` block.

    A folder of another fingerprint is another job's: its segments are thrown away, never mixed in. Leaving
    the block keeps the folder if there is something to continue, except after an :class:`InputError`:
    that input will have to become another one first.

    Args:
        output: where the video will be.
        fingerprint: everything that decides what comes out, as JSON; None for a video that nobody will
            continue.
        notes: what does not decide that, but whoever continues the job has to know, as JSON.

    Attributes:
        segments: that are complete.
        discarded: whether segments of another job were thrown away.

    Raises:
        OutputError: the folder cannot be made, or another process is at work on the same output.
    """

    def __init__(
        self,
        output: Path,
        fingerprint: dict[str, Any] | None = None,
        *,
        notes: dict[str, Any] | None = None,
    ) -> None:
        self.output = output
        # What nobody will continue must not be taken for what somebody will.
        named = output if fingerprint is not None else output.with_name(f"{output.name}.{os.getpid()}")
        self.folder = folder_of(named)
        self.segments: list[SegmentRecord] = []
        self.discarded = False
        self._fingerprint = json.loads(json.dumps(fingerprint))
        self._notes = notes or {}
        self._states: dict[int, JobState] = {}
        self._lock = FileLock(self.folder / LOCK)

    @property
    def frames(self) -> int:
        """In all segments."""
        return sum(each.frames for each in self.segments)

    @property
    def joined_output(self) -> Path:
        """Where the segments are joined."""
        return self.folder / f"joined{self.output.suffix}"

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
        if self.joined_output.is_dir():
            shutil.rmtree(self.joined_output, ignore_errors=True)
        else:
            self.joined_output.unlink(missing_ok=True)
        kept = bool(self._fingerprint and self.segments and kind and not issubclass(kind, InputError))
        self._lock.release()
        if not kept:
            remove(self.folder)
        elif exc is not None:
            exc.add_note(
                f"{self.output}: {self.frames} frames of it are done; the same command goes on from there"
            )

    def _continue(self) -> None:
        """Continues what another run left, if it is of this job."""
        found, segments = read_journal(self.folder / JOURNAL)
        if found is not None and found == self._fingerprint:
            self.segments = self._intact(segments)
        else:
            self.discarded = any(self.folder.glob("*.nut"))
        self._write_journal()

    def saved_state(self) -> JobState:
        """The states of the job's steps after the last segment; empty where there are none."""
        if not self.segments:
            return JobState()
        last = self.segments[-1]
        arrays = {} if last.state_sha256 is None else load_arrays(self._state_file(len(self.segments) - 1))
        return JobState(arrays=arrays, data=last.data)

    def save_state(self, frames: int, state: JobState) -> None:
        """Takes note of the states of the job's steps after so many frames of the video.

        It has to be called before the next frame is written, from whichever thread. Only the states at the
        ends of segments are kept.

        Raises:
            OutputError: the JSON in it is too large.
        """
        if frames % SEGMENT_FRAMES == 0 and state:
            check_data(state.data, json.dumps(dict(state.data)))
            self._states[frames] = state

    def add(self, segment: SegmentEncoder) -> None:
        """Counts a finished segment as done."""
        index = len(self.segments)
        state = self._states.pop(self.frames + segment.frames, JobState())
        with writing(self.output):
            state_sha256 = None
            if state.arrays:
                path = self._state_file(index)
                save_arrays(path, state.arrays)
                state_sha256 = _settled(path)
            self._count(segment.times, segment.end, segment.reordered, state_sha256, dict(state.data))
            self._state_file(index - _KEPT_STATES).unlink(missing_ok=True)

    def add_encoded(self, segment: EncodedSegment) -> None:
        """Counts the next segment as done, which was encoded elsewhere."""
        with writing(self.output):
            self._segment_file(len(self.segments)).write_bytes(segment.data)
            self._count(segment.times, segment.end, segment.reordered, None, {})

    def close_journal(self) -> None:
        """Says that the output is complete, and on its way to its place."""
        with writing(self.output):
            append(self.folder / JOURNAL, COMPLETE)

    def _count(
        self, times: list[int], end: int, reordered: int, state_sha256: str | None, data: dict[str, Any]
    ) -> None:
        record = SegmentRecord(
            times=times,
            end=end,
            reordered=reordered,
            sha256=_settled(self._segment_file(len(self.segments))),
            state_sha256=state_sha256,
            data=data,
        )
        self.segments.append(record)
        append(self.folder / JOURNAL, asdict(record))

    def encoder(self, encoding: Encoding, info: VideoInfo) -> SegmentEncoder:
        """Encodes the next segment."""
        return SegmentEncoder(self.output, self._segment_file(len(self.segments)), encoding, info)

    def decoded_frames(self, info: VideoInfo) -> Iterator[Frame]:
        """The frames of all segments, which are lossless, with the video's times."""
        previous: Frame | None = None
        for frame in self._decoded(info):
            if previous is not None:
                yield previous.at(previous.pts, duration=frame.pts - previous.pts)
            previous = frame
        if previous is not None:
            yield previous.at(previous.pts, duration=self.segments[-1].end - previous.pts)

    def packets(self, time_base: Fraction) -> Iterator[Packet[VideoStream]]:
        """The packets of all segments in decoding order, with the video's times in its time base."""
        reordered = max((each.reordered for each in self.segments), default=0)
        waiting: list[int] = []
        for index, segment in enumerate(self.segments):
            with reading(self._segment_file(index)), av.open(str(self._segment_file(index))) as container:
                packets = [each for each in container.demux(video=0) if each.size]
            ticks = [_ticks(packet, time_base) for packet in packets]
            shown = [time - min(ticks) + segment.start for time in ticks]
            in_order = sorted(shown)
            if not waiting:
                lead = in_order[min(reordered, len(in_order) - 1)] - in_order[0]
                waiting = [time - lead for time in in_order[:reordered]]
            # The frame that is decoded now was to be presented so many frames ago.
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
            path = self._segment_file(index)
            first: int | None = None
            with reading(path), av.open(str(path)) as container:
                for image in container.decode(video=0):
                    ticks = _ticks(image, info.time_base)
                    first = ticks if first is None else first
                    pixels = image.to_ndarray(format="rgba")
                    yield Frame(
                        image=RgbImage(np.ascontiguousarray(pixels[..., :3])),
                        pts=ticks - first + segment.start,
                        time_base=info.time_base,
                        alpha=np.ascontiguousarray(pixels[..., 3]) if info.alpha else None,
                    )

    def _intact(self, segments: list[SegmentRecord]) -> list[SegmentRecord]:
        """As many of the segments, from the first on, as are intact and can be continued."""
        count = 0
        while count < len(segments) and _sha256(self._segment_file(count)) == segments[count].sha256:
            count += 1
        while count and segments[count - 1].state_sha256 not in (None, _sha256(self._state_file(count - 1))):
            count -= 1
        return segments[:count]

    def _write_journal(self) -> None:
        """Anew, so that a line that was cut off does not stand in the way of the next."""
        fresh = self.folder / f"{JOURNAL}.new"
        fresh.unlink(missing_ok=True)
        append(fresh, head_of(self._fingerprint, self._notes))
        for segment in self.segments:
            append(fresh, asdict(segment))
        fresh.replace(self.folder / JOURNAL)

    def _segment_file(self, index: int) -> Path:
        return self.folder / f"{index:05}.nut"

    def _state_file(self, index: int) -> Path:
        return self.folder / f"{index:05}.npz"


class SegmentWriter:
    """Encodes frames into segments, and adds each to its store when it is full."""

    def __init__(self, store: SegmentStore, encoding: Encoding, info: VideoInfo) -> None:
        self._store, self._encoding, self._info = store, encoding, info
        self._segment: SegmentEncoder | None = None

    def write(self, frame: Frame) -> None:
        """Encodes a frame."""
        if self._segment is not None and self._segment.frames == SEGMENT_FRAMES:
            self.finish()
        if self._segment is None:
            self._segment = self._store.encoder(self._encoding, self._info)
        self._segment.write(frame)

    def finish(self) -> None:
        """Ends the last segment."""
        if self._segment is not None:
            segment, self._segment = self._segment, None
            segment.finish()
            self._store.add(segment)

    def abandon(self) -> None:
        """Closes the last segment, which is incomplete and lost."""
        if self._segment is not None:
            self._segment.abandon()


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
