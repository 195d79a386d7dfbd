"""Work that was killed is continued, and nobody can tell from the result."""

import contextlib
import io
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.support.commands import assert_one_clear_error
from tests.support.commands import vidgan as run
from tests.support.timestamps import seconds
from vidgan.media.encoding import Encoder, add_video, format_of
from vidgan.media.frame import Frame, VideoInfo
from vidgan.media.image import RgbImage
from vidgan.segments.journal import clear_away, remove
from vidgan.segments.store import SEGMENT_FRAMES

FRAMES = 3 * SEGMENT_FRAMES + 40
COMPLETE = '{"complete": true}'


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four segments of noise that drifts over a slope, with a variable frame rate."""
    path = tmp_path_factory.mktemp("clip") / "long.mp4"
    noise = np.random.default_rng(0).normal(0, 20, (96, 600, 3))
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"preset": "veryfast", "crf": "18"})
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        stream.codec_context.time_base = stream.time_base = Fraction(1, 90000)
        for index in range(FRAMES):
            left = index % 400
            grain = np.random.default_rng(index).normal(0, 4, (96, 128, 3))
            pixels = np.clip(128 + noise[:, left : left + 128] + grain, 0, 255).astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(pixels, "rgb24")
            frame.pts, frame.time_base = 3000 * index + 700 * (index % 3), Fraction(1, 90000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def whole(clip: Path, identity: str) -> Path:
    """What comes out when nothing happens."""
    path = clip.with_name("whole.mp4")
    done = run("stylize", clip, "-o", path, "--style", identity)
    assert done.returncode == 0, done.stderr
    return path


def decoded(path: Path) -> list[tuple[int | None, bytes]]:
    with av.open(str(path)) as container:
        return [(frame.pts, frame.to_ndarray().tobytes()) for frame in container.decode(video=0)]


def start(clip: Path, output: Path, style: str, *options: str) -> subprocess.Popen[str]:
    arguments = ["stylize", str(clip), "-o", str(output), "--style", str(style), "-q", *options]
    return subprocess.Popen(
        [sys.executable, "-m", "vidgan", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def segments_in(output: Path) -> int:
    journal = output.with_name(f".{output.name}.vidgan") / "journal.jsonl"
    return len(journal.read_text().splitlines()) - 1 if journal.exists() else 0


def kill_after(clip: Path, output: Path, style: str, segments: int) -> None:
    """Kills a run as soon as so many segments are in its journal."""
    process = start(clip, output, style)
    while segments_in(output) < segments:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.kill()
    process.communicate()
    assert not output.exists()


def test_the_video_in_segments_has_every_frame_at_its_time(clip: Path, whole: Path) -> None:
    with av.open(str(clip)) as before, av.open(str(whole)) as after:
        times = [
            [seconds(frame.pts, frame.time_base) for frame in each.decode(video=0)]
            for each in (before, after)
        ]
        assert len(times[0]) == FRAMES and times[0] == times[1]
        # How long the last frame of a video with a variable rate lasts, mp4 does not say exactly.
        durations = [each.streams.video[0].duration for each in (before, after)]
        assert durations[0] is not None and durations[1] is not None
        assert abs(durations[0] - durations[1]) < 3000
    with av.open(str(whole)) as container:
        packets = [(packet.dts, packet.pts) for packet in container.demux(video=0) if packet.size]
    assert all(dts is not None and pts is not None and dts <= pts for dts, pts in packets)
    decoding = [dts for dts, _ in packets if dts is not None]
    assert decoding == sorted(set(decoding))


@pytest.mark.parametrize("segments", [1, 3])
def test_killed_and_continued_is_what_it_would_have_been(
    clip: Path, whole: Path, identity: str, tmp_path: Path, segments: int
) -> None:
    output = tmp_path / "out.mp4"
    kill_after(clip, output, identity, segments)
    done = run("stylize", clip, "-o", output, "--style", identity, "--json")
    assert done.returncode == 0, done.stderr
    resumed = json.loads(done.stdout)["resumed_frames"]
    assert resumed >= segments * SEGMENT_FRAMES and f"after frame {resumed}" in done.stderr
    assert decoded(output) == decoded(whole)
    assert list(tmp_path.iterdir()) == [output]


def test_killed_when_the_video_was_in_its_place_already(
    clip: Path, whole: Path, identity: str, tmp_path: Path
) -> None:
    """Between giving the video its name and clearing away, which nothing but the journal tells apart."""
    output, folder = tmp_path / "out.mp4", tmp_path / ".out.mp4.vidgan"
    kill_after(clip, output, identity, 1)
    shutil.copy(whole, output)
    journal = folder / "journal.jsonl"
    for last, whole_video, stays in (("", False, True), (COMPLETE, True, True), (COMPLETE, False, False)):
        lines = [line for line in journal.read_text().splitlines() if line != COMPLETE]
        journal.write_text("\n".join([*lines, last]).rstrip() + "\n")
        (folder / "joined.mp4").unlink(missing_ok=True)
        if whole_video:
            (folder / "joined.mp4").touch()
        state = json.loads(run("jobs", "list", tmp_path, "--json").stdout)[0]["state"]
        assert (state == "complete") is not stays
        done = run("stylize", clip, "-o", output, "--style", identity)
        assert_one_clear_error(done, "exists already")
        assert folder.exists() is stays
    assert decoded(output) == decoded(whole)


def test_killed_again_and_again_at_any_moment(clip: Path, whole: Path, identity: str, tmp_path: Path) -> None:
    moments = random.Random(1)
    output = tmp_path / "out.mp4"
    for _ in range(5):
        process = start(clip, output, identity)
        time.sleep(moments.uniform(0.2, 2.5))
        process.kill()
        process.communicate()
        if output.exists():
            break
    else:
        assert run("stylize", clip, "-o", output, "--style", identity).returncode == 0
    assert decoded(output) == decoded(whole)


def test_interrupting_says_how_to_go_on(clip: Path, identity: str, tmp_path: Path) -> None:
    output = tmp_path / "out.mp4"
    process = start(clip, output, identity)
    while segments_in(output) < 1:
        time.sleep(0.01)
    process.terminate()
    errors = process.communicate(timeout=60)[1]
    assert process.returncode == 130 and "goes on from there" in errors and "Traceback" not in errors
    assert not output.exists() and segments_in(output) >= 1


def test_other_settings_never_mix_with_old_parts(clip: Path, identity: str, tmp_path: Path) -> None:
    output, plain = tmp_path / "out.mp4", tmp_path / "plain.mp4"
    kill_after(clip, output, identity, 2)
    done = run("stylize", clip, "-o", output, "--style", identity, "--smooth", "off", "--json")
    assert done.returncode == 0 and json.loads(done.stdout)["resumed_frames"] == 0
    assert "begun anew" in done.stderr
    assert run("stylize", clip, "-o", plain, "--style", identity, "--smooth", "off").returncode == 0
    assert decoded(output) == decoded(plain)


def test_another_input_never_mixes_with_old_parts(clip: Path, identity: str, tmp_path: Path) -> None:
    output, mine = tmp_path / "out.mp4", tmp_path / "in.mp4"
    shutil.copy(clip, mine)
    kill_after(mine, output, identity, 1)
    mine.touch()
    done = run("stylize", mine, "-o", output, "--style", identity, "--json")
    assert done.returncode == 0 and json.loads(done.stdout)["resumed_frames"] == 0


@pytest.mark.parametrize("damaged", ["00001.nut", "00001.npz", "journal.jsonl"])
def test_damaged_parts_are_made_again(
    clip: Path, whole: Path, identity: str, tmp_path: Path, damaged: str
) -> None:
    output = tmp_path / "out.mp4"
    kill_after(clip, output, identity, 2)
    path = output.with_name(f".{output.name}.vidgan") / damaged
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 3 // 4])
    done = run("stylize", clip, "-o", output, "--style", identity, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["resumed_frames"] <= SEGMENT_FRAMES * 2
    assert decoded(output) == decoded(whole)


def test_two_processes_do_not_work_on_one_output(clip: Path, identity: str, tmp_path: Path) -> None:
    output = tmp_path / "out.mp4"
    first = start(clip, output, identity)
    while segments_in(output) < 1:
        time.sleep(0.01)
    # Otherwise it might be done before the second has started.
    first.send_signal(signal.SIGSTOP)
    second = run("stylize", clip, "-o", output, "--style", identity)
    first.send_signal(signal.SIGCONT)
    assert_one_clear_error(second, "another vidgan")
    first.communicate(timeout=120)
    assert first.returncode == 0 and output.exists()


@pytest.mark.parametrize("width", [96, 320, 640])
def test_the_same_frames_are_encoded_alike_each_time(width: int) -> None:
    noise = np.random.default_rng(0).normal(0, 25, (64, width + 120, 3))
    info = VideoInfo(width=width, height=64, time_base=Fraction(1, 25))
    encoding = format_of(Path("out.mp4"), info).encoding
    frames = [
        Frame(
            image=RgbImage(np.clip(128 + noise[:, 2 * index : 2 * index + width], 0, 255).astype(np.uint8)),
            pts=index,
            time_base=info.time_base,
        )
        for index in range(60)
    ]

    def encoded() -> bytes:
        file = io.BytesIO()
        with av.open(file, "w", format="nut") as container:
            stream = add_video(container, encoding, info)
            encoder = Encoder(stream, encoding, info)
            for frame in frames:
                container.mux(encoder.encode(frame))
            container.mux(encoder.flush())
        return file.getvalue()

    assert len({encoded() for _ in range(12)}) == 1


def test_killed_while_clearing_away(
    clip: Path, whole: Path, identity: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After each of the files, up to the last; what is left is known for what it is."""
    output, folder = tmp_path / "out.mp4", tmp_path / ".out.mp4.vidgan"
    kill_after(clip, output, identity, 1)
    shutil.copy(whole, output)
    with (folder / "journal.jsonl").open("a") as journal:
        journal.write(COMPLETE + "\n")
    (folder / "joined.mp4").unlink(missing_ok=True)
    spare = Path(shutil.copytree(folder, tmp_path / "spare"))
    files = len(list(folder.iterdir()))
    assert files >= 2
    for survived in range(files + 1):
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(spare, folder)
        left = iter(range(survived))

        def unlink(self: Path, missing_ok: bool = False) -> None:
            if next(left, None) is None:  # noqa: B023
                raise KeyboardInterrupt
            os.unlink(self)  # noqa: PTH108

        with monkeypatch.context() as patch:
            patch.setattr(Path, "unlink", unlink)
            patch.setattr(shutil, "rmtree", lambda folder, **_: (folder / "journal.jsonl").unlink())
            with contextlib.suppress(KeyboardInterrupt):
                remove(folder)
        clear_away(output)
        assert not folder.exists() and decoded(output) == decoded(whole)


def test_a_link_in_place_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").touch()
    (tmp_path / ".out.mp4.vidgan").symlink_to(elsewhere)
    (tmp_path / "out.mp4").touch()
    remove(tmp_path / ".out.mp4.vidgan")
    clear_away(tmp_path / "out.mp4")
    assert (elsewhere / "precious").exists()
