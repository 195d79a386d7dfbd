"""HTTP routes of the page."""

import asyncio
import json
import urllib.parse
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from typing import Any

import cv2
from aiohttp import web

from vidgan.errors import VidganError
from vidgan.live.frame_pair import FramePair
from vidgan.live.web.auth import HEADERS, AuthMiddleware
from vidgan.live.web.clients import Client
from vidgan.live.web.file_types import media_type
from vidgan.live.web.image_styles import MAX_BYTES
from vidgan.live.web.recordings import Recording
from vidgan.live.web.sessions import SessionManager
from vidgan.live.web.streams import LiveStream
from vidgan.live.web.upload_tasks import upload_tasks
from vidgan.live.web.uploads import Upload, display_name, too_large

_STATIC = {
    "page.css": "text/css",
    "page.js": "text/javascript",
    "live_view.js": "text/javascript",
    "uploads.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}
_MAX_JSON_BYTES = 200_000
_BLOCK_BYTES = 1 << 18
_FRAME_TIMEOUT = 10.0
"""Seconds that a request for the next frame waits, before the browser is to ask again."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
ClientHandler = Callable[[web.Request, Client], Awaitable[web.StreamResponse]]


def application(sessions: SessionManager, auth: AuthMiddleware) -> web.Application:
    """The aiohttp application of the page."""
    routes = _Routes(sessions, auth)

    @web.middleware
    async def authenticate(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            response = await auth.handle(request, handler)
        except VidganError as exc:
            response = web.Response(status=400, text=str(exc))
        except web.HTTPException as exc:
            response = web.Response(status=exc.status, text=exc.text)
        return response

    app = web.Application(middlewares=[authenticate], client_max_size=_MAX_JSON_BYTES)
    app.on_response_prepare.append(_add_headers)
    app.add_routes(routes.table())
    return app


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)
    response.headers.setdefault("Cache-Control", "no-store")


class _Routes:
    def __init__(self, sessions: SessionManager, auth: AuthMiddleware) -> None:
        self._sessions, self._auth = sessions, auth

    def table(self) -> list[web.RouteDef]:
        client = self._for_clients
        return [
            web.get("/", self._index),
            web.get("/static/{name}", self._static),
            web.get("/thumbnails/{style}", self._thumbnail),
            web.post("/styles", client(self._add_style)),
            web.get("/state", client(self._state)),
            web.patch("/settings", client(self._update_settings)),
            web.post("/connection", client(self._connect)),
            web.delete("/connection", client(self._disconnect)),
            web.get("/frame", client(self._frame)),
            web.get("/snapshot", client(self._snapshot)),
            web.post("/recordings", client(self._record)),
            web.get("/recordings/{id}", client(self._recording)),
            web.delete("/recordings/{id}", client(self._remove_recording)),
            web.post("/uploads", client(self._upload)),
            web.get("/uploads/{id}/input", client(self._upload_input)),
            web.get("/uploads/{id}/output", client(self._upload_output)),
            web.delete("/uploads/{id}", client(self._remove_upload)),
        ]

    def _for_clients(self, respond: ClientHandler) -> Handler:
        async def handler(request: web.Request) -> web.StreamResponse:
            client = self._sessions.clients.get(self._auth.client_id(request))
            if client is None:
                raise web.HTTPUnauthorized(text="open the page first")
            return await respond(request, client)

        return handler

    async def _index(self, request: web.Request) -> web.Response:
        sessions = self._sessions
        client = sessions.clients.get(self._auth.client_id(request)) or sessions.add_client()
        response = web.Response(body=_read("index.html"), content_type="text/html", charset="utf-8")
        self._auth.set_cookies(response, client.id)
        return response

    async def _static(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in _STATIC:
            raise web.HTTPNotFound(text="there is no such file")
        return web.Response(body=_read(name), content_type=_STATIC[name], charset="utf-8")

    async def _thumbnail(self, request: web.Request) -> web.Response:
        style = self._sessions.styles.get(request.match_info["style"], "")
        if style not in self._sessions.thumbnails.ready:
            raise web.HTTPNotFound(text="the thumbnail is not ready")
        return web.Response(body=self._sessions.thumbnails.ready[style], content_type="image/jpeg")

    async def _add_style(self, request: web.Request, client: Client) -> web.Response:
        name = request.query.get("name", "image")
        _check_length(request, name, MAX_BYTES)
        made = await self._sessions.add_style(client, name, request.content.iter_chunked(_BLOCK_BYTES))
        return web.json_response({"name": made.name, "warnings": made.warnings}, status=201)

    async def _state(self, request: web.Request, client: Client) -> web.Response:
        sessions = self._sessions
        stream, names = sessions.stream_of(client), {style: name for name, style in sessions.styles.items()}
        settings = sessions.controls_of(client).settings
        second_style = settings.second_style
        return web.json_response({
            "settings": {
                **asdict(settings),
                "style": names[settings.style],
                "second_style": None if second_style is None else names[second_style],
            },
            "live": None if stream is None else _live_state(stream, names),
            "shared": sessions.shared is not None,
            "own_camera": client.stream is not None,
            "styles": [
                {"name": name, "thumbnail": style in sessions.thumbnails.ready}
                for name, style in sessions.styles.items()
            ],
            "tasks": [asdict(task) for task in upload_tasks()],
            "recording": client.recording is not None,
            "recordings": [_recording_state(each) for each in client.recordings.values()],
            "uploads": [
                _upload_state(each, sessions.uploads.position(each)) for each in client.uploads.values()
            ],
            "images": sessions.images.available,
            "max_upload_bytes": sessions.uploads.max_bytes,
        })  # fmt: skip

    async def _update_settings(self, request: web.Request, client: Client) -> web.Response:
        self._sessions.update(client, await _json(request))
        return web.Response(status=204)

    async def _connect(self, request: web.Request, client: Client) -> web.Response:
        body = await _json(request)
        offer, camera = body.get("offer"), body.get("camera") is True
        return web.json_response(await self._sessions.connect(client, offer, camera=camera))

    async def _disconnect(self, request: web.Request, client: Client) -> web.Response:
        await self._sessions.disconnect(client)
        return web.Response(status=204)

    async def _frame(self, request: web.Request, client: Client) -> web.Response:
        """The next frame as JPEG, for browsers that WebRTC does not reach."""
        stream = self._sessions.stream_of(client)
        if stream is None:
            raise web.HTTPConflict(text="there is no stream")
        try:
            pair = await asyncio.wait_for(stream.frames.newer_than(client.last_frame), _FRAME_TIMEOUT)
        except TimeoutError:
            return web.Response(status=204)
        client.last_frame = pair
        return web.Response(body=await asyncio.to_thread(_as_jpeg, pair), content_type="image/jpeg")

    async def _snapshot(self, request: web.Request, client: Client) -> web.Response:
        body = await self._sessions.snapshot(client)
        if body is None:
            raise web.HTTPConflict(text="there is no frame yet")
        return web.Response(body=body, content_type="image/png", headers=_attachment("vidgan.png"))

    async def _record(self, request: web.Request, client: Client) -> web.Response:
        await self._sessions.record(client, on=(await _json(request)).get("on") is True)
        return web.Response(status=204)

    async def _recording(self, request: web.Request, client: Client) -> web.StreamResponse:
        recording = client.get_recording(request.match_info["id"])
        if not recording.finished:
            raise web.HTTPConflict(text=f"{recording.name}: is still being recorded")
        if not recording.path.exists():
            raise web.HTTPConflict(text=recording.error)
        return _file_response(recording.path, "video/mp4", _attachment(recording.name))

    async def _remove_recording(self, request: web.Request, client: Client) -> web.Response:
        await self._sessions.remove_recording(client, client.get_recording(request.match_info["id"]))
        return web.Response(status=204)

    async def _upload(self, request: web.Request, client: Client) -> web.Response:
        query = request.query
        name = query.get("name", "upload")
        _check_length(request, name, self._sessions.uploads.max_bytes)
        upload = await self._sessions.receive(
            client,
            name,
            request.content.iter_chunked(_BLOCK_BYTES),
            task=query.get("task", "style"),
            model=query.get("model", ""),
            passcode=urllib.parse.unquote(request.headers.get("Passcode", "")),
            hints=query.get("hints", "").split(),
        )
        return web.json_response({"id": upload.id, "name": upload.name}, status=201)

    async def _upload_input(self, request: web.Request, client: Client) -> web.StreamResponse:
        upload = client.get_upload(request.match_info["id"])
        kind = media_type(upload.input)
        displayable = kind.startswith(("video/", "image/"))
        return _file_response(upload.input, kind, {} if displayable else _attachment(upload.name))

    async def _upload_output(self, request: web.Request, client: Client) -> web.StreamResponse:
        upload = client.get_upload(request.match_info["id"])
        if upload.state != "done":
            raise web.HTTPConflict(text=f"{upload.name}: is not finished yet")
        if upload.kind == "check":
            raise web.HTTPNotFound(text=f"{upload.name}: was checked, which makes no output")
        headers = _attachment(upload.output_name) if "save" in request.query else {}
        return _file_response(upload.output, media_type(upload.output), headers)

    async def _remove_upload(self, request: web.Request, client: Client) -> web.Response:
        await self._sessions.remove_upload(client, client.get_upload(request.match_info["id"]))
        return web.Response(status=204)


def _check_length(request: web.Request, name: str, limit: int) -> None:
    """Refuses a declared size above the limit before the transfer."""
    if (request.content_length or 0) > limit:
        raise web.HTTPRequestEntityTooLarge(
            max_size=limit,
            actual_size=request.content_length or 0,
            text=str(too_large(display_name(name), limit)),
        )


def _live_state(stream: LiveStream, names: dict[str, str]) -> dict[str, Any]:
    state = stream.pipeline.state()
    return {
        "source": state.source,
        "active_style": names[state.active_style],
        "width": state.width,
        "height": state.height,
        "fps": round(state.fps, 1),
        "latency_seconds": round(state.latency_seconds, 4),
        "dropped": state.dropped,
    }


def _upload_state(upload: Upload, position: int) -> dict[str, Any]:
    fields = ("id", "name", "output_name", "kind", "state", "done", "total", "error", "warnings", "report")
    return {"position": position, **{name: getattr(upload, name) for name in fields}}


def _recording_state(recording: Recording) -> dict[str, Any]:
    fields = ("id", "name", "finished", "error")
    return {"seconds": round(recording.seconds, 1), **{name: getattr(recording, name) for name in fields}}


async def _json(request: web.Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.text())
    except (ValueError, LookupError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(text="the body must be a JSON object")
    return body


def _file_response(path: Path, content_type: str, headers: dict[str, str]) -> web.FileResponse:
    response = web.FileResponse(path, headers=headers)
    response.content_type = content_type
    return response


def _attachment(name: str) -> dict[str, str]:
    """The header that makes browsers save a file under that name, percent-encoded (RFC 6266)."""
    return {"Content-Disposition": f"attachment; filename*=UTF-8''{urllib.parse.quote(name, safe='')}"}


def _as_jpeg(pair: FramePair) -> bytes:
    bgr = cv2.cvtColor(pair.output.pixels, cv2.COLOR_RGB2BGR)
    return bytes(cv2.imencode(".jpg", bgr)[1])


def _read(name: str) -> bytes:
    return (files("vidgan.live.web") / "static" / name).read_bytes()
