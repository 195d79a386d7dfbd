"""Simulated schedules and fitted lines of ``python -m benchmarks.scaling``."""

import pytest

from benchmarks.scaling import Line, SimulatedStage, simulated_seconds


def stages(*milliseconds: float, parallel: float = 0.0) -> dict[str, SimulatedStage]:
    found = {str(number): SimulatedStage(each, in_order=True) for number, each in enumerate(milliseconds)}
    return {"first": found.pop("0"), "model": SimulatedStage(parallel, in_order=False), **found}


def test_one_core_does_all_work_in_turn() -> None:
    assert simulated_seconds(stages(1, 2, 3, parallel=14), 1, 50) == pytest.approx(50 * 0.020)


def test_what_goes_in_order_bounds_any_number_of_cores() -> None:
    many = simulated_seconds(stages(1, 5, 2, parallel=20), 64, 400)
    assert 400 * 0.005 < many < 400 * 0.005 + 0.050


@pytest.mark.parametrize("cores", [2, 4])
def test_cores_share_the_work_where_one_stage_is_most_of_it(cores: int) -> None:
    seconds = simulated_seconds(stages(1, 1, 1, parallel=27), cores, 400)
    assert 400 * 0.030 / cores <= seconds < 1.03 * 400 * 0.030 / cores


def test_a_line_is_found_with_its_largest_error() -> None:
    line = Line.through([1, 2, 4], [5, 7, 11])
    assert (line.slope, line.intercept) == pytest.approx((2, 3)) and line.largest_error < 1e-9
    assert Line.through([1, 2, 3, 4], [5, 7, 9, 22]).largest_error > 0.2
