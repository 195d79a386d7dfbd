"""The live pipeline: delivery, lost sources, failing sinks, changes of settings."""

import threading
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

import av
import numpy as np
import pytest

from tests.live.fakes import (
    CollectingSink,
    FailingSink,
    ScriptedSource,
    controls,
    forever,
    gray_frame,
    gray_of,
)
from tests.support.commands import SAMPLES
from tests.support.images import read_pixels
from vidgan.errors import InputError, ModelNotFoundError
from vidgan.jobs.api import load_style
from vidgan.live.clock import TIME_BASE, now
from vidgan.live.controls import Controls
from vidgan.live.mailbox import Mailbox
from vidgan.live.pipeline.live_pipeline import LivePipeline
from vidgan.live.pipeline.stylizer import LiveStylizer
from vidgan.live.settings import LiveSettings
from vidgan.live.sources import open_live_source
from vidgan.media.frame import Frame
from vidgan.media.image import RgbImage
from vidgan.tasks.style import StyleEffect


def test_frames_have_the_time_of_their_capture(identity: str) -> None:
    before = now()
    one, two = CollectingSink("one"), CollectingSink("two")
    with LivePipeline(ScriptedSource(forever(40, 200)), controls(identity)) as pipeline:
        view = pipeline.subscribe()
        pipeline.attach(one)
        pipeline.attach(two)
        for sink in (one, two):
            sink.wait_for(lambda pairs: len(pairs) >= 5)
        assert view.take(60) is not None
        state = pipeline.state()
    for sink in (one, two):
        times = [pair.input.pts for pair in sink.pairs]
        assert before < times[0] and times[-1] < now() and times == sorted(set(times))
        assert {gray_of(pair) for pair in sink.pairs} <= {39, 40, 41, 199, 200, 201}
        assert sink.closed == 1
    assert state.source == "live" and state.frames >= 5 and state.latency_seconds > 0
    assert (state.width, state.height) == state.full_size == (64, 48)


def test_slow_sink_drops_frames_without_delaying_others(identity: str) -> None:
    free, slow, quick = threading.Event(), CollectingSink("slow"), CollectingSink("quick")
    write = slow.write

    def waiting(pair: object) -> None:
        free.wait(60)
        write(pair)  # type: ignore[arg-type]

    slow.write = waiting  # type: ignore[method-assign]
    with LivePipeline(ScriptedSource(forever(10)), controls(identity)) as pipeline:
        sink_thread = pipeline.attach(slow)
        pipeline.attach(quick)
        quick.wait_for(lambda pairs: len(pairs) >= 20)
        free.set()
        slow.wait_for(lambda pairs: len(pairs) >= 2)
        assert sink_thread.mailbox.dropped > 5
    # The second frame is a new one, not one that waited.
    assert slow.pairs[1].input.pts >= quick.pairs[15].input.pts


def test_failing_sink_is_reported_and_others_continue(identity: str) -> None:
    messages: list[str] = []
    kept, broken = CollectingSink(), FailingSink()
    with LivePipeline(ScriptedSource(forever(10)), controls(identity), notify=messages.append) as pipeline:
        pipeline.attach(broken)
        pipeline.attach(kept)
        kept.wait_for(lambda pairs: len(pairs) >= 10)
    assert messages == ["broken: does not work"] and broken.closed == 1


def test_sinks_attach_and_detach(identity: str) -> None:
    first, second = CollectingSink(), CollectingSink()
    with LivePipeline(ScriptedSource(forever(10)), controls(identity)) as pipeline:
        pipeline.attach(first)
        first.wait_for(lambda pairs: len(pairs) >= 3)
        pipeline.detach(first)
        count = len(first.pairs)
        assert first.closed == 1
        pipeline.attach(second)
        second.wait_for(lambda pairs: len(pairs) >= 3)
        assert len(first.pairs) == count


def test_last_frame_is_delivered(identity: str) -> None:
    kept = CollectingSink()

    def script() -> Iterator[av.VideoFrame]:
        for value in (10, 20, 30):
            yield gray_frame(value)

    with LivePipeline(ScriptedSource(script), controls(identity)) as pipeline:
        pipeline.attach(kept)
        assert pipeline.wait(60)
    assert abs(gray_of(kept.pairs[-1]) - 30) < 2


def test_missing_source_is_an_error(identity: str) -> None:
    with (
        LivePipeline(ScriptedSource(), controls(identity)) as pipeline,
        pytest.raises(InputError, match="nothing more"),
    ):
        pipeline.wait(60)


