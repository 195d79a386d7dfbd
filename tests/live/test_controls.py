"""Wishes and their bounds."""

import pytest

from vidgan.errors import InputError
from vidgan.live.controls import Controls, Look


@pytest.fixture
def wishes() -> Controls:
    return Controls(Look(style="b"), styles=["a", "b", "c"])


def test_styles_go_round_both_ways(wishes: Controls) -> None:
    seen = []
    for by in (1, 1, 1, -1, -1):
        wishes.step_style(by)
        seen.append(wishes.look.style)
    assert seen == ["c", "a", "b", "a", "c"]


def test_a_style_of_ones_own_is_one_of_them() -> None:
    assert Controls(Look(style="mine.onnx"), styles=["a"]).styles == ["mine.onnx", "a"]


def test_strength_stays_within_its_bounds(wishes: Controls) -> None:
    wishes.step_strength(0.1)
    assert wishes.look.strength == 1
    for _ in range(3):
        wishes.step_strength(-0.1)
    assert wishes.look.strength == 0.7
    for _ in range(10):
        wishes.step_strength(-0.1)
    assert wishes.look.strength == 0


def test_smoothing_goes_round(wishes: Controls) -> None:
    seen = []
    for _ in range(3):
        wishes.step_smooth()
        seen.append(wishes.look.smooth)
    assert seen == ["off", "blend", "flow"]


@pytest.mark.parametrize("wish", [{"strength": 1.1}, {"strength": -1}, {"smooth": "x"}, {"style": "none"}])
def test_what_does_not_exist_changes_nothing(wishes: Controls, wish: dict[str, object]) -> None:
    before = wishes.look
    with pytest.raises(InputError):
        wishes.change(**wish)
    assert wishes.look == before


def test_each_snapshot_is_taken_once(wishes: Controls) -> None:
    wishes.snapshot()
    wishes.snapshot()
    assert [wishes.take_snapshot() for _ in range(3)] == [True, True, False]


def test_stop_wakes_whoever_waits(wishes: Controls) -> None:
    assert not wishes.wait(0)
    wishes.stop()
    assert wishes.wait(60) and wishes.stopped
