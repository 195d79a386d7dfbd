"""Live sources: cameras, the screen, video files and streams."""

from pathlib import Path

from vidgan.errors import InputError, InputNotFoundError
from vidgan.live.sources.live_source import LiveSource

__all__ = ["LiveSource", "open_live_source"]


def open_live_source(
    input: str | None,
    *,
    camera: str = "0",
    screen: str | None = None,
    loop: bool = False,
    size: str | None = None,
) -> LiveSource:
    """Creates a source; devices and connections are opened with the first frame.

    Args:
        input: path of a video file or URL of a stream; None for a camera or the screen.
        camera: number or name, see :func:`vidgan.live.sources.camera.cameras`.
        screen: region, see :class:`vidgan.live.sources.screen.ScreenSource`; None for a camera.
        loop: restart a video file when it ends.
        size: requested camera resolution such as ``"1280x720"``; the camera may deliver another.

    Raises:
        InputNotFoundError: the file does not exist.
        InputError: the scheme of the URL is not supported, or there is no such camera or screen.
    """
    if screen is not None:
        if input is not None:
            raise InputError(f"{input}: cannot be combined with `screen`; give one source")
        from vidgan.live.sources.screen import ScreenSource

        return ScreenSource(screen)
    if input is None:
        from vidgan.live.sources.camera import CameraSource

        return CameraSource(camera, size=size)
    if "://" in input:
        from vidgan.live.sources.stream import StreamSource

        return StreamSource(input)
    from vidgan.live.sources.video_file import VideoFileSource

    if not Path(input).exists():
        raise InputNotFoundError(f"{input}: no such file")
    return VideoFileSource(Path(input), loop=loop)
