"""Styles of images that clients send, made one at a time in a process of its own."""

import asyncio
import contextlib
import json
import secrets
import shutil
import sys
from collections.abc import AsyncIterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vidgan.errors import InputError, OutputError
from vidgan.live.web.file_types import image_suffix
from vidgan.live.web.uploads import display_name, too_large
from vidgan.models.universal.installation import universal_folder

MAX_BYTES = 40_000_000
_MAX_STYLES = 12
_SECONDS = 120.0


@dataclass(frozen=True)
class ImageStyle:
    """A style that was made of a client's image.

    Attributes:
        name: the image's, without its suffix.
        model: path of the model file.
        warnings: remarks for the client.
    """

    name: str
    model: str
    warnings: list[str]


class ImageStyles:
    """Makes styles of images; they are deleted with the folder.

    Args:
        folder: of the page's files.

    Attributes:
        available: whether there is a universal style model.
    """

    def __init__(self, folder: Path) -> None:
        self.available = universal_folder() is not None
        self._folder = folder
        self._made = 0
        self._lock = asyncio.Lock()

    async def make(self, name: str, body: AsyncIterable[bytes]) -> ImageStyle:
        """Stores an image and makes a style of it.

        Raises:
            InputError: the image is too large or none, or there are too many styles; or no universal style model.
            OutputError: the disk is full.
        """
        name = display_name(name)
        if not self.available:
            raise InputError(
                f"{name}: vidgan makes no styles of images here, for want of its universal model"
            )
        async with self._lock:
            if self._made >= _MAX_STYLES:
                raise InputError(f"{name}: {_MAX_STYLES} styles of images are here, the limit")
            place = self._folder / f"style-{secrets.token_urlsafe(8)}"
            try:
                place.mkdir()
                image = await _stored(name, place, body)
                answer = await _answer({"image": str(image), "folder": str(place)})
                if "error" in answer:
                    raise InputError(str(answer["error"]).replace(str(image), name))
            except OSError as exc:
                shutil.rmtree(place, ignore_errors=True)
                raise OutputError(f"{name}: cannot be stored: {exc.strerror or exc}") from exc
            except BaseException:
                shutil.rmtree(place, ignore_errors=True)
                raise
            image.unlink(missing_ok=True)
            self._made += 1
            warnings = [str(each).replace(str(image), name) for each in answer["warnings"]]
            return ImageStyle(Path(name).stem or name, str(answer["model"]), warnings)


async def _stored(name: str, place: Path, body: AsyncIterable[bytes]) -> Path:
    partial, size = place / "partial", 0
    with partial.open("wb") as file:
        async for block in body:
            size += len(block)
            if size > MAX_BYTES:
                raise too_large(name, MAX_BYTES)
            file.write(block)
    suffix = image_suffix(partial)
    if not suffix:
        raise InputError(f"{name}: is no image; JPEG, PNG, WebP, BMP, TIFF, HEIC and AVIF can be a style")
    return partial.rename(place / f"image{suffix}")


async def _answer(job: dict[str, str]) -> dict[str, Any]:
    """Sends a job to a worker and waits for its answer, one line of JSON."""
    worker = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "vidgan.live.web.style_worker"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        sent = json.dumps(job).encode() + b"\n"
        output, _ = await asyncio.wait_for(worker.communicate(sent), _SECONDS)
        answer = json.loads(output)
        return answer if isinstance(answer, dict) else {"error": _FAILED.format(job["image"])}
    except (TimeoutError, ValueError):
        return {"error": _FAILED.format(job["image"])}
    finally:
        if worker.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                worker.kill()
            await worker.wait()


_FAILED = "{}: no style could be made of it"
