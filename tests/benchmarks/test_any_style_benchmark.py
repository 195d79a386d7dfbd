"""The benchmark of styles of any painting: its figures on video, with a small universal style model."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra train")

from benchmarks import any_style_video
from benchmarks.any_style_objective import objective_line
from benchmarks.any_style_video import (
    compare_speed,
    compare_steadiness,
    find_grids,
    kept_styles,
    time_first_frame,
    video_lines,
)
from benchmarks.spectrum import Peak
from tests.support.clips import make_clip
from tests.support.images import write_noise
from tests.support.universal import write_universal_model
from vidgan.models.registry import BUNDLED


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_universal_model(tmp_path / "any")


def test_time_speed_and_memory(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(any_style_video, "_SIZE", "64x48")
    painting = write_noise(tmp_path / "sea.png", 90, 120, 7)
    first = time_first_frame(folder, painting)
    assert set(first) == {"new", "kept"} and all(0 < each < 200 for each in first.values())
    kept = kept_styles(folder, [painting], tmp_path / "styles")["sea"]
    found = compare_speed(kept, 10, rounds=1)
    for key in ("fps", "cpu_ms", "peak_mb"):
        assert found["ratio"][key] == found["painting"][key] / found["bundled"][key]
    assert 50 < found["bundled"]["peak_mb"] < 2000 and 0.5 < found["ratio"]["peak_mb"] < 2


def test_steadiness_is_relative_to_the_bundled_styles(folder: Path, tmp_path: Path) -> None:
    make_clip(tmp_path / "clip.mkv", times=range(4))
    # A style with the weights of a bundled one.
    found = compare_steadiness({"same": BUNDLED / "wave"}, tmp_path, ["clip.mkv"], frames=3)
    assert found["errors"]["same"] == pytest.approx(found["errors"]["wave"])
    assert found["ratio"] == pytest.approx(found["errors"]["wave"] / found["bundled"])
    bundled = [error for name, error in found["errors"].items() if name != "same"]
    assert found["bundled"] == pytest.approx(np.mean(bundled)) and len(bundled) == 6


def test_grids_are_looked_for_in_both_integer_models(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def check(run: Any) -> dict[str, Peak]:
        seen.append(run(np.full((1, 64, 64, 3), 128, np.uint8)).shape)
        return {"flat": Peak(vertical=0.25, horizontal=0, ratio=9.0, amplitude=float(len(seen)))}

    monkeypatch.setattr(any_style_video, "check_model", check)
    painting = write_noise(tmp_path / "sea.png", 90, 120, 7)
    worst = find_grids(kept_styles(folder, [painting], tmp_path / "styles"))
    assert seen == [(1, 64, 64, 3)] * 2 and worst["sea"].amplitude == 2 and worst["sea"].visible


@pytest.mark.parametrize(("worse", "held"), [(1.0, "yes"), (1.4, "NO")])
def test_lines_say_what_is_held(worse: float, held: str) -> None:
    peak = Peak(vertical=0.25, horizontal=0, ratio=9.0 if worse > 1 else 1.0, amplitude=1.0)
    figures = {
        "first_frame": {"new": 25 * worse, "kept": 3.0},
        "speed": {"ratio": {"fps": 1 / worse, "cpu_ms": 1.0, "peak_mb": worse}},
        "steadiness": {"ratio": worse, "ratios": {"a": 0.9, "b": 1.1}},
        "grids": {"a": peak},
        "filter": {
            "cuts": {"a.mp4": {"missed": [], "false": [3]}},
            "still": {"ratio": 0.3},
            "pan": {"frame 300": {"drift_pixels": 0.02}},
        },
    }
    lines = video_lines(figures)
    assert [line.endswith(f": {held})") for line in lines] == [True] * 5 + [False]
    assert lines[3].startswith(f"warping error, smoothed: {worse:.3f} of the bundled styles', 0.90 to 1.10")
    assert lines[5].startswith("cuts: 1 missed or false")
    assert objective_line({"starry": worse, "wave": worse}).startswith(f"objective: {worse:.3f}")
