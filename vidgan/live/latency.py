"""How late a live picture is, told by the pictures themselves: each carries a number, see ``stamp.py``."""

import tempfile
import threading
import time
from collections.abc import Callable, Generator, Iterator
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
from vidgan.live.clock import now
from vidgan.live.controls import Controls, Look
from vidgan.live.live import Live
from vidgan.live.sinks import LiveSink
from vidgan.live.sinks.recording import RecordingSink
from vidgan.live.stamp import MOST, Luma, read_stamp, write_stamp
from vidgan.live.stylizer import Shot
from vidgan.media.frame import Frame
from vidgan.models.registry import bundled_models
from vidgan.session import Device, cores

_PICTURES = 60
"""Different ones of the generated source, which then repeat."""

_WARM_SECONDS = 1.0
"""At the beginning, of which nothing is counted."""


@dataclass(frozen=True, kw_only=True)
class Arrivals:
    """What arrived somewhere.

    Attributes:
        frames: whose numbers could be read.
        unreadable: others.
        dropped: numbers that were captured meanwhile and never came.
        fps: frames a second.
        median_ms, p95_ms, p99_ms: from capture to there.
        jitter_ms: standard deviation of the time between two frames.
        longest_gap_ms: between two frames.
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
class Latency:
    """What :func:`measure_latency` found.

    Attributes:
        width, height: of what was captured.
        painted_width, painted_height: of what was painted at the end.
        fps: of the source.
        changes: of the style.
        sinks: by name.
        recorded_off_ms: by how much a frame's time in the recording differs at most from that of its capture.
        memory_mb: after a quarter of the time and at the end, in 10⁶ bytes; None where nobody says.
        cores: that this process may use.
    """

    width: int
    height: int
    painted_width: int
    painted_height: int
    fps: float
    seconds: float
    changes: int
    sinks: dict[str, Arrivals]
    recorded_off_ms: float
    memory_mb: tuple[float, float] | None
    cores: int

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class StampedSource:
    """See :class:`vidgan.live.sources.LiveSource`: clouds that drift by under a number that counts pictures.

    Attributes:
        made: when each was made, by its number, on the live clock.
    """

    name = "generated"
    returns = False

    def __init__(self, size: tuple[int, int], fps: float) -> None:
        self.rate = fps
        self.made: dict[int, int] = {}
        clouds = islice(texture(*size), _PICTURES)
        self._pictures = [np.asarray(cv2.cvtColor(each, cv2.COLOR_RGB2YUV_I420), np.uint8) for each in clouds]
        self._height = size[1]

    def pictures(self) -> Generator[av.VideoFrame, None, None]:
        began = time.monotonic()
        for number in count():
            picture = self._pictures[number % _PICTURES].copy()
            write_stamp(picture[: self._height], number & MOST)
            time.sleep(max(0.0, began + number / self.rate - time.monotonic()))
            self.made[number & MOST] = now()
            yield av.VideoFrame.from_ndarray(picture, "yuv420p")


class Watcher:
    """Notes what arrives somewhere, and when.

    Args:
        source: that made it.
    """

    def __init__(self, source: StampedSource) -> None:
        self._source = source
        self._arrived: list[tuple[int, int, int]] = []
        self._unreadable = 0

    def note(self, shot: Shot) -> None:
        """Says that a shot has arrived."""
        self.note_luma(luma_of(shot.painted))

    def note_luma(self, luma: Luma) -> None:
        """Says that a picture with that luma, ``(H, W)``, has arrived."""
        when, number = now(), read_stamp(luma)
        if number is None or number not in self._source.made:
            self._unreadable += 1
        else:
            self._arrived.append((number, self._source.made[number], when))

    def arrivals(self, since: int) -> Arrivals:
        """Of what was captured since then, on the live clock."""
        seen = [each for each in self._arrived if each[1] >= since]
        late = np.array([when - made for _, made, when in seen] or [0]) / 1000
        gaps = np.array([after[2] - before[2] for before, after in pairwise(seen)] or [0]) / 1000
        median, p95, p99 = (float(each) for each in np.percentile(late, [50, 95, 99]))
        return Arrivals(
            frames=len(seen),
            unreadable=self._unreadable,
            dropped=seen[-1][0] - seen[0][0] + 1 - len(seen) if seen else 0,
            fps=float(1000 * len(gaps) / gaps.sum()) if gaps.any() else 0.0,
            median_ms=median,
            p95_ms=p95,
            p99_ms=p99,
            jitter_ms=float(gaps.std()),
            longest_gap_ms=float(gaps.max()),
        )


class Watched:
    """A sink, and a watcher of what it has dealt with."""

    def __init__(self, sink: LiveSink, watcher: Watcher) -> None:
        self.name = sink.name
        self._sink, self._watcher = sink, watcher

    def write(self, shot: Shot) -> None:
        self._sink.write(shot)
        self._watcher.note(shot)

    def finish(self) -> None:
        self._sink.finish()


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
) -> Latency:
    """Paints a generated source for a while, records it, and shows it where it is to be shown.

    Args:
        size: of the source; painted at that, or smaller where the machine is too slow.
        changes: of the style meanwhile, evenly.
        fixed_size: paint at the source's size, however slow that is.
        window: show it, on this thread, which has to be the main one then.
        web: serve it on a page, at which somebody looks from this process; what arrives there has been
            encoded, sent and decoded.
    """
    source = StampedSource(size, fps)
    controls = Controls(Look(style=style), styles=bundled_models("style"), recording=True)
    watchers = {name: Watcher(source) for name in _names(window=window, web=web)}
    whole = f"{size[0]}x{size[1]}"
    live = Live(source, controls, size=whole if fixed_size else None, device=device)
    memory: list[float | None] = []
    with ExitStack() as stack:
        film = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "recording.mp4"
        with live, ExitStack() as watching:
            sink = RecordingSink(controls, film, fps=fps, say=live.say)
            live.attach(Watched(sink, watchers["recording"]))
            if web:
                watching.enter_context(_looked_at(live, watchers["page"], device))
            began = now()
            driver = threading.Thread(target=_drive, args=(controls, seconds, changes, memory), daemon=True)
            driver.start()
            _look(live, watchers.get("window"))
            driver.join()
            state = live.state()
        off = recorded_off_ms(film, source)
    first, last = memory
    return Latency(
        width=size[0],
        height=size[1],
        painted_width=state.width,
        painted_height=state.height,
        fps=fps,
        seconds=seconds,
        changes=changes,
        sinks={name: each.arrivals(began + round(1e6 * _WARM_SECONDS)) for name, each in watchers.items()},
        recorded_off_ms=off,
        memory_mb=None if first is None or last is None else (first, last),
        cores=cores(),
    )


def _names(*, window: bool, web: bool) -> list[str]:
    return ["recording", *(["window"] if window else []), *(["page"] if web else [])]


@contextmanager
def _looked_at(live: Live, watcher: Watcher, device: Device) -> Iterator[None]:
    """The picture on a page, and somebody who looks at it."""
    from vidgan.live.looking import Looker
    from vidgan.live.web.address import Address
    from vidgan.live.web.page import Page

    look = live.controls.look
    with Page(
        live, look, styles=live.controls.styles, address=Address("127.0.0.1", 0), device=device
    ) as page:
        looker = Looker(page, watcher.note_luma)
        try:
            yield
        finally:
            looker.close()


def _look(live: Live, watcher: Watcher | None) -> None:
    """Until it ends."""
    if watcher is None:
        while not live.wait(0.1):
            pass
        return
    from vidgan.live.window.window import Window

    Window(live, on_shown=watcher.note).run()


def _drive(controls: Controls, seconds: float, changes: int, memory: list[float | None]) -> None:
    """What a user would do: wait, change the style, end it."""
    steps = sorted({_WARM_SECONDS + (seconds - _WARM_SECONDS) * (n + 0.5) / changes for n in range(changes)})
    began = time.monotonic()
    events: list[tuple[float, Callable[[], object]]] = [
        *((moment, lambda: controls.step_style(1)) for moment in steps),
        (seconds / 4, lambda: memory.append(resident_mb())),
        (seconds, lambda: memory.append(resident_mb())),
    ]
    for moment, act in sorted(events, key=lambda event: event[0]):
        controls.wait(began + moment - time.monotonic())
        act()
    controls.stop()


def recorded_off_ms(film: Path, source: StampedSource) -> float:
    """By how much the times in a film differ at most from those at which its pictures were made."""
    with av.open(str(film)) as container:
        found = [
            (float(frame.time) * 1e6, read_stamp(np.asarray(frame.to_ndarray(), np.uint8)[: frame.height]))
            for frame in container.decode(video=0)
        ]
    pairs = [(when, source.made[number]) for when, number in found if number in source.made]
    off = np.array([when - made for when, made in pairs])
    return float(np.abs(off - np.median(off)).max() / 1000) if len(off) else 0.0


def luma_of(frame: Frame) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """``(H, W)``."""
    return frame.image.shrunk_luma(1)
