"""What an output should have of its input: frames, their times, and the shift of everything."""

from fractions import Fraction

from vidgan.media.image import Pixels
from vidgan.media.trim import WHOLE, Trim

from .case import Case
from .sides import Side


def trim_of(case: Case) -> Trim:
    trim: Trim = case.options.get("trim", WHOLE)
    return trim


def wanted_frames(case: Case, before: Side) -> list[int]:
    """The numbers of the input's frames that are in the part that the case asks for."""
    trim = trim_of(case)
    times = before.times or [Fraction(index, 25) for index in range(len(before.images))]
    found = [
        index
        for index, time in enumerate(times)
        if trim.start <= time - before.start and (trim.end is None or time - before.start < trim.end)
    ]
    return found[: trim.frames]


def expected_images(case: Case, before: Side) -> list[Pixels]:
    """The images of the output, RGB uint8."""
    if case.reference is not None:
        return [case.reference(index, *before.size) for index in wanted_frames(case, before)]
    return [before.images[index] for index in wanted_frames(case, before)]


def expected_times(case: Case, before: Side, *, numbered: bool) -> list[Fraction]:
    """Seconds of the frames of the output.

    Args:
        numbered: whether the output has no timestamps, so that frames are one frame duration apart.
    """
    wanted = wanted_frames(case, before)
    if before.times and not numbered:
        times, shift = _continued(before), time_shift(case, before)
        return [times[index] + shift for index in wanted]
    rate = case.options.get("rate") or before.rate
    assert rate is not None
    return [index / rate for index in range(len(wanted))]


def _continued(side: Side) -> list[Fraction]:
    """The times, going on where a second recording begins anew."""
    offset, times = Fraction(0), side.times[:1]
    for time in side.times[1:]:
        if time + offset < times[-1] and side.rate:
            offset = times[-1] + 1 / side.rate - time
        times.append(time + offset)
    return times


def time_shift(case: Case, before: Side) -> Fraction:
    """Seconds by which everything is later in the output."""
    if case.output.endswith((".webp", ".apng")):
        return -before.times[0]  # They begin at once.
    # The output begins at 0 where the input begins later; audio that a decoder needs to start does not count.
    audio = [each.packets[0][0] for each in before.tracks if each.kind == "audio"]
    start = min([*before.times[:1], *audio], default=Fraction(0))
    start = start if start > 0 or before.times[:1] < [Fraction(0)] else Fraction(0)
    if case.output.endswith((".mkv", ".webm", "-nut")):
        # They know no time before 0, where the first packet of AAC is; Opus has a delay of its own.
        copied = [each for index, each in enumerate(before.tracks) if index not in case.converts]
        starts = [each.packets[0][0] for each in copied if each.codec == "aac"]
        return max(Fraction(0), start - min([before.times[0], *starts])) - start - trim_of(case).start
    return -start - trim_of(case).start
