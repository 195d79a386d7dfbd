"""The live pipeline from one source to any number of sinks."""

import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Literal, Self

import av

from vidgan.errors import InputError, VidganError
from vidgan.jobs.pipeline import opencv_on_one_thread
from vidgan.live.audio import AudioFeed
from vidgan.live.clock import now
from vidgan.live.controls import Controls
from vidgan.live.conversion import FrameConverter, FrameSize, flip_horizontal
from vidgan.live.frame_pair import FramePair
from vidgan.live.mailbox import Mailbox
from vidgan.live.meter import Meter
from vidgan.live.pipeline.crossfade import Crossfade
from vidgan.live.pipeline.face_hiding import FaceHiding
from vidgan.live.pipeline.processing_load import DEFAULT_FPS, ProcessingLoad
from vidgan.live.pipeline.sink_thread import SinkThread
from vidgan.live.pipeline.style_cache import StyleCache
from vidgan.live.pipeline.stylizer import LiveStylizer, PixelCost, measure_pixel_cost
from vidgan.live.settings import LiveSettings
from vidgan.live.sinks import LiveSink
from vidgan.live.sources import LiveSource
from vidgan.media.frame import Frame
from vidgan.models.registry import ModelSpec
from vidgan.provenance.pixel_mark import PixelMark
from vidgan.session import Device

_RECONNECT_SECONDS = 1.0
_SOURCE_CLOSE_SECONDS = 2.0
"""Time for a source to end; one that blocks on a dead camera is abandoned then."""

_NOTIFICATIONS = 3
"""Notifications that are kept for display; a camera may be lost and come back for days."""

SourceState = Literal["waiting", "live", "lost"]


@dataclass(frozen=True, kw_only=True)
class PipelineState:
    """A snapshot of the pipeline, for display.

    Attributes:
        settings: the requested settings.
        active_style: the style in use; differs from that of ``settings`` while the requested style loads.
        source: ``"waiting"`` before the first frame, ``"live"``, or ``"lost"`` until it is reopened.
        width, height: processing size in pixels; 0 before the first frame.
        full_size: size without adaptive resolution, whose proportions are exact; 0 before the first frame.
        fps: processed frames per second.
        latency_seconds: median time from capture to output.
        frames: number of processed frames.
        dropped: number of captured frames that were replaced by newer ones.
        recording: whether a recording is requested.
        notifications: the last messages for the user.
    """

    settings: LiveSettings
    active_style: str
    source: SourceState
    width: int
    height: int
    full_size: FrameSize
    fps: float
    latency_seconds: float
    frames: int
    dropped: int
    recording: bool
    notifications: list[str]


