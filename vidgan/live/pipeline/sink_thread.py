"""A sink with its own thread and mailbox."""

import threading
from collections.abc import Callable

from vidgan.errors import VidganError
from vidgan.live.frame_pair import FramePair
from vidgan.live.mailbox import Mailbox
from vidgan.live.meter import Meter
from vidgan.live.sinks import LiveSink


class SinkThread:
    """Writes the newest frames to a sink at the speed of the sink.

    A sink that fails is reported and closed; other sinks are not affected.

    Args:
        sink: used by this thread alone.
        notify: called with messages for the user.

    Attributes:
        mailbox: receives the frames.
        meter: counts the frames that the sink has written.
    """

    def __init__(self, sink: LiveSink, notify: Callable[[str], None]) -> None:
        self.sink = sink
        self.mailbox: Mailbox[FramePair] = Mailbox()
        self.meter = Meter()
        self._notify = notify
        self._thread = threading.Thread(target=self._run, name=f"vidgan-{sink.name}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Waits until the sink has written the last frame and completed its output."""
        self.mailbox.close()
        self._thread.join()

    def _run(self) -> None:
        self._reporting_errors(self._write_all)
        self._reporting_errors(self.sink.close)

    def _write_all(self) -> None:
        for pair in self.mailbox:
            self.sink.write(pair)
            self.meter.count(pair.input.pts)

    def _reporting_errors(self, work: Callable[[], None]) -> None:
        try:
            work()
        except VidganError as exc:
            self._notify(str(exc))
        except Exception as exc:  # One failing sink must not end the pipeline.
            self._notify(f"{self.sink.name}: unexpected {type(exc).__name__}: {exc}")
