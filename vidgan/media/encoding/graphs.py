"""FFmpeg filter graphs that frames pass before they are encoded."""

from __future__ import annotations

import av
from av.filter import Graph

from vidgan.media.frame import VideoInfo


class PaletteChoice:
    """256 colors, chosen for each image anew (palettegen, paletteuse)."""

    def __init__(self, info: VideoInfo) -> None:
        self._graph = Graph()
        source = self._graph.add_buffer(
            width=info.width,
            height=info.height,
            format=av.VideoFormat("rgba", info.width, info.height),
            time_base=info.time_base,
        )
        split = self._graph.add("split")
        chosen = self._graph.add("palettegen", "stats_mode=single")
        used = self._graph.add("paletteuse", "new=1:dither=sierra2_4a")
        sink = self._graph.add("buffersink")
        source.link_to(split)
        split.link_to(used, 0, 0)
        split.link_to(chosen, 1, 0)
        chosen.link_to(used, 0, 1)
        used.link_to(sink)
        self._graph.configure()

    def apply(self, image: av.VideoFrame) -> av.VideoFrame:
        self._graph.vpush(image.reformat(format="rgba"))
        return self._graph.vpull()


class ChromaLocationLeft:
    """Makes swscale place chroma of half resolution at the left of its two pixels, ``chroma_location=left``.

    H.264 has it there unless the stream says otherwise. swscale's own default is between the two, which
    shifts colors by half a pixel.
    """

    def __init__(self, info: VideoInfo) -> None:
        self._graph = Graph()
        self._graph.link_nodes(
            self._graph.add_buffer(
                width=info.width,
                height=info.height,
                format=av.VideoFormat("rgb24", info.width, info.height),
                time_base=info.time_base,
            ),
            self._graph.add("setparams", "chroma_location=left"),
            self._graph.add("buffersink"),
        ).configure()

    def apply(self, image: av.VideoFrame) -> av.VideoFrame:
        self._graph.vpush(image)
        return self._graph.vpull()
