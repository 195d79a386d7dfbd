"""A virtual camera for other programs, by pyvirtualcam."""

import platform
from typing import Any

from vidgan.errors import OutputError
from vidgan.live.conversion import FrameSize, resize
from vidgan.live.frame_pair import FramePair

_PROBE_SIZE = 640, 360
_SETUP = {
    "Linux": "sudo modprobe v4l2loopback exclusive_caps=1",
    "Darwin": "start and stop the virtual camera of OBS once",
    "Windows": "install OBS, which includes one",
}


class VirtualCameraSink:
    """Writes to the virtual camera of the system: v4l2loopback on Linux, that of OBS elsewhere.

    Args:
        fps: approximate frame rate.

    Raises:
        OutputError: pyvirtualcam is not installed, or there is no virtual camera.
    """

    name = "virtual camera"

    def __init__(self, fps: float) -> None:
        self._fps = fps
        # A missing device is reported before the pipeline starts.
        _open(_PROBE_SIZE, fps).close()
        self._camera: Any = None

    def write(self, pair: FramePair) -> None:
        if self._camera is None:
            self._camera = _open(pair.output.size, self._fps)
        size = self._camera.width, self._camera.height
        frame = pair.output if pair.output.size == size else resize(pair.output, size)
        try:
            self._camera.send(frame.pixels)
        except RuntimeError as exc:
            raise OutputError(f"virtual camera: no longer accepts frames: {exc}") from exc

    def close(self) -> None:
        if self._camera is not None:
            self._camera.close()


def _open(size: FrameSize, fps: float) -> Any:
    try:
        import pyvirtualcam
    except ImportError:
        raise OutputError("virtual camera: needs pyvirtualcam; pip install 'vidgan[vcam]'") from None
    try:
        return pyvirtualcam.Camera(width=size[0], height=size[1], fps=fps)
    except RuntimeError as exc:
        setup = _SETUP.get(platform.system(), "see pyvirtualcam's documentation")
        raise OutputError(f"virtual camera: there is no device; {setup}") from exc
