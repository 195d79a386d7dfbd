"""Hands pictures of the screen on to standard output: ``python -m vidgan.live.sources.grab``.

A process of its own, because where OpenCV's window library has been loaded too, FFmpeg's x11grab crashes.
"""

import json
import sys
from fractions import Fraction

import av


def main() -> int:
    wanted = json.loads(sys.stdin.readline())
    try:
        _grab(wanted["format"], wanted["address"], wanted["options"])
    except (av.error.FFmpegError, OSError) as exc:
        print(exc.strerror or exc, file=sys.stderr)
        return 1
    return 0


def _grab(muxer: str, address: str, options: dict[str, str]) -> None:
    with av.open(address, "r", format=muxer, options=options) as screen:
        shown = screen.streams.video[0]
        with av.open("pipe:1", "w", format="nut", options={"flush_packets": "1"}) as given:
            stream = given.add_stream("rawvideo", rate=Fraction(options["framerate"]))
            stream.width, stream.height, stream.pix_fmt = shown.width, shown.height, "yuv420p"
            for number, picture in enumerate(screen.decode(shown)):
                # RGB becomes half as many bytes, here and not where it is painted.
                packed = picture.reformat(format="yuv420p", dst_colorspace="ITU601", threads=1)
                packed.pts, packed.time_base = number, 1 / Fraction(options["framerate"])
                given.mux(stream.encode(packed))


if __name__ == "__main__":
    sys.exit(main())
