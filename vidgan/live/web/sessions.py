"""Sessions of the clients: their streams, recordings and uploads."""

import asyncio
import contextlib
import itertools
import secrets
import time
from collections.abc import AsyncIterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vidgan.errors import InputError
from vidgan.live.controls import Controls
from vidgan.live.pipeline.live_pipeline import LivePipeline
from vidgan.live.provenance import LiveProvenance, LiveSigner
from vidgan.live.settings import LiveSettings
from vidgan.live.sinks.snapshot import write_snapshot
from vidgan.live.web.clients import Client, Clients
from vidgan.live.web.image_styles import ImageStyle, ImageStyles
from vidgan.live.web.peer_connection import PeerConnection
from vidgan.live.web.recordings import Recording
from vidgan.live.web.streams import ClientCamera, LiveStream
from vidgan.live.web.thumbnails import Thumbnails
from vidgan.live.web.upload_tasks import CheckJob, UploadJob, upload_job
from vidgan.live.web.uploads import Upload, UploadQueue
from vidgan.session import Device
from vidgan.tasks.style.names import label_of

_MAX_CONNECTIONS = 8
_MAX_CAMERAS = 2
"""Each camera has a pipeline of its own."""

_MAX_RECORDINGS_PER_CLIENT = 8
_MAX_UPLOADS_PER_CLIENT = 4
_CLEAN_UP_SECONDS = 1.0

_SETTING_TYPES: dict[str, type | tuple[type, ...]] = {
    "style": str,
    "second_style": (str, type(None)),
    "mix": (int, float),
    "strength": (int, float),
    "stroke": (int, float),
    "smooth": str,
    "reuse": str,
    "preserve_color": bool,
    "mirror": bool,
}
"""Settings that clients may change."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits of uploads.

    Attributes:
        upload_bytes: per file.
        uploads: kept at a time, of all clients.
    """

    upload_bytes: int = 500_000_000
    uploads: int = 16


