"""Uploaded files, and the queue in which they are processed."""

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
from vidgan.live.web.file_types import image_suffix, media_suffix
from vidgan.live.web.upload_tasks import CheckJob, UploadJob

UploadState = Literal["waiting", "processing", "done", "failed"]

_MAX_NAME_LENGTH = 80
_MAX_MESSAGE_BYTES = 1 << 20
"""Length of a worker's message: reports have up to 64 lines of 600 characters, of up to 12 bytes each in JSON."""

_WEB_IMAGE_SUFFIXES = {".jpg", ".png"}
"""Images are returned in their own format if browsers and all programs read it, and as PNG otherwise."""


@dataclass(slots=True)
class Upload:
    """An uploaded file and its processing.

    Attributes:
        id: random and secret.
        name: file name of the client, safe to display; no path is derived from it.
        folder: of this upload alone.
        job: what a worker does with it.
        suffix: ``".mp4"``, or that of the output image.
        state: progress in the queue.
        done, total: frames; 0 where unknown.
        error: why processing has failed.
        warnings: about the output.
        report: lines of a check, each what is described and its description.
    """

    id: str
    name: str
    folder: Path
    job: UploadJob | CheckJob
    suffix: str = ".mp4"
    state: UploadState = "waiting"
    done: int = 0
    total: int = 0
    error: str = ""
    warnings: list[str] = field(default_factory=list)
    report: list[tuple[str, str]] = field(default_factory=list)

    @property
    def input(self) -> Path:
        """The uploaded file; before it has arrived, a file that does not exist."""
        return next(self.folder.glob("input*"), self.folder / "input")

    @property
    def output(self) -> Path:
        return self.folder / f"output{self.suffix}"

    @property
    def output_name(self) -> str:
        """File name suggested to the browser."""
        return f"{Path(self.name).stem}.{self.job.label}{self.suffix}"

    @property
    def kind(self) -> Literal["image", "video", "check"]:
        if isinstance(self.job, CheckJob):
            return "check"
        return "video" if self.suffix == ".mp4" else "image"

    def public(self, message: str) -> str:
        """A message with the client's file names instead of paths of this machine."""
        return message.replace(str(self.input), self.name).replace(str(self.output), self.output_name)


class UploadQueue:
    """Processes uploads one at a time, each in a worker process.

    Args:
        folder: of all uploads.
        max_bytes: per upload.
        max_uploads: kept at a time, of all clients.
    """

    def __init__(self, folder: Path, *, max_bytes: int, max_uploads: int) -> None:
        self._folder = folder
        self.max_bytes, self.max_uploads = max_bytes, max_uploads
        self._uploads: dict[str, Upload] = {}
        self._arrived = asyncio.Event()
        self._worker: asyncio.subprocess.Process | None = None

    async def receive(self, name: str, body: AsyncIterable[bytes], job: UploadJob | CheckJob) -> Upload:
        """Stores an upload and enqueues it.

        Raises:
            InputError: there are too many uploads, or this one is too large or empty.
            OutputError: the disk is full.
        """
        if len(self._uploads) >= self.max_uploads:
            raise InputError(
                f"{display_name(name)}: {self.max_uploads} files are here already; remove some first"
            )
        id = secrets.token_urlsafe(16)
        upload = Upload(id, display_name(name), self._folder / id, job)
        # The place is taken during the transfer already.
        self._uploads[upload.id] = upload
        try:
            upload.folder.mkdir()
            await self._store(upload, body)
        except OSError as exc:
            self._discard(upload)
            raise OutputError(f"{upload.name}: cannot be stored: {exc.strerror or exc}") from exc
        except BaseException:
            self._discard(upload)
            raise
        self._arrived.set()
        return upload

    async def remove(self, upload: Upload) -> None:
        """Cancels and deletes an upload."""
        if upload.state == "processing" and self._worker is not None:
            with contextlib.suppress(ProcessLookupError):
                self._worker.kill()
            await self._worker.wait()
        self._uploads.pop(upload.id, None)
        await asyncio.to_thread(shutil.rmtree, upload.folder, ignore_errors=True)

    def position(self, upload: Upload) -> int:
        """Number of uploads that are processed before this one."""
        pending = [each for each in self._uploads.values() if each.state in ("waiting", "processing")]
        return pending.index(upload) if upload in pending else 0

    async def run(self) -> None:
        """Processes uploads until cancelled."""
        while True:
            self._arrived.clear()
            while (upload := self._next()) is not None:
                await self._process(upload)
            await self._arrived.wait()

    def _next(self) -> Upload | None:
        arrived = (each for each in self._uploads.values() if each.state == "waiting" and each.input.exists())
        return next(arrived, None)

    async def _store(self, upload: Upload, body: AsyncIterable[bytes]) -> None:
        partial = upload.folder / "partial"
        size = 0
        with partial.open("wb") as file:
            async for block in body:
                size += len(block)
                if size > self.max_bytes:
                    raise too_large(upload.name, self.max_bytes)
                file.write(block)
        if not size:
            raise InputError(f"{upload.name}: is empty")
        checked = isinstance(upload.job, CheckJob)
        suffix = media_suffix(partial) if checked else image_suffix(partial)
        if suffix and not checked:
            upload.suffix = suffix if suffix in _WEB_IMAGE_SUFFIXES else ".png"
        partial.rename(upload.folder / f"input{suffix}")

    def _discard(self, upload: Upload) -> None:
        self._uploads.pop(upload.id, None)
        shutil.rmtree(upload.folder, ignore_errors=True)

    async def _process(self, upload: Upload) -> None:
        upload.state = "processing"
        try:
            self._worker = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "vidgan.live.web.worker"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                limit=_MAX_MESSAGE_BYTES,
            )
            await self._follow(upload, self._worker)
        except (OSError, ValueError):
            pass  # Whatever ended the worker is reported as its failure below.
        if upload.state == "processing":
            upload.state, upload.error = "failed", f"{upload.name}: processing ended unexpectedly"

    async def _follow(self, upload: Upload, worker: asyncio.subprocess.Process) -> None:
        """Sends the job to a worker and reads its progress until it ends."""
        assert worker.stdin is not None and worker.stdout is not None
        job = upload.job.request(upload.input, upload.output)
        try:
            worker.stdin.write(json.dumps(job).encode() + b"\n")
            async for line in worker.stdout:
                self._update(upload, json.loads(line))
        finally:
            if worker.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    worker.kill()
            worker.stdin.close()
            await worker.wait()

    def _update(self, upload: Upload, message: dict[str, Any]) -> None:
        """Applies a message of the worker."""
        upload.total = message.get("total") or upload.total
        upload.done = message.get("done", upload.done)
        if "error" in message:
            upload.state, upload.error = "failed", upload.public(message["error"])
        if "report" in message:
            upload.state = "done"
            upload.report = [(str(label), upload.public(str(text))) for label, text in message["report"]]
        if "result" in message:
            upload.state = "done"
            upload.done = upload.total = message["result"]["frames"]
            upload.warnings = [upload.public(each) for each in message["result"]["warnings"]]


def display_name(name: str) -> str:
    """A client's file name without folders and unprintable characters."""
    last = re.split(r"[/\\]", name)[-1]
    plain = "".join(each for each in last if each.isprintable()).strip(" .")
    return plain[-_MAX_NAME_LENGTH:] or "upload"


def too_large(name: str, max_bytes: int) -> InputError:
    return InputError(f"{name}: is larger than {max_bytes / 1e6:g} MB, the limit here")
