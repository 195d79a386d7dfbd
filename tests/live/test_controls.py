"""Wishes and their bounds."""

import pytest

from vidgan.errors import InputError
from vidgan.live.controls import Controls
from vidgan.live.settings import LiveSettings


@pytest.fixture
def live_controls() -> Controls:
    return Controls(LiveSettings(style="b"), styles=["a", "b", "c"])


def test_styles_go_round_both_ways(live_controls: Controls) -> None:
    seen = []
    for by in (1, 1, 1, -1, -1):
        live_controls.step_style(by)
        seen.append(live_controls.settings.style)
    assert seen == ["c", "a", "b", "a", "c"]


def test_a_style_of_ones_own_is_one_of_them() -> None:
    assert Controls(LiveSettings(style="mine.onnx"), styles=["a"]).styles == ["mine.onnx", "a"]


def test_strength_stays_within_its_bounds(live_controls: Controls) -> None:
    live_controls.step_strength(0.1)
    assert live_controls.settings.strength == 1
    for _ in range(3):
        live_controls.step_strength(-0.1)
    assert live_controls.settings.strength == 0.7
    for _ in range(10):
        live_controls.step_strength(-0.1)
    assert live_controls.settings.strength == 0


def test_smoothing_goes_round(live_controls: Controls) -> None:
    seen = []
    for _ in range(3):
        live_controls.step_smooth()
        seen.append(live_controls.settings.smooth)
    assert seen == ["off", "blend", "flow"]


@pytest.mark.parametrize("wish", [{"strength": 1.1}, {"strength": -1}, {"smooth": "x"}, {"style": "none"}])
def test_what_does_not_exist_changes_nothing(live_controls: Controls, wish: dict[str, object]) -> None:
    before = live_controls.settings
    with pytest.raises(InputError):
        live_controls.update(**wish)
    assert live_controls.settings == before


def test_each_snapshot_is_taken_once(live_controls: Controls) -> None:
    live_controls.request_snapshot()
    live_controls.request_snapshot()
    assert [live_controls.pop_snapshot_request() for _ in range(3)] == [True, True, False]


def test_stop_wakes_whoever_waits(live_controls: Controls) -> None:
    assert not live_controls.wait(0)
    live_controls.stop()
    assert live_controls.wait(60) and live_controls.stopped
