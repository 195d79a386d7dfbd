"""Timestamps of sound files, damaged where each container keeps them.

The packets stay as they are; what is changed is when they say that they are shown: one of them is shifted,
two are swapped, one gets the time of the one before, or all from one on jump. Matroska has times in its
blocks, MPEG-TS in PES headers, fragmented MP4 in ``tfdt`` boxes; AVI has none, and its index is damaged.
"""

from __future__ import annotations

import random
import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

import av
import numpy as np

Kind = Literal["shift", "swap", "repeat", "jump"]
KINDS: tuple[Kind, ...] = ("shift", "swap", "repeat", "jump")

CONTAINERS = ("mkv", "mp4", "ts", "avi")
SECONDS = 3
RATE = 25
_SOUND_RATE = 48_000
_AAC_SAMPLES = 1024
_TOLERANCE = Fraction(1, 500)
"""Seconds; a file's own rounding."""

_JUMPS = (Fraction(1, 5), Fraction(1), Fraction(5), Fraction(-1, 5), Fraction(-1))
_SHIFTS = tuple(
    sign * each for each in (Fraction(1, 50), Fraction(3, 10), Fraction(2), Fraction(15)) for sign in (1, -1)
)


@dataclass(frozen=True)
class Field:
    """Where the time of one packet is, and how it is read and written.

    Attributes:
        stream: 0 for video, 1 for sound.
        read: its ticks.
        write: puts other ticks into the data.
        ticks: per second.
        least, most: that the field can hold.
    """

    stream: int
    read: Callable[[bytearray], int]
    write: Callable[[bytearray, int], None]
    ticks: int
    least: int
    most: int


@dataclass(frozen=True)
class Damage:
    """What was done.

    Attributes:
        kind: of damage.
        stream: 0 for video, 1 for sound.
        packets: how many have another time than before; those after a jump do not count.
        seconds: by which they jump.
    """

    kind: Kind
    stream: int
    packets: int
    seconds: Fraction


@dataclass(frozen=True)
class Times:
    """When things are shown in a file, in seconds from its start."""

    video: list[Fraction]
    sound: list[Fraction]


