"""The boxes of a manifest store (JUMBF, ISO/IEC 19566-5), by their labels."""

import re

_DESCRIPTION = re.compile(rb"jumd.{17}([^\0]{1,300})\0", re.DOTALL)
"""A description box: its type, which fields it has, and its label."""
_COMPRESSED = b"brob"
_TEXT = re.compile(
    r"c2pa|c2pa\.(assertions|signature|soft-binding|(claim|actions|ingredient|hash\.\w+)(\.v\d+)?)(__\d+)?"
    r"|org\.vidgan\.[\w.-]+|org\.contentauth\.archive\.metadata|([\w.-]+:)?urn:(c2pa|uuid):[\w:.-]+"
)
"""Labels of what holds no images. Thumbnails, icons, embedded data and unknown assertions have others."""


def labels_of(store: bytes) -> set[str]:
    """The labels of all boxes of a manifest store, and of the stores of its ingredients."""
    return {found.decode("utf-8", "replace") for found in _DESCRIPTION.findall(store)}


def holds_only_text(store: bytes) -> bool:
    """Whether no box of a manifest store can hold an image or say who somebody is.

    Unknown boxes count as if they could, and so do compressed ones.
    """
    return _COMPRESSED not in store and all(map(_TEXT.fullmatch, labels_of(store)))