def test_lost_source_is_reported_and_reopened(identity: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vidgan.live.pipeline.live_pipeline._RECONNECT_SECONDS", 0.01)
    messages: list[str] = []
    kept = CollectingSink()
    tries = 0

    def breaks_off() -> Iterator[av.VideoFrame]:
        # The sink may be attached after the first frame.
        yield from takewhile(lambda _: not kept.pairs, forever(10)())
        raise InputError("scripted: unplugged")

    def still_gone() -> Iterator[av.VideoFrame]:
        nonlocal tries
        tries += 1
        assert pipeline.state().source == "lost"
        raise InputError("scripted: not there")
        yield  # type: ignore[unreachable]

    source = ScriptedSource(breaks_off, still_gone, still_gone, forever(99), reconnects=True)
    with LivePipeline(source, controls(identity), notify=messages.append) as pipeline:
        pipeline.attach(kept)
        kept.wait_for(lambda pairs: bool(pairs) and abs(gray_of(pairs[-1]) - 99) < 2)
        assert pipeline.state().source == "live"
    assert tries == 2
    assert messages == ["scripted: unplugged; waiting for it to come back", "scripted: is back"]


def test_style_changes_between_two_frames(identity: str) -> None:
    """Every frame has the old style or the new one."""
    live_controls = Controls(LiveSettings(style=identity, smooth="off"), styles=["starry"])
    kept = CollectingSink()
    with LivePipeline(ScriptedSource(forever(90)), live_controls) as pipeline:
        pipeline.attach(kept)
        kept.wait_for(lambda pairs: len(pairs) >= 3)
        live_controls.update(style="starry")
        kept.wait_for(lambda pairs: pairs[-1].settings.style == "starry")
        kept.wait_for(lambda pairs: len(pairs) >= 10)
    styles = [pair.settings.style for pair in kept.pairs]
    change = styles.index("starry")
    assert set(styles[:change]) == {identity} and set(styles[change:]) == {"starry"}
    plain, styled = kept.pairs[0].output.pixels, kept.pairs[-1].output.pixels
    assert np.abs(plain.astype(int) - styled).mean() > 5


def test_broken_style_is_reported_and_the_old_one_stays(identity: str, tmp_path: Path) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"nothing")
    messages: list[str] = []
    live_controls = Controls(LiveSettings(style=identity, smooth="off"), styles=[str(broken), identity])
    kept = CollectingSink()
    with LivePipeline(ScriptedSource(forever(90)), live_controls, notify=messages.append) as pipeline:
        pipeline.attach(kept)
        live_controls.update(style=str(broken))
        kept.wait_for(lambda pairs: bool(messages))
        count = len(kept.pairs)
        kept.wait_for(lambda pairs: len(pairs) > count + 3)
    assert len(messages) == 1 and str(broken) in messages[0] and live_controls.settings.style == identity


def test_missing_style_is_an_error_at_the_start() -> None:
    with pytest.raises(ModelNotFoundError):
        LivePipeline(ScriptedSource(), controls("nosuch"))


def test_mirror(identity: str) -> None:
    def script() -> Iterator[av.VideoFrame]:
        left_dark = np.full((48, 64, 3), 220, np.uint8)
        left_dark[:, :32] = 20
        for _ in forever(0)():
            yield av.VideoFrame.from_ndarray(left_dark, "rgb24")

    live_controls = controls(identity)
    kept = CollectingSink()
    with LivePipeline(ScriptedSource(script), live_controls) as pipeline:
        pipeline.attach(kept)
        kept.wait_for(lambda pairs: bool(pairs))
        assert kept.pairs[-1].output.pixels[:, :30].max() < 40
        live_controls.update(mirror=True)
        kept.wait_for(lambda pairs: pairs[-1].settings.mirror)
        pair = kept.pairs[-1]
        for frame in (pair.output, pair.input):
            assert frame.pixels[:, :30].min() > 200 and frame.pixels[:, -30:].max() < 40


def test_width_of_strokes() -> None:
    session, settings = (
        load_style("starry", device="cpu", threads=1),
        LiveSettings(style="starry", stroke=2.0),
    )
    frame = Frame(
        image=RgbImage(read_pixels(SAMPLES / "bunny.jpg")).resized((320, 192)), pts=0, time_base=TIME_BASE
    )
    output = LiveStylizer(settings).step(frame, [(session, 1.0)], 1)
    assert np.array_equal(output.pixels, StyleEffect(session, stroke=2.0).apply(frame).pixels)
    assert not np.array_equal(output.pixels, StyleEffect(session).apply(frame).pixels)


def test_fixed_size_and_frame_rate_limit(identity: str) -> None:
    kept = CollectingSink()
    with LivePipeline(ScriptedSource(forever(10)), controls(identity), size="32x24", fps=10) as pipeline:
        pipeline.attach(kept)
        kept.wait_for(lambda pairs: len(pairs) >= 6)
    assert {pair.output.size for pair in kept.pairs} == {(32, 24)}
    times = [pair.input.pts for pair in kept.pairs]
    assert (times[-1] - times[0]) / (len(times) - 1) > 90_000


def test_video_loops_at_its_own_frame_rate(identity: str) -> None:
    """The frames received are more than the video has."""
    source = open_live_source(str(SAMPLES / "bunny.mp4"), loop=True)
    mailbox: Mailbox[object] = Mailbox()
    with LivePipeline(source, controls(identity), size="32x18") as pipeline:
        view = pipeline.subscribe()
        first = view.take(60)
        assert first is not None
        later = [view.take(60) for _ in range(10)]
        pipeline.unsubscribe(view)
    assert mailbox.take(0) is None and source.frame_rate == 25
    times = [pair.input.pts for pair in (first, *later) if pair is not None]
    # Never faster than the video; a busy machine may be slower.
    assert (times[-1] - times[0]) / 10 > 30_000
