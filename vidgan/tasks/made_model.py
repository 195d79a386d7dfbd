"""Models that a task makes at their first use."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class MadeModel:
    """A model that a task takes by name, without files until it is used.

    Attributes:
        name: what the option takes.
        title: one line about it, for lists.
        card: Markdown.
        facts: about it.
    """

    name: str
    title: str
    card: str
    facts: Mapping[str, object]
