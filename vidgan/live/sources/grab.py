"""Writes frames of the screen to standard output: ``python -m vidgan.live.sources.grab``.

This is a separate process because FFmpeg's x11grab crashes in a process that has loaded OpenCV's window library.
"""

import json
import sys
from fractions import Fraction

import av


def main() -> int:
    request = json.loads(sys.stdin.readline())
    try:
        _grab(request["format"], request["address"], request["options"])
    except (av.error.FFmpegError, OSError) as exc:
        print(exc.strerror or exc, file=sys.stderr)
        return 1
    return 0


def _grab(format: str, address: str, options: dict[str, str]) -> None:
    with av.open(address, "r", format=format, options=options) as screen:
        captured = screen.streams.video[0]
        with av.open("pipe:1", "w", format="nut", options={"flush_packets": "1"}) as output:
            stream = output.add_stream("rawvideo", rate=Fraction(options["framerate"]))
            stream.width, stream.height, stream.pix_fmt = captured.width, captured.height, "yuv420p"
            for number, frame in enumerate(screen.decode(captured)):
                # Converted here, RGB costs half the bytes in the pipe and no time of the pipeline.
                converted = frame.reformat(format="yuv420p", dst_colorspace="ITU601", threads=1)
                converted.pts, converted.time_base = number, 1 / Fraction(options["framerate"])
                output.mux(stream.encode(converted))


if __name__ == "__main__":
    sys.exit(main())
