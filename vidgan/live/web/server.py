"""What the page is about: pictures to look at, visitors, and clips that are painted."""

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vidgan.errors import InputError
from vidgan.live.controls import Controls, Look
from vidgan.live.live import Live
from vidgan.live.web.clients import Visitor, Visitors
from vidgan.live.web.clips import Clip, Painting
from vidgan.live.web.peer_connection import Call
from vidgan.live.web.recordings import Take
from vidgan.live.web.streams import Stage, VisitorCamera
from vidgan.live.web.thumbnails import Stills
from vidgan.session import Device

_MOST_CALLS = 8
_MOST_CAMERAS = 2
"""Each is painted for itself."""

_MOST_TAKES = 8
"""Of a visitor."""

_MOST_CLIPS_EACH = 4
_TIDY_SECONDS = 1.0

_WISHES: dict[str, type | tuple[type, ...]] = {
    "style": str,
    "strength": (int, float),
    "smooth": str,
    "preserve_color": bool,
    "mirror": bool,
}
"""What visitors may change of the look."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Of what visitors may bring.

    Attributes:
        clip_bytes: of one clip.
        clips: that are kept at a time, of all visitors.
    """

    clip_bytes: int = 500_000_000
    clips: int = 16


class Room:
    """Lives on one event loop, on which everything is called.

    Args:
        live: the picture that is shown to all, entered; None where there is none.
        look: to begin with, where there is none.
        styles: to choose from.
        folder: for everything that visitors bring and make.
        device: see :class:`vidgan.session.Session`.
    """

    def __init__(
        self, live: Live | None, look: Look, styles: list[str], folder: Path, limits: Limits, device: Device
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self.house = None if live is None else Stage(live, self._loop)
        self.styles = _by_name(Controls(look, styles=styles).styles)
        self.visitors = Visitors()
        self.painting = Painting(folder, most_bytes=limits.clip_bytes, most=limits.clips)
        self.stills = Stills(list(self.styles.values()))
        self._look, self._folder, self._device = look, folder, device
        self._calling = asyncio.Lock()
        self._tasks = [asyncio.ensure_future(self.painting.work()), asyncio.ensure_future(self._tidy())]

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for visitor in self.visitors:
            await self._leave(visitor)
        if self.house is not None:
            await asyncio.to_thread(self.house.close)
        await asyncio.to_thread(self.stills.close)

    def welcome(self) -> Visitor:
        return self.visitors.welcome(self._controls(self._look))

    def stage_of(self, visitor: Visitor) -> Stage | None:
        """What the visitor is shown."""
        return visitor.stage or self.house

    def controls_of(self, visitor: Visitor) -> Controls:
        stage = self.stage_of(visitor)
        return visitor.controls if stage is None else stage.live.controls

    async def answer(self, visitor: Visitor, offer: Any, *, camera: bool) -> dict[str, str]:
        """Begins to show the visitor a picture: that of the own camera if it sends one.

        Raises:
            InputError: there is none to be shown, or there are too many visitors.
        """
        async with self._calling:
            await self._hang_up(visitor)
            self._check_room(camera=camera)
            source = VisitorCamera() if camera else None
            if source is not None:
                visitor.stage = await self._open_stage(visitor, source)
            stage = self.stage_of(visitor)
            if stage is None:
                raise InputError("there is no picture to be shown; send one from a camera")
            visitor.call = Call(stage.screen)
            try:
                return await visitor.call.answer(offer, None if source is None else source.slot)
            except InputError:
                await self._hang_up(visitor)
                raise

    async def hang_up(self, visitor: Visitor) -> None:
        """Ends the call, and what was painted for it alone."""
        async with self._calling:
            await self._hang_up(visitor)

    def change(self, visitor: Visitor, wishes: dict[str, Any]) -> None:
        """Changes the look of what the visitor is shown.

        Raises:
            InputError: there is no such wish, or no such style.
        """
        for name, value in wishes.items():
            if name not in _WISHES or not isinstance(value, _WISHES[name]):
                raise InputError(f"{name}: is nothing that can be wished so")
        if "style" in wishes:
            wishes = {**wishes, "style": self._style(wishes["style"])}
        self.controls_of(visitor).change(**wishes)

    async def record(self, visitor: Visitor, *, on: bool) -> None:
        """Begins a recording of what the visitor is shown, or ends it.

        Raises:
            InputError: there is nothing to record, or there are too many recordings.
        """
        stage = self.stage_of(visitor)
        if not on:
            await self._end_take(visitor)
        elif visitor.take is None:
            if stage is None:
                raise InputError("there is no picture to record")
            if len(visitor.takes) >= _MOST_TAKES:
                raise InputError(f"{_MOST_TAKES} recordings are here already; remove some first")
            identity = secrets.token_urlsafe(16)
            name = f"vidgan-{time.strftime('%Y%m%d-%H%M%S')}.mp4"
            take = Take(self._folder / f"{identity}.mp4", id=identity, name=name)
            visitor.takes[take.id], visitor.take = take, (take, stage)
            stage.live.attach(take)

    async def remove_take(self, visitor: Visitor, take: Take) -> None:
        if visitor.take is not None and visitor.take[0] is take:
            await self._end_take(visitor)
        visitor.takes.pop(take.id, None)
        take.path.unlink(missing_ok=True)

    async def receive(self, visitor: Visitor, name: str, body: AsyncIterable[bytes]) -> Clip:
        """Takes in a clip, to be painted in the look of now, see :meth:`Painting.receive`."""
        if len(visitor.clips) + visitor.sending >= _MOST_CLIPS_EACH:
            raise InputError(f"{_MOST_CLIPS_EACH} clips of yours are here already; remove some first")
        look = self.controls_of(visitor).look
        wanted = {
            "style": look.style,
            "strength": look.strength,
            "smooth": look.smooth,
            "preserve_color": look.preserve_color,
            "device": self._device,
        }
        visitor.sending += 1
        try:
            clip = await self.painting.receive(name, body, wanted)
        finally:
            visitor.sending -= 1
        visitor.clips[clip.id] = clip
        return clip

    async def remove_clip(self, visitor: Visitor, clip: Clip) -> None:
        del visitor.clips[clip.id]
        await self.painting.remove(clip)

    def _style(self, name: str) -> str:
        if name not in self.styles:
            raise InputError(f"no style called {name!r}; there are {', '.join(self.styles)}")
        return self.styles[name]

    def _controls(self, look: Look) -> Controls:
        return Controls(look, styles=list(self.styles.values()))

    def _check_room(self, *, camera: bool) -> None:
        if sum(each.call is not None for each in self.visitors) >= _MOST_CALLS:
            raise InputError(f"{_MOST_CALLS} are looking already; come back later")
        if camera and sum(each.stage is not None for each in self.visitors) >= _MOST_CAMERAS:
            raise InputError(f"{_MOST_CAMERAS} cameras are painted already; come back later")

    async def _open_stage(self, visitor: Visitor, source: VisitorCamera) -> Stage:
        # Whoever turns to the own camera goes on in the same look.
        visitor.controls = self._controls(self.controls_of(visitor).look)
        live = await asyncio.to_thread(Live, source, visitor.controls, device=self._device)
        live.__enter__()
        return Stage(live, self._loop)

    async def _hang_up(self, visitor: Visitor) -> None:
        call, stage = visitor.call, visitor.stage
        visitor.call = None
        if call is not None:
            await call.close()
        if stage is not None:
            await self._end_take(visitor)
            visitor.stage = None
            visitor.controls = self._controls(stage.live.controls.look)
            await asyncio.to_thread(stage.live.__exit__, None, None, None)

    async def _end_take(self, visitor: Visitor) -> None:
        taken, visitor.take = visitor.take, None
        if taken is not None:
            take, stage = taken
            with contextlib.suppress(ValueError):  # Whoever ended the picture has ended it.
                await asyncio.to_thread(stage.live.detach, take)

    async def _leave(self, visitor: Visitor) -> None:
        await self._end_take(visitor)
        await self.hang_up(visitor)
        for take in list(visitor.takes.values()):
            await self.remove_take(visitor, take)
        for clip in list(visitor.clips.values()):
            await self.remove_clip(visitor, clip)

    async def _tidy(self) -> None:
        """Ends calls that nobody listens to, recordings that are full, and what was left behind."""
        while True:
            await asyncio.sleep(_TIDY_SECONDS)
            for visitor in self.visitors:
                if visitor.call is not None and visitor.call.ended:
                    await self.hang_up(visitor)
                if visitor.take is not None and visitor.take[0].ended:
                    await self._end_take(visitor)
            for visitor in self.visitors.forget_idle():
                await self._leave(visitor)


def _by_name(styles: list[str]) -> dict[str, str]:
    """Names that tell strangers nothing of where files lie here, and the styles that they stand for."""
    named: dict[str, str] = {}
    for style in styles:
        name = Path(style).stem
        named[f"{name} (file)" if name in named else name] = style
    return named
