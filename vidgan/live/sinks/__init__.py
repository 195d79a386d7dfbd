"""Live sinks: recordings, snapshots, streams and the virtual camera."""

from typing import Protocol

from vidgan.live.frame_pair import FramePair


class LiveSink(Protocol):
    """Writes frames on one thread: the newest frame each time that the previous one has been written.

    Attributes:
        name: for messages.
    """

    name: str

    def write(self, pair: FramePair) -> None:
        """Writes the output of a frame.

        Raises:
            OutputError: the sink has failed for good.
        """
        ...

    def close(self) -> None:
        """Completes the output; called once, also after :meth:`write` has failed."""
        ...
