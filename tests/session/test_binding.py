"""Buffers that stay where they are give what a plain call gives; ``test_cuda.py`` has CUDA's."""

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.support.commands import SAMPLES
from tests.support.places import ROOT
from vidgan.errors import ModelError, OutputError
from vidgan.media.image import Pixels, YuvImage
from vidgan.models.registry import ModelSpec, find_model
from vidgan.session import Session, missing_for_cuda, missing_for_tensorrt, resolve_device
from vidgan.session.binding import IN_FLIGHT, FixedShapeSession, Shapes, on_device
from vidgan.session.cudart import CudaError, Pinned, device_name
from vidgan.session.engines import engine_folder, engine_options
from vidgan.session.inference import NoMemoryError, call, failures
from vidgan.session.loading import Loaded, load


def photo(width: int = 160, height: int = 90) -> Pixels:
    image = cv2.imread(str(SAMPLES / "bunny.jpg"), cv2.IMREAD_COLOR_RGB)
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


@pytest.fixture(scope="module")
def model() -> Loaded:
    return load(find_model("starry", precision="int8"), "cpu", 1)


def test_bound_images_are_those_of_a_plain_call(model: Loaded) -> None:
    images = [np.roll(photo(), 20 * index, 1)[np.newaxis] for index in range(2 * IN_FLIGHT + 1)]
    bound = FixedShapeSession(model, [images[0].shape], device="cpu")
    stylized = [bound.run([each])[0] for each in images]
    for ours, each in zip(stylized, images, strict=True):
        assert np.array_equal(ours, call(model, [each])[0])


def test_what_was_given_stays_and_what_came_is_ones_own(model: Loaded) -> None:
    image = photo()[np.newaxis]
    before = image.copy()
    bound = FixedShapeSession(model, [image.shape], device="cpu")
    first = bound.run([image])[0]
    kept = first.copy()
    for _ in range(IN_FLIGHT):
        bound.run([255 - image])
    assert np.array_equal(first, kept) and np.array_equal(image, before)
    first[:] = 0
    assert np.array_equal(bound.run([image])[0], kept)


def test_a_part_of_a_image_is_taken_as_it_lies(model: Loaded) -> None:
    part = photo(200, 120)[np.newaxis, 10:100, 20:180]
    assert not part.flags.c_contiguous
    bound = FixedShapeSession(model, [part.shape], device="cpu")
    assert np.array_equal(bound.run([part])[0], call(model, [part])[0])


def test_planes_can_be_bound_too() -> None:
    spec = find_model("starry", precision="int8").planar
    assert spec is not None
    planes, planar = YuvImage.from_rgb(photo()), load(spec, "cpu", 1)
    given = [planes.luma[np.newaxis], planes.chroma[np.newaxis]]
    bound = FixedShapeSession(planar, [each.shape for each in given], device="cpu")
    for ours, theirs in zip(bound.run(given), call(planar, given), strict=True):
        assert np.array_equal(ours, theirs)


def test_several_threads_get_each_its_own_image(model: Loaded) -> None:
    images = [np.roll(photo(), 7 * index, 1)[np.newaxis] for index in range(12)]
    bound = FixedShapeSession(model, [images[0].shape], device="cpu")
    with ThreadPoolExecutor(4) as pool:
        stylized = list(pool.map(lambda each: bound.run([each])[0], images))
    for ours, each in zip(stylized, images, strict=True):
        assert np.array_equal(ours, call(model, [each])[0])


def test_a_device_runs_on_one_thread() -> None:
    with ThreadPoolExecutor(4) as pool:
        threads = set(pool.map(lambda _: on_device(threading.get_ident), range(20)))
    assert len(threads) == 1 and threading.get_ident() not in threads


def test_an_error_is_said_and_its_buffers_come_back(model: Loaded) -> None:
    image = photo()[np.newaxis]
    bound = FixedShapeSession(model, [image.shape], device="cpu")
    for _ in range(IN_FLIGHT + 1):
        with pytest.raises(ModelError, match="fails on 160x90"):
            bound.run([image[:, :50]])
    assert np.array_equal(bound.run([image])[0], call(model, [image])[0])


