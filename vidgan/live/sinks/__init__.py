"""Where live pictures go."""

from typing import Protocol

from vidgan.live.stylizer import Shot


class LiveSink(Protocol):
    """Takes shots from one thread, the newest whenever it has dealt with the last.

    Attributes:
        name: for messages.
    """

    name: str

    def write(self, shot: Shot) -> None:
        """Deals with a shot.

        Raises:
            OutputError: it cannot, and will not be able to.
        """
        ...

    def finish(self) -> None:
        """Completes what was begun; called once, also after :meth:`write` failed."""
        ...
