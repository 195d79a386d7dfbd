"""Cameras, by FFmpeg's capture devices or else by OpenCV."""

import contextlib
import sys
from collections.abc import Generator
from dataclasses import dataclass

import av
import cv2

from vidgan.errors import InputError
from vidgan.live.sources.stream import decode_low_delay

_FORMATS = {"linux": "v4l2", "darwin": "avfoundation", "win32": "dshow"}
"""FFmpeg's capture device by ``sys.platform``."""

_FRAME_RATE = "30"
_DEFAULT_SIZE = "1280x720"


@dataclass(frozen=True, slots=True)
class Camera:
    """A capture device.

    Attributes:
        number: accepted by ``--camera``.
        name: as the driver reports it.
        address: as FFmpeg opens it.
    """

    number: int
    name: str
    address: str


def cameras() -> list[Camera]:
    """The cameras that FFmpeg finds at the moment."""
    try:
        devices = av.enumerate_input_devices(_FORMATS.get(sys.platform, ""))
    except (ValueError, av.error.FFmpegError):
        return []
    video = [each for each in devices if not each.media_types or "video" in each.media_types]
    return [Camera(number, each.description or each.name, each.name) for number, each in enumerate(video)]


class CameraSource:
    """A camera; see :class:`vidgan.live.sources.LiveSource`.

    Args:
        camera: number, name, or a part of the name that no other camera has.
        size: requested resolution such as ``"1280x720"``; the camera may deliver another.
    """

    reconnects = True
    audio = None

    def __init__(self, camera: str = "0", *, size: str | None = None) -> None:
        self.name = f"camera {camera}"
        self.frame_rate = 0.0
        self._camera = camera
        self._size = size if size and "x" in size else _DEFAULT_SIZE

    def frames(self) -> Generator[av.VideoFrame, None, None]:
        camera = find_camera(self._camera, cameras())
        if camera is None and not self._camera.isdecimal():
            raise InputError(f"{self.name}: not found; {_available()}")
        container = None if camera is None else self._open(camera)
        if container is None:
            # OpenCV also opens cameras that this FFmpeg has no device for, by number alone.
            yield from self._frames_by_opencv(int(self._camera) if camera is None else camera.number)
            return
        try:
            with container:
                yield from decode_low_delay(container, self)
        except (av.error.FFmpegError, OSError) as exc:
            raise InputError(f"{self.name}: broke off: {exc.strerror or exc}") from exc

    def _open(self, camera: Camera) -> av.container.InputContainer | None:
        """Opens the camera with the first options that it accepts; None if it accepts none."""
        address = f"video={camera.address}" if sys.platform == "win32" else camera.address
        for options in _option_sets(self._size):
            with contextlib.suppress(av.error.FFmpegError, OSError):
                return av.open(address, "r", format=_FORMATS[sys.platform], options=options)
        return None

    def _frames_by_opencv(self, number: int) -> Generator[av.VideoFrame, None, None]:
        with _silent_opencv():
            capture = cv2.VideoCapture(number)
        try:
            if not capture.isOpened():
                raise InputError(f"{self.name}: cannot be opened; {_available()}")
            width, height = map(int, self._size.split("x"))
            capture.set(cv2.CAP_PROP_FRAME_WIDTH, width)
            capture.set(cv2.CAP_PROP_FRAME_HEIGHT, height)
            self.frame_rate = float(capture.get(cv2.CAP_PROP_FPS))
            while (read := capture.read())[0]:
                yield av.VideoFrame.from_ndarray(read[1], "bgr24")
            raise InputError(f"{self.name}: broke off")
        finally:
            capture.release()


def find_camera(query: str, candidates: list[Camera]) -> Camera | None:
    """The camera with that number or name, or the only one whose name contains the query."""
    if query.isdecimal():
        return next((each for each in candidates if each.number == int(query)), None)
    exact = [each for each in candidates if query in (each.name, each.address)]
    matches = exact or [each for each in candidates if query.lower() in each.name.lower()]
    return matches[0] if len(matches) == 1 else None


def _option_sets(size: str) -> list[dict[str, str]]:
    """Capture options in order of preference."""
    sized = {"video_size": size, "framerate": _FRAME_RATE}
    # USB 2 carries uncompressed frames of this size at a few per second only.
    compressed = {"linux": [{**sized, "input_format": "mjpeg"}], "win32": [{**sized, "vcodec": "mjpeg"}]}
    return [*compressed.get(sys.platform, []), sized, {"framerate": _FRAME_RATE}, {}]


def _available() -> str:
    found = ", ".join(f"{each.number} ({each.name})" for each in cameras())
    return f"available: {found}" if found else "no camera is connected; 'vidgan cameras' lists them"


@contextlib.contextmanager
def _silent_opencv() -> Generator[None, None, None]:
    """Suppresses OpenCV's log of the backends that it tries."""
    level = cv2.utils.logging.setLogLevel(0)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(level)
