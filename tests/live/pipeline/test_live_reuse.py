"""Reuse in live video: what is carried forwards, and when."""

import threading
from collections.abc import Iterator

import av
import cv2
import numpy as np
import pytest

from tests.live.fakes import CollectingSink, ScriptedSource
from tests.support.commands import SAMPLES
from tests.support.images import read_pixels
from vidgan.jobs.api import load_style
from vidgan.live.clock import TIME_BASE
from vidgan.live.controls import Controls
from vidgan.live.pipeline.live_pipeline import LivePipeline
from vidgan.live.pipeline.processing_load import ProcessingLoad
from vidgan.live.pipeline.stylizer import LiveStylizer, PixelCost, measure_pixel_cost
from vidgan.live.settings import LiveSettings
from vidgan.media.frame import Frame
from vidgan.media.image import Pixels, YuvImage
from vidgan.session import Session
from vidgan.tasks.style import StyleEffect
from vidgan.temporal.reuse import Reuse

PHOTO = read_pixels(SAMPLES / "bunny.jpg")
WIDTH, HEIGHT = 192, 128
INSIDE = slice(16, -16)


def view(left: int, photo: Pixels = PHOTO) -> Pixels:
    """A part of a photo; parts taken a few pixels apart are a pan."""
    return np.ascontiguousarray(photo[100 : 100 + HEIGHT, 100 + left : 100 + left + WIDTH])


@pytest.fixture(scope="module")
def starry() -> Session:
    return load_style("starry", device="cpu", threads=1)


def run(session: Session, images: list[Pixels], interval: int) -> tuple[list[Pixels], list[str]]:
    """Outputs, and how each came about."""
    stylizer = LiveStylizer(LiveSettings(style="starry"))
    outputs, made = [], []
    for number, each in enumerate(images):
        frame = Frame(image=YuvImage.from_rgb(each), pts=40_000 * number, time_base=TIME_BASE)
        output = stylizer.step(frame, [(session, 1.0)], interval)
        assert output.pts == frame.pts
        outputs.append(output.pixels)
        made.append(stylizer.made[0])
    return outputs, made


def test_a_pan_is_carried_forwards_without_waiting_for_the_next_frame(starry: Session) -> None:
    images = [view(2 * number) for number in range(8)]
    full, generated = run(starry, images, 1)
    outputs, made = run(starry, images, 2)
    assert "".join(generated) == 8 * "g" and "".join(made) == 4 * "gc"
    assert "".join(run(starry, images, 3)[1]) == "gccgccgc"
    for number in range(1, 8, 2):
        carried, its_own = outputs[number][INSIDE, INSIDE], full[number][INSIDE, INSIDE]
        # The former output as it was is much farther away.
        distance = cv2.norm(carried, its_own, cv2.NORM_L1)
        assert distance < 0.6 * cv2.norm(outputs[number - 1][INSIDE, INSIDE], its_own, cv2.NORM_L1)
        assert (
            np.diff(carried.astype(float), axis=1).std() > 0.9 * np.diff(its_own.astype(float), axis=1).std()
        )


def test_what_the_past_does_not_explain_is_generated(starry: Session) -> None:
    """A cut, a light that is switched on and a subject that comes into sight."""
    subject = view(0).copy()
    cv2.circle(subject, (100, 60), 30, (255, 40, 40), -1)
    for other in (255 - PHOTO[::-1], cv2.add(view(0), (60, 60, 60)), subject):
        second = view(0, np.ascontiguousarray(other)) if len(other) > HEIGHT else other
        assert run(starry, [view(0), second], 4)[1] == ["g", "g"]


