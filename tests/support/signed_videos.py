"""Small videos and images in every format, and what is said of them."""

from dataclasses import replace
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av

from tests.support.commands import SAMPLES
from vidgan.provenance.credentials import Credentials
from vidgan.provenance.manifest import Facts, ModelFacts, SourceType, StepFacts
from vidgan.provenance.sidecar import place_sidecar
from vidgan.provenance.signing_identity import SigningIdentity
from vidgan.sources import open_source

VIDEO = SAMPLES / "bunny.mp4"
EMBEDDED = ("mp4", "mov", "m4v", "avi", "gif", "webp", "png", "jpg")
BESIDE = ("mkv", "webm")
FACTS = Facts(
    description="Repainted in the style of a painting",
    source_type=SourceType.COMPOSITE,
    steps=[
        StepFacts(
            task="style",
            settings={
                "strength": 0.5,
                "palette": Path("/home/somebody/secret/palette.txt"),
                "look_ahead": None,
            },
            models=[ModelFacts(name="starry", sha256="ab" * 32, license="CC-BY-4.0", precision="int8")],
        )
    ],
    input=VIDEO,
)

_ENCODERS = {
    "avi": ("mpeg4", "yuv420p"),
    "gif": ("gif", "rgb8"),
    "webp": ("libwebp_anim", "yuv420p"),
    "png": ("png", "rgb24"),
    "jpg": ("mjpeg", "yuvj420p"),
    "webm": ("libvpx-vp9", "yuv420p"),
}


def make(path: Path, *, frames: int = 4, size: str = "90") -> Path:
    """The beginning of a video in the format that the name asks for."""
    encoder, pixel_format = _ENCODERS.get(path.suffix[1:], ("libx264", "yuv420p"))
    count = 1 if path.suffix in (".png", ".jpg") else frames
    with open_source(VIDEO, size=size) as source, av.open(str(path), "w") as container:
        stream = container.add_stream(encoder, rate=Fraction(25))
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = source.info.width, source.info.height, pixel_format
        for index, frame in enumerate(islice(source, count)):
            image = av.VideoFrame.from_ndarray(frame.pixels, "rgb24").reformat(format=pixel_format)
            image.pts, image.time_base = index, Fraction(1, 25)
            container.mux(stream.encode(image))
        container.mux(stream.encode(None))
    return path


def sign(path: Path, identity: SigningIdentity, facts: Facts = FACTS) -> list[str]:
    """Signs a file in its place, and returns the warnings."""
    credentials = Credentials(facts, identity)
    place_sidecar(credentials.sign(path, path), path)
    return credentials.warnings


def made_of(input: Path) -> Facts:
    return replace(FACTS, input=input)
