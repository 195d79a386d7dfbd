"""The text of ``--style``: a style, a blend of styles, or styles that follow each other.

``starry`` · ``painting.jpg`` · ``a.jpg:0.6,b.jpg:0.4`` · ``0s:starry,10s:wave``, of which each may be a blend.
"""

import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from vidgan.errors import InputError

_MOST_PARTS = 8
_NUMBER = r"\d{1,6}(?:\.\d{1,20})?"
_KEY_START = re.compile(rf",(?={_NUMBER}s:)")
_KEY = re.compile(rf"({_NUMBER})s:(.+)", re.DOTALL)
_PARTS = re.compile(rf"(.+?):({_NUMBER}|\.\d{{1,20}})(?:,|$)", re.DOTALL)


@dataclass(frozen=True)
class Key:
    """The styles from a time on.

    Attributes:
        seconds: of the input.
        parts: names, images or model files and their shares, which add up to 1.
    """

    seconds: float
    parts: tuple[tuple[str, float], ...]

    @property
    def text(self) -> str:
        """The styles as they are written."""
        if len(self.parts) == 1:
            return self.parts[0][0]
        return ",".join(f"{style}:{share:.6g}" for style, share in self.parts)


def parse_style(text: str) -> list[Key]:
    """The styles of a text, by the times at which they begin; the first begins at 0.

    Raises:
        InputError: times do not rise, or shares are all 0.
    """
    if _KEY.fullmatch(text) is None or Path(text).exists():
        return [Key(0.0, _parts(text))]
    keys = []
    for entry in _KEY_START.split(text):
        found = _KEY.fullmatch(entry)
        assert found is not None
        keys.append(Key(float(found[1]), _parts(found[2])))
    if any(one.seconds >= other.seconds for one, other in itertools.pairwise(keys)):
        raise InputError(f"style {text!r}: times must rise, as in 0s:starry,10s:wave")
    if len(keys) > _MOST_PARTS:
        raise InputError(f"style {text!r}: {len(keys)} styles after each other; {_MOST_PARTS} are the most")
    return [Key(0.0, keys[0].parts), *keys[1:]]


def style_text(keys: Iterable[Key]) -> str:
    """The reverse of :func:`parse_style`."""
    keys = list(keys)
    return keys[0].text if len(keys) == 1 else ",".join(f"{each.seconds:g}s:{each.text}" for each in keys)


def label_of(text: str) -> str:
    """A name for outputs: ``painting.jpg`` → ``painting``, ``0s:starry,10s:wave`` → ``starry-wave``.

    Raises:
        InputError: as of :func:`parse_style`.
    """
    styles = (style for key in parse_style(text) for style, _ in key.parts)
    names = (Path(each).stem if "/" in each or "\\" in each or Path(each).suffix else each for each in styles)
    return "-".join(dict.fromkeys(names))


def _parts(text: str) -> tuple[tuple[str, float], ...]:
    if Path(text).exists():
        return ((text, 1.0),)
    found = [(each[1], float(each[2])) for each in _PARTS.finditer(text)]
    if not found or "".join(each[0] for each in _PARTS.finditer(text)) != text:
        return ((text, 1.0),)
    total = sum(share for _, share in found)
    if total <= 0:
        raise InputError(f"style {text!r}: the shares of a blend must not all be 0")
    if len(found) > _MOST_PARTS:
        raise InputError(f"style {text!r}: a blend of {len(found)} styles; {_MOST_PARTS} are the most")
    return tuple((style, share / total) for style, share in found if share > 0)
