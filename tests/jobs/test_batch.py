"""A folder at a time: what is done stays done, and what is broken costs only itself."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import pytest

from tests.support.clips import make_clip
from tests.support.commands import SAMPLES, assert_one_clear_error
from tests.support.commands import vidgan as run
from vidgan.errors import InputError
from vidgan.jobs.batch import Batch, Outcome, run_batch
from vidgan.jobs.batch_inputs import BatchInputs, SettledInputs
from vidgan.jobs.plan import Step
from vidgan.jobs.runner import LocalBackend, run_job
from vidgan.jobs.settings import JobSettings
from vidgan.tasks import load_models
from vidgan.tasks.style import StyleSettings


def start(*arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "vidgan", "batch", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def lines_until(process: subprocess.Popen[str], word: str, count: int) -> list[str]:
    assert process.stderr is not None
    lines: list[str] = []
    while sum(word in line for line in lines) < count:
        line = process.stderr.readline()
        assert line, lines
        lines.append(line)
    return lines


def stylizing(style: str) -> dict[str, Any]:
    """The parts of a :class:`Batch` that stylize."""
    settings = StyleSettings(style=style)
    models = load_models(settings)

    def process(request: Any, **options: Any) -> Any:
        return run_job(request, lambda: LocalBackend(request), **options)

    return {"steps": [Step(settings, models)], "models": models.specs, "process": process}


def outputs(folder: Path) -> list[str]:
    return sorted(
        each.relative_to(folder).as_posix()
        for each in folder.rglob("*")
        if each.is_file() and not each.name.startswith(".") and each.suffix != ".c2pa"
    )


def frames_of(path: Path) -> int:
    with av.open(str(path)) as container:
        return len(list(container.decode(video=0)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two clips, an image in a folder of its own, and a file that is none of vidgan's business."""
    inputs = tmp_path / "in"
    (inputs / "more").mkdir(parents=True)
    make_clip(inputs / "a.mp4")
    make_clip(inputs / "b.avi", codec="mpeg4")
    (inputs / "more" / "c.jpg").write_bytes((SAMPLES / "bunny.jpg").read_bytes())
    (inputs / "notes.txt").write_text("not a video")
    return inputs


def test_a_night_with_broken_clips_and_an_interruption(tmp_path: Path, identity: str) -> None:
    inputs, out, report = tmp_path / "clips", tmp_path / "done", tmp_path / "report.json"
    inputs.mkdir()
    whole = make_clip(tmp_path / "whole.mp4", size=(320, 180), times=range(60)).read_bytes()
    for index in range(17):
        (inputs / f"{index:02}.mp4").write_bytes(whole)
    (inputs / "broken-empty.mp4").write_bytes(b"")
    (inputs / "broken-header.mp4").write_bytes(b"\0" * 64 + whole[64:200])
    (inputs / "broken-text.mp4").write_text("an error page of some server")
    arguments = (inputs, "-o", out, "--style", identity, "--workers", 2, "--report", report)

    first = start(*arguments)
    lines_until(first, "frames,", 4)
    first.send_signal(signal.SIGINT)
    stderr = first.communicate(timeout=60)[1]
    assert first.returncode == 130 and "Traceback" not in stderr
    assert "no output was left" not in stderr and "files done; the same command continues" in stderr
    done_first = {
        each["output"] for each in json.loads(report.read_text())["files"] if each["status"] == "done"
    }
    assert 4 <= len(done_first) < 17
    assert {str(out / name) for name in outputs(out)} == done_first

    second = run("batch", *arguments)
    assert second.returncode == 1 and "Traceback" not in second.stderr
    outcomes = json.loads(report.read_text())["files"]
    skipped = {each["output"] for each in outcomes if each["status"] == "skipped"}
    assert skipped == done_first
    assert len([each for each in outcomes if each["status"] == "done"]) == 17 - len(done_first)
    assert outputs(out) == [f"{index:02}.identity.mp4" for index in range(17)]
    assert {frames_of(out / name) for name in outputs(out)} == {60}
    failed = {Path(each["input"]).name: each["error"] for each in outcomes if each["status"] == "failed"}
    assert set(failed) == {"broken-empty.mp4", "broken-header.mp4", "broken-text.mp4"}
    for name, error in failed.items():
        assert name in error and error in second.stdout

    third = run("batch", *arguments)
    assert third.returncode == 1
    assert [each["status"] for each in json.loads(report.read_text())["files"]].count("skipped") == 17


