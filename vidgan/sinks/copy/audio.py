"""Sound converted into a codec that the output's container holds."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from io import BytesIO
from typing import Any

import av
import numpy as np
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet
from numpy.typing import NDArray

_ENCODERS = {
    "matroska": ("flac", "pcm_s24le", "aac"),
    "mp4": ("flac", "aac"),
    "mov": ("alac", "pcm_s24le", "aac"),
    "nut": ("flac", "pcm_s24le", "aac"),
    "webm": ("libopus",),
}
"""Encoders by muxer, the best first: lossless ones, then AAC; WebM holds only Opus and Vorbis."""

_LOSSY_BITS_PER_CHANNEL = 96_000
_OPUS_RATE = 48_000
_SIXTEEN_BITS = {"u8", "u8p", "s16", "s16p"}
_JITTER_SECONDS = 0.05
"""Times of sound that differ by less from its samples are the container's rounding."""

_SILENCE_SECONDS = 10
"""Longer pauses are left out of the stream instead of being encoded as silence."""


def find_audio_encoder(muxer: str, source: AudioStream) -> str | None:
    """The first encoder whose sound the container holds, at the rate and layout of the source."""
    for encoder in _ENCODERS.get(muxer, ()):
        layout, rate = source.layout.name, source.rate
        if layout and _opens(muxer, encoder, layout, rate, source.format.name in _SIXTEEN_BITS):
            return encoder
    return None


def add_audio(container: OutputContainer, encoder: str, source: AudioStream) -> AudioStream:
    """Adds a stream for the converted sound."""
    return _add(container, encoder, source.layout.name, source.rate, source.format.name in _SIXTEEN_BITS)


def _add(container: OutputContainer, encoder: str, layout: str, rate: int, sixteen_bits: bool) -> AudioStream:
    rate = _OPUS_RATE if encoder == "libopus" else rate
    stream = container.add_stream(encoder, rate=rate)
    assert isinstance(stream, AudioStream)
    stream.layout = layout
    stream.time_base = Fraction(1, rate)
    formats = [each.name for each in stream.codec_context.codec.audio_formats or []]
    wanted = ("s16", "s16p") if sixteen_bits else ("s32", "s32p", "fltp")
    chosen = next((each for each in wanted if each in formats), formats[0] if formats else "s16")
    stream.format = chosen
    if encoder in ("aac", "libopus"):
        stream.bit_rate = _LOSSY_BITS_PER_CHANNEL * stream.channels
    return stream


@lru_cache
def _opens(muxer: str, encoder: str, layout: str, rate: int, sixteen_bits: bool) -> bool:
    try:
        with av.open(BytesIO(), "w", format=muxer) as container:
            _add(container, encoder, layout, rate, sixteen_bits)
            container.start_encoding()
    except (av.error.FFmpegError, ValueError):
        return False
    return True


class AudioConversion:
    """Decodes the packets of a stream and encodes their samples.

    Samples follow each other as they were decoded. Where the times leave a pause, it becomes silence, or is
    left out where it is long.

    Attributes:
        damaged: packets that could not be decoded.
        seconds: from the first sample to the last.
        start: of the first sample, in seconds of the output; None before there is one.
    """

    def __init__(self, source: AudioStream, target: AudioStream) -> None:
        self._decoder, self._target = source.codec_context, target
        self._rate = target.rate
        self._resampler = AudioResampler(target.format, target.layout, target.rate)
        self._planar = target.format.is_planar
        self._waiting: NDArray[Any] | None = None
        self._next: int | None = None
        self.damaged = 0
        self.start: Fraction | None = None
        self.samples = 0

    def packets(self, packet: Packet[Any]) -> list[Packet[Any]]:
        """Packets made from one packet, whose times are the output's."""
        try:
            frames = self._decoder.decode(packet)
        except av.error.FFmpegError:
            self.damaged += 1
            return []
        made: list[Packet[Any]] = []
        for frame in frames:
            if frame.pts is not None and frame.time_base is not None:
                made += self._go_to(round(frame.pts * frame.time_base * self._rate))
            frame.pts = None
            for piece in self._resampler.resample(frame):
                self._append(piece.to_ndarray())
            made += self._encoded(last=False)
        return made

    def flush(self) -> list[Packet[Any]]:
        """The remaining packets, at the end of the stream."""
        made: list[Packet[Any]] = []
        try:
            for frame in self._decoder.decode(None):
                frame.pts = None
                for piece in self._resampler.resample(frame):
                    self._append(piece.to_ndarray())
        except av.error.FFmpegError:
            self.damaged += 1
        for piece in self._resampler.resample(None):
            self._append(piece.to_ndarray())
        made += self._encoded(last=True)
        return made + self._target.encode(None)

    def _go_to(self, due: int) -> list[Packet[Any]]:
        """Waits until the sample of that number, where the sound pauses."""
        if self._next is None:
            self._next = due
            self.start = Fraction(due, self._rate)
            return []
        pause = due - self._next - self._length
        if pause <= _JITTER_SECONDS * self._rate:
            return []
        if pause <= _SILENCE_SECONDS * self._rate:
            self._append(self._silence(pause))
            return []
        frame = self._target.codec_context.frame_size or 1
        self._append(self._silence(-self._length % frame))
        made = self._encoded(last=True)
        self._next = due
        return made

    @property
    def _length(self) -> int:
        """Samples that wait."""
        return 0 if self._waiting is None else self._waiting.shape[1] // self._stride

    @property
    def _stride(self) -> int:
        return 1 if self._planar else self._target.channels

    def _silence(self, samples: int) -> NDArray[Any]:
        rows = self._target.channels if self._planar else 1
        kind = np.dtype({"s16": "i2", "s32": "i4", "flt": "f4", "dbl": "f8", "u8": "u1"}[self._packed])
        return np.zeros((rows, samples * self._stride), kind)

    @property
    def _packed(self) -> str:
        return self._target.format.packed.name

    def _append(self, samples: NDArray[Any]) -> None:
        self._waiting = samples if self._waiting is None else np.hstack([self._waiting, samples])

    def _encoded(self, *, last: bool) -> list[Packet[Any]]:
        """Encodes as many whole frames as there are; all samples if these are the last."""
        made: list[Packet[Any]] = []
        size = self._target.codec_context.frame_size or 1024
        self._next = self._next or 0
        if self.start is None:
            self.start = Fraction(self._next, self._rate)
        while self._length >= size or (last and self._length):
            assert self._waiting is not None
            count = min(size, self._length)
            cut = count * self._stride
            chunk, self._waiting = self._waiting[:, :cut], self._waiting[:, cut:]
            frame = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(chunk), self._target.format.name, self._target.layout.name
            )
            frame.sample_rate, frame.pts, frame.time_base = self._rate, self._next, Fraction(1, self._rate)
            self._next += count
            self.samples += count
            made += self._target.encode(frame)
        return made
