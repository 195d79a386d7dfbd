"""The conventions and networks by which the detection of conventions is tried, in tests and in a benchmark."""

import itertools

from vidgan.importer.convention import Convention

CONVENTIONS = [
    Convention(*spans, order, order)
    for order, spans in itertools.product(
        ("rgb", "bgr"),
        (
            ("0..1", "0..1"), ("0..255", "0..255"), ("-1..1", "-1..1"),
            ("0..255", "0..1"), ("imagenet", "0..1"), ("caffe", "0..255"),
        ),
    )
]  # fmt: skip
NETWORKS = {"swift-x2": 2, "monet": 1, "starry": 1}
"""Scales by name of bundled models: one that enlarges, one that changes colors, one that stylizes."""
