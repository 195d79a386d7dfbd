"""Unfinished films: listed, gone on with, thrown away; by processes that are really killed."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import av
import numpy as np
import pytest
from commands import assert_one_clear_error
from commands import vidgan as run

from vidgan.sinks.parts import SEGMENT_FRAMES

FRAMES = 2 * SEGMENT_FRAMES + 30


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "in.mp4"
    slope = np.linspace(20, 220, 400)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "veryfast"})
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for index in range(FRAMES):
            left = index % 300
            pixels = np.broadcast_to(slope[None, left : left + 64, None], (48, 64, 3)).astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), "rgb24")
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def begin(clip: Path, output: Path, style: str, *options: str) -> subprocess.Popen[str]:
    """A run that has one segment on the disk."""
    arguments = ["stylize", str(clip), "-o", str(output), "--style", style, "-q", *options]
    process = subprocess.Popen(
        [sys.executable, "-m", "vidgan", *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    place = output.parent if "%" in output.name else output
    journal = place.with_name(f".{place.name}.vidgan") / "journal.jsonl"
    while not journal.exists() or len(journal.read_text().splitlines()) < 2:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    return process


def kill(process: "subprocess.Popen[str]") -> None:
    process.kill()
    process.communicate()


def listed(*where: Path | str) -> list[dict[str, object]]:
    done = run("jobs", "list", *where, "--json")
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


def pictures(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray().tobytes() for frame in container.decode(video=0)]


def test_a_killed_run_is_listed_and_resumed_with_its_settings(
    clip: Path, identity: str, tmp_path: Path
) -> None:
    options = ["--strength", "0.5", "--from", "1"]
    whole = tmp_path / "whole.mkv"
    assert run("stylize", clip, "-o", whole, "--style", identity, *options).returncode == 0
    kill(begin(clip, tmp_path / "out.mkv", identity, *options))
    (job,) = listed(tmp_path)
    assert job["state"] == "interrupted" and job["output"] == str(tmp_path / "out.mkv")
    assert job["frames"] in (SEGMENT_FRAMES, 2 * SEGMENT_FRAMES)
    words = run("jobs", "list", tmp_path).stdout
    assert f"interrupted, {job['frames']} frames done, identity" in words
    done = run("jobs", "resume", tmp_path)
    assert done.returncode == 0 and f"{job['frames']} of them from before" in done.stdout, done.stderr
    assert pictures(tmp_path / "out.mkv") == pictures(whole)
    assert listed(tmp_path) == [] and "nothing" in run("jobs", "list", tmp_path).stdout


def test_a_run_at_work_is_left_alone(clip: Path, identity: str, tmp_path: Path) -> None:
    process = begin(clip, tmp_path / "out.mp4", identity)
    os.kill(process.pid, 19)  # SIGSTOP: at work, but not done before we have looked.
    try:
        assert [job["state"] for job in listed(tmp_path / "out.mp4")] == ["at work"]
        assert "0 unfinished" in run("jobs", "clean", "--yes", tmp_path).stdout
        assert run("jobs", "resume", tmp_path).stdout == ""
    finally:
        os.kill(process.pid, 18)
    process.communicate(timeout=60)
    assert process.returncode == 0 and len(pictures(tmp_path / "out.mp4")) == FRAMES


def test_what_changed_is_named_and_not_resumed(clip: Path, identity: str, tmp_path: Path) -> None:
    mine = tmp_path / "in.mp4"
    mine.write_bytes(clip.read_bytes())
    kill(begin(mine, tmp_path / "out.mp4", identity))
    with mine.open("ab") as film:
        film.write(b"\0")
    assert [job["state"] for job in listed(tmp_path)] == ["input changed"]
    assert_one_clear_error(run("jobs", "resume", tmp_path), "input changed")
    mine.unlink()
    assert [job["state"] for job in listed(tmp_path)] == ["input gone"]
    assert_one_clear_error(run("jobs", "resume", tmp_path), "input gone")
    assert not (tmp_path / "out.mp4").exists()


def test_cleaning_removes_what_vidgan_made_and_nothing_else(
    clip: Path, identity: str, tmp_path: Path
) -> None:
    for name in ("a.mp4", "b.mp4"):
        kill(begin(clip, tmp_path / name, identity))
    (tmp_path / ".b.mp4.vidgan" / "letter.txt").write_text("mine")
    asked = run("jobs", "clean", tmp_path)
    assert asked.returncode == 2 and "--yes" in asked.stderr and len(listed(tmp_path)) == 2
    done = run("jobs", "clean", tmp_path, "--yes")
    assert done.returncode == 0 and "2 unfinished outputs thrown away" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == [".b.mp4.vidgan"]
    assert [path.name for path in (tmp_path / ".b.mp4.vidgan").iterdir()] == ["letter.txt"]


def test_a_folder_of_frames_is_resumed_too(clip: Path, identity: str, tmp_path: Path) -> None:
    kill(begin(clip, tmp_path / "frames" / "%04d.png", identity))
    (job,) = listed(tmp_path)
    assert job["output"] == str(tmp_path / "frames" / "%04d.png")
    assert run("jobs", "resume", tmp_path).returncode == 0
    assert len(list((tmp_path / "frames").iterdir())) == FRAMES


def test_a_job_of_a_batch_may_be_resumed_and_the_batch_goes_on(
    clip: Path, identity: str, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "film.mp4").write_bytes(clip.read_bytes())
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "vidgan",
            "batch",
            tmp_path / "in",
            "-o",
            tmp_path / "out",
            "--style",
            identity,
        ],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    journal = tmp_path / "out" / ".film.mp4.vidgan" / "journal.jsonl"
    while not journal.exists() or len(journal.read_text().splitlines()) < 2:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    kill(process)
    assert run("jobs", "resume", tmp_path / "out").returncode == 0
    again = run("batch", tmp_path / "in", "-o", tmp_path / "out", "--style", identity)
    assert again.returncode == 0 and "failed" not in again.stderr, again.stderr


def forged(folder: Path, **changed: object) -> None:
    folder.mkdir()
    facts = {
        "input": "/nowhere.mp4",
        "output": folder.name[1:-7],
        "identity": [1, 1],
        "settings": {},
    } | changed
    (folder / "journal.jsonl").write_text(json.dumps({"facts": facts}) + "\n")


def test_forged_journals_reach_nothing(tmp_path: Path) -> None:
    forged(tmp_path / ".a.mp4.vidgan", output="../../etc/a.mp4")
    forged(tmp_path / ".b.mp4.vidgan", output="/tmp/b.mp4")
    forged(tmp_path / ".c.mp4.vidgan", input="http://localhost:1/c.mp4")
    forged(tmp_path / ".d.mp4.vidgan", output="other.mp4")
    (tmp_path / ".e.mp4.vidgan").mkdir()
    (tmp_path / ".e.mp4.vidgan" / "journal.jsonl").write_bytes(b"\xff\x00garbage\n[1,2\n")
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "journal.jsonl").write_text("precious")
    (tmp_path / ".f.mp4.vidgan").symlink_to(tmp_path / "real")
    states = {Path(str(job["folder"])).name[1]: job["state"] for job in listed(tmp_path)}
    assert states == {"a": "damaged", "b": "damaged", "c": "input gone", "d": "damaged", "e": "damaged"}
    done = run("jobs", "resume", tmp_path)
    assert done.returncode == 1 and done.stderr.count("error:") == 5 and "Traceback" not in done.stderr
    assert run("jobs", "clean", tmp_path, "--yes").returncode == 0
    assert (tmp_path / "real" / "journal.jsonl").read_text() == "precious"


def test_settings_of_a_journal_that_are_not_settings_are_one_clear_error(clip: Path, tmp_path: Path) -> None:
    from vidgan.identity import identity as identity_of
    from vidgan.job import versions

    for number, settings in enumerate(({}, [], {"trim": 3, "rate": None}, {"strength": "x"})):
        forged(
            tmp_path / f".{number}.mp4.vidgan",
            input=str(clip), identity=list(identity_of(clip)), versions=versions(), settings=settings,
            style="starry", device="cpu",
        )  # fmt: skip
        assert_one_clear_error(run("jobs", "resume", tmp_path / f"{number}.mp4"), "damaged")
