"""Videos in segments that are processed apart: the same as in one go, whoever dies on the way."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from tests.support.commands import SAMPLES, assert_one_clear_error
from tests.support.commands import vidgan as run
from tests.support.images import read_pixels
from tests.support.segments import in_segments, segment_job
from tests.support.timestamps import seconds
from tests.support.translators import CLASSES, translator_file
from tests.support.upscalers import upscaler_file
from vidgan import stylize, upscale
from vidgan.errors import ClusterError, InputError
from vidgan.jobs.batch import Batch, run_batch
from vidgan.jobs.batch_inputs import BatchInputs
from vidgan.jobs.cluster import Cluster
from vidgan.jobs.plan import Step
from vidgan.jobs.segment_worker import WARM_UP_FRAMES, process_segment, ranges_of
from vidgan.jobs.settings import JobSettings
from vidgan.media.frame import Frame, VideoInfo
from vidgan.media.image import Pixels, RgbImage
from vidgan.media.label_map import Palette
from vidgan.segments.store import SEGMENT_FRAMES
from vidgan.sinks import open_sink
from vidgan.sources import open_source
from vidgan.sources.image import read_image
from vidgan.tasks.segment import SegmentSettings
from vidgan.tasks.style import StyleSettings
from vidgan.tasks.upscale import UpscaleSettings
from vidgan.temporal.reuse import Reuse

FRAMES = 2 * SEGMENT_FRAMES + 70
SIZE = 96, 64
STARRY = Step(StyleSettings(style="starry"))
STEADY = Step(StyleSettings(style="starry", smooth="off"))
BORDERS = 2.5
"""Gray levels by which smoothed frames after a border may differ on average, and ..."""
ELSEWHERE = 0.2
"""... those that are 60 frames behind it."""


@cache
def photo() -> Pixels:
    return read_image(SAMPLES / "bunny.jpg").pixels


def scene(index: int) -> Pixels:
    """A slow pan over a photo, with a little noise."""
    left = 200 + index // 2
    view = photo()[200 : 200 + SIZE[1], left : left + SIZE[0]]
    noise = np.random.default_rng(index).normal(0, 2, view.shape)
    return np.clip(view + noise, 0, 255).astype(np.uint8)


def video(path: Path, *, frames: int = FRAMES, variable: bool = False) -> Path:
    step = Fraction(1, 600)
    info = VideoInfo(width=SIZE[0], height=SIZE[1], time_base=step, frame_rate=Fraction(25))
    with open_sink(path, info) as sink:
        for index in range(frames):
            pts = 24 * index + (index % 3 if variable else 0)
            sink.write(Frame(image=RgbImage(scene(index)), pts=pts, time_base=step, duration=24))
    return path


def converted(path: Path, to: Path, **options: Any) -> Path:
    """The same images by another encoder, with key frames far apart and frames out of order."""
    with av.open(str(path)) as source, av.open(str(to), "w") as target:
        stream = target.add_stream(options.pop("codec"), rate=25, options=options)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for frame in source.decode(video=0):
            frame.pict_type = 0
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    return to


def decoded(path: Path) -> list[tuple[Fraction, Pixels]]:
    with av.open(str(path)) as container:
        return [
            (seconds(frame.pts, frame.time_base), np.asarray(frame.to_ndarray(format="rgb24"), np.uint8))
            for frame in container.decode(video=0)
        ]


def assert_same(one: Path, other: Path) -> None:
    first, second = decoded(one), decoded(other)
    assert [time for time, _ in first] == [time for time, _ in second]
    different = [
        index for index, (a, b) in enumerate(zip(first, second, strict=True)) if (a[1] != b[1]).any()
    ]
    assert not different


def test_segments_that_are_enlarged_make_the_same_video(tmp_path: Path) -> None:
    path = video(tmp_path / "in.mkv")
    model = str(upscaler_file(tmp_path / "twice.onnx"))
    upscale(path, tmp_path / "whole.mkv", model=model, device="cpu")
    in_segments(path, tmp_path / "parts.mkv", UpscaleSettings(model=model))
    assert_same(tmp_path / "parts.mkv", tmp_path / "whole.mkv")
    assert decoded(tmp_path / "parts.mkv")[0][1].shape == (2 * SIZE[1], 2 * SIZE[0], 3)


def test_label_maps_in_segments_have_the_colors_of_their_classes(tmp_path: Path) -> None:
    path = video(tmp_path / "in.mkv", frames=5)
    model = str(translator_file(tmp_path / "segmenter.onnx", "segment"))
    in_segments(path, tmp_path / "parts.mp4", SegmentSettings(model=model))
    found = decoded(tmp_path / "parts.mp4")
    assert len(found) == 5
    assert all(Palette.of(CLASSES).exact(image) for _, image in found)
    assert len(np.unique(found[0][1].reshape(-1, 3), axis=0)) > 1


@pytest.fixture(scope="module")
def long_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return video(tmp_path_factory.mktemp("video") / "pan.mp4", variable=True)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("pan.mkv", {"codec": "libx264", "g": "400", "bf": "3"}),
        ("pan.avi", {"codec": "mpeg4", "bf": "2"}),
        ("pan.ts", {"codec": "mpeg2video", "bf": "2"}),
        ("pan.webm", {"codec": "libvpx-vp9", "deadline": "realtime", "cpu-used": "8"}),
    ],
)
def test_segments_by_themselves_make_the_same_video(
    tmp_path: Path, long_video: Path, identity: str, name: str, options: dict[str, str]
) -> None:
    path = converted(long_video, tmp_path / name, **options)
    whole, pieces = tmp_path / "whole.mp4", tmp_path / "pieces.mp4"
    stylize(path, whole, style=identity, smooth="off", device="cpu")
    in_segments(path, pieces, StyleSettings(style=identity, smooth="off"))
    assert len(decoded(whole)) == FRAMES
    assert_same(whole, pieces)


def test_what_moves_about_in_time_and_size_is_followed_from_the_start(tmp_path: Path, identity: str) -> None:
    """Two recordings one after the other: the times begin anew in the middle."""
    first = video(tmp_path / "a.ts.mkv", frames=SEGMENT_FRAMES + 20)
    parts = [converted(first, tmp_path / f"{index}.ts", codec="mpeg2video") for index in range(2)]
    path = tmp_path / "both.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    whole, pieces = tmp_path / "whole.mp4", tmp_path / "pieces.mp4"
    stylize(path, whole, style=identity, smooth="off", device="cpu")
    in_segments(path, pieces, StyleSettings(style=identity, smooth="off"))
    assert_same(whole, pieces)


@pytest.mark.parametrize("reuse", ["off", "auto"])
def test_a_smoother_that_was_warmed_up_goes_on_about_as_if_nothing_had_been(
    tmp_path: Path, long_video: Path, reuse: Reuse
) -> None:
    # Lossless, since an encoder makes much of little.
    whole, pieces = tmp_path / "whole.apng", tmp_path / "pieces.apng"
    stylize(long_video, whole, style="starry", reuse=reuse, device="cpu")
    in_segments(long_video, pieces, StyleSettings(style="starry", reuse=reuse))
    apart = [
        float(np.abs(a[1].astype(int) - b[1]).mean())
        for a, b in zip(decoded(whole), decoded(pieces), strict=True)
    ]
    assert max(apart[:SEGMENT_FRAMES]) == 0
    assert 0 < max(apart) < BORDERS
    assert max(apart[SEGMENT_FRAMES + 60 : 2 * SEGMENT_FRAMES]) < ELSEWHERE


@pytest.mark.parametrize("reuse", ["off", "2", "3", "4"])
def test_a_segment_is_warmed_up_by_frames_that_are_generated_in_one_go_too(
    tmp_path: Path, long_video: Path, reuse: Reuse
) -> None:
    with open_source(long_video) as source:
        settings = StyleSettings(style="starry", reuse=reuse)
        job = segment_job(long_video, tmp_path / "o.mp4", settings, source)
        interval = 1 if reuse == "off" else int(reuse)
        assert job.plan.reuse == (0 if reuse == "off" else interval)
        for number, wanted in enumerate(ranges_of(job.plan, source, list(source.times()), done=0)):
            assert wanted.first + wanted.warm_up == number * SEGMENT_FRAMES
            assert number == wanted.first == 0 or wanted.warm_up >= interval * WARM_UP_FRAMES
            assert wanted.first % SEGMENT_FRAMES % interval == 0


def test_another_file_under_that_name_is_refused(tmp_path: Path, identity: str) -> None:
    path = video(tmp_path / "a.mp4", frames=10)
    with open_source(path) as source:
        job = replace(
            segment_job(path, tmp_path / "o.mp4", StyleSettings(style=identity), source), fingerprint=(1, 1)
        )
        (wanted,) = ranges_of(job.plan, source, list(source.times()), done=0)
    with pytest.raises(InputError, match="has changed"):
        process_segment(job, wanted)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    ray = pytest.importorskip("ray")
    ray.init(num_cpus=3, include_dashboard=False, log_to_driver=False, _node_ip_address="127.0.0.1")
    with Cluster("local", [STARRY], device="cpu") as workers:
        yield workers
    assert ray.is_initialized()
    ray.shutdown()


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning", "ignore::FutureWarning")
def test_a_worker_that_is_killed_costs_its_segment_and_not_the_video(
    tmp_path: Path, long_video: Path, cluster: Cluster
) -> None:
    assert cluster.slots == 3
    inputs, out = tmp_path / "in", tmp_path / "out"
    inputs.mkdir()
    (inputs / "a.mp4").write_bytes(long_video.read_bytes())
    (inputs / "broken.mp4").write_bytes(b"no video")
    (inputs / "photo.jpg").write_bytes((SAMPLES / "bunny.jpg").read_bytes())
    batch = Batch(
        inputs=BatchInputs(places=[inputs], out=out),
        steps=[STEADY],
        models=[spec for each in cluster.models for specs in each.variants.values() for spec in specs],
        process=cluster.run,
        settings=JobSettings(size="64"),
    )
    killed: list[int] = []
    killer = threading.Thread(target=kill_a_worker, args=(killed,))
    killer.start()
    outcomes = run_batch(batch, batch.inputs.find(), workers=3)
    killer.join()
    assert len(killed) == 1
    assert {Path(each.input).name: each.status for each in outcomes} == {
        "a.mp4": "done",
        "broken.mp4": "failed",
        "photo.jpg": "done",
    }
    for name in ("a.mp4", "photo.jpg"):
        alone = tmp_path / f"alone-{name}"
        stylize(inputs / name, alone, style="starry", smooth="off", size="64", device="cpu")
        if name == "photo.jpg":
            # The files differ in when they were signed.
            assert np.array_equal(read_pixels(alone), read_pixels(out / "photo.starry.jpg"))
        else:
            assert_same(alone, out / "a.starry.mp4")


def kill_a_worker(killed: list[int]) -> None:
    """One that processes, with a signal that nothing can catch."""
    while not killed:
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                name = (folder / "cmdline").read_bytes()
            except OSError:
                continue
            if name.startswith(b"ray::_process"):
                time.sleep(0.3)
                os.kill(int(folder.name), signal.SIGKILL)
                killed.append(int(folder.name))
                return
        time.sleep(0.05)


def test_without_ray_or_a_cluster_there_is_a_clear_error(tmp_path: Path, identity: str) -> None:
    video(tmp_path / "a.mp4", frames=5)
    arguments = ("batch", tmp_path, "-o", tmp_path / "out", "--style", identity, "--cluster")
    assert_one_clear_error(run(*arguments, "127.0.0.1:1"), "127.0.0.1:1", "not reached")
    without = subprocess.run(
        [sys.executable, "-c", "import sys; sys.modules['ray'] = None; from vidgan.cli import main; main()",
         *map(str, arguments), "local"],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert_one_clear_error(without, "vidgan[cluster]")


def test_a_cluster_without_a_gpu_says_so(cluster: Cluster) -> None:
    with pytest.raises(ClusterError, match="no GPU"):
        Cluster("local", [STARRY], device="cuda")
