"""Where live pictures come from."""

from collections.abc import Generator
from pathlib import Path
from typing import Protocol

import av

from vidgan.errors import InputError, InputNotFoundError


class LiveSource(Protocol):
    """Pictures as they come, at a pace that the source sets.

    Attributes:
        name: for messages.
        returns: whether it is waited for when it breaks off or ends, as a camera is, or a stream.
        rate: frames a second, as far as it is known; 0 if it is not. Known after the first picture.
    """

    name: str
    returns: bool
    rate: float

    def pictures(self) -> Generator[av.VideoFrame, None, None]:
        """Opens the source and gives its pictures until it ends; may be called again then.

        Raises:
            InputError: it cannot be opened, or breaks off.
        """
        ...


def open_live_source(
    place: str | None,
    *,
    camera: str = "0",
    screen: str | None = None,
    loop: bool = False,
    size: str | None = None,
) -> LiveSource:
    """The source that the words stand for; nothing is opened yet.

    Args:
        place: a film's path or a stream's address; None for a camera or the screen.
        camera: its number or its name, see :func:`vidgan.live.sources.camera.cameras`.
        screen: the region, see :class:`vidgan.live.sources.screen.ScreenSource`; None for a camera.
        loop: begin a film anew when it ends.
        size: ``"1280x720"``, what a camera is asked for; it may give another.

    Raises:
        InputNotFoundError: there is no such film.
        InputError: the address is of a kind that is not opened, or there is no such camera, or no screen.
    """
    if screen is not None:
        if place is not None:
            raise InputError(f"{place}: and --screen are two sources; give one of them")
        from vidgan.live.sources.screen import ScreenSource

        return ScreenSource(screen)
    if place is None:
        from vidgan.live.sources.camera import CameraSource

        return CameraSource(camera, size=size)
    if "://" in place:
        from vidgan.live.sources.stream import StreamSource

        return StreamSource(place)
    from vidgan.live.sources.film import FilmSource

    if not Path(place).exists():
        raise InputNotFoundError(f"{place}: no such file")
    return FilmSource(Path(place), loop=loop)
