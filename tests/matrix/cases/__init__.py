"""Every row of the table, by kind."""

from . import codecs, colors, containers, geometry, refused, streams, timestamps, trims

CASES = [
    *containers.CASES,
    *codecs.CASES,
    *streams.CASES,
    *timestamps.CASES,
    *geometry.CASES,
    *colors.CASES,
    *trims.CASES,
    *refused.CASES,
]
