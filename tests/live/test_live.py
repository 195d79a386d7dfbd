"""From a source to several sinks, whatever happens to either."""

import threading
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

import av
import numpy as np
import pytest
from commands import SAMPLES
from live.fakes import (
    CollectingSink,
    FailingSink,
    ScriptedSource,
    controls,
    forever,
    grey_frame,
    grey_of,
)

from vidgan.errors import InputError, ModelNotFoundError
from vidgan.live.clock import now
from vidgan.live.controls import Controls
from vidgan.live.mailbox import Mailbox
from vidgan.live.pipeline.live_pipeline import LivePipeline
from vidgan.live.settings import LiveSettings
from vidgan.live.sources import open_live_source


def test_everybody_gets_the_pictures_with_the_time_of_their_capture(identity: str) -> None:
    before = now()
    one, two = CollectingSink("one"), CollectingSink("two")
    with LivePipeline(ScriptedSource(forever(40, 200)), controls(identity)) as live:
        view = live.subscribe()
        live.attach(one)
        live.attach(two)
        for sink in (one, two):
            sink.wait_for(lambda pairs: len(pairs) >= 5)
        assert view.take(60) is not None
        state = live.state()
    for sink in (one, two):
        times = [pair.input.pts for pair in sink.pairs]
        assert before < times[0] and times[-1] < now() and times == sorted(set(times))
        assert {grey_of(pair) for pair in sink.pairs} <= {39, 40, 41, 199, 200, 201}
        assert sink.closed == 1
    assert state.source == "live" and state.frames >= 5 and state.latency_seconds > 0
    assert (state.width, state.height) == (64, 48)


def test_a_slow_sink_holds_nobody_up_and_gets_the_newest(identity: str) -> None:
    free, slow, quick = threading.Event(), CollectingSink("slow"), CollectingSink("quick")
    write = slow.write

    def waiting(pair: object) -> None:
        free.wait(60)
        write(pair)  # type: ignore[arg-type]

    slow.write = waiting  # type: ignore[method-assign]
    with LivePipeline(ScriptedSource(forever(10)), controls(identity)) as live:
        sink_thread = live.attach(slow)
        live.attach(quick)
        quick.wait_for(lambda pairs: len(pairs) >= 20)
        free.set()
        slow.wait_for(lambda pairs: len(pairs) >= 2)
        assert sink_thread.mailbox.dropped > 5
    # The second is no leftover from when the first one came.
    assert slow.pairs[1].input.pts >= quick.pairs[15].input.pts


def test_a_sink_that_fails_is_said_and_the_others_go_on(identity: str) -> None:
    said: list[str] = []
    kept, broken = CollectingSink(), FailingSink()
    with LivePipeline(ScriptedSource(forever(10)), controls(identity), notify=said.append) as live:
        live.attach(broken)
        live.attach(kept)
        kept.wait_for(lambda pairs: len(pairs) >= 10)
    assert said == ["broken: does not work"] and broken.closed == 1


def test_sinks_come_and_go(identity: str) -> None:
    first, second = CollectingSink(), CollectingSink()
    with LivePipeline(ScriptedSource(forever(10)), controls(identity)) as live:
        live.attach(first)
        first.wait_for(lambda pairs: len(pairs) >= 3)
        live.detach(first)
        count = len(first.pairs)
        assert first.closed == 1
        live.attach(second)
        second.wait_for(lambda pairs: len(pairs) >= 3)
        assert len(first.pairs) == count


def test_what_ends_has_shown_its_last_picture(identity: str) -> None:
    kept = CollectingSink()

    def script() -> Iterator[av.VideoFrame]:
        for value in (10, 20, 30):
            yield grey_frame(value)

    with LivePipeline(ScriptedSource(script), controls(identity)) as live:
        live.attach(kept)
        assert live.wait(60)
    assert abs(grey_of(kept.pairs[-1]) - 30) < 2


def test_a_source_that_is_not_there_is_an_error(identity: str) -> None:
    with (
        LivePipeline(ScriptedSource(), controls(identity)) as live,
        pytest.raises(InputError, match="nothing more"),
    ):
        live.wait(60)


