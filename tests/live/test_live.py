"""From a source to several sinks, whatever happens to either."""

import threading
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

import av
import numpy as np
import pytest
from live.pictures import Broken, Kept, Scripted, controls, forever, picture, shown
from support.commands import SAMPLES

from vidgan.errors import InputError, ModelNotFoundError
from vidgan.live.clock import now
from vidgan.live.controls import Controls, Look
from vidgan.live.live import Live
from vidgan.live.mailbox import Slot
from vidgan.live.sources import open_live_source


def test_everybody_gets_the_pictures_with_the_time_of_their_capture(identity: str) -> None:
    before = now()
    one, two = Kept("one"), Kept("two")
    with Live(Scripted(forever(40, 200)), controls(identity)) as live:
        view = live.open_view()
        live.attach(one)
        live.attach(two)
        for sink in (one, two):
            sink.wait_for(lambda shots: len(shots) >= 5)
        assert view.take(60) is not None
        state = live.state()
    for sink in (one, two):
        times = [shot.source.pts for shot in sink.shots]
        assert before < times[0] and times[-1] < now() and times == sorted(set(times))
        assert {shown(shot) for shot in sink.shots} <= {39, 40, 41, 199, 200, 201}
        assert sink.finished == 1
    assert state.source == "live" and state.painted >= 5 and state.latency > 0
    assert (state.width, state.height) == (64, 48)


def test_a_slow_sink_holds_nobody_up_and_gets_the_newest(identity: str) -> None:
    free, slow, quick = threading.Event(), Kept("slow"), Kept("quick")
    write = slow.write

    def waiting(shot: object) -> None:
        free.wait(60)
        write(shot)  # type: ignore[arg-type]

    slow.write = waiting  # type: ignore[method-assign]
    with Live(Scripted(forever(10)), controls(identity)) as live:
        outlet = live.attach(slow)
        live.attach(quick)
        quick.wait_for(lambda shots: len(shots) >= 20)
        free.set()
        slow.wait_for(lambda shots: len(shots) >= 2)
        assert outlet.slot.dropped > 5
    # The second is no leftover from when the first one came.
    assert slow.shots[1].source.pts >= quick.shots[15].source.pts


def test_a_sink_that_fails_is_said_and_the_others_go_on(identity: str) -> None:
    said: list[str] = []
    kept, broken = Kept(), Broken()
    with Live(Scripted(forever(10)), controls(identity), say=said.append) as live:
        live.attach(broken)
        live.attach(kept)
        kept.wait_for(lambda shots: len(shots) >= 10)
    assert said == ["broken: does not work"] and broken.finished == 1


def test_sinks_come_and_go(identity: str) -> None:
    first, second = Kept(), Kept()
    with Live(Scripted(forever(10)), controls(identity)) as live:
        live.attach(first)
        first.wait_for(lambda shots: len(shots) >= 3)
        live.detach(first)
        count = len(first.shots)
        assert first.finished == 1
        live.attach(second)
        second.wait_for(lambda shots: len(shots) >= 3)
        assert len(first.shots) == count


def test_what_ends_has_shown_its_last_picture(identity: str) -> None:
    kept = Kept()

    def script() -> Iterator[av.VideoFrame]:
        for value in (10, 20, 30):
            yield picture(value)

    with Live(Scripted(script), controls(identity)) as live:
        live.attach(kept)
        assert live.wait(60)
    assert abs(shown(kept.shots[-1]) - 30) < 2


def test_a_source_that_is_not_there_is_an_error(identity: str) -> None:
    with Live(Scripted(), controls(identity)) as live, pytest.raises(InputError, match="nothing more"):
        live.wait(60)


