"""A sink on a thread of its own."""

import threading
from collections.abc import Callable

from vidgan.errors import VidganError
from vidgan.live.mailbox import Slot
from vidgan.live.meter import Meter
from vidgan.live.sinks import LiveSink
from vidgan.live.stylizer import Shot


class Outlet:
    """Hands the newest shots to a sink, at the sink's own pace.

    A sink that fails is given up, and said; nothing else is disturbed by it.

    Args:
        sink: which only this thread touches.
        say: is told what the user should know.

    Attributes:
        slot: where shots are put.
        meter: of those that the sink has dealt with.
    """

    def __init__(self, sink: LiveSink, say: Callable[[str], None]) -> None:
        self.sink = sink
        self.slot: Slot[Shot] = Slot()
        self.meter = Meter()
        self._say = say
        self._thread = threading.Thread(target=self._run, name=f"vidgan-{sink.name}", daemon=True)
        self._thread.start()

    def finish(self) -> None:
        """Lets the sink deal with the last shot and complete its work, and waits for that."""
        self.slot.close()
        self._thread.join()

    def _run(self) -> None:
        self._guarded(self._write_all)
        self._guarded(self.sink.finish)

    def _write_all(self) -> None:
        for shot in self.slot:
            self.sink.write(shot)
            self.meter.count(shot.source.pts)

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except VidganError as exc:
            self._say(str(exc))
        except Exception as exc:  # One of several sinks must not take the others with it.
            self._say(f"{self.sink.name}: unexpected {type(exc).__name__}: {exc}")
