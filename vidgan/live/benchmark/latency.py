"""Latency of the live path, read from the frames themselves: each carries its number in its pixels."""

import tempfile
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from itertools import count, islice, pairwise
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from vidgan.jobs.memory import resident_mb
from vidgan.jobs.speed import texture
from vidgan.live.benchmark.frame_number import MAX_NUMBER, Luma, draw_frame_number, read_frame_number
from vidgan.live.clock import now
from vidgan.live.controls import Controls
from vidgan.live.frame_pair import FramePair
from vidgan.live.pipeline.live_pipeline import LivePipeline
from vidgan.live.settings import LiveSettings
from vidgan.live.sinks import LiveSink
from vidgan.live.sinks.recording import RecordingSink
from vidgan.media.image import Pixels
from vidgan.models.registry import bundled_models
from vidgan.session import Device, cores
from vidgan.sources import open_source

_DISTINCT_FRAMES = 60
"""Frames of the generated source, which repeat."""

_WARM_UP_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class ArrivalStats:
    """Frames that arrived at one sink.

    Attributes:
        frames: number of frames whose number could be read.
        unreadable: number of other frames.
        dropped: number of frames that were captured in between and never arrived.
        fps: frames per second.
        median_ms, p95_ms, p99_ms: latency from capture to arrival.
        jitter_ms: standard deviation of the interval between two frames.
        longest_gap_ms: longest interval between two frames.
    """

    frames: int
    unreadable: int
    dropped: int
    fps: float
    median_ms: float
    p95_ms: float
    p99_ms: float
    jitter_ms: float
    longest_gap_ms: float


@dataclass(frozen=True, kw_only=True)
class LatencyReport:
    """Result of :func:`measure_latency`.

    Attributes:
        width, height: of the source.
        output_width, output_height: processing size at the end.
        fps: of the source.
        seconds: length of the measurement.
        style_changes: number of changes of the style.
        sinks: statistics by name of the sink.
        recording_error_ms: largest deviation of a timestamp in the recording from the time of capture.
        memory_mb: resident memory after a quarter of the time and at the end, in 10⁶ bytes; None if unknown.
        cores: processor cores available to the process.
    """

    width: int
    height: int
    output_width: int
    output_height: int
    fps: float
    seconds: float
    style_changes: int
    sinks: dict[str, ArrivalStats]
    recording_error_ms: float
    memory_mb: tuple[float, float] | None
    cores: int

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class NumberedSource:
    """A source of frames under a frame number; see :class:`vidgan.live.sources.LiveSource`.

    Args:
        images: of that size, of which the first :data:`_DISTINCT_FRAMES` repeat; None for drifting clouds.

    Attributes:
        captured: time of each frame on the live clock, by number.
    """

    name = "generated"
    reconnects = False
    audio = None

    def __init__(self, size: tuple[int, int], fps: float, images: Iterable[Pixels] | None = None) -> None:
        self.frame_rate = fps
        self.captured: dict[int, int] = {}
        shown = islice(texture(*size) if images is None else images, _DISTINCT_FRAMES)
        self._frames = [np.asarray(cv2.cvtColor(each, cv2.COLOR_RGB2YUV_I420), np.uint8) for each in shown]
        self._height = size[1]

    def frames(self) -> Generator[av.VideoFrame, None, None]:
        start = time.monotonic()
        for number in count():
            planes = self._frames[number % len(self._frames)].copy()
            draw_frame_number(planes[: self._height], number & MAX_NUMBER)
            time.sleep(max(0.0, start + number / self.frame_rate - time.monotonic()))
            self.captured[number & MAX_NUMBER] = now()
            yield av.VideoFrame.from_ndarray(planes, "yuv420p")


