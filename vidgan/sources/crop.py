"""Crop rectangles of containers, applied to decoded frames."""

from collections.abc import Iterator

import av
from av.filter import Graph

from vidgan.sources.container import Crop
from vidgan.sources.filter_chain import filter_chain


class Cropper:
    """Cuts frames to what is shown, as FFmpeg's filter crop does.

    Args:
        crop: pixels to cut off at each edge. A frame that is too small for it stays as it is.
    """

    def __init__(self, crop: Crop) -> None:
        self._crop = crop
        self._graph: Graph | None = None
        self._kind: object = None

    def frames(self, decoded: Iterator[av.VideoFrame]) -> Iterator[av.VideoFrame]:
        """The frames of a stream, one for one."""
        return map(self._cropped, decoded) if any(self._crop) else decoded

    def _cropped(self, frame: av.VideoFrame) -> av.VideoFrame:
        left, right, top, bottom = self._crop
        width, height = frame.width - left - right, frame.height - top - bottom
        if min(width, height) < 1:
            return frame
        kind = frame.width, frame.height, frame.format.name
        if self._graph is None or self._kind != kind:
            cut = "crop", f"{width}:{height}:{left}:{top}:exact=1"
            self._graph, self._kind = filter_chain(frame, frame.time_base, cut), kind
        pts, time_base = frame.pts, frame.time_base
        self._graph.vpush(frame)
        cropped = self._graph.vpull()
        assert isinstance(cropped, av.VideoFrame)
        cropped.pts, cropped.time_base = pts, time_base
        return cropped
