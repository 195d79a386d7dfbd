"""The live path from a source to any number of sinks."""

import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from types import TracebackType
from typing import Any, Literal, Self

import av

from vidgan.errors import InputError, VidganError
from vidgan.jobs.pipeline import opencv_on_one_thread
from vidgan.live.adaptive_resolution import Pace
from vidgan.live.clock import now
from vidgan.live.controls import Controls, Look
from vidgan.live.fitting import Fitter, Size, mirrored, upright_size
from vidgan.live.mailbox import Slot
from vidgan.live.meter import Meter
from vidgan.live.sink_thread import Outlet
from vidgan.live.sinks import LiveSink
from vidgan.live.sources import LiveSource
from vidgan.live.styles import Styles
from vidgan.live.stylizer import Brush, Shot, pixel_seconds
from vidgan.media.geometry import target_size
from vidgan.session import Device, Session

USUAL_RATE = 30.0
"""Frames a second that are held where neither user nor source asks for less."""

_POLL_SECONDS = 0.2
_COME_BACK_SECONDS = 1.0
"""Between two tries to open what was lost."""

_LEAVE_SECONDS = 2.0
"""That a source gets to end; one that waits for a dead camera is left alone with it."""

_NOTICES = 3
"""That are shown; a camera may be lost and come back for days."""

Sight = Literal["waiting", "live", "lost"]


