"""Both sides of a case, decoded and probed, and what is not as it should be.

Pixels are compared by a run with ``strength=0`` and without smoothing, which changes nothing by itself;
times and streams also by a run that paints.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import cv2
import numpy as np
from av.codec import CodecContext
from av.stream import Disposition
from numpy.typing import NDArray

import vidgan
from tests.support.clips import COEFFICIENTS, reference_rgb
from tests.support.images import read_pixels
from tests.support.timestamps import seconds
from vidgan.media.trim import WHOLE, Trim
from vidgan.session import Session

from .media import by_ffmpeg, encoders_of

if TYPE_CHECKING:
    from .cases import Case

Pixels = NDArray[np.uint8]
BT2020 = 9
COEFFICIENTS[BT2020] = (0.2627, 0.0593)

_TOLERANCE = {
    # Edit lists, which say that a stream begins late, count in milliseconds.
    ".mp4": Fraction(1, 2000),
    ".mov": Fraction(1, 2000),
    ".mkv": Fraction(1, 1000),
    ".webm": Fraction(1, 1000),
    ".gif": Fraction(1, 200),
    ".apng": Fraction(1, 1000),
    ".nut": Fraction(1, 10_000),
}
"""Seconds by which the time of a frame may be rounded; other formats keep it as it is."""

_IN_STEP = Fraction(2, 1000)
_BIAS = 1.5
"""Grey levels by which the mean of a colour may differ."""

_PAINTED = 3.0
_MATRICES = {1: "bt709", 5: "bt470bg", 6: "smpte170m", 9: "bt2020nc"}
_MPEG_AUDIO = {"mp2": "mp3", "mp2float": "mp3", "mp3float": "mp3"}
"""mp4 does not tell the layers apart."""


@dataclass(frozen=True, kw_only=True)
class Track:
    """A stream beside the picture.

    Attributes:
        packets: their times in seconds, and what is in them.
    """

    kind: str
    codec: str
    tags: dict[str, str]
    disposition: Disposition
    packets: list[tuple[Fraction, bytes]]


@dataclass(frozen=True, kw_only=True)
class Side:
    """What is found in a file or folder.

    Attributes:
        pictures: upright, RGB uint8.
        alphas: as many, or none.
        start: seconds at which players begin to count.
        color: FFmpeg's numbers of primaries, transfer and matrix; and whether it is of full range.
    """

    pictures: list[Pixels]
    alphas: list[Pixels] = field(default_factory=list)
    times: list[Fraction] = field(default_factory=list)
    start: Fraction = Fraction()
    rate: Fraction | None = None
    codec: str = ""
    pixels: str = ""
    aspect: Fraction = Fraction(1)
    rotation: int = 0
    color: tuple[int, int, int, bool] = (2, 2, 2, False)
    tracks: list[Track] = field(default_factory=list)
    chapters: list[tuple[Fraction, Fraction, str]] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def size(self) -> tuple[int, int]:
        height, width = self.pictures[0].shape[:2]
        return width, height


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a case.

    Attributes:
        wrong: sentences; none, if all is as it should be.
        result: in a few words.
        probed: whether FFprobe gave a second opinion.
    """

    wrong: list[str]
    result: str
    probed: bool = False


