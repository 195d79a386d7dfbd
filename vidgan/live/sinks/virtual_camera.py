"""The live picture as a camera that other programs see, through pyvirtualcam."""

from typing import Any

from vidgan.errors import OutputError
from vidgan.live.fitting import resized
from vidgan.live.stylizer import Shot

_TRIED = 640, 360
_HOW = {
    "Linux": "sudo modprobe v4l2loopback exclusive_caps=1",
    "Darwin": "start and stop the virtual camera of OBS once",
    "Windows": "install OBS, which brings one",
}


class VirtualCameraSink:
    """Feeds the virtual camera of the system: v4l2loopback on Linux, that of OBS elsewhere.

    Args:
        fps: about how many frames come a second.

    Raises:
        OutputError: pyvirtualcam is not installed, or there is no such camera.
    """

    name = "virtual camera"

    def __init__(self, fps: float) -> None:
        self._fps = fps
        # Better said now than after the first picture.
        _opened(_TRIED, fps).close()
        self._camera: Any = None

    def write(self, shot: Shot) -> None:
        if self._camera is None:
            self._camera = _opened(shot.painted.size, self._fps)
        size = self._camera.width, self._camera.height
        frame = shot.painted if shot.painted.size == size else resized(shot.painted, size)
        try:
            self._camera.send(frame.pixels)
        except RuntimeError as exc:
            raise OutputError(f"virtual camera: no longer takes pictures: {exc}") from exc

    def finish(self) -> None:
        if self._camera is not None:
            self._camera.close()


def _opened(size: tuple[int, int], fps: float) -> Any:
    try:
        import pyvirtualcam
    except ImportError:
        raise OutputError("virtual camera: needs pyvirtualcam; pip install 'vidgan[vcam]'") from None
    try:
        return pyvirtualcam.Camera(width=size[0], height=size[1], fps=fps)
    except RuntimeError as exc:
        import platform

        how = _HOW.get(platform.system(), "see pyvirtualcam's documentation")
        raise OutputError(f"virtual camera: there is no device for it; {how}") from exc
