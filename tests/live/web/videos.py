"""Small videos for uploads."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np


def write_video(
    path: Path, *, frames: int = 12, size: tuple[int, int] = (96, 64), codec: str = "libx264"
) -> bytes:
    """Writes a video of a moving edge; returns its bytes."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=Fraction(25))
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        pixels = np.zeros((size[1], size[0], 3), np.uint8)
        for number in range(frames):
            pixels[:, : number * size[0] // frames] = 200, 120, 40
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
        container.mux(stream.encode(None))
    return path.read_bytes()


def count_frames(path: Path, content: bytes) -> int:
    """Number of frames in the bytes of a video, all of them decoded."""
    path.write_bytes(content)
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))