def images_of(clip: Path, size: tuple[int, int]) -> Iterator[Pixels]:
    """The frames of a video, forwards and backwards, so that they repeat without a cut."""
    with open_source(clip, size=f"{size[0]}x{size[1]}") as source:
        frames = [each.pixels for each in islice(source, _DISTINCT_FRAMES // 2)]
    return iter([*frames, *reversed(frames)])


class ArrivalLog:
    """Records which frames of a source arrive, and when.

    Args:
        source: of the frames.
    """

    def __init__(self, source: NumberedSource) -> None:
        self._source = source
        self._arrivals: list[tuple[int, int, int]] = []
        self._unreadable = 0

    def add(self, pair: FramePair) -> None:
        """Records the arrival of a frame."""
        self.add_luma(pair.output.image.shrunk_luma(1))

    def add_luma(self, luma: Luma) -> None:
        """Records the arrival of a frame with that luma plane, ``(H, W)``."""
        arrival, number = now(), read_frame_number(luma)
        if number is None or number not in self._source.captured:
            self._unreadable += 1
        else:
            self._arrivals.append((number, self._source.captured[number], arrival))

    def stats(self, since: int) -> ArrivalStats:
        """Statistics of the frames captured since that time on the live clock."""
        arrived = [each for each in self._arrivals if each[1] >= since]
        latencies = np.array([arrival - captured for _, captured, arrival in arrived] or [0]) / 1000
        gaps = np.array([after[2] - before[2] for before, after in pairwise(arrived)] or [0]) / 1000
        median, p95, p99 = (float(each) for each in np.percentile(latencies, [50, 95, 99]))
        return ArrivalStats(
            frames=len(arrived),
            unreadable=self._unreadable,
            dropped=arrived[-1][0] - arrived[0][0] + 1 - len(arrived) if arrived else 0,
            fps=float(1000 * len(gaps) / gaps.sum()) if gaps.any() else 0.0,
            median_ms=median,
            p95_ms=p95,
            p99_ms=p99,
            jitter_ms=float(gaps.std()),
            longest_gap_ms=float(gaps.max()),
        )


class _LoggedSink:
    """A sink that logs the frames it has written."""

    def __init__(self, sink: LiveSink, log: ArrivalLog) -> None:
        self.name = sink.name
        self._sink, self._log = sink, log

    def write(self, pair: FramePair) -> None:
        self._sink.write(pair)
        self._log.add(pair)

    def close(self) -> None:
        self._sink.close()


def measure_latency(
    *,
    style: str = "starry",
    size: tuple[int, int] = (640, 360),
    fps: float = 30.0,
    seconds: float = 10.0,
    changes: int = 0,
    fixed_size: bool = False,
    window: bool = False,
    web: bool = False,
    device: Device = "auto",
    clip: Path | None = None,
    hide_faces: str = "",
) -> LatencyReport:
    """Measures the latency of a generated source to a recording and, on request, to the window and the page.

    Args:
        clip: whose frames are the source's, in place of drifting clouds.
        hide_faces: see :class:`vidgan.live.settings.LiveSettings`; there is no style then.
        size: of the source; the processing size is that or, on slow machines, smaller.
        changes: number of changes of the style, at equal intervals.
        fixed_size: process at the size of the source, however slow that is.
        window: open the window, on this thread, which must be the main thread.
        web: serve the page to a client in this process; its frames have been encoded, sent and decoded.
    """
    source = NumberedSource(size, fps, None if clip is None else images_of(clip, size))
    settings = LiveSettings(style=style, hide_faces=hide_faces, strength=0.0 if hide_faces else 1.0)
    controls = Controls(settings, styles=bundled_models("style"), recording=True)
    names = ["recording", *(["window"] if window else []), *(["page"] if web else [])]
    logs = {name: ArrivalLog(source) for name in names}
    fixed = f"{size[0]}x{size[1]}" if fixed_size else None
    pipeline = LivePipeline(source, controls, size=fixed, device=device)
    memory: list[float | None] = []
    with ExitStack() as files:
        recording = Path(files.enter_context(tempfile.TemporaryDirectory())) / "recording.mp4"
        with pipeline, ExitStack() as clients:
            sink = RecordingSink(controls, recording, fps=fps, notify=pipeline.notify)
            pipeline.attach(_LoggedSink(sink, logs["recording"]))
            if web:
                clients.enter_context(_page_client(pipeline, logs["page"], device))
            start = now()
            user = threading.Thread(
                target=_simulate_user, args=(controls, seconds, changes, memory), daemon=True
            )
            user.start()
            _show(pipeline, logs.get("window"))
            user.join()
            state = pipeline.state()
        error = recording_error_ms(recording, source)
    first, last = memory
    return LatencyReport(
        width=size[0],
        height=size[1],
        output_width=state.width,
        output_height=state.height,
        fps=fps,
        seconds=seconds,
        style_changes=changes,
        sinks={name: log.stats(start + round(1e6 * _WARM_UP_SECONDS)) for name, log in logs.items()},
        recording_error_ms=error,
        memory_mb=None if first is None or last is None else (first, last),
        cores=cores(),
    )


@contextmanager
def _page_client(pipeline: LivePipeline, log: ArrivalLog, device: Device) -> Iterator[None]:
    """The page with one client."""
    from vidgan.live.benchmark.page_client import PageClient
    from vidgan.live.web.address import Address
    from vidgan.live.web.server import WebServer

    controls = pipeline.controls
    address = Address("127.0.0.1", 0)
    with WebServer(
        pipeline, controls.settings, styles=controls.styles, address=address, device=device
    ) as server:
        client = PageClient(server, log.add_luma)
        try:
            yield
        finally:
            client.close()


def _show(pipeline: LivePipeline, log: ArrivalLog | None) -> None:
    """Runs the window, if it is measured, until the pipeline ends."""
    if log is None:
        while not pipeline.wait(0.1):
            pass
        return
    from vidgan.live.window.window import PreviewWindow

    PreviewWindow(pipeline, on_shown=log.add).run()


def _simulate_user(controls: Controls, seconds: float, changes: int, memory: list[float | None]) -> None:
    """Changes the style at equal intervals and stops at the end."""
    interval = (seconds - _WARM_UP_SECONDS) / max(1, changes)
    start = time.monotonic()
    events: list[tuple[float, Callable[[], object]]] = [
        *((_WARM_UP_SECONDS + interval * (n + 0.5), lambda: controls.step_style(1)) for n in range(changes)),
        (seconds / 4, lambda: memory.append(resident_mb())),
        (seconds, lambda: memory.append(resident_mb())),
    ]
    for moment, act in sorted(events, key=lambda event: event[0]):
        controls.wait(start + moment - time.monotonic())
        act()
    controls.stop()


def recording_error_ms(path: Path, source: NumberedSource) -> float:
    """Largest deviation of a timestamp in a recording from the time of capture, up to a constant offset."""
    with av.open(str(path)) as container:
        numbered = [
            (
                float(frame.time) * 1e6,
                read_frame_number(np.asarray(frame.to_ndarray(), np.uint8)[: frame.height]),
            )
            for frame in container.decode(video=0)
        ]
    pairs = [(time, source.captured[number]) for time, number in numbered if number in source.captured]
    errors = np.array([time - captured for time, captured in pairs])
    return float(np.abs(errors - np.median(errors)).max() / 1000) if len(errors) else 0.0
