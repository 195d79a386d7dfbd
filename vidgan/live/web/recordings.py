"""What a visitor records of the picture that is shown."""

from pathlib import Path

from vidgan.errors import OutputError
from vidgan.live.live import USUAL_RATE
from vidgan.live.sinks.recording import Recording
from vidgan.live.stylizer import Shot

_MOST_SECONDS = 600


class Take:
    """One recording; see :class:`vidgan.live.sinks.LiveSink`.

    Args:
        path: of the film.

    Attributes:
        id: that nobody can guess.
        name: to be shown and saved under.
        ended: whether nothing more is added to it.
        error: why that is, where it should not be.
    """

    def __init__(self, path: Path, *, id: str, name: str) -> None:
        self.path, self.id, self.name = path, id, name
        self.ended = False
        self.error = ""
        self._film: Recording | None = None

    @property
    def seconds(self) -> float:
        return 0.0 if self._film is None else self._film.seconds

    def write(self, shot: Shot) -> None:
        if self.ended:
            return
        try:
            if self._film is None:
                self._film = Recording(self.path, shot.painted.size, USUAL_RATE)
            self._film.write(shot.painted)
        except OutputError as exc:
            # Why, but not where.
            reason = getattr(exc.__cause__, "strerror", None) or "what is written to it is refused"
            self._end(f"{self.name}: cannot be written: {reason}")
            return
        if self._film.full:
            self._end(f"{self.name}: the disk is full; what was recorded until then was kept")
        elif self.seconds >= _MOST_SECONDS:
            self._end(f"{self.name}: ended after {_MOST_SECONDS // 60} minutes")

    def finish(self) -> None:
        if not self.ended:
            self._end("" if self._film is not None else f"{self.name}: no picture came meanwhile")

    def _end(self, error: str) -> None:
        self.ended, self.error = True, error
        if self._film is not None:
            self._film.close()