def test_the_tree_is_mirrored(tmp_path: Path, folder: Path, identity: str) -> None:
    out = tmp_path / "out"
    done = run("batch", folder, "-o", out, "--style", identity, "--recursive")
    assert done.returncode == 0, done.stderr
    assert outputs(out) == ["a.identity.mp4", "b.identity.mkv", "more/c.identity.jpg"]
    assert "[3/3]" in done.stderr and "done" in done.stdout


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({}, ["a.mp4", "b.avi"]),
        ({"recursive": True, "include": ["*.jpg", "a*"]}, ["a.mp4", "more/c.jpg"]),
        ({"recursive": True, "exclude": ["more/*", "b.avi"]}, ["a.mp4"]),
    ],
)
def test_which_files_count(
    tmp_path: Path,
    folder: Path,
    identity: str,
    options: dict[str, object],
    names: list[str],
) -> None:
    batch = Batch(inputs=BatchInputs(places=[folder], out=tmp_path / "out", **options), **stylizing(identity))  # type: ignore[arg-type]
    assert [path.relative_to(folder).as_posix() for path in batch.inputs.find()] == names


def test_what_would_come_out_differently_is_done_again(
    tmp_path: Path,
    folder: Path,
    identity: str,
) -> None:
    out = tmp_path / "out"
    batch = Batch(inputs=BatchInputs(places=[folder], out=out), **stylizing(identity))

    def statuses(batch: Batch) -> list[str]:
        return [each.status for each in run_batch(batch, batch.inputs.find())]

    assert statuses(batch) == ["done", "done"]
    assert statuses(batch) == ["skipped", "skipped"]
    make_clip(folder / "a.mp4", times=range(7))
    assert statuses(batch) == ["done", "skipped"]
    assert frames_of(out / "a.identity.mp4") == 7
    (out / "a.identity.mp4").unlink()
    assert statuses(batch) == ["done", "skipped"]
    stronger = Batch(
        inputs=BatchInputs(places=[folder], out=out), **stylizing(identity), settings=JobSettings(size="32")
    )
    assert statuses(stronger) == ["failed", "failed"]
    assert frames_of(out / "a.identity.mp4") == 7
    forced = replace(stronger, overwrite=True)
    assert statuses(forced) == ["done", "done"]
    assert statuses(stronger) == ["skipped", "skipped"]


def test_what_no_batch_made_is_not_replaced(tmp_path: Path, folder: Path, identity: str) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "a.identity.mp4").write_text("mine")
    arguments = ("batch", folder, "-o", out, "--style", identity)
    done = run(*arguments)
    assert done.returncode == 1 and "a.identity.mp4" in done.stdout and "exists" in done.stdout
    assert (out / "a.identity.mp4").read_text() == "mine" and (out / "b.identity.mkv").exists()
    assert run(*arguments, "--force").returncode == 0
    assert frames_of(out / "a.identity.mp4") == 20


def test_outputs_among_the_inputs(tmp_path: Path, folder: Path, identity: str) -> None:
    batch = Batch(
        inputs=BatchInputs(places=[folder], out=folder / "done", recursive=True), **stylizing(identity)
    )
    before = batch.inputs.find()
    assert len(run_batch(batch, before)) == 3
    assert batch.inputs.find() == before
    with pytest.raises(InputError, match="folder of the inputs"):
        run_batch(Batch(inputs=BatchInputs(places=[folder], out=folder), **stylizing(identity)), before)


