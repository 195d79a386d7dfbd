"""A film at its own pace, as if it were happening."""

import time
from collections.abc import Generator
from pathlib import Path

import av

from vidgan.errors import InputError
from vidgan.sources import is_still
from vidgan.sources.video import VideoSource

_LATE_SECONDS = 1.0
"""By which decoding may fall behind before the pace starts anew from there."""


class FilmSource:
    """See :class:`vidgan.live.sources.LiveSource`.

    Args:
        path: a local file.
        loop: begin anew at the end, for ever.
    """

    returns = False

    def __init__(self, path: Path, *, loop: bool = False) -> None:
        if not path.is_file() or is_still(path):
            raise InputError(f"{path}: is no film; 'vidgan stylize' takes pictures and folders of them")
        self.name = str(path)
        self.rate = 0.0
        self._path, self._loop = path, loop

    def pictures(self) -> Generator[av.VideoFrame, None, None]:
        yield from self._once()
        while self._loop:
            yield from self._once()

    def _once(self) -> Generator[av.VideoFrame, None, None]:
        with VideoSource(self._path) as source:
            self.rate = float(source.info.frame_rate or 25)
            began: float | None = None
            for picture, pts in source.decoded():
                moment = float(pts * source.info.time_base)
                early = 0.0 if began is None else began + moment - time.monotonic()
                if began is None or early < -_LATE_SECONDS:
                    began = time.monotonic() - moment
                if early > 0:
                    time.sleep(early)
                yield picture
            # The last one is shown for as long as the others.
            time.sleep(1 / self.rate)
