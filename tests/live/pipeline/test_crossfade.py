"""Crossfades and mixes of two styles: the identity and a negative."""

import itertools
from pathlib import Path

import pytest

from tests.live.fakes import CollectingSink, ScriptedSource, forever, gray_of
from vidgan.live.controls import Controls
from vidgan.live.frame_pair import FramePair
from vidgan.live.pipeline.crossfade import Crossfade
from vidgan.live.pipeline.live_pipeline import LivePipeline
from vidgan.live.settings import LiveSettings

GRAY = 80
NEGATIVE = 255 - GRAY


@pytest.fixture(scope="module")
def negative(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A style that inverts all pixels."""
    import onnx
    import onnx.parser

    model = onnx.parser.parse_model("""
        <ir_version: 10, opset_import: ["" : 20]>
        g (uint8[N, H, W, 3] x) => (uint8[N, H, W, 3] y)
        <uint8 white = {255}> { y = Sub (white, x) }
    """)
    onnx.helper.set_model_props(model, {"vidgan.task": "style", "vidgan.name": "negative"})
    path = tmp_path_factory.mktemp("model") / "negative.onnx"
    onnx.save(model, path)
    return str(path)


def live_controls(identity: str, negative: str) -> Controls:
    return Controls(LiveSettings(style=identity, smooth="off"), styles=[identity, negative])


def test_weights_change_linearly() -> None:
    crossfade = Crossfade(1.0, {"a": 1.0})

    def weights_and_active(target: dict[str, float], now: int) -> tuple[dict[str, float], bool]:
        return crossfade.weights(target, now), crossfade.active

    assert weights_and_active({"a": 1.0}, 5_000_000) == ({"a": 1.0}, False)
    assert weights_and_active({"b": 1.0}, 6_000_000) == ({"a": 1.0}, True)
    assert crossfade.weights({"b": 1.0}, 6_250_000) == {"a": 0.75, "b": 0.25}
    assert weights_and_active({"b": 1.0}, 7_000_000) == ({"b": 1.0}, False)


def test_interrupted_crossfade_continues_from_its_weights() -> None:
    crossfade = Crossfade(1.0, {"a": 1.0})
    crossfade.weights({"b": 1.0}, 0)
    crossfade.weights({"b": 1.0}, 500_000)
    assert crossfade.weights({"c": 1.0}, 500_000) == {"a": 0.5, "b": 0.5}
    assert crossfade.weights({"c": 1.0}, 1_000_000) == {"a": 0.25, "b": 0.25, "c": 0.5}
    assert crossfade.weights({"c": 1.0}, 1_500_000) == {"c": 1.0}


def test_mix_of_the_same_styles_takes_effect_at_once() -> None:
    crossfade = Crossfade(1.0, {"a": 0.5, "b": 0.5})
    assert crossfade.weights({"a": 0.1, "b": 0.9}, 0) == {"a": 0.1, "b": 0.9} and not crossfade.active


def test_zero_seconds_switch_between_two_frames() -> None:
    crossfade = Crossfade(0.0, {"a": 1.0})
    assert crossfade.weights({"b": 1.0}, 0) == {"b": 1.0} and not crossfade.active


def test_output_fades_from_one_style_to_the_other(identity: str, negative: str) -> None:
    """All levels lie between both styles, rise monotonically and follow the time of capture."""
    controls, sink = live_controls(identity, negative), CollectingSink()
    with LivePipeline(ScriptedSource(forever(GRAY)), controls, crossfade=1.0) as pipeline:
        pipeline.attach(sink)
        sink.wait_for(lambda pairs: len(pairs) >= 3)
        controls.update(style=negative)
        sink.wait_for(lambda pairs: abs(gray_of(pairs[-1]) - NEGATIVE) <= 1)
    levels = [(pair.input.pts, gray_of(pair)) for pair in sink.pairs]
    start = max(pts for pts, level in levels if level <= GRAY + 1)
    fading = [(pts, level) for pts, level in levels if pts > start]
    assert sum(GRAY + 5 < level < NEGATIVE - 5 for _, level in fading) >= 3
    assert all(before <= after + 1 for (_, before), (_, after) in itertools.pairwise(fading))
    for pts, level in fading:
        # The first frames of the fade round to the level before it, so that `start` may be slightly late.
        latest = GRAY + (NEGATIVE - GRAY) * min(1.0, (pts - start) / 1e6 + 0.05)
        assert level <= latest + 1


def test_mix_of_two_styles(identity: str, negative: str) -> None:
    controls, sink = live_controls(identity, negative), CollectingSink()
    with LivePipeline(ScriptedSource(forever(GRAY)), controls) as pipeline:
        pipeline.attach(sink)
        for mix in (0.25, 0.5, 1.0):
            controls.set_mix(mix)
            expected = GRAY + mix * (NEGATIVE - GRAY)

            def is_reached(pairs: list[FramePair], level: float = expected) -> bool:
                return bool(pairs) and abs(gray_of(pairs[-1]) - level) <= 2

            sink.wait_for(is_reached)
    assert (
        controls.settings.second_style == negative and Path(sink.pairs[-1].settings.style).stem == "identity"
    )
