"""Live sources: cameras, the screen, video files and streams."""

from collections.abc import Generator
from pathlib import Path
from typing import Protocol

import av

from vidgan.errors import InputError, InputNotFoundError
from vidgan.live.audio import AudioFeed


class LiveSource(Protocol):
    """Decoded frames at the pace of the source.

    Attributes:
        name: for messages.
        reconnects: whether to reopen the source when it breaks off or ends, as for cameras and streams.
        frame_rate: frames per second; 0 if unknown. Known from the first frame on.
        audio: its sound; None if there is none. Known from the first frame on.
    """

    name: str
    reconnects: bool
    frame_rate: float

    @property
    def audio(self) -> AudioFeed | None: ...

    def frames(self) -> Generator[av.VideoFrame, None, None]:
        """Opens the source and yields frames until it ends; may be called again then.

        Raises:
            InputError: the source cannot be opened, or breaks off.
        """
        ...


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
            raise InputError(f"{input}: cannot be combined with --screen; give one source")
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
