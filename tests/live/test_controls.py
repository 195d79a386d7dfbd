"""Settings and requests, and their ranges."""

import pytest

from vidgan.errors import InputError
from vidgan.live.controls import Controls
from vidgan.live.settings import LiveSettings


@pytest.fixture
def live_controls() -> Controls:
    return Controls(LiveSettings(style="b"), styles=["a", "b", "c"])


def test_styles_are_cyclic(live_controls: Controls) -> None:
    selected = []
    for by in (1, 1, 1, -1, -1):
        live_controls.step_style(by)
        selected.append(live_controls.settings.style)
    assert selected == ["c", "a", "b", "a", "c"]


def test_own_style_is_inserted_first() -> None:
    assert Controls(LiveSettings(style="mine.onnx"), styles=["a"]).styles == ["mine.onnx", "a"]


def test_strength_is_clamped(live_controls: Controls) -> None:
    live_controls.step_strength(0.1)
    assert live_controls.settings.strength == 1
    for _ in range(3):
        live_controls.step_strength(-0.1)
    assert live_controls.settings.strength == 0.7
    for _ in range(10):
        live_controls.step_strength(-0.1)
    assert live_controls.settings.strength == 0


def test_temporal_filters_are_cyclic(live_controls: Controls) -> None:
    selected = []
    for _ in range(3):
        live_controls.step_smooth()
        selected.append(live_controls.settings.smooth)
    assert selected == ["off", "blend", "flow"]


def test_reuse_is_switched_off_and_on(live_controls: Controls) -> None:
    assert live_controls.settings.reuse == "auto"
    live_controls.update(reuse="3")
    selected = []
    for _ in range(2):
        live_controls.step_reuse()
        selected.append(live_controls.settings.reuse)
    assert selected == ["off", "auto"]


@pytest.mark.parametrize(
    "changes",
    [
        {"strength": 1.1},
        {"strength": -1},
        {"stroke": 0.5},
        {"stroke": 3.1},
        {"smooth": "x"},
        {"reuse": "5"},
        {"style": "none"},
        {"mix": 2},
        {"second_style": "none"},
    ],
)
def test_invalid_update_changes_nothing(live_controls: Controls, changes: dict[str, object]) -> None:
    before = live_controls.settings
    with pytest.raises(InputError):
        live_controls.update(**changes)
    assert live_controls.settings == before


def test_each_snapshot_request_is_returned_once(live_controls: Controls) -> None:
    live_controls.request_snapshot()
    live_controls.request_snapshot()
    assert [live_controls.pop_snapshot_request() for _ in range(3)] == [True, True, False]


def test_stop_ends_wait(live_controls: Controls) -> None:
    assert not live_controls.wait(0)
    live_controls.stop()
    assert live_controls.wait(60) and live_controls.stopped


def test_select_style_by_number(live_controls: Controls) -> None:
    live_controls.select_style(2)
    assert live_controls.settings.style == "c"
    live_controls.select_style(3)
    assert live_controls.settings.style == "a"


def test_mix_chooses_the_next_style_as_the_second(live_controls: Controls) -> None:
    assert live_controls.settings.weights == {"b": 1.0}
    live_controls.step_mix(0.25)
    assert live_controls.settings.weights == {"b": 0.75, "c": 0.25}
    live_controls.update(style="a")
    live_controls.step_mix(1)
    assert live_controls.settings.weights == {"c": 1.0}
    live_controls.update(second_style="a")
    assert live_controls.settings.weights == {"a": 1.0}
