"""``vidgan bench``: where the time goes, and whether it adds up."""

import json
import subprocess
import sys
from dataclasses import replace
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import pytest

from tests.support.commands import SAMPLES, assert_one_clear_error, vidgan
from vidgan.jobs.process_usage import run_command
from vidgan.jobs.speed import Speed, Stage, make_clip
from vidgan.sources import open_source

STREET = SAMPLES / "street.mkv"
STAGES = ["decode", "convert in", "model", "smooth", "convert out", "encode"]


def test_every_stage_is_measured_and_the_whole_beside_it(tmp_path: Path) -> None:
    plot = tmp_path / "plot.svg"
    run = vidgan("bench", "--size", "64x48", "--size", "96x64", "--frames", "20", "--json", "--plot", plot)
    assert run.returncode == 0, run.stderr
    small, large = json.loads(run.stdout)
    assert (large["width"], large["height"], large["frames"]) == (96, 64, 30)
    for found in (small, large):
        assert list(found["stages"]) == STAGES
        assert all(stage["cpu"] >= 0 and stage["wall"] > 0 for stage in found["stages"].values())
        assert found["stages"]["model"]["cpu"] > 0
        assert 0 < found["first_frame_seconds"] < 60
        assert 0 < found["generated_share"] <= 1
        assert found["share"] == pytest.approx(found["fps_frames_only"] / found["bound_fps"])
    assert plot.read_text().count("640x360") == 0 and "<svg" in plot.read_text()


def test_an_upscaler_is_measured_likewise() -> None:
    run = vidgan(
        "bench", "--model", "swift", "--size", "64x48", "--frames", "20", "--smooth", "off", "--json"
    )
    assert run.returncode == 0, run.stderr
    (found,) = json.loads(run.stdout)
    assert (found["width"], found["height"], found["frames"]) == (64, 48, 30)
    assert list(found["stages"]) == STAGES and found["stages"]["model"]["cpu"] > 0
    assert found["fps"] > 0 and found["first_frame_seconds"] < 60


@pytest.mark.parametrize("model", ["camvid", "camvid-film", "camvid-segment", "colorize"])
def test_translators_are_measured_likewise(model: str) -> None:
    clip = STREET if model in ("camvid", "camvid-film") else SAMPLES / "bunny.mp4"
    run = vidgan("bench", clip, "--model", model, "--size", "96x64", "--frames", "20", "--json")
    assert run.returncode == 0, run.stderr
    (found,) = json.loads(run.stdout)
    assert (found["width"], found["height"], found["frames"]) == (96, 64, 30)
    assert list(found["stages"]) == STAGES and found["stages"]["model"]["cpu"] > 1
    # As jobs do: label maps have no motion to follow, so their models are not smoothed unless asked.
    assert (found["stages"]["smooth"]["cpu"] < 0.1) == (model != "colorize")


def test_a_painter_of_label_maps_wants_some(tmp_path: Path) -> None:
    for option in ("--model", "--style"):
        run = vidgan("bench", option, "camvid")
        assert run.returncode == 2 and "camvid takes label maps; give a video of them" in run.stderr
    run = vidgan("bench", SAMPLES / "bunny.mp4", "--model", "camvid", "--size", "96x64", "--frames", "20")
    assert_one_clear_error(run, "label map")


def test_the_table_names_stages_bound_and_memory() -> None:
    run = vidgan("bench", "--size", "64x48", "--frames", "20", "--smooth", "off")
    assert run.returncode == 0, run.stderr
    heads = next(line for line in run.stdout.splitlines() if "decode" in line)
    assert [each.strip() for each in heads.split("  ") if each][1:] == STAGES
    for words in (*STAGES, "of the bound", "first frame after", "most memory"):
        assert words in run.stdout


def test_a_bound_is_what_decode_model_and_encode_leave_of_the_cores() -> None:
    stages = dict.fromkeys(STAGES, Stage(wall=1.0, cpu=4.0)) | {"model": Stage(wall=20.0, cpu=12.0)}
    speed = Speed(
        width=64, height=48, frames=30, stages=stages, fps=40.0, fps_frames_only=50.0, cpu_ms=30.0,
        generated_share=1.0, first_frame_seconds=0.5, peak_mb=None, cores=2,
    )  # fmt: skip
    assert speed.bound_fps == 100.0 and speed.share == 0.5
    # A model that ran for a third of the frames sets a higher bound.
    third = replace(speed, generated_share=1 / 3)
    assert third.bound_fps == pytest.approx(2000 / (4 + 4 + 4)) and third.share == pytest.approx(0.3)


def test_a_clip_of_nothing_moves_and_has_detail(tmp_path: Path) -> None:
    path = make_clip(None, tmp_path / "clip.mp4", size="160x90", frames=12)
    with open_source(path) as source:
        frames = [frame.pixels.astype(int) for frame in source]
    assert len(frames) == 12 and frames[0].shape == (90, 160, 3)
    assert all(np.abs(a - b).mean() > 1 for a, b in pairwise(frames))
    # It drifts by two pixels a frame.
    assert np.abs(frames[0][:, 2:] - frames[1][:, :-2]).mean() < np.abs(frames[0] - frames[1]).mean() / 2
    assert frames[0].std() > 15


def test_a_clip_is_repeated_until_there_are_enough_frames(tmp_path: Path) -> None:
    short = make_clip(None, tmp_path / "short.mp4", size="64x48", frames=5)
    long = make_clip(short, tmp_path / "long.mp4", size="64x48", frames=12)
    with open_source(long) as source:
        frames = [frame.pixels.astype(int) for frame in islice(source, 20)]
    assert len(frames) == 12
    assert np.abs(frames[0] - frames[5]).mean() < np.abs(frames[0] - frames[4]).mean()


@pytest.mark.parametrize("size", ["640", "0x0", "641x360", "axb", "99999x16"])
def test_sizes_that_no_video_has_are_refused(size: str) -> None:
    run = vidgan("bench", "--size", size)
    assert run.returncode == 2 and size in run.stderr


def test_a_child_does_not_outlive_who_waited_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []

    def interrupted(process: subprocess.Popen[bytes]) -> None:
        started.append(process)
        raise KeyboardInterrupt

    monkeypatch.setattr("vidgan.jobs.process_usage._waited_for", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_command([sys.executable, "-c", "import time; time.sleep(60)"])
    assert started[0].returncode is not None and started[0].returncode != 0