def test_duplicates_repeat_the_output_to_the_byte(starry: Session) -> None:
    images = [view(6 * (number // 3)) for number in range(9)]
    outputs, made = run(starry, images, 1)
    assert "".join(made) == 3 * "grr"
    assert all(np.array_equal(outputs[number], outputs[number - number % 3]) for number in range(9))
    assert "".join(run(starry, images, 0)[1]) == 9 * "g"


def test_other_styles_and_weights_are_generated(starry: Session) -> None:
    wave = load_style("wave", device="cpu", threads=1)
    frame = Frame(image=YuvImage.from_rgb(view(0)), pts=0, time_base=TIME_BASE)
    stylizer = LiveStylizer(LiveSettings(style="starry"))
    for layers in (
        [(starry, 1.0)],
        [(starry, 0.6), (wave, 0.4)],
        [(starry, 0.5), (wave, 0.5)],
        [(wave, 1.0)],
    ):
        stylizer.step(frame, layers, 4)
        assert stylizer.made == "generated"
    stylizer.step(frame, [(wave, 1.0)], 4)
    assert stylizer.made == "repeated"


def test_the_probe_generates_and_carries(starry: Session) -> None:
    cost = measure_pixel_cost(starry, LiveSettings(style="starry"))
    assert 0 < cost.carried < cost.generated


class Machine:
    """Simulates frames of a source of 25 a second, with a cost per pixel."""

    def __init__(
        self, size: str | None, *, generated: float, probe: bool = True, reuse: Reuse = "auto"
    ) -> None:
        self.cost = PixelCost(generated=generated, carried=0.3 * generated)
        self.load = ProcessingLoad(size, None, ScriptedSource(), self.cost if probe else PixelCost())
        self.reuse: Reuse = reuse

    def run(self, frames: int) -> tuple[list[int], list[float], float]:
        """Interval and time of each frame, and the pixels of the last one over those of the source."""
        decoded = av.VideoFrame(640, 360, "yuv420p")
        intervals, seconds, pixels = [], [], 0
        for number in range(frames):
            (width, height), interval = self.load.begin(decoded, self.reuse)
            generates = number % max(1, interval) == 0
            pixels = width * height
            seconds.append((self.cost.generated if generates else self.cost.carried) * pixels)
            intervals.append(interval)
            self.load.end(seconds[-1], "generated" if generates else "carried")
        return intervals, seconds, pixels / (640 * 360)


def seconds_per_pixel(load: float) -> float:
    """At which a generated frame of the full size takes that share of the frame period."""
    return load / 25 / (640 * 360)


@pytest.mark.parametrize("probe", [True, False])
def test_frames_are_carried_while_the_generator_does_not_hold_the_rate(probe: bool) -> None:
    fast = Machine("640x360", generated=seconds_per_pixel(0.8), probe=probe).run(100)
    assert set(fast[0]) == {1}
    slow = Machine("640x360", generated=seconds_per_pixel(1.4), probe=probe)
    assert slow.run(100)[0][15:] == 85 * [2]
    slow.cost = PixelCost(generated=seconds_per_pixel(0.8), carried=0)
    assert slow.run(100)[0][-1] == 2  # No change to and fro.
    slow.cost = PixelCost(generated=seconds_per_pixel(0.5), carried=0)
    assert slow.run(100)[0][-1] == 1


@pytest.mark.parametrize(("load", "larger"), [(1.2, 1.4), (1.6, 1.0), (2.4, 1.3), (5.0, 1.3)])
def test_reuse_holds_the_rate_at_a_larger_size(load: float, larger: float) -> None:
    """Where there is one: at the second load the next larger size is too large."""
    machines = [Machine(None, generated=seconds_per_pixel(load), reuse=each) for each in ("off", "auto")]
    (_, _, without), (intervals, seconds, size) = (each.run(300) for each in machines)
    assert size >= larger * without and set(intervals) == {2}
    # The rate is held, and no generated frame is much later than without reuse.
    assert np.mean(seconds[-30:]) < 0.8 / 25 and max(seconds[-30:]) < 1.1 / 25


def test_repeated_frames_do_not_enlarge_the_size() -> None:
    load = ProcessingLoad(None, None, ScriptedSource(), PixelCost(generated=seconds_per_pixel(1.5)))
    decoded = av.VideoFrame(640, 360, "yuv420p")
    before = load.begin(decoded, "off")
    for _ in range(300):
        load.begin(decoded, "off")
        load.end(0.0001, "repeated")
    assert load.begin(decoded, "off") == before


@pytest.mark.parametrize("reuse", ["off", "auto", "3"])
def test_a_slow_generator_keeps_the_rate_in_the_pipeline(
    reuse: Reuse, identity: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a generator that takes longer than the frames are apart; the source waits for the sink."""
    runs = 0
    apply, arrived, kept = StyleEffect.apply, threading.Semaphore(), CollectingSink()
    write = kept.write

    def slow(effect: StyleEffect, frame: Frame) -> Frame:
        nonlocal runs
        runs += 1
        threading.Event().wait(0.05)
        return apply(effect, frame)

    def script() -> Iterator[av.VideoFrame]:
        for number in range(40):
            assert arrived.acquire(timeout=60)
            yield av.VideoFrame.from_ndarray(view(number), "rgb24")

    def written(pair: object) -> None:
        write(pair)  # type: ignore[arg-type]
        arrived.release()

    kept.write = written  # type: ignore[method-assign]
    monkeypatch.setattr(StyleEffect, "apply", slow)
    controls = Controls(LiveSettings(style=identity, reuse=reuse), styles=[identity])
    pipeline = LivePipeline(ScriptedSource(script), controls, size=f"{WIDTH}x{HEIGHT}")
    pipeline.attach(kept)
    with pipeline:
        assert pipeline.wait(60)
    assert len(kept.pairs) == 40
    expected = {"off": (40, 40), "auto": (15 + 12, 15 + 14), "3": (14, 16)}[reuse]
    assert expected[0] <= runs <= expected[1]
    for pair in kept.pairs:
        inside = (pair.output.pixels[INSIDE, INSIDE], pair.input.pixels[INSIDE, INSIDE])
        assert cv2.PSNR(*inside) > 27
