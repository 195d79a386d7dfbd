"""Parts of an input."""

from fractions import Fraction

from vidgan.media.trim import Trim

from .. import images
from ..case import Case, Make
from ..media import Video
from .inputs import MP4_WITH_AAC, OPUS, SRT, broadcast

_SUBTITLED = Video("in.mkv", audio=(OPUS,), subtitles=(SRT,))
_MIDDLE = Trim(start=Fraction(1, 5), end=Fraction(3, 5))


def _trimmed(name: str, covers: str, make: Make, input: str, trim: Trim, output: str = "out.mp4") -> Case:
    return Case(name, covers, make, input, output, options={"trim": trim})


CASES = [
    _trimmed(
        "from-to-mkv",
        "--from --to; audio and subtitles cut to match",
        _SUBTITLED,
        "H.264, Opus, SRT",
        _MIDDLE,
        "out.mkv",
    ),
    _trimmed("from-to-mp4", "--from --to; audio cut to match", MP4_WITH_AAC, "H.264, AAC", _MIDDLE),
    _trimmed("frames", "--frames; audio cut to match", MP4_WITH_AAC, "H.264, AAC", Trim(frames=7)),
    _trimmed(
        "from-mpegts",
        "--from, in a video that starts at 1.4 s",
        broadcast(),
        "MPEG-2, MP2",
        Trim(start=Fraction(2, 5)),
    ),
    _trimmed(
        "from-images",
        "--from, in a folder of images",
        images.numbered_images,
        "PNGs",
        Trim(start=Fraction(1, 5), frames=5),
        "%03d.png",
    ),
]
