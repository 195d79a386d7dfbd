"""Broken paintings are noticed, and repeated by the precise variant of the model."""

from pathlib import Path

import cv2
import numpy as np
import onnx
import onnx.parser
import pytest
from numpy.typing import NDArray

import vidgan
from tests.support.commands import SAMPLES
from tests.support.commands import vidgan as run
from vidgan.media.image import YuvImage
from vidgan.models.registry import bundled_models
from vidgan.session.output_check import CheckedModel, failure_of

SAMPLE = SAMPLES / "bunny.mp4"

HEAD = '<ir_version: 10, opset_import: ["" : 20]> g (uint8[N, H, W, 3] x) => (uint8[N, H, W, 3] y) '
GOOD = "{ y = Identity (x) }"
# As a network whose weights overflow does: infinity less infinity, cast to bytes.
NAN = """{
    f = Cast <to = 1> (x)
    huge = Constant <value = float {3e38}> ()
    infinite = Mul (f, huge)
    nothing = Sub (infinite, infinite)
    zero = Constant <value = float {0.0}> ()
    high = Constant <value = float {255.0}> ()
    clipped = Clip (nothing, zero, high)
    y = Cast <to = 2> (clipped)
}"""
FLAT = """{
    zero = Constant <value = uint8 {0}> ()
    none = Mul (x, zero)
    gray = Constant <value = uint8 {120}> ()
    y = Add (none, gray)
}"""
SATURATED = """{
    half = Constant <value = uint8 {128}> ()
    bright = GreaterOrEqual (x, half)
    bit = Cast <to = 2> (bright)
    white = Constant <value = uint8 {255}> ()
    y = Mul (bit, white)
}"""


def model(folder: Path, **variants: str) -> Path:
    """A style whose precisions do different things; the file of int8."""
    folder.mkdir()
    for precision, body in variants.items():
        made = onnx.parser.parse_model(HEAD + body)
        facts = {"vidgan.task": "style", "vidgan.name": "fragile", "vidgan.precision": precision}
        onnx.helper.set_model_props(made, facts)
        onnx.save(made, folder / f"{precision}.onnx")
    return folder / "int8.onnx"


@pytest.mark.parametrize(
    ("broken", "word"), [(NAN, "black"), (FLAT, "of one color"), (SATURATED, "saturated")]
)
def test_a_broken_frame_is_stylized_again_with_full_precision(tmp_path: Path, broken: str, word: str) -> None:
    style = model(tmp_path / "fragile", int8=broken, float32=GOOD)
    done = run("stylize", SAMPLE, "-o", tmp_path / "out.mp4", "--style", style, "--frames", 6)
    assert done.returncode == 0 and f"6 frames came out {word} and had to be processed again" in done.stderr
    with vidgan.open_source(SAMPLE) as before, vidgan.open_source(tmp_path / "out.mp4") as after:
        for a, b in zip(before, after, strict=False):
            assert np.abs(a.pixels.astype(int) - b.pixels).mean() < 6


def test_what_cannot_be_repaired_is_said(tmp_path: Path) -> None:
    for name, variants in (("alone", {"int8": NAN}), ("both", {"int8": NAN, "float32": NAN})):
        style = model(tmp_path / name, **variants)
        result = vidgan.stylize(
            SAMPLE, tmp_path / f"{name}.mp4", style=str(style), trim=vidgan.Trim(frames=3)
        )
        assert any("3 frames came out black, although the input is not" in each for each in result.warnings)


def test_a_precise_variant_of_another_model_is_not_taken(tmp_path: Path) -> None:
    style = model(tmp_path / "mixed", int8=NAN, float32=GOOD)
    stranger = onnx.load(tmp_path / "mixed" / "float32.onnx")
    onnx.helper.set_model_props(stranger, {"vidgan.task": "style", "vidgan.name": "stranger"})
    onnx.save(stranger, tmp_path / "mixed" / "float32.onnx")
    result = vidgan.stylize(SAMPLE, tmp_path / "out.mp4", style=str(style), trim=vidgan.Trim(frames=2))
    assert any("although the input is not" in each for each in result.warnings)


def awkward() -> list[NDArray[np.uint8]]:
    """Frames that are dark, flat or harsh themselves."""
    random = np.random.default_rng(0)
    photo = cv2.resize(cv2.imread(str(SAMPLE.with_suffix(".jpg")), cv2.IMREAD_COLOR_RGB), (256, 144))
    flat = [np.full((144, 256, 3), value, np.uint8) for value in (0, 4, 60, 128, 255)]
    noise = random.integers(0, 256, photo.shape).astype(np.uint8)
    text = cv2.putText(np.zeros_like(photo), "Credits", (20, 80), 0, 1.5, (255, 255, 255), 2)
    fades = [(photo * share).astype(np.uint8) for share in (0.05, 0.2, 1.0)]
    return [np.asarray(each, np.uint8) for each in (*flat, noise, text, 255 - text, *fades)]


@pytest.mark.parametrize("style", bundled_models("style"))
def test_the_bundled_styles_raise_no_false_alarm(style: str) -> None:
    session = vidgan.load_style(style)
    for image in awkward():
        assert failure_of(session.run(image[np.newaxis])[0], image) is None


def test_the_precise_painter_is_opened_once_and_only_when_it_is_needed() -> None:
    opened = []

    class FailingModel:
        takes_yuv = False

        def __init__(self, broken: bool) -> None:
            self._broken = broken

        def run(self, images: NDArray[np.uint8]) -> NDArray[np.uint8]:
            return images * 0 if self._broken else images.copy()

        def run_yuv(self, planes: YuvImage) -> YuvImage:
            raise NotImplementedError

    def precise() -> FailingModel:
        opened.append(True)
        return FailingModel(broken=False)

    (image, *_) = awkward()[-1:]
    CheckedModel(FailingModel(broken=False), precise).run(image[np.newaxis])
    assert not opened
    checked = CheckedModel(FailingModel(broken=True), precise)
    for _ in range(3):
        assert np.array_equal(checked.run(image[np.newaxis])[0], image)
    assert len(opened) == 1 and checked.warnings == [
        "3 frames came out black and had to be processed again with full precision"
    ]
