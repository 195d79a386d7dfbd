"""Hands encoded pictures from standard input on to the network: ``python -m vidgan.live.sinks.relay``.

A process of its own, because PyAV connects while it holds Python's lock, and whoever waits for a server that
does not answer would hold up the picture.
"""

import os
import sys

import av

CONNECTED = b"+"
"""What is said on standard output once somebody takes it."""

_IN = {"probesize": "200000", "analyzeduration": "100000"}
_OUT = {
    # No file grows to whose beginning sizes could be added.
    "flv": {"flvflags": "no_duration_filesize"},
    "rtsp": {"rtsp_transport": "tcp"},
}


def main() -> int:
    muxer, address = _line().split(" ", 1)
    try:
        _relay(muxer, address)
    except (av.error.FFmpegError, OSError) as exc:
        print(exc.strerror or exc, file=sys.stderr)
        return 1
    return 0


def _relay(muxer: str, address: str) -> None:
    with av.open("pipe:0", "r", format="nut", options=_IN) as given:
        picture = given.streams.video[0]
        with av.open(address, "w", format=muxer, options=_OUT.get(muxer, {})) as sent:
            stream = sent.add_stream_from_template(picture)
            sent.start_encoding()
            os.write(sys.stdout.fileno(), CONNECTED)
            for packet in given.demux(picture):
                if packet.dts is not None:
                    packet.stream = stream
                    sent.mux(packet)


def _line() -> str:
    """The first line of standard input, and not a byte more. Arguments could be seen by others."""
    read = bytearray()
    while not read.endswith(b"\n"):
        byte = os.read(sys.stdin.fileno(), 1)
        if not byte:
            break
        read += byte
    return read.decode().strip()


if __name__ == "__main__":
    sys.exit(main())