@dataclass(frozen=True, kw_only=True)
class State:
    """What goes on, for those who show it.

    Attributes:
        look: that is wanted.
        shown: the style that is painted in now; another than that of the look while that is being loaded.
        source: whether pictures come.
        width, height: at which it is painted.
        fps: frames a second that are painted.
        latency: seconds from capture to painted, of the middle one.
        painted: frames, all of them.
        dropped: captured frames that were late.
        recording: whether one is wanted.
        notices: the last sentences for the user.
    """

    look: Look
    shown: str
    source: Sight
    width: int
    height: int
    fps: float
    latency: float
    painted: int
    dropped: int
    recording: bool
    notices: list[str]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class Live:
    """Captures, paints and hands on, from entering its ``with`` block to leaving it.

    Args:
        source: where pictures come from.
        controls: what is wanted, at any time; when it says stop, everything stops.
        fps: frames a second to hold; None for what the source gives, up to 30.
        size: to paint at, see :func:`vidgan.media.geometry.target_size`; None for the largest, up to the source's
            own, that holds the rate.
        device: see :class:`vidgan.session.Session`.
        say: is told, from any thread, what the user should know.

    Attributes:
        meter: of the frames that were painted.

    Raises:
        ModelNotFoundError, ModelError, DeviceError: see :func:`vidgan.jobs.api.load_style`.
    """

    def __init__(
        self,
        source: LiveSource,
        controls: Controls,
        *,
        fps: float | None = None,
        size: str | None = None,
        device: Device = "auto",
        say: Callable[[str], None] | None = None,
    ) -> None:
        self.source, self.controls = source, controls
        self.meter = Meter()
        self.fps, self._size = fps, size
        self._tell = say
        self._notices: deque[str] = deque(maxlen=_NOTICES)
        self._styles = Styles(device)
        self._session: Session = self._styles.load(controls.look.style)
        self._shown = controls.look.style
        self._sight: Sight = "waiting"
        self._paint_size: Size = 0, 0
        self._captured: Slot[tuple[av.VideoFrame, int]] = Slot()
        self._views: list[Slot[Shot]] = []
        self._outlets: list[Outlet] = []
        self._lock = threading.Lock()
        self._error: BaseException | None = None
        self._threads = [
            threading.Thread(target=self._guarded, args=(work, name), name=f"vidgan-{name}", daemon=True)
            for work, name in ((self._capture, "capture"), (self._paint, "paint"))
        ]

    def __enter__(self) -> Self:
        # Who ends waits for who paints.
        for thread in reversed(self._threads):
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.controls.stop()
        capture, paint = self._threads
        capture.join(_LEAVE_SECONDS)
        self._captured.close()
        paint.join()
        for outlet in list(self._outlets):
            self.detach(outlet.sink)
        for view in list(self._views):
            self.close_view(view)
        self._styles.close()

    def wait(self, seconds: float) -> bool:
        """Waits so long, or until everything has ended, which it says.

        Raises:
            VidganError: the source could not be opened at all, or the film is damaged.
        """
        ended = self.controls.wait(seconds)
        if self._error is not None:
            raise self._error
        return ended

    def attach(self, sink: LiveSink) -> Outlet:
        """Lets a sink have the newest shots from now on, on a thread of its own."""
        outlet = Outlet(sink, self.say)
        with self._lock:
            self._outlets.append(outlet)
            self._views.append(outlet.slot)
        return outlet

    def detach(self, sink: LiveSink) -> None:
        """Ends that, and waits for the sink to complete its work."""
        with self._lock:
            (outlet,) = (each for each in self._outlets if each.sink is sink)
            self._outlets.remove(outlet)
            self._views.remove(outlet.slot)
        outlet.finish()

    def open_view(self) -> Slot[Shot]:
        """A slot for the newest shots, for whoever takes them on a thread of their own."""
        view: Slot[Shot] = Slot()
        with self._lock:
            self._views.append(view)
        return view

    def close_view(self, view: Slot[Shot]) -> None:
        with self._lock:
            self._views.remove(view)
        view.close()

    def state(self) -> State:
        return State(
            look=self.controls.look,
            shown=self._shown,
            source=self._sight,
            width=self._paint_size[0],
            height=self._paint_size[1],
            fps=self.meter.fps,
            latency=self.meter.latency,
            painted=self.meter.frames,
            dropped=self._captured.dropped,
            recording=self.controls.recording,
            notices=list(self._notices),
        )

    def say(self, notice: str) -> None:
        """Tells the user something; from any thread."""
        self._notices.append(notice)
        if self._tell is not None:
            self._tell(notice)

    def _guarded(self, work: Callable[[], None], name: str) -> None:
        try:
            work()
        except BaseException as exc:
            self._error = self._error or exc
        finally:
            # Either has no meaning without the other.
            self.controls.stop()

    def _capture(self) -> None:
        """Fills the slot with what comes, and waits for what is lost."""
        while not self.controls.wait(0):
            try:
                self._capture_until_it_ends()
                reason = f"{self.source.name}: ended"
            except InputError as exc:
                if self._sight == "waiting" or not self.source.returns:
                    raise
                reason = str(exc)
            if not self.source.returns:
                break
            self._wait_for_its_return(reason)
        # What was captured last is still painted, and handed on.
        self._captured.close()
        self._threads[1].join()

    def _wait_for_its_return(self, reason: str) -> None:
        if self._sight == "live" and not self.controls.stopped:
            self.say(f"{reason}; waiting for it to come back")
        self._sight = "lost"
        self.controls.wait(_COME_BACK_SECONDS)

    def _capture_until_it_ends(self) -> None:
        with closing(self.source.pictures()) as pictures:
            for picture in pictures:
                if self._sight == "lost":
                    self.say(f"{self.source.name}: is back")
                self._sight = "live"
                self._captured.put((picture, now()))
                if self.controls.stopped:
                    return

    def _paint(self) -> None:
        """Paints the newest of what was captured, and hands it to everybody."""
        brush: Brush | None = None
        painted_as: object = None
        with opencv_on_one_thread():
            fitter, wait_until = Fitter(), 0
            speed = 0.0 if self._size else pixel_seconds(self._session, self.controls.look)
            size_of = _Sizes(self._size, self.fps, self.source, speed)
            for picture, captured in self._captured:
                period = round(1e6 / size_of.fps)
                # A frame that comes a little early is not one too many.
                if self.fps and captured < wait_until - period // 4:
                    continue
                wait_until = (wait_until if captured - wait_until < period else captured) + period
                started = time.perf_counter()
                self._paint_size = size_of(picture)
                look = self._look()
                frame = fitter.fit(picture, self._paint_size, pts=captured)
                if brush is None or painted_as != (look, self._paint_size):
                    brush, painted_as = Brush(self._session, look), (look, self._paint_size)
                shot = brush.paint(mirrored(frame) if look.mirror else frame)
                size_of.took(time.perf_counter() - started)
                self.meter.count(captured)
                self._hand_on(shot)

    def _look(self) -> Look:
        """What to paint as now: the wanted look, in the style before until the wanted one is loaded."""
        look = self.controls.look
        if look.style != self._shown:
            try:
                session = self._styles.ready(look.style)
            except VidganError as exc:
                self.say(str(exc))
                look = self.controls.change(style=self._shown)
                session = None
            if session is not None:
                self._session, self._shown = session, look.style
        return replace(look, style=self._shown)

    def _hand_on(self, shot: Shot) -> None:
        with self._lock:
            views = list(self._views)
        for view in views:
            view.put(shot)


class _Sizes:
    """At what size to paint each picture.

    Args:
        wanted: by the user; None for the largest that holds the rate.
        fps: likewise; None for the source's.
        source: asked for its rate with the first picture.
        speed: seconds that a pixel takes, about.
    """

    def __init__(self, wanted: str | None, fps: float | None, source: LiveSource, speed: float) -> None:
        self._wanted, self._given_fps, self._source, self._speed = wanted, fps, source, speed
        self._full: Size | None = None
        self._pace: Pace | None = None

    @property
    def fps(self) -> float:
        return self._given_fps or min(self._source.rate or USUAL_RATE, USUAL_RATE)

    def __call__(self, picture: av.VideoFrame) -> Size:
        full = upright_size(picture)
        if self._wanted is not None:
            width, height = target_size(*full, self._wanted)
            return width // 2 * 2, height // 2 * 2
        if full != self._full or self._pace is None:
            self._full, self._pace = full, Pace(full, self.fps, self._speed)
        return self._pace.size

    def took(self, seconds: float) -> None:
        """Says how long a picture of the last size took."""
        if self._pace is not None:
            self._pace.took(seconds)
