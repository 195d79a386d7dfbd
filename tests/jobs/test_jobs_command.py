"""Unfinished videos: listed, gone on with, thrown away; by processes that are really killed."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import av
import numpy as np
import onnx
import pytest

from tests.support.commands import assert_one_clear_error
from tests.support.commands import vidgan as run
from vidgan.jobs.fingerprint import file_fingerprint
from vidgan.jobs.plan import versions
from vidgan.jobs.settings import JobSettings
from vidgan.segments.store import SEGMENT_FRAMES
from vidgan.tasks.style import StyleSettings

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


def images(path: Path) -> list[bytes]:
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
    assert job["expected_frames"] == FRAMES - 25
    assert f"interrupted, {job['frames']} of {FRAMES - 25} frames done, identity" in words
    done = run("jobs", "resume", tmp_path)
    assert done.returncode == 0 and f"{job['frames']} of them from before" in done.stdout, done.stderr
    assert images(tmp_path / "out.mkv") == images(whole)
    assert listed(tmp_path) == [] and "nothing" in run("jobs", "list", tmp_path).stdout


def test_a_run_at_work_is_left_alone(clip: Path, identity: str, tmp_path: Path) -> None:
    process = begin(clip, tmp_path / "out.mp4", identity)
    os.kill(process.pid, 19)  # SIGSTOP: at work, but not done before we have looked.
    try:
        assert [job["state"] for job in listed(tmp_path / "out.mp4")] == ["running"]
        assert "nothing is unfinished" in run("jobs", "clean", "--yes", tmp_path).stdout
        done = run("jobs", "resume", tmp_path)
        assert (done.returncode, done.stdout) == (0, "") and "another vidgan" in done.stderr
    finally:
        os.kill(process.pid, 18)
    process.communicate(timeout=60)
    assert process.returncode == 0 and len(images(tmp_path / "out.mp4")) == FRAMES


def test_what_changed_is_named_and_not_resumed(clip: Path, identity: str, tmp_path: Path) -> None:
    mine = tmp_path / "in.mp4"
    mine.write_bytes(clip.read_bytes())
    kill(begin(mine, tmp_path / "out.mp4", identity))
    with mine.open("ab") as video:
        video.write(b"\0")
    assert [job["state"] for job in listed(tmp_path)] == ["input changed"]
    assert_one_clear_error(run("jobs", "resume", tmp_path), "input changed")
    mine.unlink()
    assert [job["state"] for job in listed(tmp_path)] == ["input gone"]
    assert_one_clear_error(run("jobs", "resume", tmp_path), "input gone")
    assert not (tmp_path / "out.mp4").exists()


def test_a_job_of_another_model_is_not_resumed(clip: Path, identity: str, tmp_path: Path) -> None:
    model = tmp_path / "model.onnx"
    model.write_bytes(Path(identity).read_bytes())
    kill(begin(clip, tmp_path / "out.mp4", str(model)))
    other = onnx.load(model)
    other.producer_name = "another"
    onnx.save(other, model)
    assert [job["state"] for job in listed(tmp_path)] == ["model changed"]
    model.unlink()
    assert [job["state"] for job in listed(tmp_path)] == ["model gone"]
    assert_one_clear_error(run("jobs", "resume", tmp_path / "out.mp4"), "out.mp4", "model gone", "clean")
    assert len(listed(tmp_path)) == 1


def test_what_fails_stops_nothing_else(clip: Path, identity: str, tmp_path: Path) -> None:
    for name in ("a.mp4", "b.mp4", "c.mp4"):
        kill(begin(clip, tmp_path / name, identity))
    (tmp_path / ".a.mp4.vidgan" / "journal.jsonl").write_text("garbage")
    (tmp_path / "b.mp4").write_text("mine")
    done = run("jobs", "resume", tmp_path, tmp_path / "c.mp4")
    assert done.returncode == 1 and done.stderr.count("error:") == 2, done.stderr
    assert "damaged" in done.stderr and "exists" in done.stderr
    assert len(images(tmp_path / "c.mp4")) == FRAMES and (tmp_path / "b.mp4").read_text() == "mine"
    assert run("jobs", "resume", "--force", tmp_path / "b.mp4").returncode == 0
    assert len(images(tmp_path / "b.mp4")) == FRAMES


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


@pytest.mark.parametrize("arguments", [("list",), ("resume",), ("clean", "--yes")], ids=lambda each: each[0])
def test_where_nothing_is_unfinished_is_said(arguments: tuple[str, ...], tmp_path: Path) -> None:
    done = run("jobs", *arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"nothing is unfinished in {tmp_path}\n")
    assert f"unfinished in {tmp_path}\n" in run("jobs", *arguments, tmp_path).stdout


def test_one_of_a_kind_is_no_plural_and_quiet_is_quiet(clip: Path, identity: str, tmp_path: Path) -> None:
    for name in ("a.mp4", "b.mp4"):
        kill(begin(clip, tmp_path / name, identity))
    done = run("jobs", "resume", tmp_path / "a.mp4", "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert len(images(tmp_path / "a.mp4")) == FRAMES
    assert run("jobs", "clean", tmp_path, "--yes").stdout.startswith("1 unfinished output thrown away")


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
    (tmp_path / "in" / "video.mp4").write_bytes(clip.read_bytes())
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
    journal = tmp_path / "out" / ".video.identity.mp4.vidgan" / "journal.jsonl"
    while not journal.exists() or len(journal.read_text().splitlines()) < 2:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    kill(process)
    assert run("jobs", "resume", tmp_path / "out").returncode == 0
    again = run("batch", tmp_path / "in", "-o", tmp_path / "out", "--style", identity)
    assert again.returncode == 0 and "done already" in again.stderr, again.stderr
    other = run("batch", tmp_path / "in", "-o", tmp_path / "out", "--style", identity, "--smooth", "off")
    assert other.returncode == 1 and "made with other settings" in other.stderr, other.stderr


def forged(folder: Path, **changed: object) -> None:
    folder.mkdir()
    facts = {
        "input": "/nowhere.mp4",
        "output": folder.name[1:-7],
        "identity": [1, 1],
        "settings": {},
        "steps": [],
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
    assert states == dict.fromkeys("abcde", "damaged")
    done = run("jobs", "resume", tmp_path)
    assert done.returncode == 1 and done.stderr.count("error:") == 5 and "Traceback" not in done.stderr
    assert run("jobs", "clean", tmp_path, "--yes").returncode == 0
    assert (tmp_path / "real" / "journal.jsonl").read_text() == "precious"


def test_settings_of_a_journal_that_are_not_settings_are_one_clear_error(clip: Path, tmp_path: Path) -> None:
    job, style = JobSettings().as_json(), StyleSettings(style=str(clip)).as_json()
    model = {"generator": {"path": str(clip), "sha256": ""}}
    wrong_jobs: tuple[object, ...] = (
        {},
        [],
        {"trim": 3, "rate": None},
        job | {"strength": 1},
        job | {"size": 3},
        job | {"rate": "1/0"},
        job | {"rate": "1e999999999"},
        job | {"trim": {"start": 0, "end": None, "frames": None}},
    )
    wrong_steps: tuple[object, ...] = (
        [],
        {},
        style | {"strength": "x"},
        style | {"strength": 2},
        style | {"style": None},
    )
    pairs = [*((each, style) for each in wrong_jobs), *((job, each) for each in wrong_steps)]
    for number, (settings, step) in enumerate(pairs):
        forged(
            tmp_path / f".{number}.mp4.vidgan",
            input=str(clip), identity=list(file_fingerprint(clip)), versions=versions(), settings=settings,
            steps=[{"task": "style", "settings": step, "models": model}], device="cpu",
        )  # fmt: skip
    done = run("jobs", "resume", tmp_path)
    assert done.returncode == 1 and done.stderr.count(": damaged; cannot") == len(pairs), done.stderr


@pytest.mark.parametrize(
    "journal",
    [
        "[" * 100_000,
        '{"format": 2, "facts": {"output": ".", "input": 3, "steps": [], "settings": null}}',
        '{"format": 2, "facts": {"output": "x.mp4", "input": "/\\u0000", "steps": 3, "settings": {}}}',
        '{"format": 2, "facts": {}}\n{"times": 5, "end": 0, "reordered": 0, "sha256": "", "state_sha256": null}',
        '{"format": 2, "facts": {}}\n{"times": ["a"], "end": 0, "reordered": {}, "sha256": 1, "state_sha256": 1}',
        '{"format": 2, "facts": {}}\n' + "[" * 100_000,
    ],
)
def test_garbage_is_damaged_and_can_be_thrown_away(tmp_path: Path, journal: str) -> None:
    folder = tmp_path / ".x.mp4.vidgan"
    folder.mkdir()
    (folder / "journal.jsonl").write_text(journal)
    (job,) = listed(tmp_path)
    assert job["state"] == "damaged" and job["frames"] == 0
    assert run("jobs", "clean", "--yes", tmp_path / "x.mp4").returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_looking_changes_nothing(tmp_path: Path) -> None:
    forged(tmp_path / ".a.mp4.vidgan")
    (tmp_path / ".vidgan").mkdir()  # A folder of somebody else's: it has no output's name.
    (tmp_path / ".vidgan" / "lock").write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    assert [job["output"] for job in listed(tmp_path)] == [str(tmp_path / "a.mp4")]
    assert sorted(tmp_path.rglob("*")) == before


def test_cleaning_follows_no_links_and_enters_no_folders(tmp_path: Path) -> None:
    folder, precious = tmp_path / ".a.mp4.vidgan", tmp_path / "precious.txt"
    precious.write_text("mine")
    forged(folder)
    for name in ("whole.mp4", "00000.nut"):
        (folder / name).mkdir()
        (folder / name / "letter.txt").write_text("mine")
    (folder / "00001.nut").symlink_to(precious)
    done = run("jobs", "clean", "--yes", tmp_path)
    assert done.returncode == 0 and "something else" in done.stderr
    assert precious.read_text() == "mine" and (folder / "00001.nut").is_symlink()
    assert sorted(path.parent.name for path in folder.rglob("letter.txt")) == ["00000.nut", "whole.mp4"]

    linked = tmp_path / ".b.mp4.vidgan"
    forged(linked)
    (linked / "lock").symlink_to(precious)
    done = run("jobs", "clean", "--yes", tmp_path / "b.mp4")
    assert_one_clear_error(done, "no folder of vidgan's")
    assert precious.read_text() == "mine" and (linked / "journal.jsonl").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals")
@pytest.mark.parametrize(("answer", "left"), [(b"n\n", 1), (b"y\n", 0)])
def test_cleaning_asks_on_a_terminal(tmp_path: Path, answer: bytes, left: int) -> None:
    import pty

    forged(tmp_path / ".a.mp4.vidgan")
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "vidgan", "jobs", "clean", str(tmp_path)]
    process = subprocess.Popen(
        command, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    os.write(ours, answer)
    printed, errors = process.communicate(timeout=60)
    os.close(ours)
    os.close(theirs)
    assert "Throw away 1 unfinished" in printed + errors
    assert len(list(tmp_path.iterdir())) == left
    assert process.returncode == (130 if left else 0)
