"""``python -m export.benchmark``: model files reach what the runs do that they were made of."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from export.benchmark import cli
from tests.support.upscalers import random_lpips, small_benchmarks, upscaler_file, upscaler_run
from training.cli import cli as training


def test_a_file_reaches_what_its_run_does(tmp_path: Path, photos: Path) -> None:
    file = upscaler_file(tmp_path / "fresh-x2" / "float32.onnx", scale=2)
    run = upscaler_run(tmp_path / "runs" / "fresh-x2", "swift-sr", 2, photos)
    bench, lpips = small_benchmarks(tmp_path / "bench"), random_lpips(tmp_path / "lpips.safetensors")
    with_what = ["--bench", str(bench), "--lpips", str(lpips), "--json"]
    done = CliRunner().invoke(cli, [str(file), *with_what, str(tmp_path / "file.json")])
    assert done.exit_code == 0, done.output
    evaluated = CliRunner().invoke(
        training, ["evaluate", "sr", str(run), *with_what, str(tmp_path / "run.json")]
    )
    assert evaluated.exit_code == 0, evaluated.output
    ours = json.loads((tmp_path / "file.json").read_text())
    theirs = json.loads((tmp_path / "run.json").read_text())["scores"]
    assert ours["bicubic-x2"] == theirs["bicubic-x2"]
    for name, scores in theirs["fresh-x2"].items():
        # A byte that was halfway between two may be rounded to the other.
        assert ours["fresh-x2 float32"][name] == pytest.approx(scores, rel=1e-3)
    assert "| fresh-x2 float32 |" in done.stdout


def test_a_style_is_refused(tmp_path: Path, identity: str) -> None:
    bench, lpips = small_benchmarks(tmp_path / "bench"), random_lpips(tmp_path / "lpips.safetensors")
    done = CliRunner().invoke(cli, [identity, "--bench", str(bench), "--lpips", str(lpips)])
    assert done.exit_code == 2 and "made for style, not for upscale" in done.output