def run(case: Case, folder: Path, style: Session) -> Outcome:
    """Makes the input of a case in an empty folder, stylizes it, and compares."""
    source = case.make(folder)
    if case.refused is not None:
        return _refused(case, source, folder, style)
    before = look(source)
    plain, notices = _stylized(case, source, folder / "plain", style, strength=0.0, smooth="off")
    # YUV4MPEG does not say which matrix; whoever reads it has to know.
    after = look(plain, matrix=before.color[2] if plain.suffix == ".y4m" else 2)
    wrong = [
        *_wrong_shape(case, before, after),
        *_wrong_times(case, before, after, plain),
        *_wrong_pixels(case, before, after),
        *_wrong_tracks(case, before, after),
        *_wrong_tags(case, before, after),
        *_wrong_notices(case, notices),
    ]
    if case.also is not None:
        wrong += case.also(source, plain)
    wrong += _wrong_painting(case, source, folder / "painted", style, after)
    probed = [_second_opinion(path, side) for path, side in ((source, before), (plain, after))]
    wrong += [each for found in probed for each in found or ()]
    summary = f"{len(after.pictures)} pictures" if len(after.pictures) > 1 else "1 picture"
    return Outcome(
        wrong=wrong,
        result="; ".join([summary + _quality(case, before, after), *_words(notices)]),
        probed=probed[1] is not None,
    )


def left_out(case: Case) -> str | None:
    """Why a case cannot be run here, if it cannot."""
    if getattr(case.make, "func", None) is by_ffmpeg and shutil.which("ffmpeg") is None:
        return "its input is made by the command ffmpeg, which is not here"
    missing = sorted(encoders_of(case.make) - av.codecs_available)
    return f"PyAV has no encoder {', '.join(missing)} here" if missing else None


def _refused(case: Case, source: Path, folder: Path, style: Session) -> Outcome:
    assert case.refused is not None
    kind, words = case.refused
    there = set(folder.rglob("*"))
    wrong = []
    try:
        vidgan.stylize(source, folder / case.output, style=style, **case.options)
    except kind as exc:
        result = str(exc).replace(f"{folder}/", "")
        if words not in result:
            wrong.append(f"refused, but not for {words!r}: {result}")
    else:
        return Outcome(wrong=["was not refused"], result="")
    if left := set(folder.rglob("*")) - there:
        wrong.append(f"left {', '.join(sorted(each.name for each in left))}")
    return Outcome(wrong=wrong, result=f"refused: {result}")


def _stylized(
    case: Case, source: Path, folder: Path, style: Session, **changes: Any
) -> tuple[Path, list[str]]:
    """The output, and what was said."""
    folder.mkdir()
    options = {**case.options, **changes}
    if case.output.startswith("-"):
        return _piped(source, folder, case.output, style, options), []
    output = folder / case.output
    result = vidgan.stylize(source, output, style=style, **options)
    assert not list(folder.glob(".*")), "nothing hidden is left"
    return (output.parent if "%" in output.name else output), [
        each.replace(f"{folder}/", "").replace(f"{source.parent}/", "") for each in result.notices
    ]


def _piped(source: Path, folder: Path, output: str, style: Session, options: dict[str, Any]) -> Path:
    """Standard output, caught in a file."""
    path = folder / f"piped.{output[1:]}"
    arguments = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    with path.open("wb") as piped:
        subprocess.run(
            [sys.executable, "-m", "vidgan", "stylize", str(source), "-o", "-", "--style", style.spec.name,
             "--device", "cpu", "--pipe-format", output[1:], *arguments],
            stdout=piped, stderr=subprocess.PIPE, check=True, timeout=120,
        )  # fmt: skip
    return path


def look(path: Path, *, matrix: int = 2) -> Side:
    """Decodes a film, a picture or a folder of pictures.

    Args:
        matrix: of a film that does not say.
    """
    if path.is_dir():
        names = sorted(path.iterdir(), key=lambda each: int(each.stem))
        return Side(pictures=[_picture(each)[0] for each in names])
    if path.suffix in (".png", ".jpg", ".bmp", ".tiff"):
        pixels, alpha = _picture(path)
        return Side(pictures=[pixels], alphas=[] if alpha is None else [alpha])
    if path.suffix == ".webp":
        return _moving_webp(path)
    return _film(path, matrix)


def _picture(path: Path) -> tuple[Pixels, Pixels | None]:
    whole = read_pixels(path, cv2.IMREAD_UNCHANGED)
    alpha = np.asarray(whole[..., 3], np.uint8) if whole.ndim == 3 and whole.shape[2] == 4 else None
    return np.asarray(cv2.imread(str(path), cv2.IMREAD_COLOR_RGB), np.uint8), alpha


