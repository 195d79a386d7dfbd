"""Media as cameras, tuners and editors make them: odd times, turned and cropped frames."""

import shutil
import struct
import subprocess
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

RATE = 25
SIZE = 96, 64
_DARKEST, _STEP = 20, 7


def make_video(
    path: Path,
    *,
    codec: str = "libx264",
    frames: int = 30,
    rate: Fraction = Fraction(RATE),
    first: int = 0,
    options: dict[str, str] | None = None,
    muxer: dict[str, str] | None = None,
    sound: str | None = None,
    image: NDArray[np.uint8] | None = None,
    aspect: Fraction = Fraction(1),
    bit_rate: int = 0,
) -> Path:
    """A video whose frames say their number by their brightness, see :func:`numbers`.

    Args:
        first: number of the first frame.
        image: all frames alike, instead.
    """
    with av.open(str(path), "w", options=muxer or {}) as container:
        stream = container.add_stream(codec, rate=rate, options=options or {})
        assert isinstance(stream, av.VideoStream)
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.width, stream.height = SIZE if image is None else image.shape[1::-1]
        stream.sample_aspect_ratio = aspect
        if bit_rate:
            stream.codec_context.bit_rate = bit_rate
        audio = container.add_stream(sound, rate=48000, layout="mono") if sound else None
        for index in range(frames):
            pixels = _numbered(first + index) if image is None else image
            frame = av.VideoFrame.from_ndarray(pixels, "rgb24")
            frame.pts, frame.time_base = index, 1 / rate
            container.mux(stream.encode(frame))
            if isinstance(audio, av.AudioStream):
                container.mux(audio.encode(_tone(round(48000 * index / rate), round(48000 / rate))))
        container.mux(stream.encode(None))
        if isinstance(audio, av.AudioStream):
            container.mux(audio.encode(None))
    return path


def _numbered(number: int) -> NDArray[np.uint8]:
    return np.full((SIZE[1], SIZE[0], 3), _DARKEST + _STEP * number, np.uint8)


def _tone(start: int, count: int) -> av.AudioFrame:
    samples = (np.sin((start + np.arange(count)) / 20) * 0.2).astype(np.float32)[np.newaxis]
    frame = av.AudioFrame.from_ndarray(samples, "fltp", "mono")
    frame.pts, frame.sample_rate, frame.time_base = start, 48000, Fraction(1, 48000)
    return frame


def numbers(pixels: Sequence[NDArray[np.uint8]]) -> list[int]:
    """The numbers of frames that :func:`make_video` made."""
    return [round((float(each.mean()) - _DARKEST) / _STEP) for each in pixels]


def shift_matroska(source: Path, target: Path, track: int, milliseconds: Callable[[int], int]) -> Path:
    """Moves the times of a track's blocks by what a function of their number says."""
    data, count = bytearray(source.read_bytes()), 0

    def walk(position: int, end: int) -> None:
        nonlocal count
        while position < end - 2:
            kind, length = _vint(data, position, marker=True)
            size, more = _vint(data, position + length)
            body = position + length + more
            if size == (1 << 7 * more) - 1:
                size = end - body
            if kind in (0x18538067, 0x1F43B675, 0xA0):
                walk(body, min(body + size, end))
            elif kind in (0xA3, 0xA1):
                number, length = _vint(data, body)
                if number == track:
                    at = body + length
                    time = int.from_bytes(data[at : at + 2], "big", signed=True) + milliseconds(count)
                    data[at : at + 2] = time.to_bytes(2, "big", signed=True)
                    count += 1
            position = body + size

    walk(0, len(data))
    assert count, "no block of that track"
    target.write_bytes(data)
    return target


def _vint(data: bytearray, position: int, *, marker: bool = False) -> tuple[int, int]:
    """An EBML number and its length."""
    length = 9 - data[position].bit_length()
    value = int.from_bytes(data[position : position + length], "big")
    return value if marker else value & ((1 << 7 * length) - 1), length


def set_display_matrix(path: Path, matrix: Sequence[float]) -> Path:
    """Writes ``a b c d`` into the first track of an MP4."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4
    at += (4 + 20 if data[at] == 0 else 4 + 32) + 16
    a, b, c, d = (round(each * 65536) for each in matrix)
    data[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    return path


def add_clean_aperture(path: Path, width: int, height: int, offset: tuple[Fraction, Fraction]) -> Path:
    """Adds MP4's ``clap`` to the first video track; the moov box must be the last one."""
    data = bytearray(path.read_bytes())
    box = struct.pack(">I4s8i", 40, b"clap", width, 1, height, 1, *_ratio(offset[0]), *_ratio(offset[1]))
    parents, position, end = [], data.index(b"moov") - 4, len(data)
    for name in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd"):
        position = data.index(name, position, end) - 4
        parents.append(position)
        end = position + int.from_bytes(data[position : position + 4], "big")
    entry = position + 16
    at = entry + int.from_bytes(data[entry : entry + 4], "big")
    data[at:at] = box
    for parent in (*parents, entry):
        size = int.from_bytes(data[parent : parent + 4], "big") + len(box)
        data[parent : parent + 4] = size.to_bytes(4, "big")
    path.write_bytes(data)
    return path


def _ratio(number: Fraction) -> tuple[int, int]:
    return number.numerator, number.denominator


def tool(name: str) -> str:
    """The path of a program; skips the test where it is not installed."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"needs {name}")
    return found


def run_tool(name: str, *arguments: object) -> str:
    """What a program prints."""
    done = subprocess.run([tool(name), *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def ffprobe_seconds(path: Path) -> list[float]:
    """The times of the main video's frames according to FFprobe, from the first on."""
    lines = run_tool(
        *("ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries"),
        *("frame=best_effort_timestamp_time", "-of", "csv=p=0", path),
    ).split()
    # A frame may have no time.
    times = [float("nan") if "N/A" in line else float(line.strip(",")) for line in lines]
    return [time - times[0] for time in times]
