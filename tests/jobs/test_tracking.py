"""A job as an iterator of its progress, and its cancellation."""

import threading
from pathlib import Path

import pytest

import vidgan
from tests.support.clips import make_clip


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clip") / "in.mp4")


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """More than a segment."""
    return make_clip(tmp_path_factory.mktemp("clip") / "in.mp4", times=range(300), size=(32, 32))


def test_progress_comes_frame_by_frame_and_ends_with_the_result(
    clip: Path, tmp_path: Path, identity: str
) -> None:
    found = list(vidgan.track(clip, tmp_path / "out.mp4", [f"stylize:style={identity}"]))
    assert [(each.stage, each.frames) for each in found[:-1]] == [("process", n) for n in range(1, 21)]
    assert all(each.total == 20 for each in found) and found[9].fraction == 0.5
    last = found[-1]
    assert last.stage == "done" and last.result is not None and last.result.frames == 20
    assert (tmp_path / "out.mp4").exists()


def test_the_loop_makes_what_stylize_makes(tmp_path: Path, identity: str) -> None:
    """The same frames and sound, smoothed likewise; so it costs the same."""
    clip = make_clip(tmp_path / "in.mp4", sound="aac")
    done = list(vidgan.track(clip, tmp_path / "loop.mp4", [f"stylize:style={identity}"], credentials=False))[
        -1
    ]
    result = vidgan.stylize(clip, tmp_path / "call.mp4", style=identity, credentials=False)
    assert (tmp_path / "loop.mp4").read_bytes() == (tmp_path / "call.mp4").read_bytes()
    assert done.result is not None and done.result.busy_seconds.keys() == result.busy_seconds.keys()
    vidgan.stylize(clip, tmp_path / "off.mp4", style=identity, smooth="off", credentials=False)
    assert (tmp_path / "off.mp4").read_bytes() != (tmp_path / "call.mp4").read_bytes()


def test_a_gif_is_encoded_in_a_stage_of_its_own(clip: Path, tmp_path: Path, identity: str) -> None:
    stages = [each.stage for each in vidgan.track(clip, tmp_path / "out.gif", [f"stylize:style={identity}"])]
    assert stages == ["process"] * 20 + ["encode"] * 20 + ["done"]


def test_errors_are_raised_in_the_loop(tmp_path: Path, identity: str) -> None:
    with pytest.raises(vidgan.InputNotFoundError):
        list(vidgan.track(tmp_path / "none.mp4", tmp_path / "out.mp4", [f"stylize:style={identity}"]))
    with pytest.raises(TypeError, match="bogus"):
        list(vidgan.track(tmp_path / "none.mp4", None, ["starry"], bogus=1))  # type: ignore[call-arg]


def test_leaving_the_loop_cancels_and_the_same_job_continues(
    long: Path, tmp_path: Path, identity: str
) -> None:
    steps = [f"stylize:style={identity},smooth=off"]
    before = set(threading.enumerate())
    for progress in vidgan.track(long, tmp_path / "out.mp4", steps):
        if progress.frames == 260:
            break
    left = set(threading.enumerate()) - before
    assert not [each for each in left if each.name.startswith("vidgan")]
    assert not (tmp_path / "out.mp4").exists()
    result = vidgan.run(long, tmp_path / "out.mp4", steps)
    assert (result.frames, result.resumed_frames) == (300, 250)


def test_a_cancelled_job_leaves_no_output(clip: Path, tmp_path: Path, identity: str) -> None:
    cancel = threading.Event()

    def on_frame(count: int) -> None:
        if count == 3:
            cancel.set()

    with pytest.raises(vidgan.CancelledError, match=r"out\.mp4: cancelled"):
        vidgan.stylize(clip, tmp_path / "out.mp4", style=identity, on_frame=on_frame, cancel=cancel)
    assert not (tmp_path / "out.mp4").exists()


def test_a_job_can_be_cancelled_while_it_is_encoded(clip: Path, tmp_path: Path, identity: str) -> None:
    cancel = threading.Event()
    with pytest.raises(vidgan.CancelledError):
        vidgan.stylize(
            clip,
            tmp_path / "out.gif",
            style=identity,
            cancel=cancel,
            on_encode=lambda count, total: cancel.set(),
        )
    assert not (tmp_path / "out.gif").exists()
    assert vidgan.stylize(clip, tmp_path / "out.gif", style=identity).resumed_frames == 20
