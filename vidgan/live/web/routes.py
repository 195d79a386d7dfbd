"""What a browser may ask for."""

import asyncio
import json
import urllib.parse
from collections.abc import Awaitable, Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import cv2
from aiohttp import web

from vidgan.errors import VidganError
from vidgan.live.stylizer import Shot
from vidgan.live.web.auth import HEADERS, Gate
from vidgan.live.web.clients import Visitor
from vidgan.live.web.clips import Clip, media_type, shown_name, too_large
from vidgan.live.web.recordings import Take
from vidgan.live.web.server import Room
from vidgan.live.web.streams import Stage

_STATIC = {
    "page.css": "text/css",
    "page.js": "text/javascript",
    "picture.js": "text/javascript",
    "clips.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}
_MOST_JSON = 200_000
_BLOCK = 1 << 18
_PATIENCE = 10.0
"""Seconds for a picture to come, before a browser shall ask again."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Answer = Callable[[web.Request, Visitor], Awaitable[web.StreamResponse]]


def application(room: Room, gate: Gate) -> web.Application:
    """All of the page, for aiohttp."""
    routes = _Routes(room, gate)

    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            response = await gate.opened(request, handler)
        except VidganError as exc:
            response = web.Response(status=400, text=str(exc))
        except web.HTTPException as exc:
            response = web.Response(status=exc.status, text=exc.text)
        return response

    app = web.Application(middlewares=[guarded], client_max_size=_MOST_JSON)
    app.on_response_prepare.append(_add_headers)
    app.add_routes(routes.all())
    return app


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)
    response.headers.setdefault("Cache-Control", "no-store")


class _Routes:
    def __init__(self, room: Room, gate: Gate) -> None:
        self._room, self._gate = room, gate

    def all(self) -> list[web.RouteDef]:
        own = self._for_visitors
        return [
            web.get("/", self._page),
            web.get("/static/{name}", self._static),
            web.get("/stills/{style}", self._still),
            web.get("/state", own(self._state)),
            web.patch("/look", own(self._look)),
            web.post("/call", own(self._call)),
            web.delete("/call", own(self._hang_up)),
            web.get("/picture", own(self._picture)),
            web.get("/snapshot", own(self._snapshot)),
            web.post("/recordings", own(self._record)),
            web.get("/recordings/{id}", own(self._recording)),
            web.delete("/recordings/{id}", own(self._remove_recording)),
            web.post("/clips", own(self._receive)),
            web.get("/clips/{id}/original", own(self._original)),
            web.get("/clips/{id}/painted", own(self._painted)),
            web.delete("/clips/{id}", own(self._remove_clip)),
        ]

    def _for_visitors(self, answer: Answer) -> Handler:
        async def handler(request: web.Request) -> web.StreamResponse:
            visitor = self._room.visitors.known(self._gate.visitor(request))
            if visitor is None:
                raise web.HTTPUnauthorized(text="open the page first")
            return await answer(request, visitor)

        return handler

    async def _page(self, request: web.Request) -> web.Response:
        room = self._room
        visitor = room.visitors.known(self._gate.visitor(request)) or room.welcome()
        response = web.Response(body=_read("index.html"), content_type="text/html", charset="utf-8")
        self._gate.let_in(response, visitor.id)
        return response

    async def _static(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in _STATIC:
            raise web.HTTPNotFound(text="there is no such file")
        return web.Response(body=_read(name), content_type=_STATIC[name], charset="utf-8")

    async def _still(self, request: web.Request) -> web.Response:
        style = self._room.styles.get(request.match_info["style"], "")
        if style not in self._room.stills.ready:
            raise web.HTTPNotFound(text="there is no still of it yet")
        return web.Response(body=self._room.stills.ready[style], content_type="image/jpeg")

    async def _state(self, request: web.Request, visitor: Visitor) -> web.Response:
        room = self._room
        stage, names = room.stage_of(visitor), {style: name for name, style in room.styles.items()}
        look = room.controls_of(visitor).look
        return web.json_response({
            "look": {
                "style": names[look.style],
                "strength": look.strength,
                "smooth": look.smooth,
                "preserve_color": look.preserve_color,
                "mirror": look.mirror,
            },
            "live": None if stage is None else _live_state(stage, names),
            "house": room.house is not None,
            "own": visitor.stage is not None,
            "styles": [
                {"name": name, "still": style in room.stills.ready} for name, style in room.styles.items()
            ],
            "recording": visitor.take is not None,
            "recordings": [_take_state(each) for each in visitor.takes.values()],
            "clips": [_clip_state(each, room.painting.ahead(each)) for each in visitor.clips.values()],
            "most_bytes": room.painting.most_bytes,
        })  # fmt: skip

    async def _look(self, request: web.Request, visitor: Visitor) -> web.Response:
        self._room.change(visitor, await _json(request))
        return web.Response(status=204)

    async def _call(self, request: web.Request, visitor: Visitor) -> web.Response:
        wanted = await _json(request)
        offer, camera = wanted.get("offer"), wanted.get("camera") is True
        return web.json_response(await self._room.answer(visitor, offer, camera=camera))

    async def _hang_up(self, request: web.Request, visitor: Visitor) -> web.Response:
        await self._room.hang_up(visitor)
        return web.Response(status=204)

    async def _picture(self, request: web.Request, visitor: Visitor) -> web.Response:
        """The next one alone, where WebRTC does not get through."""
        stage = self._room.stage_of(visitor)
        if stage is None:
            raise web.HTTPConflict(text="there is no picture")
        try:
            shot = await asyncio.wait_for(stage.screen.newer(visitor.last), _PATIENCE)
        except TimeoutError:
            return web.Response(status=204)
        visitor.last = shot
        return web.Response(body=await asyncio.to_thread(_encoded, shot, ".jpg"), content_type="image/jpeg")

    async def _snapshot(self, request: web.Request, visitor: Visitor) -> web.Response:
        stage = self._room.stage_of(visitor)
        if stage is None or stage.screen.shot is None:
            raise web.HTTPConflict(text="there is no picture yet")
        body = await asyncio.to_thread(_encoded, stage.screen.shot, ".png")
        return web.Response(body=body, content_type="image/png", headers=_saved_as("vidgan.png"))

    async def _record(self, request: web.Request, visitor: Visitor) -> web.Response:
        await self._room.record(visitor, on=(await _json(request)).get("on") is True)
        return web.Response(status=204)

    async def _recording(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        take = visitor.recorded(request.match_info["id"])
        if not take.ended:
            raise web.HTTPConflict(text=f"{take.name}: is still being recorded")
        if not take.path.exists():
            raise web.HTTPConflict(text=take.error)
        return _film(take.path, "video/mp4", _saved_as(take.name))

    async def _remove_recording(self, request: web.Request, visitor: Visitor) -> web.Response:
        await self._room.remove_take(visitor, visitor.recorded(request.match_info["id"]))
        return web.Response(status=204)

    async def _receive(self, request: web.Request, visitor: Visitor) -> web.Response:
        name = request.query.get("name", "clip")
        most = self._room.painting.most_bytes
        # What is known to be too large is not even looked at.
        if (request.content_length or 0) > most:
            raise web.HTTPRequestEntityTooLarge(
                max_size=most,
                actual_size=request.content_length or 0,
                text=str(too_large(shown_name(name), most)),
            )
        clip = await self._room.receive(visitor, name, request.content.iter_chunked(_BLOCK))
        return web.json_response({"id": clip.id, "name": clip.name}, status=201)

    async def _original(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        clip = visitor.clip(request.match_info["id"])
        kind = media_type(clip.original)
        return _film(clip.original, kind, {} if kind.startswith("video/") else _saved_as(clip.name))

    async def _painted(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        clip = visitor.clip(request.match_info["id"])
        if clip.state != "done":
            raise web.HTTPConflict(text=f"{clip.name}: is not painted yet")
        saved = _saved_as(clip.painted_name) if "save" in request.query else {}
        return _film(clip.painted, "video/mp4", saved)

    async def _remove_clip(self, request: web.Request, visitor: Visitor) -> web.Response:
        await self._room.remove_clip(visitor, visitor.clip(request.match_info["id"]))
        return web.Response(status=204)


def _live_state(stage: Stage, names: dict[str, str]) -> dict[str, Any]:
    state = stage.live.state()
    return {
        "source": state.source,
        "shown": names[state.shown],
        "width": state.width,
        "height": state.height,
        "fps": round(state.fps, 1),
        "latency": round(state.latency, 4),
        "dropped": state.dropped,
    }


def _clip_state(clip: Clip, ahead: int) -> dict[str, Any]:
    said = ("id", "name", "painted_name", "state", "done", "total", "error", "notices")
    return {"ahead": ahead, **{name: getattr(clip, name) for name in said}}


def _take_state(take: Take) -> dict[str, Any]:
    said = ("id", "name", "ended", "error")
    return {"seconds": round(take.seconds, 1), **{name: getattr(take, name) for name in said}}


async def _json(request: web.Request) -> dict[str, Any]:
    try:
        wishes = json.loads(await request.text())
    except (ValueError, LookupError, RecursionError):
        wishes = None
    if not isinstance(wishes, dict):
        raise web.HTTPBadRequest(text="that is no JSON object")
    return wishes


def _film(path: Path, kind: str, headers: dict[str, str]) -> web.FileResponse:
    response = web.FileResponse(path, headers=headers)
    response.content_type = kind
    return response


def _saved_as(name: str) -> dict[str, str]:
    """The header that lets a browser save it; the name is quoted, whatever it is (RFC 6266)."""
    return {"Content-Disposition": f"attachment; filename*=UTF-8''{urllib.parse.quote(name, safe='')}"}


def _encoded(shot: Shot, suffix: str) -> bytes:
    bgr = cv2.cvtColor(shot.painted.pixels, cv2.COLOR_RGB2BGR)
    return bytes(cv2.imencode(suffix, bgr)[1])


def _read(name: str) -> bytes:
    return (files("vidgan.live.web") / "static" / name).read_bytes()
