"""Containers, image sequences, standard output and images."""

from fractions import Fraction
from functools import partial

from .. import images
from ..case import Case, Make
from ..ffmpeg_cli import by_ffmpeg
from ..media import Audio, Video
from .inputs import AAC, MP4, MP4_WITH_AAC, OPUS, broadcast


def _untagged(name: str, covers: str, output: str, make: Make = MP4, input: str = "H.264") -> Case:
    """A row whose output has no tags and chapters."""
    return Case(name, covers, make, input, output, keeps_tags=False)


def _by_ffmpeg(
    name: str,
    covers: str,
    *after: str,
    before: tuple[str, ...] = (),
    suffix: str = ".mp4",
    output: str = "out.mp4",
) -> Case:
    """A row whose input FFmpeg copied from a video with a key frame every 10 frames."""
    video = Video("whole.mp4", audio=(AAC,), options={"g": "10"} if before else {})
    make = partial(by_ffmpeg, video=video, name=f"in{suffix}", before=before, after=("-c", "copy", *after))
    return Case(name, covers, make, "H.264, AAC, by ffmpeg", output)


_B_FRAMES = Video("in.mp4", audio=(AAC,), options={"bf": "3", "b-adapt": "0"})
_FLAC = Video("in.mkv", audio=(Audio("flac"),))
_WEBM = Video("in.webm", codec="libvpx-vp9", audio=(OPUS,))
_AVI = Video("in.avi", codec="mpeg4", options={"qscale": "3"}, audio=(Audio("libmp3lame"),))
_GIF = Video("in.gif", codec="gif", pixel_format="rgb8")
_FRAGMENTED = "frag_keyframe+empty_moov+default_base_moof"

CASES = [
    Case(
        "mp4", "B-frames, frames at the decoder's flush", _B_FRAMES, "H.264 with B-frames, AAC", codec="h264"
    ),
    Case("mov", "container", Video("in.mov", audio=(AAC,)), "H.264, AAC", "out.mov", codec="h264"),
    Case("mkv", "container", _FLAC, "H.264, FLAC", "out.mkv", codec="h264"),
    Case("webm", "container; VP9", _WEBM, "VP9, Opus", "out.webm", codec="vp9"),
    Case("avi-to-mkv", "container; MPEG-4 part 2, MP3", _AVI, "MPEG-4, MP3", "out.mkv"),
    Case("mpegts-to-mp4", "container; 1/90000, starts at 1.4 s", broadcast(), "MPEG-2, MP2"),
    Case(
        "images-to-mp4",
        "folder of images; 1001/30000",
        images.numbered_images,
        "PNGs",
        options={"rate": Fraction(30000, 1001)},
    ),
    Case("gif-to-gif", "container; hundredths of a second", _GIF, "GIF", "out.gif", codec="gif", psnr=30.0),
    Case(
        "mp4-to-gif",
        "audio that the output cannot hold",
        MP4_WITH_AAC,
        "H.264, AAC",
        "out.gif",
        loses=(0,),
        psnr=30.0,
        warnings=("holds the video alone",),
        keeps_tags=False,
    ),
    _untagged("mp4-to-apng", "container", "out.apng"),
    _untagged("mp4-to-webp", "container", "out.webp"),
    _untagged("mp4-to-pngs", "PNG sequence", "%03d.png"),
    _untagged("mp4-to-jpegs", "JPEG sequence", "%03d.jpg"),
    _untagged("mp4-to-y4m", "standard output, without timestamps", "-y4m"),
    _untagged("mp4-to-nut", "standard output, with audio", "-nut", MP4_WITH_AAC, "H.264, AAC"),
    _untagged("jpeg-to-png", "image; EXIF orientation", "out.png", images.turned_jpeg, "JPEG on its side"),
    Case(
        "png-to-png",
        "image; alpha",
        partial(images.image, name="in.png", alpha=True),
        "PNG with alpha",
        "out.png",
        keeps_alpha=True,
        keeps_tags=False,
    ),
    _by_ffmpeg(
        "ffmpeg-cut",
        "-ss with -c copy: edit list, audio that begins before the video",
        before=("-ss", "0.25"),
    ),
    _by_ffmpeg("ffmpeg-fragments", "fragmented mp4", "-movflags", _FRAGMENTED),
    _by_ffmpeg("ffmpeg-mpegts", "H.264 and AAC in MPEG-TS", suffix=".ts", output="out.mkv"),
]
