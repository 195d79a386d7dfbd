"""Inputs and outputs that are refused, with the error."""

from fractions import Fraction
from functools import partial

from tests.support.streams import FONT
from vidgan.errors import InputError, InputNotFoundError, OutputError
from vidgan.media.trim import Trim

from .. import images
from ..case import Case, Make
from ..media import Video, audio_alone, file_of, truncated
from .inputs import AAC, MP4

_LONG = Video("in.mp4", times=range(100), audio=(AAC,))
_LONG_MKV = Video("in.mkv", times=range(100))
_PLAYLIST = b"#EXTM3U\n#EXTINF:5,\nhttp://127.0.0.1:9/a.ts\n"
_KEY = "76a6c65c5ea762046bd749a2e632ccbb"
_ENCRYPTED = Video(
    "in.mp4", muxer={"encryption_scheme": "cenc-aes-ctr", "encryption_key": _KEY, "encryption_kid": _KEY}
)


def _input(name: str, covers: str, make: Make, input: str, words: str, output: str = "out.mp4") -> Case:
    """A row whose input is refused."""
    return Case(name, covers, make, input, output, refused=(InputError, words))


def _output(name: str, covers: str, output: str, words: str, make: Make = MP4, input: str = "H.264") -> Case:
    """A row whose output is refused."""
    return Case(name, covers, make, input, output, refused=(OutputError, words))


CASES = [
    _input(
        "audio-alone", "no video", partial(audio_alone, cover=False), "AAC", "has no video in it, only sound"
    ),
    _input(
        "audio-with-cover",
        "a cover is no video",
        partial(audio_alone, cover=True),
        "AAC, cover",
        "has no video in it, only sound",
    ),
    _input(
        "playlist",
        "a list of other files",
        partial(file_of, name="in.m3u8", content=_PLAYLIST),
        "HLS playlist",
        "not a video or image",
    ),
    _input(
        "garbage", "no media", partial(file_of, name="in.mp4", content=FONT), "noise", "not a video or image"
    ),
    _input("encrypted", "Common Encryption, without the key", _ENCRYPTED, "H.264, encrypted", "is encrypted"),
    _input("empty", "no bytes", partial(file_of, name="in.mp4", content=b""), "nothing", "the file is empty"),
    Case(
        "missing",
        "no file",
        lambda folder: folder / "in.mp4",
        "no such file",
        refused=(InputNotFoundError, "no such file"),
    ),
    _input(
        "cut-off-mp4", "cut off", partial(truncated, video=_LONG), "H.264, AAC; 6/10 of the file", "cut off"
    ),
    _input(
        "cut-off-mkv",
        "cut off",
        partial(truncated, video=_LONG_MKV),
        "H.264; 6/10 of the file",
        "cut off",
        "out.mkv",
    ),
    _input(
        "cut-off-jpeg",
        "cut off",
        partial(file_of, name="in.jpg", content=b"\xff\xd8\xff\xe0"),
        "half a JPEG",
        "damaged or cut off",
        "out.png",
    ),
    _output("to-avi", "a container that vidgan does not write", "out.avi", "vidgan writes .mp4"),
    _output(
        "image-to-video",
        "an image is no video",
        "out.mp4",
        "the output must be one too",
        partial(images.image, name="in.png"),
        "PNG",
    ),
    _output("video-to-image", "a video is no image", "out.png", "a name like frames/%06d.png"),
    _output("output-exists", "nothing is replaced unasked", "in.mp4", "is the input itself"),
    Case(
        "part-not-there",
        "--from behind the end",
        MP4,
        "H.264",
        options={"trim": Trim(start=Fraction(9))},
        refused=(InputError, "has no frame from 9 s"),
    ),
]
