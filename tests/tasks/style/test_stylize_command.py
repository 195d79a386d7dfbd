"""``vidgan stylize`` as a user runs it: a real process on a real clip, and what comes out of it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import numpy as np
import pytest

from tests.support.commands import SAMPLES, vidgan
from tests.support.timestamps import seconds

SAMPLE = SAMPLES / "bunny.mp4"


def video_times(path: Path) -> list[tuple[object, object]]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return [
            (seconds(f.pts, stream.time_base), seconds(f.duration, stream.time_base))
            for f in container.decode(stream)
        ]


def sound_packets(path: Path) -> list[tuple[object, bytes]]:
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        return [
            (seconds(p.pts, stream.time_base), bytes(p)) for p in container.demux(stream) if p.dts is not None
        ]


@pytest.fixture(scope="module")
def stylized(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, object], str]:
    output = tmp_path_factory.mktemp("out") / "out.mp4"
    done = vidgan("stylize", SAMPLE, "-o", output, "--style", "starry", "--size", "90", "--json")
    assert done.returncode == 0, done.stderr
    return output, json.loads(done.stdout), done.stderr


def test_every_frame_keeps_its_time_and_duration(stylized: tuple[Path, dict[str, object], str]) -> None:
    assert video_times(stylized[0]) == video_times(SAMPLE)


def test_sound_is_copied_bit_by_bit_and_in_step(stylized: tuple[Path, dict[str, object], str]) -> None:
    assert sound_packets(stylized[0]) == sound_packets(SAMPLE)


def test_result_says_what_was_done(stylized: tuple[Path, dict[str, object], str]) -> None:
    result = stylized[1]
    assert (result["frames"], result["width"], result["height"]) == (132, 160, 90)
    assert (result["model"], result["device"]) in {("starry", "cpu"), ("starry", "cuda")}


def test_the_image_is_repainted_not_copied_and_not_blank(
    stylized: tuple[Path, dict[str, object], str],
) -> None:
    with av.open(str(stylized[0])) as output, av.open(str(SAMPLE)) as source:
        shown = next(output.decode(video=0)).to_ndarray(format="rgb24").astype(float)
        original = next(source.decode(video=0)).to_ndarray(format="rgb24", width=160, height=90)
    assert shown.std() > 20
    assert np.abs(shown - original).mean() > 15
    # The content is still there: light stays light.
    assert np.corrcoef(shown.mean(2).ravel(), original.mean(2).ravel())[0, 1] > 0.5


def _not_a_video(folder: Path) -> Path:
    path = folder / "notes.mp4"
    path.write_text("these are notes\n" * 100)
    return path


def _empty(folder: Path) -> Path:
    path = folder / "empty.mp4"
    path.touch()
    return path


def _truncated(folder: Path) -> Path:
    path = folder / "cut.mp4"
    path.write_bytes(SAMPLE.read_bytes()[:300_000])
    return path


def _sound_only(folder: Path) -> Path:
    path = folder / "sound.m4a"
    with av.open(str(SAMPLE)) as source, av.open(str(path), "w", format="mp4") as target:
        stream = target.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(audio=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    return path


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda folder: folder / "missing.mp4", "no such file"),
        (_empty, "is empty"),
        (_not_a_video, "not a video"),
        (_truncated, "cut off"),
        (_sound_only, "no video"),
    ],
)
def test_unusable_input_gets_one_clear_line(tmp_path: Path, make: object, words: str) -> None:
    source = make(tmp_path)  # type: ignore[operator]
    before = set(tmp_path.iterdir())
    done = vidgan("stylize", source, "--style", "starry", "--size", "64")
    errors = [line for line in done.stderr.splitlines() if line.startswith("error:")]
    assert done.returncode == 1
    assert len(errors) == 1 and words in errors[0] and source.name in errors[0]
    assert "Traceback" not in done.stderr
    assert set(tmp_path.iterdir()) == before


def test_unknown_style_names_the_nearest(tmp_path: Path) -> None:
    done = vidgan("stylize", SAMPLE, "-o", tmp_path / "out.mp4", "--style", "stary")
    assert done.returncode == 1
    assert "did you mean 'starry'" in done.stderr
    assert not list(tmp_path.iterdir())


def test_an_existing_output_is_kept(tmp_path: Path) -> None:
    output = tmp_path / "out.mp4"
    output.write_text("precious")
    done = vidgan("stylize", SAMPLE, "-o", output, "--style", "starry")
    assert done.returncode == 1
    assert "exists already" in done.stderr
    assert output.read_text() == "precious"


def test_wrong_usage_exits_with_2() -> None:
    assert vidgan("stylize", SAMPLE).returncode == 2


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("which", [signal.SIGINT, signal.SIGTERM])
def test_interrupting_leaves_nothing(tmp_path: Path, which: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "vidgan", "stylize", SAMPLE, "-o", tmp_path / "out.mp4", "--style", "starry"],
        stderr=subprocess.PIPE,
        text=True,
    )
    while process.poll() is None and not list(tmp_path.glob(".*.vidgan")):
        time.sleep(0.05)
    if process.poll() is None:
        os.kill(process.pid, which)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert not list(tmp_path.iterdir())


HEAVY = {
    "torch",
    "onnx",
    "ray",
    "aiohttp",
    "matplotlib",
    "rich",
    "c2pa",
    "cryptography",
    "email",
    "vidgan.sinks",
}
"""What the help texts need not."""


def test_help_loads_what_it_needs_alone() -> None:
    code = (
        "import sys; from vidgan.cli import cli\n"
        "try: cli(['--help'])\n"
        "except SystemExit: pass\n"
        f"heavy = {HEAVY} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