def make_noise_video(path: Path, *, b_frames: bool) -> None:
    """Three seconds of noise that drifts, with a tone."""
    options = {"movflags": "frag_every_frame+empty_moov+default_base_moof"} if path.suffix == ".mp4" else {}
    codec, sound = ("mpeg4", "libmp3lame") if path.suffix == ".avi" else ("libx264", "aac")
    with av.open(str(path), "w", container_options=options) as container:
        video = container.add_stream(codec, rate=RATE, options={"g": "10"})
        assert isinstance(video, av.VideoStream)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        video.codec_context.max_b_frames = 2 if b_frames and path.suffix != ".avi" else 0
        track = container.add_stream(sound, rate=_SOUND_RATE)
        assert isinstance(track, av.AudioStream)
        noise = np.random.default_rng(0).integers(0, 255, (48, 64 + SECONDS * RATE, 3), np.uint8)
        for index in range(SECONDS * RATE):
            pixels = np.ascontiguousarray(noise[:, index : index + 64])
            container.mux(video.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
            container.mux(_tone(track, index))
        container.mux(video.encode(None))
        container.mux(track.encode(None))
    if path.suffix == ".mp4":
        path.write_bytes(_with_sound_times(bytearray(path.read_bytes())))


def _tone(track: av.AudioStream, index: int) -> list[av.Packet[av.AudioStream]]:
    samples = _SOUND_RATE // RATE
    packets = []
    for start in range(0, samples, 960):
        place = index * samples + start
        wave = (np.sin(np.arange(place, place + 960) / 20) * 0.3).astype(np.float32)
        frame = av.AudioFrame.from_ndarray(np.stack([wave, wave]), "fltp", "stereo")
        frame.sample_rate, frame.pts, frame.time_base = _SOUND_RATE, place, Fraction(1, _SOUND_RATE)
        packets += track.encode(frame)
    return packets


def _with_sound_times(data: bytearray) -> bytes:
    """Writes what FFmpeg does not know when it writes a fragment of one packet: when the next one begins."""
    sounds = [each for each in _fragment_fields(data) if each.stream == 1]
    for number, field in enumerate(sounds):
        field.write(data, number * _AAC_SAMPLES)
    for found in re.finditer(b"tfhd", bytes(data)):
        if struct.unpack_from(">I", data, found.end() + 4)[0] == 2:
            struct.pack_into(">I", data, found.end() + 8, _AAC_SAMPLES)
    return bytes(data)


def times_of(path: Path, *, packets: bool = False) -> Times:
    """Times of all frames in presentation order, and of all packets of sound."""
    with av.open(str(path)) as container:
        found: dict[str, list[Fraction]] = {"video": [], "audio": []}
        for packet in container.demux():
            time = packet.pts if packet.pts is not None else packet.dts
            if packet.size and time is not None and packet.time_base is not None:
                found[packet.stream.type].append(time * packet.time_base)
    video = found["video"] if packets else sorted(found["video"])
    start = min(Fraction(0) if each < 0 else each for each in (*video[:1], *found["audio"][:1]))
    return Times([each - start for each in video], [each - start for each in found["audio"]])


def damage(data: bytes, container: str, chance: random.Random, kind: Kind) -> tuple[bytes, Damage]:
    """Damages one timestamp, or all from one on."""
    damaged = bytearray(data)
    if container == "avi":
        return _damage_index(damaged, chance, kind)
    fields = list(_FIELDS[container](damaged))
    stream = chance.choice([0, 1])
    own = [each for each in fields if each.stream == stream]
    place = chance.randrange(3, len(own) - 3)
    field, ticks = own[place], own[place].read(damaged)
    if kind == "shift":
        seconds = chance.choice(_SHIFTS)
        field.write(damaged, min(field.most, max(field.least, ticks + round(seconds * field.ticks))))
        return bytes(damaged), Damage(kind, stream, 1, seconds)
    if kind == "repeat":
        field.write(damaged, own[place - 1].read(damaged))
        return bytes(damaged), Damage(kind, stream, 1, Fraction(0))
    if kind == "swap":
        other = own[place + chance.choice([1, 2])]
        field.write(damaged, other.read(damaged))
        other.write(damaged, ticks)
        return bytes(damaged), Damage(kind, stream, 2, Fraction(0))
    seconds = chance.choice(_JUMPS)
    for each in own[place:]:
        later = each.read(damaged) + round(seconds * each.ticks)
        each.write(damaged, min(each.most, max(each.least, later)))
    return bytes(damaged), Damage(kind, stream, 0, seconds)


def move(path: Path, *, stream: int, packets: dict[int, Fraction]) -> None:
    """Moves some packets of a file by so many seconds each.

    Args:
        stream: 0 for video, 1 for sound, and so on, in the order of the file.
        packets: seconds by the packet's number in its stream.
    """
    data = bytearray(path.read_bytes())
    own = [each for each in _FIELDS[path.suffix[1:]](data) if each.stream == stream]
    for number, seconds in packets.items():
        own[number].write(data, own[number].read(data) + round(seconds * own[number].ticks))
    path.write_bytes(data)


def complaints(before: Times, damaged: Path, output: Path, done: Damage) -> Iterator[str]:
    """What moved though it was not out of line, or is missing though a player shows it."""
    after = times_of(output)
    for stream, (name, wanted, got) in enumerate(
        (("frames", before.video, after.video), ("packets of sound", before.sound, after.sound))
    ):
        if len(got) != len(wanted):
            # FFmpeg reads entries of AVI's index that occur twice only once; every frame is there.
            there = len(times_of(damaged).sound) if stream else len(wanted)
            if len(got) < there:
                yield f"{len(got)} {name} instead of {len(wanted)}"
            continue
        moved = [
            index for index, (a, b) in enumerate(zip(wanted, got, strict=True)) if abs(a - b) > _TOLERANCE
        ]
        allowed = done.packets if stream == done.stream else 0
        if done.kind == "jump":
            yield from _wrong_jump(name, wanted, got, done, stream)
        elif len(moved) > allowed:
            first = moved[0]
            yield (
                f"{len(moved)} {name} moved, the first from {float(wanted[first]):.3f} s "
                f"to {float(got[first]):.3f} s"
            )


def _wrong_jump(
    name: str, wanted: list[Fraction], got: list[Fraction], done: Damage, stream: int
) -> Iterator[str]:
    """Before and after a jump, each stream is where the input has it, or where it is without the jump."""
    edge = 4 + round(abs(done.seconds) * 50)
    places = {Fraction(0), done.seconds} if stream == done.stream else {Fraction(0)}
    ends = [*range(2), *range(len(wanted) - 2, len(wanted))] if len(wanted) > 2 * edge else [0]
    for index in ends:
        if all(abs(got[index] - wanted[index] - each) > 5 * _TOLERANCE for each in places):
            yield f"{name} after a jump of {float(done.seconds)} s are at {float(got[index]):.3f} s"
            return


# ------------------------------------------------------------------ where times are


def _matroska_fields(data: bytearray) -> Iterator[Field]:
    yield from _blocks(data, 0, len(data))


def _blocks(data: bytearray, start: int, end: int) -> Iterator[Field]:
    """Blocks have times of 16 bits, in milliseconds from those of their cluster."""
    while start < end - 2:
        width = _vint_width(data[start])
        identifier = int.from_bytes(data[start : start + width], "big")
        start += width
        width = _vint_width(data[start])
        size = int.from_bytes(data[start : start + width], "big") & ((1 << 7 * width) - 1)
        start += width
        stop = end if size == (1 << 7 * width) - 1 else min(end, start + size)
        if identifier in (0x18538067, 0x1F43B675, 0xA0):
            yield from _blocks(data, start, stop)
        elif identifier in (0xA1, 0xA3):
            place = start + 1

            def read(data: bytearray, place: int = place) -> int:
                return int(struct.unpack_from(">h", data, place)[0])

            def write(data: bytearray, ticks: int, place: int = place) -> None:
                struct.pack_into(">h", data, place, ticks)

            yield Field((data[start] & 0x7F) - 1, read, write, 1000, -(1 << 15), (1 << 15) - 1)
        start = stop


def _vint_width(first: int) -> int:
    return 9 - max(1, first.bit_length())


def _fragment_fields(data: bytearray) -> Iterator[Field]:
    """Each fragment has one packet, and its time in ``tfdt``."""
    scales = [
        struct.unpack_from(">I", data, found.start() + 16)[0] for found in re.finditer(b"mdhd\0", bytes(data))
    ]
    for found in re.finditer(b"tfhd", bytes(data)):
        stream = int(struct.unpack_from(">I", data, found.end() + 4)[0]) - 1
        at = data.find(b"tfdt", found.end())
        code, place = (">Q", at + 8) if data[at + 4] else (">I", at + 8)

        def read(data: bytearray, place: int = place, code: str = code) -> int:
            return int(struct.unpack_from(code, data, place)[0])

        def write(data: bytearray, ticks: int, place: int = place, code: str = code) -> None:
            struct.pack_into(code, data, place, ticks)

        yield Field(stream, read, write, scales[stream], 0, (1 << 31) - 1)


def _pes_fields(data: bytearray) -> Iterator[Field]:
    """PES packets have times of 33 bits, in 90000ths of a second."""
    for start in range(0, len(data), 188):
        if not data[start + 1] & 0x40:
            continue
        place = start + 4 + (1 + data[start + 4] if data[start + 3] & 0x20 else 0)
        if data[place : place + 3] != b"\0\0\1" or data[place + 3] & 0xE0 not in (0xC0, 0xE0):
            continue
        stream = 0 if data[place + 3] & 0xF0 == 0xE0 else 1
        places = [place + 9, *([place + 14] if data[place + 7] & 0x40 else [])]

        def read(data: bytearray, places: list[int] = places) -> int:
            return _read_pes(data, places[-1])

        def write(data: bytearray, ticks: int, places: list[int] = places) -> None:
            delay = _read_pes(data, places[0]) - _read_pes(data, places[-1])
            _write_pes(data, places[-1], ticks)
            if len(places) > 1:
                _write_pes(data, places[0], ticks + delay)

        yield Field(stream, read, write, 90_000, 0, (1 << 33) - 90_000)


def _read_pes(data: bytearray, place: int) -> int:
    first, second, third = data[place], *struct.unpack_from(">HH", data, place + 1)
    return int((first & 0x0E) << 29 | (second >> 1) << 15 | third >> 1)


def _write_pes(data: bytearray, place: int, ticks: int) -> None:
    data[place] = data[place] & 0xF1 | ticks >> 29 & 0x0E
    struct.pack_into(">HH", data, place + 1, (ticks >> 14 & 0xFFFE) | 1, (ticks << 1 & 0xFFFE) | 1)


_FIELDS: dict[str, Callable[[bytearray], Iterator[Field]]] = {
    "mkv": _matroska_fields,
    "mp4": _fragment_fields,
    "ts": _pes_fields,
}


def _damage_index(data: bytearray, chance: random.Random, kind: Kind) -> tuple[bytes, Damage]:
    """AVI has no times; entries of its index say in which order chunks come.

    Only sound can be damaged so: frames in another order are other frames.
    """
    at = data.rfind(b"idx1")
    count = struct.unpack_from("<I", data, at + 4)[0] // 16
    entries = [at + 8 + 16 * number for number in range(count)]
    own = [each for each in entries if data[each : each + 4] == b"01wb"]
    place = chance.randrange(3, len(own) - 3)
    here, there = own[place], own[place + chance.choice([1, 2])]
    first, second = bytes(data[here : here + 16]), bytes(data[there : there + 16])
    if kind != "repeat":
        data[there : there + 16] = first
        data[here : here + 16] = second
        return bytes(data), Damage("swap", 1, 0, Fraction(0))
    data[here : here + 16] = second
    return bytes(data), Damage("repeat", 1, 0, Fraction(0))