def test_a_lost_source_is_said_waited_for_and_comes_back(
    identity: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vidgan.live.pipeline.live_pipeline._RECONNECT_SECONDS", 0.01)
    said: list[str] = []
    kept = CollectingSink()
    tries = 0

    def breaks_off() -> Iterator[av.VideoFrame]:
        # Whoever is attached only after the first picture sees another one.
        yield from takewhile(lambda _: not kept.pairs, forever(10)())
        raise InputError("scripted: unplugged")

    def still_gone() -> Iterator[av.VideoFrame]:
        nonlocal tries
        tries += 1
        assert live.state().source == "lost"
        raise InputError("scripted: not there")
        yield

    source = ScriptedSource(breaks_off, still_gone, still_gone, forever(99), reconnects=True)
    with LivePipeline(source, controls(identity), notify=said.append) as live:
        live.attach(kept)
        kept.wait_for(lambda pairs: bool(pairs) and abs(grey_of(pairs[-1]) - 99) < 2)
        assert live.state().source == "live"
    assert tries == 2
    assert said == ["scripted: unplugged; waiting for it to come back", "scripted: is back"]


def test_the_style_changes_between_two_pictures_once_it_is_loaded(identity: str) -> None:
    """No picture is missing, and none is painted in anything but the old style or the new one."""
    live_controls = Controls(LiveSettings(style=identity, smooth="off"), styles=["starry"])
    kept = CollectingSink()
    with LivePipeline(ScriptedSource(forever(90)), live_controls) as live:
        live.attach(kept)
        kept.wait_for(lambda pairs: len(pairs) >= 3)
        live_controls.update(style="starry")
        kept.wait_for(lambda pairs: pairs[-1].settings.style == "starry")
        kept.wait_for(lambda pairs: len(pairs) >= 10)
    styles = [pair.settings.style for pair in kept.pairs]
    change = styles.index("starry")
    assert set(styles[:change]) == {identity} and set(styles[change:]) == {"starry"}
    plain, painted = kept.pairs[0].output.pixels, kept.pairs[-1].output.pixels
    assert np.abs(plain.astype(int) - painted).mean() > 5


def test_a_style_that_cannot_be_loaded_is_said_and_the_old_one_stays(identity: str, tmp_path: Path) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"nothing")
    said: list[str] = []
    live_controls = Controls(LiveSettings(style=identity, smooth="off"), styles=[str(broken), identity])
    kept = CollectingSink()
    with LivePipeline(ScriptedSource(forever(90)), live_controls, notify=said.append) as live:
        live.attach(kept)
        live_controls.update(style=str(broken))
        kept.wait_for(lambda pairs: bool(said))
        count = len(kept.pairs)
        kept.wait_for(lambda pairs: len(pairs) > count + 3)
    assert len(said) == 1 and str(broken) in said[0] and live_controls.settings.style == identity


def test_a_style_that_is_not_there_is_an_error_before_anything_starts() -> None:
    with pytest.raises(ModelNotFoundError):
        LivePipeline(ScriptedSource(), controls("nosuch"))


def test_strength_and_mirror_do_what_they_say(identity: str) -> None:
    def script() -> Iterator[av.VideoFrame]:
        left_dark = np.full((48, 64, 3), 220, np.uint8)
        left_dark[:, :32] = 20
        for _ in forever(0)():
            yield av.VideoFrame.from_ndarray(left_dark, "rgb24")

    live_controls = controls(identity)
    kept = CollectingSink()
    with LivePipeline(ScriptedSource(script), live_controls) as live:
        live.attach(kept)
        kept.wait_for(lambda pairs: bool(pairs))
        assert kept.pairs[-1].output.pixels[:, :30].max() < 40
        live_controls.update(mirror=True)
        kept.wait_for(lambda pairs: pairs[-1].settings.mirror)
        pair = kept.pairs[-1]
        for frame in (pair.output, pair.input):
            assert frame.pixels[:, :30].min() > 200 and frame.pixels[:, -30:].max() < 40


def test_a_fixed_size_is_kept_and_a_rate_is_not_exceeded(identity: str) -> None:
    kept = CollectingSink()
    with LivePipeline(ScriptedSource(forever(10)), controls(identity), size="32x24", fps=10) as live:
        live.attach(kept)
        kept.wait_for(lambda pairs: len(pairs) >= 6)
    assert {pair.output.size for pair in kept.pairs} == {(32, 24)}
    times = [pair.input.pts for pair in kept.pairs]
    assert (times[-1] - times[0]) / (len(times) - 1) > 90_000


def test_a_film_is_live_at_its_own_pace_and_begins_anew(identity: str) -> None:
    """bunny.mp4 is shorter than what is watched of it here would take without the loop."""
    source = open_live_source(str(SAMPLES / "bunny.mp4"), loop=True)
    mailbox: Mailbox[object] = Mailbox()
    with LivePipeline(source, controls(identity), size="32x18") as live:
        view = live.subscribe()
        first = view.take(60)
        assert first is not None
        later = [view.take(60) for _ in range(10)]
        live.unsubscribe(view)
    assert mailbox.take(0) is None and source.frame_rate == 25
    times = [pair.input.pts for pair in (first, *later) if pair is not None]
    # Not faster than the film; a busy machine may be slower.
    assert (times[-1] - times[0]) / 10 > 30_000