def _moving_webp(path: Path) -> Side:
    """FFmpeg does not read these; OpenCV does."""
    _, animation = cv2.imreadanimation(str(path))
    ends = np.cumsum(animation.durations).tolist()
    return Side(
        pictures=[np.ascontiguousarray(each[..., 2::-1]) for each in animation.frames],
        alphas=_unless_opaque([each[..., 3] for each in animation.frames]),
        times=[Fraction(each, 1000) for each in [0, *ends[:-1]]],
        codec="webp",
    )


def _film(path: Path, matrix: int) -> Side:
    with av.open(str(path)) as container:
        video = next(
            each for each in container.streams.video if not each.disposition & Disposition.attached_pic
        )
        frames = _decoded(container, video)
        first = frames[0]
        # In mp4 the titles of chapters are a track of data.
        others = [
            each for each in container.streams
            if each != video and not (each.type == "data" and container.chapters())
        ]  # fmt: skip
        tracks = [_track(path, each.index) for each in others]
        return Side(
            pictures=[
                np.ascontiguousarray(np.rot90(_rgb(each, matrix), each.rotation // 90)) for each in frames
            ],
            alphas=_alphas(frames),
            times=[each.pts * (video.time_base or Fraction(1)) for each in frames if each.pts is not None],
            start=Fraction(container.start_time or 0, av.time_base),
            rate=video.average_rate,
            codec=video.codec_context.name,
            pixels=first.format.name,
            aspect=video.sample_aspect_ratio or Fraction(1),
            rotation=first.rotation,
            color=(
                int(first.color_primaries),
                int(first.color_trc),
                int(first.colorspace),
                int(first.color_range) == 2,
            ),
            tracks=tracks,
            chapters=[
                (
                    seconds(each["start"], each["time_base"]),
                    seconds(each["end"], each["time_base"]),
                    each["metadata"]["title"],
                )
                for each in container.chapters()
            ],
            tags=dict(container.metadata),
        )


def _decoded(container: av.container.InputContainer, video: av.VideoStream) -> list[av.VideoFrame]:
    if video.metadata.get("alpha_mode", video.metadata.get("ALPHA_MODE")) != "1":
        return list(container.decode(video))
    decoder = CodecContext.create("libvpx-vp9" if video.codec_context.name == "vp9" else "libvpx", "r")
    return [frame for packet in container.demux(video) for frame in decoder.decode(packet)]


def _track(path: Path, index: int) -> Track:
    with av.open(str(path)) as container:
        stream = container.streams[index]
        cover = bool(stream.disposition & Disposition.attached_pic)
        return Track(
            kind="cover" if cover else stream.type,
            codec="" if stream.codec_context is None else stream.codec_context.name,
            tags=dict(stream.metadata),
            disposition=stream.disposition,
            packets=[] if stream.type == "attachment" else _packets(container, stream),
        )


def _packets(container: av.container.InputContainer, stream: Any) -> list[tuple[Fraction, bytes]]:
    """Without the empty ones that mp4 puts between two subtitles."""
    codec = "" if stream.codec_context is None else stream.codec_context.name
    return [
        ((each.pts or 0) * each.time_base, bytes(each))
        for each in container.demux(stream)
        if each.size and each.time_base is not None and not (codec == "mov_text" and each.size == 2)
    ]


def _rgb(frame: av.VideoFrame, untagged: int) -> Pixels:
    """By H.273, written out in ``test_color``; only colour of half resolution is enlarged by FFmpeg."""
    layout = frame.format
    if layout.is_rgb or layout.name.startswith(("pal", "gray")):
        return np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
    deep = layout.components[0].bits > 8
    yuv = frame.reformat(format="yuv444p16le" if deep else "yuv444p", interpolation="BICUBIC").to_ndarray()
    # PyAV has the planes one after the other only where they have 8 bits.
    codes = yuv.astype(np.float64) / 256 if deep else np.moveaxis(yuv.astype(np.float64), 0, -1)
    matrix = untagged if int(frame.colorspace) == 2 else int(frame.colorspace)
    matrix = {2: 6, 5: 6}.get(matrix, matrix)
    rgb = reference_rgb(codes, matrix, int(frame.color_range) == 2)
    return np.clip(np.round(rgb), 0, 255).astype(np.uint8)


def _alphas(frames: Sequence[av.VideoFrame]) -> list[Pixels]:
    if not any(each.is_alpha for each in frames[0].format.components):
        return []
    return _unless_opaque([each.to_ndarray(format="rgba")[..., 3] for each in frames])


def _unless_opaque(alphas: Sequence[NDArray[np.generic]]) -> list[Pixels]:
    """Formats that may be transparent say so even where they are not."""
    found = [np.ascontiguousarray(each, np.uint8) for each in alphas]
    return found if any(each.min() < 255 for each in found) else []


def _trim(case: Case) -> Trim:
    trim: Trim = case.options.get("trim", WHOLE)
    return trim


def _wanted(case: Case, before: Side) -> list[int]:
    """The numbers of the input's frames that are in the part that is wanted."""
    trim = _trim(case)
    times = before.times or [Fraction(index, 25) for index in range(len(before.pictures))]
    found = [
        index
        for index, time in enumerate(times)
        if trim.start <= time - before.start and (trim.end is None or time - before.start < trim.end)
    ]
    return found[: trim.frames]


def _expected(case: Case, before: Side) -> list[Pixels]:
    if case.reference is not None:
        return [case.reference(index, *before.size) for index in _wanted(case, before)]
    return [before.pictures[index] for index in _wanted(case, before)]


def _shift(case: Case, before: Side) -> Fraction:
    """By how much everything is later in the output, all alike."""
    if case.output.endswith((".webp", ".apng")):
        return -before.times[0]  # They begin at once.
    # The output begins at 0 where the input begins later; sound that a decoder needs to start does not count.
    sounds = [each.packets[0][0] for each in before.tracks if each.kind == "audio"]
    start = min([*before.times[:1], *sounds], default=Fraction(0))
    start = start if start > 0 or before.times[:1] < [Fraction(0)] else Fraction(0)
    if case.output.endswith((".mkv", ".webm", "-nut")):
        # They know no time before 0, where the first packet of AAC is; Opus has a delay of its own.
        copied = [each for index, each in enumerate(before.tracks) if index not in case.converts]
        starts = [each.packets[0][0] for each in copied if each.codec == "aac"]
        return max(Fraction(0), start - min([before.times[0], *starts])) - start - _trim(case).start
    return -start - _trim(case).start


def _wrong_shape(case: Case, before: Side, after: Side) -> Iterator[str]:
    wanted = case.size or before.size
    if after.size != wanted:
        yield f"size is {after.size} instead of {wanted}"
    if after.rotation:
        yield f"is still to be turned by {after.rotation} degrees"
    aspect = 1 / before.aspect if before.rotation % 180 else before.aspect
    if after.pixels and case.keeps_aspect and after.aspect != aspect:
        yield f"pixels are {after.aspect} wide instead of {aspect}"
    for name, found, right in (("codec", after.codec, case.codec), ("format", after.pixels, case.pixels)):
        if right and found != right:
            yield f"{name} is {found} instead of {right}"
    color = case.color or before.color
    if case.output.endswith((".mp4", ".mov", ".mkv")) and after.color != color:
        yield f"colour tags are {after.color} instead of {color}"


def _wrong_times(case: Case, before: Side, after: Side, output: Path) -> Iterator[str]:
    wanted = _wanted(case, before)
    if case.frames is not None:
        if len(after.pictures) != case.frames:
            yield f"{len(after.pictures)} pictures instead of {case.frames}"
        return
    if len(after.pictures) != len(wanted):
        yield f"{len(after.pictures)} pictures instead of {len(wanted)}"
        return
    if not after.times:
        return
    shift = _shift(case, before)
    rate = case.options.get("rate") or before.rate
    right = [_onward(before)[index] + shift for index in wanted] if before.times else []
    if output.suffix == ".y4m" or not right:
        assert rate is not None
        right = [index / rate for index in range(len(wanted))]
    tolerance = _TOLERANCE.get(output.suffix, Fraction(0))
    late = [index for index, time in enumerate(after.times) if abs(time - right[index]) > tolerance]
    if late:
        index = late[0]
        yield (
            f"{len(late)} frames at another time; "
            f"{index} at {float(after.times[index]):.4f} s instead of {float(right[index]):.4f} s"
        )


def _onward(side: Side) -> list[Fraction]:
    """The times, going on where a second recording begins anew."""
    offset, times = Fraction(0), side.times[:1]
    for time in side.times[1:]:
        if time + offset < times[-1] and side.rate:
            offset = times[-1] + 1 / side.rate - time
        times.append(time + offset)
    return times


def _wrong_pixels(case: Case, before: Side, after: Side) -> Iterator[str]:
    expected = _expected(case, before)
    if (
        case.psnr is None
        or len(expected) != len(after.pictures)
        or after.pictures[0].shape != expected[0].shape
    ):
        return
    for index, found in enumerate(after.pictures):
        if psnr(found, expected[index]) < case.psnr:
            yield f"frame {index} is like the input's by {psnr(found, expected[index]):.1f} dB only"
            return
        distances = [float(np.abs(found.astype(int) - each).mean()) for each in expected]
        if np.ptp(distances) > 0.5 and distances[index] > min(distances):
            yield f"frame {index} is the input's frame {int(np.argmin(distances))}"
            return
    bias = np.mean(np.asarray(after.pictures, float) - np.asarray(expected), axis=(0, 1, 2))
    if np.abs(bias).max() > _BIAS:
        yield f"colours are shifted by {bias.round(1).tolist()} grey levels"
    if case.keeps_alpha != bool(after.alphas):
        yield "transparency is " + ("lost" if case.keeps_alpha else "made up")
    elif case.keeps_alpha:
        alphas = [before.alphas[index] for index in _wanted(case, before)]
        worst = max(
            float(np.abs(a.astype(int) - b).mean()) for a, b in zip(alphas, after.alphas, strict=True)
        )
        if worst > 3:
            yield f"transparency differs by {worst:.1f}"


def _wrong_tracks(case: Case, before: Side, after: Side) -> Iterator[str]:
    kept = [each for index, each in enumerate(before.tracks) if index not in case.loses]
    converted = [case.converts.get(i) for i in range(len(before.tracks)) if i not in case.loses]
    if [each.kind for each in kept] != [each.kind for each in after.tracks]:
        yield f"other streams are {[e.kind for e in after.tracks]} instead of {[e.kind for e in kept]}"
        return
    same = case.same_container
    for number, (old, new) in enumerate(zip(kept, after.tracks, strict=True)):
        wanted = converted[number] or old.codec
        if _MPEG_AUDIO.get(wanted, wanted) != _MPEG_AUDIO.get(new.codec, new.codec):
            yield f"track {number}: {new.codec} instead of {wanted}"
        for name in ("language", "title", "filename", "timecode") if same else ("language",):
            if old.kind != "cover" and old.tags.get(name, "und") != new.tags.get(name, "und"):
                yield f"track {number}: {name} {new.tags.get(name)!r} instead of {old.tags.get(name)!r}"
        if same and old.disposition != new.disposition:
            yield f"track {number}: {new.disposition!r} instead of {old.disposition!r}"
        if not converted[number]:
            yield from (f"track {number}: {each}" for each in _wrong_packets(case, before, after, old, new))


def _wrong_packets(case: Case, before: Side, after: Side, old: Track, new: Track) -> Iterator[str]:
    trim = _trim(case)
    shift = _shift(case, before)
    right = [(time + shift, data) for time, data in old.packets]
    if trim != WHOLE:
        last_frame = 2 * after.times[-1] - after.times[-2]
        end = last_frame if trim.end is None else trim.end - trim.start
        right = [each for each in right if (each[0] >= 0 or not trim.start) and each[0] < end]
    if old.codec.startswith("pcm"):
        # Some formats cut it into packets anew.
        right, found = _whole(right), _whole(new.packets)
    else:
        right = [(time, _without_adts(data)) for time, data in right]
        found = new.packets
    if [data for _, data in right] != [data for _, data in found]:
        yield f"{len(new.packets)} packets, not the {len(right)} of the input as they were"
        return
    if old.kind == "cover":
        return
    for (wanted, _), (time, _) in zip(right, found, strict=True):
        if abs(wanted - time) > _IN_STEP:
            yield f"a packet at {float(time):.4f} s instead of {float(wanted):.4f} s"
            return


def _without_adts(packet: bytes) -> bytes:
    """AAC has a header of 7 bytes before each packet in MPEG-TS, and nowhere else."""
    return packet[7:] if packet.startswith((b"\xff\xf1", b"\xff\xf9")) else packet


def _whole(packets: list[tuple[Fraction, bytes]]) -> list[tuple[Fraction, bytes]]:
    return [(packets[0][0], b"".join(data for _, data in packets))]


def _wrong_tags(case: Case, before: Side, after: Side) -> Iterator[str]:
    if not case.keeps_tags:
        return
    for name in case.tags:
        if before.tags.get(name) != after.tags.get(name) or name not in before.tags:
            yield f"tag {name} is {after.tags.get(name)!r} instead of {before.tags.get(name)!r}"
    if _trim(case) == WHOLE and before.chapters != after.chapters:
        yield f"chapters are {after.chapters} instead of {before.chapters}"


def _wrong_notices(case: Case, notices: list[str]) -> Iterator[str]:
    yield from (
        f"nothing was said of {each!r}" for each in case.notices if not any(each in n for n in notices)
    )
    yield from (f"was said: {each}" for each in notices if not any(words in each for words in case.notices))


def _wrong_painting(case: Case, source: Path, folder: Path, style: Session, plain: Side) -> Iterator[str]:
    """Painting changes what is seen, and nothing else."""
    if case.output.startswith("-"):
        return  # Another process, and a model to load.
    painted = look(_stylized(case, source, folder, style)[0])
    distance = float(np.abs(np.asarray(painted.pictures, int) - np.asarray(plain.pictures)).mean())
    if distance < _PAINTED:
        yield f"the painting is like the input ({distance:.1f} grey levels)"
    for name in ("times", "size", "aspect", "color", "pixels", "tracks", "chapters"):
        if getattr(painted, name) != getattr(plain, name):
            yield f"{name} of the painting: {getattr(painted, name)} instead of {getattr(plain, name)}"


def _second_opinion(path: Path, side: Side) -> list[str] | None:
    """Where FFprobe sees something else than PyAV; None where it is missing, or reads no such files."""
    ffprobe = shutil.which("ffprobe")
    if ffprobe is None or path.is_dir() or not side.times or path.suffix == ".webp":
        return None
    done = subprocess.run(
        [ffprobe, "-v", "error", "-of", "json", "-show_streams", "-show_chapters", "-show_frames",
         "-show_entries", "frame=stream_index,pts_time", str(path)],
        capture_output=True, check=True, timeout=60,
    )  # fmt: skip
    seen = json.loads(done.stdout)
    return list(_other_opinion(seen, side))


def _other_opinion(seen: dict[str, Any], side: Side) -> Iterator[str]:
    streams = seen["streams"]
    video = next(
        each for each in streams if each["codec_type"] == "video" and not each["disposition"]["attached_pic"]
    )
    times = [
        Fraction(each["pts_time"])
        for each in seen["frames"]
        if each.get("stream_index") == video["index"] and "pts_time" in each
    ]
    if len(times) != len(side.times):
        yield f"FFprobe sees {len(times)} frames, PyAV {len(side.times)}"
    elif any(abs(a - b) > Fraction(1, 100_000) for a, b in zip(times, side.times, strict=True)):
        yield "FFprobe sees the frames at other times than PyAV"
    kinds = [each["codec_type"] for each in streams if each is not video]
    if seen["chapters"]:
        kinds = [each for each in kinds if each != "data"]
    if kinds != [{"cover": "video"}.get(each.kind, each.kind) for each in side.tracks]:
        yield f"FFprobe sees {kinds} beside the picture"
    width, height = side.size[::-1] if side.rotation % 180 else side.size
    if (video["width"], video["height"]) != (width, height):
        yield f"FFprobe sees {video['width']}x{video['height']}"
    aspect = Fraction(video.get("sample_aspect_ratio", "1:1").replace(":", "/").replace("0/1", "1"))
    if aspect != side.aspect:
        yield f"FFprobe sees pixels {aspect} wide"
    matrix = _MATRICES.get(side.color[2])
    # Older versions say nothing of VP8.
    if matrix is not None and video.get("color_space", matrix) != matrix:
        yield f"FFprobe sees the matrix {video.get('color_space')}, PyAV {matrix}"
    if len(seen["chapters"]) != len(side.chapters):
        yield f"FFprobe sees {len(seen['chapters'])} chapters"


def psnr(found: Pixels, right: Pixels) -> float:
    """Decibels over 255."""
    error = float(np.mean((found.astype(float) - right) ** 2))
    return 99.0 if error == 0 else float(10 * np.log10(255**2 / error))


def _quality(case: Case, before: Side, after: Side) -> str:
    expected = _expected(case, before)
    if case.psnr is None or len(expected) != len(after.pictures):
        return ""
    return f", {min(map(psnr, after.pictures, expected)):.0f} dB"


def _words(notices: list[str]) -> list[str]:
    return [f"says “{each.split(': ', 1)[-1]}”" for each in notices]


def wrong_edges(source: Path, output: Path) -> list[str]:
    """Where colours meet, by the codes alone: both sides must mean the same place within a quarter pixel."""
    wrong = []
    places = [_edges(each) for each in (source, output)]
    for name, before, after in zip(("across", "down"), *places, strict=True):
        if abs(before - after) > 0.25:
            wrong.append(f"colours meet at {after:.2f} pixels {name} instead of {before:.2f}")
    return wrong


def _edges(path: Path) -> tuple[float, float]:
    """The places, in pixels of the picture, at which Cr goes from one level to the other."""
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
        site = chroma_location_of(path)
    width, height = frame.width // 2, frame.height // 2
    cr = frame.to_ndarray().reshape(-1)[-width * height :].reshape(height, width).astype(float)
    across, down = {"left": (0.0, 0.5), "center": (0.5, 0.5), "topleft": (0.0, 0.0)}[site]
    return _edge(cr[2]) + across, _edge(cr[:, 2]) + down


def _edge(levels: NDArray[np.float64]) -> float:
    """Of the half-resolution line, in pixels of the whole one."""
    share = (levels - levels[-1]) / (levels[0] - levels[-1])
    return 2 * float(share.sum())


def chroma_location_of(path: Path) -> str:
    """Where the codes of colour stand; what a file does not say, H.264 has at the left."""
    if "center" in path.name or "topleft" in path.name:
        return path.stem
    return "left"
