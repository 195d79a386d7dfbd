"""Whoever has opened the page, and what is theirs."""

import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from aiohttp import web

from vidgan.live.controls import Controls
from vidgan.live.stylizer import Shot
from vidgan.live.web.clips import Clip
from vidgan.live.web.peer_connection import Call
from vidgan.live.web.recordings import Take
from vidgan.live.web.streams import Stage

T = TypeVar("T")

_MOST = 200
_FORGET_SECONDS = 3600.0
"""Since the page was last open, after which a visitor's place may be given to another."""


@dataclass(slots=True, eq=False)
class Visitor:
    """One browser.

    Attributes:
        controls: of the own camera, or what clips are painted in where no picture is shown to all.
        stage: the own camera's; None where there is none.
        call: by which it is shown a picture.
        last: that it was given as a picture alone.
        take: that is being recorded, and the stage that it is recorded from.
        sending: clips that are on their way.
        seen: when it last asked for something, on the monotonic clock.
    """

    controls: Controls
    id: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    stage: Stage | None = None
    call: Call | None = None
    last: Shot | None = None
    take: tuple[Take, Stage] | None = None
    takes: dict[str, Take] = field(default_factory=dict)
    clips: dict[str, Clip] = field(default_factory=dict)
    sending: int = 0
    seen: float = field(default_factory=time.monotonic)

    def clip(self, identity: str) -> Clip:
        """The visitor's own of that name.

        Raises:
            HTTPNotFound: there is none; that of another is none.
        """
        return _of(self.clips, identity)

    def recorded(self, identity: str) -> Take:
        """As :meth:`clip`."""
        return _of(self.takes, identity)

    @property
    def idle(self) -> bool:
        return self.stage is None and time.monotonic() - self.seen > _FORGET_SECONDS


class Visitors:
    """All of them, by their names."""

    def __init__(self) -> None:
        self._all: dict[str, Visitor] = {}

    def __iter__(self) -> Iterator[Visitor]:
        return iter(list(self._all.values()))

    def welcome(self, controls: Controls) -> Visitor:
        """A new one.

        Raises:
            HTTPServiceUnavailable: there are too many.
        """
        if len(self._all) >= _MOST:
            raise web.HTTPServiceUnavailable(text="too many have this page open")
        visitor = Visitor(controls)
        self._all[visitor.id] = visitor
        return visitor

    def known(self, identity: str) -> Visitor | None:
        visitor = self._all.get(identity)
        if visitor is not None:
            visitor.seen = time.monotonic()
        return visitor

    def forget_idle(self) -> list[Visitor]:
        """Those who were, and what they left."""
        gone = [each for each in self._all.values() if each.idle]
        for each in gone:
            del self._all[each.id]
        return gone


def _of(things: Mapping[str, T], identity: str) -> T:
    if identity not in things:
        raise web.HTTPNotFound(text="there is no such thing of yours")
    return things[identity]