class SessionManager:
    """Sessions of all clients. All methods must be called on the event loop.

    Args:
        pipeline: shown to all clients, entered; None where each client brings a camera.
        settings: initial settings where there is no pipeline.
        styles: to choose from.
        folder: of recordings and uploads.
        provenance: of the pipeline's session.
        device: see :class:`vidgan.session.Session`.
        crossfade: seconds of the crossfade between styles of a client's camera.

    Attributes:
        shared: the stream of ``pipeline``.
        styles: styles by their names on the page.
    """

    def __init__(
        self,
        pipeline: LivePipeline | None,
        settings: LiveSettings,
        styles: list[str],
        folder: Path,
        limits: Limits,
        provenance: LiveProvenance,
        device: Device,
        *,
        crossfade: float = 0.0,
    ) -> None:
        self._crossfade = crossfade
        self._loop = asyncio.get_running_loop()
        self.shared = None if pipeline is None else LiveStream(pipeline, self._loop)
        self.styles = _by_name(Controls(settings, styles=styles).styles)
        self.clients = Clients()
        self.uploads = UploadQueue(folder, max_bytes=limits.upload_bytes, max_uploads=limits.uploads)
        self.thumbnails = Thumbnails(list(self.styles.values()))
        self.images = ImageStyles(folder)
        self._settings, self._folder, self._device = settings, folder, device
        self._provenance, self._clients_provenance = provenance, provenance.of_clients()
        self._connecting = asyncio.Lock()
        self._tasks = [asyncio.ensure_future(self.uploads.run()), asyncio.ensure_future(self._clean_up())]

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for client in self.clients:
            await self._remove(client)
        if self.shared is not None:
            await asyncio.to_thread(self.shared.close)
        await asyncio.to_thread(self.thumbnails.close)

    def add_client(self) -> Client:
        return self.clients.add(self._controls(self._settings))

    def stream_of(self, client: Client) -> LiveStream | None:
        """The stream that the client is shown."""
        return client.stream or self.shared

    def controls_of(self, client: Client) -> Controls:
        stream = self.stream_of(client)
        return client.controls if stream is None else stream.pipeline.controls

    async def connect(self, client: Client, offer: Any, *, camera: bool) -> dict[str, str]:
        """Opens the WebRTC connection of a client; returns the SDP answer.

        Args:
            offer: see :meth:`PeerConnection.answer`.
            camera: whether the client sends its camera, whose output it is shown then.

        Raises:
            InputError: there is nothing to show, or there are too many connections.
        """
        async with self._connecting:
            await self._disconnect(client)
            self._check_capacity(camera=camera)
            source = ClientCamera() if camera else None
            if source is not None:
                client.stream = await self._open_stream(client, source)
            stream = self.stream_of(client)
            if stream is None:
                raise InputError("there is no stream to show; send the video of a camera")
            client.connection = PeerConnection(stream.frames)
            try:
                return await client.connection.answer(offer, None if source is None else source.mailbox)
            except InputError:
                await self._disconnect(client)
                raise

    async def disconnect(self, client: Client) -> None:
        """Closes the connection of a client and the stream of its camera."""
        async with self._connecting:
            await self._disconnect(client)

    def update(self, client: Client, changes: dict[str, Any]) -> None:
        """Changes the settings of the stream that the client is shown.

        Raises:
            InputError: a setting does not exist or its value is invalid.
        """
        for name, value in changes.items():
            if name not in _SETTING_TYPES or not isinstance(value, _SETTING_TYPES[name]):
                raise InputError(f"{name}: is not a setting, or has a value of another type")
        styles = {
            name: self._style(changes[name])
            for name in ("style", "second_style")
            if changes.get(name) is not None
        }
        self.controls_of(client).update(**{**changes, **styles})

    async def snapshot(self, client: Client) -> bytes | None:
        """The newest frame that the client is shown, as a signed PNG; None where there is no frame yet."""
        stream = self.stream_of(client)
        if stream is None or stream.frames.latest is None:
            return None
        pair, signer = stream.frames.latest, self._signer_of(stream)
        path = self._folder / f"{secrets.token_urlsafe(16)}.png"
        try:
            unsigned = await asyncio.to_thread(write_snapshot, path, pair, signer, name="vidgan.png")
            if unsigned:
                stream.pipeline.notify(f"a snapshot has no credentials: {unsigned}")
            return await asyncio.to_thread(path.read_bytes)
        finally:
            path.unlink(missing_ok=True)

    async def add_style(self, client: Client, name: str, body: AsyncIterable[bytes]) -> ImageStyle:
        """Makes a style of an image, for all clients, and selects it on the stream that this one is shown.

        Raises:
            InputError, OutputError: as of :meth:`ImageStyles.make`.
        """
        made = await self.images.make(name, body)
        names = itertools.chain([made.name], (f"{made.name} {number}" for number in itertools.count(2)))
        made = replace(made, name=next(each for each in names if each not in self.styles))
        self.styles[made.name] = made.model
        for each in self.clients:
            each.controls.add_style(made.model)
        if self.shared is not None:
            self.shared.pipeline.controls.add_style(made.model)
        self.thumbnails.add(made.model)
        self.controls_of(client).update(style=made.model)
        return made

    async def record(self, client: Client, *, on: bool) -> None:
        """Starts or ends a recording of the stream that the client is shown.

        Raises:
            InputError: there is nothing to record, or there are too many recordings.
        """
        stream = self.stream_of(client)
        if not on:
            await self._end_recording(client)
        elif client.recording is None:
            if stream is None:
                raise InputError("there is no stream to record")
            if len(client.recordings) >= _MAX_RECORDINGS_PER_CLIENT:
                raise InputError(
                    f"{_MAX_RECORDINGS_PER_CLIENT} recordings are here already; remove some first"
                )
            id = secrets.token_urlsafe(16)
            name = f"vidgan-{time.strftime('%Y%m%d-%H%M%S')}.mp4"
            pipeline = stream.pipeline
            recording = Recording(
                self._folder / f"{id}.mp4",
                id=id,
                name=name,
                audio=lambda: pipeline.audio,
                signer=self._signer_of(stream),
                notify=pipeline.notify,
            )
            client.recordings[id], client.recording = recording, (recording, stream)
            pipeline.attach(recording)

    async def remove_recording(self, client: Client, recording: Recording) -> None:
        if client.recording is not None and client.recording[0] is recording:
            await self._end_recording(client)
        client.recordings.pop(recording.id, None)
        recording.path.unlink(missing_ok=True)

    async def receive(
        self,
        client: Client,
        name: str,
        body: AsyncIterable[bytes],
        *,
        task: str,
        model: str,
        passcode: str = "",
        hints: Sequence[str] = (),
    ) -> Upload:
        """Stores an upload and enqueues it, see :meth:`UploadQueue.receive`.

        Args:
            task: see :func:`vidgan.live.web.upload_tasks.upload_job`, or ``"check"`` to say where the file is from.
            model, passcode, hints: see there.
        """
        if len(client.uploads) + client.uploading >= _MAX_UPLOADS_PER_CLIENT:
            raise InputError(f"you have {_MAX_UPLOADS_PER_CLIENT} files here already; remove some first")
        job: UploadJob | CheckJob = CheckJob()
        if task != CheckJob.task:
            settings = self.controls_of(client).settings
            job = upload_job(
                task, model, settings, self._device, self._clients_provenance, passcode, hints=hints
            )
            names = {style: each for each, style in self.styles.items()}
            job = replace(job, label=names.get(str(job.options.get("style")), job.label))
        client.uploading += 1
        try:
            upload = await self.uploads.receive(name, body, job)
        finally:
            client.uploading -= 1
        client.uploads[upload.id] = upload
        return upload

    async def remove_upload(self, client: Client, upload: Upload) -> None:
        del client.uploads[upload.id]
        await self.uploads.remove(upload)

    def _signer_of(self, stream: LiveStream) -> LiveSigner | None:
        provenance = self._provenance if stream is self.shared else self._clients_provenance
        return provenance.signer(stream.pipeline.model_of)

    def _style(self, name: str) -> str:
        if name not in self.styles:
            raise InputError(f"no style called {name!r}; there are {', '.join(self.styles)}")
        return self.styles[name]

    def _controls(self, settings: LiveSettings) -> Controls:
        return Controls(settings, styles=list(self.styles.values()))

    def _check_capacity(self, *, camera: bool) -> None:
        if sum(each.connection is not None for each in self.clients) >= _MAX_CONNECTIONS:
            raise InputError(f"{_MAX_CONNECTIONS} browsers are connected, the limit; try again later")
        if camera and sum(each.stream is not None for each in self.clients) >= _MAX_CAMERAS:
            raise InputError(f"{_MAX_CAMERAS} cameras are in use, the limit; try again later")

    async def _open_stream(self, client: Client, source: ClientCamera) -> LiveStream:
        # The camera starts with the settings that the client has just seen.
        client.controls = self._controls(self.controls_of(client).settings)
        mark = self._clients_provenance.pixel_mark
        pipeline = await asyncio.to_thread(
            LivePipeline, source, client.controls, crossfade=self._crossfade, mark=mark, device=self._device
        )
        pipeline.__enter__()
        return LiveStream(pipeline, self._loop)

    async def _disconnect(self, client: Client) -> None:
        connection, stream = client.connection, client.stream
        client.connection = None
        if connection is not None:
            await connection.close()
        if stream is not None:
            await self._end_recording(client)
            client.stream = None
            client.controls = self._controls(stream.pipeline.controls.settings)
            await asyncio.to_thread(stream.pipeline.__exit__, None, None, None)

    async def _end_recording(self, client: Client) -> None:
        ending, client.recording = client.recording, None
        if ending is not None:
            recording, stream = ending
            with contextlib.suppress(ValueError):  # The pipeline has ended and detached all sinks.
                await asyncio.to_thread(stream.pipeline.detach, recording)

    async def _remove(self, client: Client) -> None:
        await self._end_recording(client)
        await self.disconnect(client)
        for recording in list(client.recordings.values()):
            await self.remove_recording(client, recording)
        for upload in list(client.uploads.values()):
            await self.remove_upload(client, upload)

    async def _clean_up(self) -> None:
        """Closes failed connections, finished recordings and sessions of idle clients, once per second."""
        while True:
            await asyncio.sleep(_CLEAN_UP_SECONDS)
            for client in self.clients:
                if client.connection is not None and client.connection.ended:
                    await self.disconnect(client)
                if client.recording is not None and client.recording[0].finished:
                    await self._end_recording(client)
            for client in self.clients.remove_idle():
                await self._remove(client)


def _by_name(styles: list[str]) -> dict[str, str]:
    """Styles by names that do not reveal paths of this machine."""
    named: dict[str, str] = {}
    for style in styles:
        name = label_of(style)
        named[f"{name} (file)" if name in named else name] = style
    return named
