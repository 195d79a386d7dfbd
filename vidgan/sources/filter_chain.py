"""FFmpeg filters that decoded frames go through, one after the other."""

from fractions import Fraction

import av
from av.filter import Graph


def filter_chain(frame: av.VideoFrame, time_base: Fraction | None, *filters: tuple[str, str]) -> Graph:
    """A graph for frames like that one.

    Args:
        time_base: of the frames; None where it does not matter.
        filters: names and options.
    """
    graph = Graph()
    source = graph.add_buffer(
        width=frame.width,
        height=frame.height,
        format=frame.format,
        time_base=time_base or Fraction(1, 90000),
    )
    graph.link_nodes(source, *(graph.add(*each) for each in filters), graph.add("buffersink")).configure()
    return graph
