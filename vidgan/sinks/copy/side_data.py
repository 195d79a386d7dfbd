"""Marks and captions that are part of the input's video stream, and not of the frames made of it."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

import av
from av.packet import Packet
from av.sidedata.sidedata import Type
from av.video.stream import VideoStream

from vidgan.sources.container import main_video, open_container

_LOOK_PACKETS = 250
_CAPTIONS = b"GA94"
"""ATSC's mark of captions in user data, whatever the codec."""

_LOST = {
    Type.SPHERICAL: (
        "its mark as 360° video: frames are encoded anew, and the encoder has no way to pass the mark on; "
        "a metadata injector puts it back"
    ),
    Type.STEREO3D: (
        "its mark as stereoscopic video: frames are encoded anew, and the encoder has no way to pass the "
        "mark on; a metadata injector puts it back"
    ),
    Type.A53_CC: (
        "its closed captions (CEA-608/708): they are inside the input's video packets, which are encoded "
        "anew; 'ffmpeg -f lavfi -i movie=FILE[out+subcc] captions.srt' extracts them"
    ),
}


def lost_side_data(path: Path) -> list[str]:
    """Sentences on what the output lacks, from the beginning of the input."""
    found = set()
    with open_container(path) as container:
        stream = main_video(container, path)
        # PyAV frees the metadata of a PNG's ICC profile twice.
        decoding = stream.codec_context.name not in ("png", "apng")
        try:
            for packet in islice(container.demux(stream), _LOOK_PACKETS):
                if _CAPTIONS in bytes(packet):
                    found.add(Type.A53_CC)
                if decoding and (frames := _decoded(packet)):
                    # PyAV's types say that it is a dictionary of motion vectors alone.
                    side_data: Any = frames[0].side_data
                    found |= {each.type for each in side_data}
                    decoding = False
        except av.error.FFmpegError:
            pass  # The source says what is wrong with the file.
    return [f"without {words}" for kind, words in _LOST.items() if kind in found]


def _decoded(packet: Packet[VideoStream]) -> list[av.VideoFrame]:
    try:
        return packet.decode()
    except (av.error.InvalidDataError, av.error.ArgumentError):
        return []
