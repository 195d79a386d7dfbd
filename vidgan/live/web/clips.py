"""Clips that visitors send, and the one after the other that is painted."""

import asyncio
import contextlib
import json
import re
import secrets
import shutil
import sys
from collections.abc import AsyncIterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from vidgan.errors import InputError, OutputError

State = Literal["waiting", "painting", "done", "failed"]

_LONGEST_NAME = 80
_SIGNATURES = {b"\x1a\x45\xdf\xa3": (0, "video/webm"), b"ftyp": (4, "video/mp4")}
"""How files begin that browsers play, and from which byte on."""


@dataclass(slots=True)
class Clip:
    """A film that was sent, and what becomes of it.

    Attributes:
        id: that nobody can guess.
        name: what the sender calls it, fit to be shown; no path is ever made of it.
        folder: its own.
        settings: arguments of :func:`vidgan.stylize`.
        done, total: frames; 0 where it is not known.
        error: why it failed.
        notices: what the sender should know of the painted one.
    """

    id: str
    name: str
    folder: Path
    settings: dict[str, Any]
    state: State = "waiting"
    done: int = 0
    total: int = 0
    error: str = ""
    notices: list[str] = field(default_factory=list)

    @property
    def original(self) -> Path:
        return self.folder / "original"

    @property
    def painted(self) -> Path:
        return self.folder / "painted.mp4"

    @property
    def painted_name(self) -> str:
        return f"{Path(self.name).stem}.{Path(self.settings['style']).stem}.mp4"

    def said(self, words: str) -> str:
        """A message with the sender's names in the place of those that nobody knows."""
        return words.replace(str(self.original), self.name).replace(str(self.painted), self.painted_name)


class Painting:
    """Paints what waits, one clip at a time.

    Args:
        folder: for all clips.
        most_bytes: of a clip.
        most: clips that are kept at the same time, of all visitors.
    """

    def __init__(self, folder: Path, *, most_bytes: int, most: int) -> None:
        self._folder = folder
        self.most_bytes, self.most = most_bytes, most
        self._clips: dict[str, Clip] = {}
        self._arrived = asyncio.Event()
        self._current: asyncio.subprocess.Process | None = None

    async def receive(self, name: str, body: AsyncIterable[bytes], settings: dict[str, Any]) -> Clip:
        """Takes a clip in, to be painted when it is its turn.

        Raises:
            InputError: there are too many, or it is too large or empty.
            OutputError: the disk is full.
        """
        if len(self._clips) >= self.most:
            raise InputError(f"{shown_name(name)}: {self.most} clips are here already; remove some first")
        identity = secrets.token_urlsafe(16)
        clip = Clip(identity, shown_name(name), self._folder / identity, settings)
        # Its place is taken from now on, not once it has arrived.
        self._clips[clip.id] = clip
        try:
            clip.folder.mkdir()
            await self._write(clip, body)
        except OSError as exc:
            self._forget(clip)
            raise OutputError(f"{clip.name}: cannot be kept here: {exc.strerror or exc}") from exc
        except BaseException:
            self._forget(clip)
            raise
        self._arrived.set()
        return clip

    async def remove(self, clip: Clip) -> None:
        """Forgets a clip, whatever is being done to it."""
        if clip.state == "painting" and self._current is not None:
            with contextlib.suppress(ProcessLookupError):
                self._current.kill()
            await self._current.wait()
        self._clips.pop(clip.id, None)
        await asyncio.to_thread(shutil.rmtree, clip.folder, ignore_errors=True)

    def ahead(self, clip: Clip) -> int:
        """How many are painted before it."""
        waiting = [each for each in self._clips.values() if each.state in ("waiting", "painting")]
        return waiting.index(clip) if clip in waiting else 0

    async def work(self) -> None:
        """Paints, until it is cancelled."""
        while True:
            self._arrived.clear()
            while (clip := self._next()) is not None:
                await self._paint(clip)
            await self._arrived.wait()

    def _next(self) -> Clip | None:
        arrived = (
            each for each in self._clips.values() if each.state == "waiting" and each.original.exists()
        )
        return next(arrived, None)

    async def _write(self, clip: Clip, body: AsyncIterable[bytes]) -> None:
        arriving = clip.folder / "arriving"
        size = 0
        with arriving.open("wb") as file:
            async for block in body:
                size += len(block)
                if size > self.most_bytes:
                    raise too_large(clip.name, self.most_bytes)
                file.write(block)
        if not size:
            raise InputError(f"{clip.name}: is empty")
        arriving.rename(clip.original)

    def _forget(self, clip: Clip) -> None:
        self._clips.pop(clip.id, None)
        shutil.rmtree(clip.folder, ignore_errors=True)

    async def _paint(self, clip: Clip) -> None:
        clip.state = "painting"
        try:
            self._current = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "vidgan.live.web.worker"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
            )
            await self._follow(clip, self._current)
        except (OSError, ValueError):
            pass  # What kept it from being painted, or what it said instead, makes no difference.
        if clip.state == "painting":
            clip.state, clip.error = "failed", f"{clip.name}: the painting of it broke off"

    async def _follow(self, clip: Clip, painter: asyncio.subprocess.Process) -> None:
        """Tells a painter what to do, and notes what it says, to its end."""
        assert painter.stdin is not None and painter.stdout is not None
        wanted = {"input": str(clip.original), "output": str(clip.painted), "settings": clip.settings}
        try:
            painter.stdin.write(json.dumps(wanted).encode() + b"\n")
            async for line in painter.stdout:
                self._note(clip, json.loads(line))
        finally:
            if painter.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    painter.kill()
            painter.stdin.close()
            await painter.wait()

    def _note(self, clip: Clip, news: dict[str, Any]) -> None:
        """What the painter said."""
        clip.total = news.get("total") or clip.total
        clip.done = news.get("done", clip.done)
        if "error" in news:
            clip.state, clip.error = "failed", clip.said(news["error"])
        if "result" in news:
            clip.state = "done"
            clip.done = clip.total = news["result"]["frames"]
            clip.notices = [clip.said(each) for each in news["result"]["notices"]]


def shown_name(name: str) -> str:
    """A stranger's name for a file, without folders, and without what does not print."""
    last = re.split(r"[/\\]", name)[-1]
    plain = "".join(each for each in last if each.isprintable()).strip(" .")
    return plain[-_LONGEST_NAME:] or "clip"


def too_large(name: str, most_bytes: int) -> InputError:
    return InputError(f"{name}: is larger than {most_bytes / 1e6:g} MB, the most that is taken here")


def media_type(path: Path) -> str:
    """What browsers are told that it is, by how it begins, whatever it is called."""
    with path.open("rb") as file:
        head = file.read(16)
    known = (kind for sign, (start, kind) in _SIGNATURES.items() if head[start:].startswith(sign))
    return next(known, "application/octet-stream")