class LivePipeline:
    """Captures, processes and delivers frames from entering its ``with`` block to leaving it.

    Args:
        source: where frames come from.
        controls: settings and requests; :meth:`Controls.stop` ends the pipeline.
        fps: frame rate to hold; None for that of the source, up to 30.
        size: processing size, see :func:`vidgan.media.geometry.target_size`; None for the largest that holds the
            frame rate, up to the size of the source.
        crossfade: seconds of the crossfade from one style to another; 0 switches between two frames.
        audio: audio for recordings and streams; None for that of the source.
        mark: put into the output of every frame; None for none.
        keeps_faces: whether pairs have the faces that were hidden in them.
        device: see :class:`vidgan.session.Session`.
        notify: called from any thread with messages for the user.

    Attributes:
        meter: counts the processed frames.

    Raises:
        ModelNotFoundError, ModelError, DeviceError: a style, or a generator of faces, cannot be loaded.
    """

    def __init__(
        self,
        source: LiveSource,
        controls: Controls,
        *,
        fps: float | None = None,
        size: str | None = None,
        crossfade: float = 0.0,
        audio: AudioFeed | None = None,
        mark: PixelMark | None = None,
        keeps_faces: bool = False,
        device: Device = "auto",
        notify: Callable[[str], None] | None = None,
    ) -> None:
        self.source, self.controls = source, controls
        self.meter = Meter()
        self.fps, self._size, self._crossfade_seconds = fps, size, crossfade
        self._audio, self._mark, self._notify = audio, mark, notify
        self._notifications: deque[str] = deque(maxlen=_NOTIFICATIONS)
        self._styles = StyleCache(device)
        self._styles.load(controls.settings.style)
        way = controls.settings.hide_faces
        rate = fps or DEFAULT_FPS
        self._faces = FaceHiding(way, rate, device, keeps_faces=keeps_faces) if way else None
        self._active = replace(controls.settings, second_style=None, mix=0.0)
        self._source_state: SourceState = "waiting"
        self._frame_size = self._full_size = (0, 0)
        self._captured: Mailbox[tuple[av.VideoFrame, int]] = Mailbox()
        self._outputs: list[Mailbox[FramePair]] = []
        self._sink_threads: list[SinkThread] = []
        self._lock = threading.Lock()
        self._error: BaseException | None = None
        self._threads = [
            threading.Thread(target=self._run, args=(work,), name=f"vidgan-{name}", daemon=True)
            for work, name in ((self._capture, "capture"), (self._process, "process"))
        ]

    def __enter__(self) -> Self:
        # The capture thread joins the processing thread, which must have been started by then.
        for thread in reversed(self._threads):
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.controls.stop()
        capture, process = self._threads
        capture.join(_SOURCE_CLOSE_SECONDS)
        self._captured.close()
        process.join()
        for sink_thread in list(self._sink_threads):
            self.detach(sink_thread.sink)
        for mailbox in list(self._outputs):
            self.unsubscribe(mailbox)
        self._styles.close()

    def wait(self, seconds: float) -> bool:
        """Waits that long or until the pipeline has ended; returns whether it has.

        Raises:
            VidganError: the source could not be opened, or the file is damaged.
        """
        ended = self.controls.wait(seconds)
        if self._error is not None:
            raise self._error
        return ended

    @property
    def audio(self) -> AudioFeed | None:
        """Audio for recordings and streams; that of a source is known after its first frame."""
        return self._audio or self.source.audio

    def attach(self, sink: LiveSink) -> SinkThread:
        """Writes the newest frames to a sink from now on, on a thread of its own."""
        sink_thread = SinkThread(sink, self.notify)
        with self._lock:
            self._sink_threads.append(sink_thread)
            self._outputs.append(sink_thread.mailbox)
        return sink_thread

    def detach(self, sink: LiveSink) -> None:
        """Removes a sink and waits until it has completed its output."""
        with self._lock:
            (sink_thread,) = (each for each in self._sink_threads if each.sink is sink)
            self._sink_threads.remove(sink_thread)
            self._outputs.remove(sink_thread.mailbox)
        sink_thread.close()

    def subscribe(self) -> Mailbox[FramePair]:
        """A mailbox that receives the newest frames, for a caller with a thread of its own."""
        mailbox: Mailbox[FramePair] = Mailbox()
        with self._lock:
            self._outputs.append(mailbox)
        return mailbox

    def unsubscribe(self, mailbox: Mailbox[FramePair]) -> None:
        with self._lock:
            self._outputs.remove(mailbox)
        mailbox.close()

    def model_of(self, style: str) -> ModelSpec:
        """The model of a style that is in use."""
        return self._styles.load(style).spec

    def state(self) -> PipelineState:
        return PipelineState(
            settings=self.controls.settings,
            active_style=self._active.style,
            source=self._source_state,
            width=self._frame_size[0],
            height=self._frame_size[1],
            full_size=self._full_size,
            fps=self.meter.fps,
            latency_seconds=self.meter.latency_seconds,
            frames=self.meter.frames,
            dropped=self._captured.dropped,
            recording=self.controls.recording,
            notifications=list(self._notifications),
        )

    def notify(self, message: str) -> None:
        """Reports a message to the user; from any thread."""
        self._notifications.append(message)
        if self._notify is not None:
            self._notify(message)

    def _run(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as exc:
            self._error = self._error or exc
        finally:
            # Capture without processing is useless, and the reverse.
            self.controls.stop()

    def _capture(self) -> None:
        """Puts captured frames into the mailbox, and reopens a source that was lost."""
        while not self.controls.wait(0):
            try:
                self._capture_until_end()
                reason = f"{self.source.name}: ended"
            except InputError as exc:
                if self._source_state == "waiting" or not self.source.reconnects:
                    raise
                reason = str(exc)
            if not self.source.reconnects:
                break
            self._wait_to_reconnect(reason)
        # The last captured frame is still processed and delivered.
        self._captured.close()
        self._threads[1].join()

    def _wait_to_reconnect(self, reason: str) -> None:
        if self._source_state == "live" and not self.controls.stopped:
            self.notify(f"{reason}; waiting for it to come back")
        self._source_state = "lost"
        self.controls.wait(_RECONNECT_SECONDS)

    def _capture_until_end(self) -> None:
        with closing(self.source.frames()) as frames:
            for frame in frames:
                if self._source_state == "lost":
                    self.notify(f"{self.source.name}: is back")
                self._source_state = "live"
                self._captured.put((frame, now()))
                if self.controls.stopped:
                    return

    def _process(self) -> None:
        """Processes the newest captured frame and delivers the output, until the capture ends."""
        stylizer: LiveStylizer | None = None
        stylizer_key: object = None
        session = self._styles.load(self._active.style)
        with opencv_on_one_thread():
            converter = FrameConverter()
            crossfade = Crossfade(self._crossfade_seconds, self._active.weights)
            cost = PixelCost() if self._size else measure_pixel_cost(session, self._active)
            load = ProcessingLoad(self._size, self.fps, self.source, cost)
            limiter = _RateLimiter(limited=self.fps is not None)
            for decoded, captured in self._captured:
                if not limiter.admits(captured, load.fps):
                    continue
                started = time.perf_counter()
                settings = self._active = self._loaded_settings()
                size, interval = load.begin(decoded, settings.reuse)
                self._frame_size, self._full_size = size, load.full
                frame = converter.convert(decoded, size, pts=captured)
                frame = frame if self._faces is None else self._faces.apply(frame)
                frame = flip_horizontal(frame) if settings.mirror else frame
                key = self._stylizer_key(settings), size
                if stylizer is None or stylizer_key != key:
                    stylizer, stylizer_key = LiveStylizer(settings), key
                weights = crossfade.weights(settings.weights, captured)
                layers = [(self._styles.load(style), weight) for style, weight in weights.items()]
                output = self._marked(stylizer.step(frame, layers, interval))
                # Two generators run in a crossfade; the size shall not change for such a short time.
                if not crossfade.active:
                    load.end(time.perf_counter() - started, stylizer.made)
                self.meter.count(captured)
                hidden = None if self._faces is None else self._faces.hidden_faces(mirror=settings.mirror)
                self._deliver(FramePair(frame, output, settings, hidden))

    def _marked(self, output: Frame) -> Frame:
        return output if self._mark is None else output.with_image(self._mark.apply(output.image))

    def _stylizer_key(self, settings: LiveSettings) -> LiveSettings:
        """Settings whose change resets the temporal filter; crossfades are continuous and reuse goes on from it."""
        return replace(
            settings,
            mix=0.0,
            second_style=None,
            style="" if self._crossfade_seconds else settings.style,
            reuse="off",
        )

    def _loaded_settings(self) -> LiveSettings:
        """The requested settings, with the styles in use until all requested styles are loaded."""
        settings = self.controls.settings
        if settings.weights.keys() - self._active.weights.keys() and not self._styles_loaded(settings):
            settings = self.controls.settings
            active = self._active
            return replace(settings, style=active.style, second_style=active.second_style, mix=active.mix)
        return settings

    def _styles_loaded(self, settings: LiveSettings) -> bool:
        """Whether all styles of the settings are loaded; those that cannot be are reported and deselected."""
        try:
            sessions = [self._styles.poll(style) for style in settings.weights]
            return all(session is not None for session in sessions)
        except VidganError as exc:
            self.notify(str(exc))
            active = self._active
            self.controls.update(style=active.style, second_style=active.second_style, mix=active.mix)
            return False

    def _deliver(self, pair: FramePair) -> None:
        with self._lock:
            mailboxes = list(self._outputs)
        for mailbox in mailboxes:
            mailbox.put(pair)


class _RateLimiter:
    """Skips frames of a source that is faster than the requested frame rate."""

    def __init__(self, *, limited: bool) -> None:
        self._limited = limited
        self._due = 0

    def admits(self, captured: int, fps: float) -> bool:
        period = round(1e6 / fps)
        # A frame that comes slightly early is not one too many.
        if self._limited and captured < self._due - period // 4:
            return False
        self._due = (self._due if captured - self._due < period else captured) + period
        return True