class SessionOfSizes:
    """A session that goes the way of a GPU's, with the CPU in its place."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.bound: list[Shapes] = []
        self.full = False
        self.session = Session(find_model("starry", precision="int8"), device="cpu")
        self.session.device = "cuda"
        monkeypatch.setattr("vidgan.session.bind", self.bind)

    def bind(
        self, spec: ModelSpec, device: str, threads: int, shapes: Shapes
    ) -> tuple[FixedShapeSession, list[str]]:
        assert device == "cuda"
        if self.full:
            raise NoMemoryError
        self.bound.append(shapes)
        return FixedShapeSession(load(spec, "cpu", threads), shapes, device="cpu"), ["said"]

    def run(self, model: Loaded, *sizes: tuple[int, int]) -> None:
        for size in sizes:
            image = photo(*size)[np.newaxis]
            assert np.array_equal(self.session.run(image), call(model, [image])[0])


def test_what_comes_again_is_bound(model: Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes, video, other = SessionOfSizes(monkeypatch), (160, 90), (90, 64)
    sizes.run(model, video)
    assert sizes.bound == []
    sizes.run(model, video, video, video)
    assert sizes.bound == [[(1, 90, 160, 3)]]
    sizes.run(model, other, video, other, video)
    assert len(sizes.bound) == 1
    sizes.run(model, other, other, other)
    assert sizes.bound[1:] == [[(1, 64, 90, 3)]]
    assert sizes.session.warnings == ["said"]


def test_what_takes_turns_is_not_bound(model: Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = SessionOfSizes(monkeypatch)
    sizes.run(model, *[(160, 90), (90, 64)] * 3)
    assert sizes.bound == []


def test_without_memory_for_buffers_it_goes_on(model: Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = SessionOfSizes(monkeypatch)
    sizes.full = True
    sizes.run(model, *[(160, 90)] * 4)
    assert len(sizes.session.warnings) == 1 and "for want of" in sizes.session.warnings[0]
    sizes.full = False
    sizes.run(model, *[(160, 90)] * 2)
    assert sizes.bound == []  # Not tried again for each frame.
    sizes.run(model, *[(90, 64)] * 2)
    assert len(sizes.bound) == 1


@pytest.mark.parametrize("required", ["", "1"])
@pytest.mark.skipif(missing_for_cuda() is None, reason="CUDA works here")
def test_where_cuda_must_be_its_tests_fail(required: str) -> None:
    tests = Path(__file__).with_name("test_cuda.py")
    command = [sys.executable, "-m", "pytest", "-q", f"{tests}::test_the_gpu_has_a_name"]
    environment = os.environ | {"VIDGAN_REQUIRE_CUDA": required}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == (1 if required else 0), done.stdout
    assert str(missing_for_cuda()) in done.stdout


@pytest.mark.parametrize(
    "words", ["CUDA failure 2: out of memory", "Failed to allocate memory for requested"]
)
def test_want_of_memory_is_told_from_other_errors(model: Loaded, words: str) -> None:
    with pytest.raises(NoMemoryError), failures(model, [(1, 90, 160, 3)]):
        raise RuntimeError(words)


def test_an_engine_is_anothers_where_anything_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    spec, shape = find_model("starry", precision="float16"), (1, 720, 1280, 3)
    usual = engine_folder(spec, [shape], "NVIDIA H100")
    assert usual == engine_folder(spec, [shape], "NVIDIA H100")
    others = [
        engine_folder(find_model("wave", precision="float16"), [shape], "NVIDIA H100"),
        engine_folder(find_model("starry", precision="float32"), [shape], "NVIDIA H100"),
        engine_folder(spec, [(1, 1080, 1920, 3)], "NVIDIA H100"),
        engine_folder(spec, [shape], "NVIDIA H200"),
    ]
    monkeypatch.setattr("vidgan.session.engines.ONNXRUNTIME_VERSION", "0.1")
    others.append(engine_folder(spec, [shape], "NVIDIA H100"))
    monkeypatch.setattr("vidgan.session.engines.tensorrt_version", lambda: 7)
    others.append(engine_folder(spec, [shape], "NVIDIA H100"))
    assert len({usual, *others}) == 7
    assert "1x720x1280x3" in usual.name and usual.parent.name == "tensorrt"


def test_a_cache_that_cannot_be_made_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr("vidgan.session.engines.device_name", lambda: "NVIDIA H100")
    spec = find_model("starry", precision="float16")
    monkeypatch.setattr("platformdirs.user_cache_path", lambda *_, **__: tmp_path / "cache")
    folder = Path(engine_options(spec, [(1, 90, 160, 3)])["trt_engine_cache_path"])
    assert folder.is_dir() and folder.is_relative_to(tmp_path / "cache")
    monkeypatch.setattr("platformdirs.user_cache_path", lambda *_, **__: tmp_path / "file")
    with pytest.raises(OutputError, match="cannot keep TensorRT's engines"):
        engine_options(spec, [(1, 90, 160, 3)])


@pytest.mark.skipif(missing_for_cuda() is None, reason="CUDA works here")
def test_without_cuda_there_is_nothing_of_it() -> None:
    assert missing_for_tensorrt() is not None
    with pytest.raises(CudaError):
        Pinned(100)
    with pytest.raises(CudaError):
        device_name()
    assert resolve_device("auto") == "cpu"
