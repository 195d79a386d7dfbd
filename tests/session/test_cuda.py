"""Models on a GPU return what they return on the CPU, by every way there. PyAV is not needed."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.support.commands import SAMPLES
from vidgan.media.image import Pixels
from vidgan.models.registry import find_model
from vidgan.session import Session, missing_for_tensorrt
from vidgan.session.binding import FixedShapeSession, bind, on_device
from vidgan.session.cudart import Pinned, device_name
from vidgan.session.inference import call
from vidgan.session.loading import load

pytestmark = pytest.mark.cuda

FP16 = find_model("starry", precision="float16")
FP32 = find_model("starry", precision="float32")


def photo(width: int = 640, height: int = 360) -> Pixels:
    image = cv2.imread(str(SAMPLES / "bunny.jpg"), cv2.IMREAD_COLOR_RGB)
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def frames(count: int, width: int = 640, height: int = 360) -> list[Pixels]:
    """Of a camera that moves."""
    return [np.roll(photo(width, height), 16 * index, 1)[np.newaxis] for index in range(count)]


def assert_alike(ours: Pixels, theirs: Pixels, decibels: float = 40) -> None:
    assert ours.shape == theirs.shape and cv2.PSNR(ours, theirs) >= decibels


def test_the_gpu_has_a_name() -> None:
    assert device_name()


def test_half_precision_is_what_the_cpu_returns_in_full() -> None:
    """The first plainly, the next ones bound."""
    gpu, cpu = Session(FP16, device="cuda"), Session(FP32, device="cpu")
    assert gpu.device == "cuda"
    for image in frames(4):
        assert_alike(gpu.run(image), cpu.run(image))


def test_full_precision_is_the_same_within_a_level() -> None:
    """Convolutions of CUDA's round to 10 bits of mantissa (TF32)."""
    gpu, cpu = Session(FP32, device="cuda"), Session(FP32, device="cpu")
    for image in frames(3):
        assert_alike(gpu.run(image), cpu.run(image), 45)


def test_a_video_is_stylized_by_graphs() -> None:
    session = Session(FP16, device="cuda")
    for image in frames(3):
        session.run(image)
    assert session._bound is not None and session._bound.shapes == [(1, 360, 640, 3)]
    assert session.warnings == []


def test_several_shapes_in_a_row() -> None:
    gpu, cpu = Session(FP16, device="cuda"), Session(FP32, device="cpu")
    for width, height in [(640, 360), (321, 203), (640, 360), (64, 48)]:
        for image in frames(3, width, height):
            assert_alike(gpu.run(image), cpu.run(image))


def test_shapes_that_take_turns() -> None:
    gpu, cpu = Session(FP16, device="cuda"), Session(FP32, device="cpu")
    for _ in range(2):
        for width, height in [(320, 180), (160, 90)]:
            image = photo(width, height)[np.newaxis]
            assert_alike(gpu.run(image), cpu.run(image))
    assert gpu._bound is None


def test_a_replayed_graph_returns_what_a_plain_call_does() -> None:
    images = frames(5)
    shapes = [images[0].shape]
    bound, said = on_device(lambda: bind(FP16, "cuda", 1, shapes))
    assert said == []
    plain = on_device(lambda: load(FP16, "cuda", 1))
    for image in images:
        (ours,) = bound.run([image])
        (theirs,) = on_device(lambda image=image: call(plain, [image]))  # type: ignore[misc]
        difference = np.abs(ours.astype(int) - theirs)
        # Convolutions may be done another way there, and round to another side.
        assert difference.max() <= 3 and difference.mean() < 0.1


def test_a_replayed_graph_forgets_the_image_before() -> None:
    first, second, third = frames(3)
    bound, _ = on_device(lambda: bind(FP16, "cuda", 1, [first.shape]))
    stylized = [bound.run([each])[0] for each in (first, second, first, third, first, first)]
    assert all(np.array_equal(stylized[0], stylized[index]) for index in (2, 4, 5))
    assert not np.array_equal(stylized[0], stylized[1]) and not np.array_equal(stylized[1], stylized[3])


def test_buffers_without_graphs_paint_the_same() -> None:
    images = frames(4)
    shapes = [images[0].shape]
    model = on_device(lambda: load(FP16, "cuda", 1))
    bound = on_device(lambda: FixedShapeSession(model, shapes, device="cuda"))
    for image in images:
        (theirs,) = on_device(lambda image=image: call(model, [image]))  # type: ignore[misc]
        assert np.array_equal(bound.run([image])[0], theirs)


def test_two_at_a_time_get_each_its_own_image() -> None:
    images = frames(16)
    session = Session(FP16, device="cuda")
    assert session.workers >= 2
    for image in images[:2]:
        session.run(image)
    expected = [session.run(each) for each in images]
    with ThreadPoolExecutor(session.workers) as pool:
        stylized = list(pool.map(session.run, images))
    for ours, theirs in zip(stylized, expected, strict=True):
        assert np.array_equal(ours, theirs)
    assert not any(np.array_equal(one, other) for one, other in pairwise(stylized))


def test_pinned_memory_goes_there_and_back() -> None:
    first, second = frames(2)
    bound = on_device(lambda: FixedShapeSession(load(FP16, "cuda", 1), [first.shape], device="cuda"))
    value = bound._free.get()._inputs[0].value
    pinned = Pinned(first.size)
    for image in (first, second, first[:, ::-1]):
        pinned.send(image, value.data_ptr())
        assert np.array_equal(pinned.fetch(value.data_ptr(), image.shape), image)


def test_what_cannot_be_captured_is_stylized_without_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    from vidgan.errors import ModelError
    from vidgan.session import binding

    def refusing(*arguments: Any, provider_options: dict[str, str], **named: Any) -> Any:
        if "enable_cuda_graph" in provider_options:
            raise ModelError("a node is on the CPU")
        return load(*arguments, provider_options=provider_options, **named)

    monkeypatch.setattr(binding, "load", refusing)
    gpu, cpu = Session(FP16, device="cuda"), Session(FP32, device="cpu")
    for image in frames(3):
        assert_alike(gpu.run(image), cpu.run(image))
    assert gpu.warnings == ["processed without CUDA graphs: a node is on the CPU"]


def test_where_memory_runs_out_tiles_become_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    """As CUDA says it; whoever asks for less gets it."""
    from vidgan.session import inference

    def scarce(model: Any, given: list[Pixels], light: Any = None) -> list[Pixels]:
        with inference.failures(model, [each.shape for each in given]):
            if given[0].shape[1] * given[0].shape[2] > 400_000:
                raise RuntimeError("CUDA failure 2: out of memory ; GPU=0")
        return call(model, given, light)

    session = Session(FP16, device="cuda")
    image = photo(800, 800)[np.newaxis]
    expected = session.run(image)
    monkeypatch.setattr("vidgan.session.call", scarce)
    monkeypatch.setattr(inference, "call", scarce)
    session = Session(FP16, device="cuda")
    assert_alike(session.run(image), expected, 45)
    assert "for want of memory" in session.warnings[0]


@pytest.mark.skipif(missing_for_tensorrt() is not None, reason=f"no TensorRT: {missing_for_tensorrt()}")
def test_tensorrt_returns_the_same_and_keeps_its_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platformdirs.user_cache_path", lambda *_, **__: tmp_path)
    gpu, cpu = Session(FP16, device="tensorrt"), Session(FP32, device="cpu")
    assert gpu.device == "tensorrt"
    for image in frames(3):
        assert_alike(gpu.run(image), cpu.run(image), 36)
    assert list(tmp_path.rglob("*.engine"))
