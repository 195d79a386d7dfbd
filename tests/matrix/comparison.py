"""Differences of an output from what it should be, as sentences."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np

from vidgan.media.image import Pixels
from vidgan.media.trim import WHOLE

from .case import Case
from .expectation import expected_images, expected_times, time_shift, trim_of, wanted_frames
from .sides import Side, Track

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
"""Gray levels by which the mean of a color channel may differ."""

_STYLIZED = 3.0
"""Mean gray levels by which a stylized frame differs from the input's at least."""

_MPEG_AUDIO = {"mp2": "mp3", "mp2float": "mp3", "mp3float": "mp3"}
"""mp4 does not tell the layers apart."""


def differences(case: Case, before: Side, after: Side, output: Path) -> list[str]:
    """What differs from the expected output, apart from warnings; nothing if all is right."""
    return [
        *_wrong_shape(case, before, after),
        *_wrong_times(case, before, after, output),
        *_wrong_pixels(case, before, after),
        *_wrong_tracks(case, before, after),
        *_wrong_tags(case, before, after),
    ]


def wrong_warnings(case: Case, warnings: list[str]) -> Iterator[str]:
    """Warnings that are missing, and those that were not expected."""
    yield from (f"no warning of {each!r}" for each in case.warnings if not any(each in n for n in warnings))
    yield from (f"warns: {each}" for each in warnings if not any(words in each for words in case.warnings))


def wrong_stylization(plain: Side, stylized: Side) -> Iterator[str]:
    """A style changes pixels, and nothing else."""
    distance = float(np.abs(np.asarray(stylized.images, int) - np.asarray(plain.images)).mean())
    if distance < _STYLIZED:
        yield f"the stylized frames are like the input's ({distance:.1f} gray levels)"
    for name in ("times", "size", "aspect", "color", "pixel_format", "tracks", "chapters"):
        if getattr(stylized, name) != getattr(plain, name):
            yield f"{name} when stylized: {getattr(stylized, name)} instead of {getattr(plain, name)}"


def psnr(found: Pixels, right: Pixels) -> float:
    """Decibels over 255."""
    error = float(np.mean((found.astype(float) - right) ** 2))
    return 99.0 if error == 0 else float(10 * np.log10(255**2 / error))


def worst_psnr(case: Case, before: Side, after: Side) -> float | None:
    """Decibels of the worst frame, where frames can be compared."""
    expected = expected_images(case, before)
    if case.psnr is None or len(expected) != len(after.images):
        return None
    return min(map(psnr, after.images, expected))


def _wrong_shape(case: Case, before: Side, after: Side) -> Iterator[str]:
    wanted = case.size or before.size
    if after.size != wanted:
        yield f"size is {after.size} instead of {wanted}"
    if after.rotation:
        yield f"is still to be turned by {after.rotation} degrees"
    aspect = 1 / before.aspect if before.rotation % 180 else before.aspect
    if after.pixel_format and case.keeps_aspect and after.aspect != aspect:
        yield f"pixels are {after.aspect} wide instead of {aspect}"
    for name, found, right in (
        ("codec", after.codec, case.codec),
        ("format", after.pixel_format, case.pixel_format),
    ):
        if right and found != right:
            yield f"{name} is {found} instead of {right}"
    color = case.color or before.color
    if case.output.endswith((".mp4", ".mov", ".mkv")) and after.color != color:
        yield f"color tags are {after.color} instead of {color}"


def _wrong_times(case: Case, before: Side, after: Side, output: Path) -> Iterator[str]:
    count = len(wanted_frames(case, before)) if case.frames is None else case.frames
    if len(after.images) != count:
        yield f"{len(after.images)} frames instead of {count}"
        return
    if not after.times or case.frames is not None:
        return
    right = expected_times(case, before, numbered=output.suffix == ".y4m")
    tolerance = _TOLERANCE.get(output.suffix, Fraction(0))
    late = [index for index, time in enumerate(after.times) if abs(time - right[index]) > tolerance]
    if late:
        index = late[0]
        yield (
            f"{len(late)} frames at another time; "
            f"{index} at {float(after.times[index]):.4f} s instead of {float(right[index]):.4f} s"
        )


def _wrong_pixels(case: Case, before: Side, after: Side) -> Iterator[str]:
    expected = expected_images(case, before)
    if case.psnr is None or len(expected) != len(after.images) or after.images[0].shape != expected[0].shape:
        return
    for index, found in enumerate(after.images):
        if psnr(found, expected[index]) < case.psnr:
            yield f"frame {index} has only {psnr(found, expected[index]):.1f} dB against the input's"
            return
        distances = [float(np.abs(found.astype(int) - each).mean()) for each in expected]
        if np.ptp(distances) > 0.5 and distances[index] > min(distances):
            yield f"frame {index} is the input's frame {int(np.argmin(distances))}"
            return
    bias = np.mean(np.asarray(after.images, float) - np.asarray(expected), axis=(0, 1, 2))
    if np.abs(bias).max() > _BIAS:
        yield f"colors are shifted by {bias.round(1).tolist()} gray levels"
    yield from _wrong_alpha(case, before, after)


def _wrong_alpha(case: Case, before: Side, after: Side) -> Iterator[str]:
    if case.keeps_alpha != bool(after.alphas):
        yield "alpha is " + ("lost" if case.keeps_alpha else "made up")
    elif case.keeps_alpha:
        alphas = [before.alphas[index] for index in wanted_frames(case, before)]
        worst = max(
            float(np.abs(a.astype(int) - b).mean()) for a, b in zip(alphas, after.alphas, strict=True)
        )
        if worst > 3:
            yield f"alpha differs by {worst:.1f}"


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
    trim, shift = trim_of(case), time_shift(case, before)
    right = [(time + shift, data) for time, data in old.packets]
    if trim != WHOLE:
        last_frame = 2 * after.times[-1] - after.times[-2]
        end = last_frame if trim.end is None else trim.end - trim.start
        right = [each for each in right if (each[0] >= 0 or not trim.start) and each[0] < end]
    if old.codec.startswith("pcm"):
        # Some formats cut it into packets anew.
        right, found = _joined(right), _joined(new.packets)
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


def _joined(packets: list[tuple[Fraction, bytes]]) -> list[tuple[Fraction, bytes]]:
    return [(packets[0][0], b"".join(data for _, data in packets))]


def _wrong_tags(case: Case, before: Side, after: Side) -> Iterator[str]:
    if not case.keeps_tags:
        return
    for name in case.tags:
        if before.tags.get(name) != after.tags.get(name) or name not in before.tags:
            yield f"tag {name} is {after.tags.get(name)!r} instead of {before.tags.get(name)!r}"
    if trim_of(case) == WHOLE and before.chapters != after.chapters:
        yield f"chapters are {after.chapters} instead of {before.chapters}"