def test_a_lost_source_is_said_waited_for_and_comes_back(
    identity: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vidgan.live.live._COME_BACK_SECONDS", 0.01)
    said: list[str] = []
    kept = Kept()
    tries = 0

    def breaks_off() -> Iterator[av.VideoFrame]:
        # Whoever is attached only after the first picture sees another one.
        yield from takewhile(lambda _: not kept.shots, forever(10)())
        raise InputError("scripted: unplugged")

    def still_gone() -> Iterator[av.VideoFrame]:
        nonlocal tries
        tries += 1
        assert live.state().source == "lost"
        raise InputError("scripted: not there")
        yield

    source = Scripted(breaks_off, still_gone, still_gone, forever(99), returns=True)
    with Live(source, controls(identity), say=said.append) as live:
        live.attach(kept)
        kept.wait_for(lambda shots: bool(shots) and abs(shown(shots[-1]) - 99) < 2)
        assert live.state().source == "live"
    assert tries == 2
    assert said == ["scripted: unplugged; waiting for it to come back", "scripted: is back"]


def test_the_style_changes_between_two_pictures_once_it_is_loaded(identity: str) -> None:
    """No picture is missing, and none is painted in anything but the old style or the new one."""
    wishes = Controls(Look(style=identity, smooth="off"), styles=["starry"])
    kept = Kept()
    with Live(Scripted(forever(90)), wishes) as live:
        live.attach(kept)
        kept.wait_for(lambda shots: len(shots) >= 3)
        wishes.change(style="starry")
        kept.wait_for(lambda shots: shots[-1].look.style == "starry")
        kept.wait_for(lambda shots: len(shots) >= 10)
    styles = [shot.look.style for shot in kept.shots]
    change = styles.index("starry")
    assert set(styles[:change]) == {identity} and set(styles[change:]) == {"starry"}
    plain, painted = kept.shots[0].painted.pixels, kept.shots[-1].painted.pixels
    assert np.abs(plain.astype(int) - painted).mean() > 5


def test_a_style_that_cannot_be_loaded_is_said_and_the_old_one_stays(identity: str, tmp_path: Path) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"nothing")
    said: list[str] = []
    wishes = Controls(Look(style=identity, smooth="off"), styles=[str(broken), identity])
    kept = Kept()
    with Live(Scripted(forever(90)), wishes, say=said.append) as live:
        live.attach(kept)
        wishes.change(style=str(broken))
        kept.wait_for(lambda shots: bool(said))
        count = len(kept.shots)
        kept.wait_for(lambda shots: len(shots) > count + 3)
    assert len(said) == 1 and str(broken) in said[0] and wishes.look.style == identity


def test_a_style_that_is_not_there_is_an_error_before_anything_starts() -> None:
    with pytest.raises(ModelNotFoundError):
        Live(Scripted(), controls("nosuch"))


def test_strength_and_mirror_do_what_they_say(identity: str) -> None:
    def script() -> Iterator[av.VideoFrame]:
        left_dark = np.full((48, 64, 3), 220, np.uint8)
        left_dark[:, :32] = 20
        for _ in forever(0)():
            yield av.VideoFrame.from_ndarray(left_dark, "rgb24")

    wishes = controls(identity)
    kept = Kept()
    with Live(Scripted(script), wishes) as live:
        live.attach(kept)
        kept.wait_for(lambda shots: bool(shots))
        assert kept.shots[-1].painted.pixels[:, :30].max() < 40
        wishes.change(mirror=True)
        kept.wait_for(lambda shots: shots[-1].look.mirror)
        shot = kept.shots[-1]
        for frame in (shot.painted, shot.source):
            assert frame.pixels[:, :30].min() > 200 and frame.pixels[:, -30:].max() < 40


def test_a_fixed_size_is_kept_and_a_rate_is_not_exceeded(identity: str) -> None:
    kept = Kept()
    with Live(Scripted(forever(10)), controls(identity), size="32x24", fps=10) as live:
        live.attach(kept)
        kept.wait_for(lambda shots: len(shots) >= 6)
    assert {shot.painted.size for shot in kept.shots} == {(32, 24)}
    times = [shot.source.pts for shot in kept.shots]
    assert (times[-1] - times[0]) / (len(times) - 1) > 90_000


def test_a_film_is_live_at_its_own_pace_and_begins_anew(identity: str) -> None:
    """bunny.mp4 is shorter than what is watched of it here would take without the loop."""
    source = open_live_source(str(SAMPLES / "bunny.mp4"), loop=True)
    slot: Slot[object] = Slot()
    with Live(source, controls(identity), size="32x18") as live:
        view = live.open_view()
        first = view.take(60)
        assert first is not None
        later = [view.take(60) for _ in range(10)]
        live.close_view(view)
    assert slot.take(0) is None and source.rate == 25
    times = [shot.source.pts for shot in (first, *later) if shot is not None]
    # Not faster than the film; a busy machine may be slower.
    assert (times[-1] - times[0]) / 10 > 30_000
