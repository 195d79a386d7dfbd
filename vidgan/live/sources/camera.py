"""Cameras: by FFmpeg's devices where they are there and open, or else by OpenCV."""

import contextlib
import sys
from collections.abc import Generator
from dataclasses import dataclass

import av
import cv2

from vidgan.errors import InputError
from vidgan.live.sources.stream import decoded_at_once

_FORMATS = {"linux": "v4l2", "darwin": "avfoundation", "win32": "dshow"}
"""FFmpeg's name for cameras, by Python's for the system."""

_RATE = "30"
_USUAL_SIZE = "1280x720"


@dataclass(frozen=True, slots=True)
class Camera:
    """What :func:`cameras` lists.

    Attributes:
        number: by which ``--camera`` takes it.
        name: as its maker calls it.
        address: as the system does.
    """

    number: int
    name: str
    address: str


def cameras() -> list[Camera]:
    """The cameras that are plugged in now, as far as FFmpeg sees them."""
    try:
        devices = av.enumerate_input_devices(_FORMATS.get(sys.platform, ""))
    except (ValueError, av.error.FFmpegError):
        return []
    films = [each for each in devices if not each.media_types or "video" in each.media_types]
    return [Camera(number, each.description or each.name, each.name) for number, each in enumerate(films)]


class CameraSource:
    """See :class:`vidgan.live.sources.LiveSource`.

    Args:
        wanted: number, name, or a part of the name that no other camera has.
        size: ``"1280x720"``, to ask for; the camera may give another.
    """

    returns = True

    def __init__(self, wanted: str = "0", *, size: str | None = None) -> None:
        self.name = f"camera {wanted}"
        self.rate = 0.0
        self._wanted = wanted
        self._size = size if size and "x" in size else _USUAL_SIZE

    def pictures(self) -> Generator[av.VideoFrame, None, None]:
        camera = found(self._wanted, cameras())
        if camera is None and not self._wanted.isdecimal():
            raise InputError(f"{self.name}: not there; {_what_is_there()}")
        container = None if camera is None else self._opened(camera)
        if container is None:
            # It opens cameras that FFmpeg was built without, and knows them by number alone.
            yield from self._through_opencv(int(self._wanted) if camera is None else camera.number)
            return
        try:
            with container:
                yield from decoded_at_once(container, self)
        except (av.error.FFmpegError, OSError) as exc:
            raise InputError(f"{self.name}: broke off: {exc.strerror or exc}") from exc

    def _opened(self, camera: Camera) -> av.container.InputContainer | None:
        """The camera, with the most of what is wanted that it agrees to; None if it does not open."""
        address = f"video={camera.address}" if sys.platform == "win32" else camera.address
        for options in _offers(self._size):
            with contextlib.suppress(av.error.FFmpegError, OSError):
                return av.open(address, "r", format=_FORMATS[sys.platform], options=options)
        return None

    def _through_opencv(self, number: int) -> Generator[av.VideoFrame, None, None]:
        with _silent_opencv():
            capture = cv2.VideoCapture(number)
        try:
            if not capture.isOpened():
                raise InputError(f"{self.name}: cannot be opened; {_what_is_there()}")
            width, height = map(int, self._size.split("x"))
            capture.set(cv2.CAP_PROP_FRAME_WIDTH, width)
            capture.set(cv2.CAP_PROP_FRAME_HEIGHT, height)
            self.rate = float(capture.get(cv2.CAP_PROP_FPS))
            while (read := capture.read())[0]:
                yield av.VideoFrame.from_ndarray(read[1], "bgr24")
            raise InputError(f"{self.name}: broke off")
        finally:
            capture.release()


def found(wanted: str, among: list[Camera]) -> Camera | None:
    """The camera of that number or name, or the only one that has it in its name."""
    if wanted.isdecimal():
        return next((each for each in among if each.number == int(wanted)), None)
    exact = [each for each in among if wanted in (each.name, each.address)]
    alike = exact or [each for each in among if wanted.lower() in each.name.lower()]
    return alike[0] if len(alike) == 1 else None


def _offers(size: str) -> list[dict[str, str]]:
    """What a camera is asked for, one after the other, until it agrees."""
    sized = {"video_size": size, "framerate": _RATE}
    # Uncompressed, larger pictures come at a few a second only through USB 2.
    packed = {"linux": [{**sized, "input_format": "mjpeg"}], "win32": [{**sized, "vcodec": "mjpeg"}]}
    return [*packed.get(sys.platform, []), sized, {"framerate": _RATE}, {}]


def _what_is_there() -> str:
    there = cameras()
    names = ", ".join(f"{each.number} ({each.name})" for each in there)
    return f"there are {names}" if there else "no camera is plugged in; 'vidgan devices' lists them"


@contextlib.contextmanager
def _silent_opencv() -> Generator[None, None, None]:
    """OpenCV tells on stderr how it tried."""
    level = cv2.utils.logging.setLogLevel(0)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(level)