def test_files_that_arrive_are_taken_when_they_are_complete(tmp_path: Path, identity: str) -> None:
    inputs, out = tmp_path / "in", tmp_path / "out"
    inputs.mkdir()
    clip = make_clip(tmp_path / "clip.mkv").read_bytes()
    watching = start(inputs, "-o", out, "--style", identity, "--watch")
    growing = inputs / "growing.mkv"
    with growing.open("wb") as file:  # A copy over a slow network: a piece, a pause, a piece.
        for piece in range(5):
            file.write(clip[piece * len(clip) // 5 : (piece + 1) * len(clip) // 5])
            file.flush()
            os.fsync(file.fileno())
            os.utime(growing, (1e9, 1e9))  # Of the file that is copied, as some programs set it.
            time.sleep(0.8)
    lines = lines_until(watching, "growing.identity.mkv", 1)
    assert "20 frames" in lines[-1], lines
    (inputs / "late.mkv").write_bytes(clip)
    lines_until(watching, "late.identity.mkv", 1)
    watching.send_signal(signal.SIGINT)
    _, stderr = watching.communicate(timeout=60)
    assert watching.returncode == 130 and "Traceback" not in stderr
    assert "interrupted" not in stderr and "no longer watching; 2 files done" in stderr
    assert f"watching {inputs}" in lines[0]
    assert outputs(out) == ["growing.identity.mkv", "late.identity.mkv"]


def test_a_file_is_settled_when_it_has_not_changed_for_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr("vidgan.jobs.batch_inputs.time.monotonic", lambda: now[0])
    inputs = SettledInputs(BatchInputs(places=[tmp_path], out=tmp_path / "out"), 3.0)

    def names(seconds: float) -> list[str]:
        now[0] += seconds
        return [path.name for path, _ in inputs.find()]

    (tmp_path / "a.mkv").write_bytes(b"half")
    assert names(0) == names(2.9) == []
    (tmp_path / "a.mkv").write_bytes(b"half and half")
    (tmp_path / "b.mkv").write_bytes(b"whole")
    os.utime(tmp_path / "b.mkv", (1e9, 1e9))
    assert names(0.2) == names(2.9) == []
    assert names(0.1) == ["a.mkv", "b.mkv"]


def test_a_failure_is_dropped_once_the_file_came_right(tmp_path: Path, identity: str) -> None:
    inputs, out, report = tmp_path / "in", tmp_path / "out", tmp_path / "report.json"
    inputs.mkdir()
    (inputs / "a.mkv").write_bytes(b"half of a file")
    watching = start(inputs, "-o", out, "--style", identity, "--watch", "--report", report)
    lines_until(watching, "failed", 1)
    make_clip(inputs / "a.mkv")
    assert "20 frames" in lines_until(watching, "a.identity.mkv", 1)[-1]
    watching.send_signal(signal.SIGINT)
    stdout, _ = watching.communicate(timeout=60)
    assert "done         1 file" in stdout and "failed" not in stdout
    assert json.loads(report.read_text())["totals"]["failed"] == 0


def test_an_interrupted_batch_counts_what_ended_meanwhile(tmp_path: Path, identity: str) -> None:
    """Ctrl-C while a file is put into its place: it is done, and said to be."""
    (tmp_path / "in").mkdir()
    for name in ("a.mp4", "b.mp4", "c.mp4"):
        make_clip(tmp_path / "in" / name)
    batch = Batch(inputs=BatchInputs(places=[tmp_path / "in"], out=tmp_path / "out"), **stylizing(identity))
    finishing = threading.Event()

    def process(request: Any, **options: Any) -> Any:
        result = batch.process(request, **options)
        if request.input.path.name == "b.mp4":
            finishing.set()
            time.sleep(1)
        return result

    said: list[str] = []

    def outcome_of(outcome: Outcome) -> None:
        said.append(Path(outcome.input).name)
        finishing.wait()
        if len(said) == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_batch(replace(batch, process=process), batch.inputs.find(), on_outcome=outcome_of)
    assert said == ["a.mp4", "b.mp4"] and outputs(tmp_path / "out") == ["a.identity.mp4", "b.identity.mp4"]


def test_quiet_prints_failures_alone(tmp_path: Path, folder: Path, identity: str) -> None:
    (folder / "broken.mp4").write_bytes(b"no video")
    done = run("batch", folder, "-o", tmp_path / "out", "-s", identity, "-q")
    assert done.returncode == 1 and done.stdout == ""
    assert "broken.mp4: failed" in done.stderr and len(done.stderr.splitlines()) == 1
    again = run("batch", folder, "-o", tmp_path / "out", "-s", identity, "-q", "--include", "a.mp4")
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")


def test_one_of_a_kind_is_no_plural(tmp_path: Path, identity: str) -> None:
    make_clip(tmp_path / "a.mp4", times=range(1))
    done = run("batch", tmp_path / "a.mp4", "-o", tmp_path / "out", "-s", identity)
    assert "1 frame," in done.stderr and done.stdout.split() == ["done", "1", "file", "1", "frame"]


def test_bad_arguments(tmp_path: Path, identity: str) -> None:
    assert_one_clear_error(
        run("batch", tmp_path / "none", "-o", tmp_path / "o", "-s", identity), "no such file or folder"
    )
    empty = tmp_path / "empty"
    empty.mkdir()
    assert_one_clear_error(run("batch", empty, "-o", tmp_path / "o", "-s", identity), "no videos")
    assert run("batch", empty, "-s", identity).returncode == 2


def test_another_style_into_the_same_folder_replaces_nothing(tmp_path: Path, folder: Path) -> None:
    out = tmp_path / "out"
    for style in ("starry", "wave"):
        assert run("batch", folder, "-o", out, "-s", style, "--include", "a.mp4").returncode == 0
    assert outputs(out) == ["a.starry.mp4", "a.wave.mp4"]
    named = ("batch", folder, "-o", out, "--include", "a.mp4", "--name", "{stem}{ext}")
    assert run(*named, "-s", "starry").returncode == 0
    before = (out / "a.mp4").read_bytes()
    done = run(*named, "-s", "wave")
    assert done.returncode == 1 and "made with other settings" in done.stdout
    assert (out / "a.mp4").read_bytes() == before
    assert run(*named, "-s", "wave", "--force").returncode == 0
    assert (out / "a.mp4").read_bytes() != before


def test_two_inputs_of_one_name_are_refused_before_work(tmp_path: Path, identity: str) -> None:
    inputs, out = tmp_path / "in", tmp_path / "out"
    inputs.mkdir()
    make_clip(inputs / "a.mov")
    make_clip(inputs / "a.mkv")
    assert run("batch", inputs, "-o", out, "-s", identity).returncode == 0
    (inputs / "a.avi").write_bytes((inputs / "a.mkv").read_bytes())
    done = run("batch", inputs, "-o", out / "2", "-s", identity)
    assert_one_clear_error(done, "a.avi", "a.mkv", "both become")
    assert not outputs(out / "2")


def test_options_of_other_tasks_are_refused(tmp_path: Path, folder: Path) -> None:
    done = run("batch", folder, "-o", tmp_path / "out", "-s", "starry", "--height", "720")
    assert done.returncode == 2 and "--height" in done.stderr and "stylize" in done.stderr
    done = run("batch", folder, "-o", tmp_path / "out")
    assert done.returncode == 2 and "--style" in done.stderr
    done = run("batch", folder, "-o", tmp_path / "out", "-s", "starry", "--model", "swift")
    assert done.returncode == 2 and "one of them" in done.stderr


def test_a_chain_over_a_folder(tmp_path: Path, folder: Path, identity: str) -> None:
    out = tmp_path / "out"
    arguments = (
        "batch",
        folder,
        "-o",
        out,
        "--step",
        f"stylize:style={identity}",
        "--step",
        "upscale:scale=2",
    )
    assert run(*arguments).returncode == 0
    assert outputs(out) == ["a.identity.swift.mp4", "b.identity.swift.mkv"]
    assert "2 files" in run(*arguments).stdout


def test_files_folders_and_patterns_in_natural_order(tmp_path: Path, folder: Path, identity: str) -> None:
    for number in (1, 2, 10):
        (folder / f"clip{number}.jpg").write_bytes((SAMPLES / "bunny.jpg").read_bytes())
    inputs = BatchInputs(places=[folder / "*.jpg", folder / "more", folder / "a.mp4"], out=tmp_path / "out")
    names = [path.name for path in inputs.find()]
    assert names == ["a.mp4", "clip1.jpg", "clip2.jpg", "clip10.jpg", "c.jpg"]
    done = run(
        "batch", folder / "more" / "c.jpg", folder / "clip*.jpg", "-o", tmp_path / "out", "-s", identity
    )
    assert done.returncode == 0, done.stderr
    assert len(outputs(tmp_path / "out")) == 4
    done = run("batch", folder, "-o", tmp_path / "out2", "-s", identity, "--include", "a.mp4")
    assert "more: is a folder; --recursive takes it too" in done.stderr
    (folder / "more").rename(folder / "deep")
    (folder / "more").mkdir()
    (folder / "deep").rename(folder / "more" / "deep")
    done = run("batch", folder, "-o", tmp_path / "out2", "-s", identity, "--include", "c.jpg")
    assert "more: is a folder; --recursive takes it too" in done.stderr


def test_a_dry_run_estimates_and_makes_nothing(tmp_path: Path, folder: Path, identity: str) -> None:
    (folder / "broken.mp4").write_bytes(b"no video")
    done = run("batch", folder, "-o", tmp_path / "out", "-s", identity, "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "a.identity.mp4: 20 frames, about 0:00:0" in done.stdout and "MB" in done.stdout
    assert "broken.mp4" in done.stdout and "2 files" in done.stdout and "1 will fail" in done.stdout
    assert not (tmp_path / "out").exists()
    run("batch", folder / "a.mp4", "-o", tmp_path / "out", "-s", identity)
    (tmp_path / "out" / "b.identity.mkv").write_text("mine")
    done = run("batch", folder, "-o", tmp_path / "out", "-s", identity, "--dry-run")
    assert "a.identity.mp4: done already" in done.stdout and "b.identity.mkv: exists already" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("0 files") and "2 will fail; 1 done already" in done.stdout


def test_the_report_has_settings_and_totals(tmp_path: Path, folder: Path, identity: str) -> None:
    (folder / "broken.mp4").write_bytes(b"no video")
    report = tmp_path / "report.json"
    run("batch", folder, "-o", tmp_path / "out", "-s", identity, "--report", report, "--size", "32")
    found = json.loads(report.read_text())
    assert found["totals"] == found["totals"] | {"done": 2, "skipped": 0, "failed": 1, "frames": 40}
    assert found["settings"]["size"] == "32" and found["steps"][0]["task"] == "style"
