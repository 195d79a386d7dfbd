"""Sends encoded packets from standard input to a URL: ``python -m vidgan.live.sinks.relay``.

This is a separate process because PyAV holds the GIL while it connects, so that a server that does not answer would
block the pipeline.
"""

import os
import sys

import av

CONNECTED = b"+"
"""Written to standard output once the receiver is connected."""

_PROBING = {"probesize": "200000", "analyzeduration": "100000"}
_MUXER_OPTIONS = {
    # There is no file to go back in and write the duration to.
    "flv": {"flvflags": "no_duration_filesize"},
    "rtsp": {"rtsp_transport": "tcp"},
}


def main() -> int:
    muxer, url = _first_line().split(" ", 1)
    try:
        _relay(muxer, url)
    except (av.error.FFmpegError, OSError) as exc:
        print(exc.strerror or exc, file=sys.stderr)
        return 1
    return 0


def _relay(muxer: str, url: str) -> None:
    with (
        av.open("pipe:0", "r", format="nut", options=_PROBING) as source,
        av.open(url, "w", format=muxer, options=_MUXER_OPTIONS.get(muxer, {})) as output,
    ):
        streams = {each.index: output.add_stream_from_template(each) for each in source.streams}
        output.start_encoding()
        os.write(sys.stdout.fileno(), CONNECTED)
        for packet in source.demux():
            if packet.pts is None:
                continue  # The empty packet at the end.
            # The demuxer knows no decoding times before it has seen a few packets, the first keyframe among them.
            # The encoder makes no B-frames, so that they equal the presentation times.
            packet.dts = packet.pts if packet.dts is None else packet.dts
            packet.stream = streams[packet.stream.index]
            output.mux(packet)


def _first_line() -> str:
    """The first line of standard input, without reading ahead. Arguments would be visible to other users."""
    read = bytearray()
    while not read.endswith(b"\n"):
        byte = os.read(sys.stdin.fileno(), 1)
        if not byte:
            break
        read += byte
    return read.decode().strip()


if __name__ == "__main__":
    sys.exit(main())
