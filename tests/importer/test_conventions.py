"""Three networks, each in twelve conventions: the right one is found, or asked for."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support.conventions import CONVENTIONS, NETWORKS
from tests.support.foreign import psnr
from tests.support.foreign_nets import restorer, rewritten
from vidgan.errors import ModelError
from vidgan.importer.adding import Options, UnclearConventionError, add_model
from vidgan.importer.convention import (
    SAME_DB,
    Convention,
    Hints,
    Photo,
    decoded,
    encoded,
    find_convention,
    hints_of,
    interior,
)
from vidgan.importer.photos import load_photos
from vidgan.models.registry import BUNDLED, find_model
from vidgan.session import Session
from vidgan.session.graph_runner import GraphRunner

Image = NDArray[np.float32]
Network = Callable[[Image], Image]


def network(name: str) -> Network:
    """A bundled model as a function of levels from 0 to 1."""
    runner = GraphRunner((BUNDLED / name / "float32.onnx").read_bytes(), threads=1, seconds=60)

    def run(image: Image) -> Image:
        levels = np.rint(image.clip(0, 1) * 255).astype(np.uint8)
        (result,) = runner.run({runner.inputs[0].name: levels[np.newaxis]}, [runner.outputs[0].name])
        return result[0].astype(np.float32) / 255

    return run


def photos(scale: int, side: int = 96) -> list[Photo]:
    found = []
    for photo in load_photos():
        expected = cv2.resize(photo, (scale * side, scale * side), interpolation=cv2.INTER_AREA)
        found.append(Photo(cv2.resize(expected, (side, side), interpolation=cv2.INTER_AREA), expected))
    return found


def converted(run: Network, convention: Convention) -> Network:
    """The network for images of that convention."""

    def other(values: Image) -> Image:
        image = run(decoded(values, convention.range_in, convention.order_in))
        return encoded(image, convention.range_out, convention.order_out)

    return other


@pytest.mark.parametrize("name", NETWORKS)
def test_of_twelve_conventions_none_is_silently_wrong(name: str) -> None:
    run, scale = network(name), NETWORKS[name]
    probes, previews = photos(scale), photos(scale, 64)
    candidates = Hints().candidates(3, integers_in=False, integers_out=False)
    target = [interior(run(each.given), scale) for each in probes]
    silent = []
    for convention in CONVENTIONS:
        trials = find_convention(converted(run, convention), probes, candidates, scale, previews=previews)
        errors = [((a - b) ** 2).mean() for a, b in zip(trials[0].images, target, strict=True)]
        db = -10 * np.log10(np.mean(errors) + 1e-12)
        if len(trials) == 1:
            silent.append(convention)
            assert db >= SAME_DB, f"{convention}: taken for {trials[0].convention}"
    if name == "swift-x2":
        assert len(silent) >= 6  # What gives its input back is not asked for much.


@pytest.mark.parametrize(
    ("name", "convention"),
    [
        ("swift-x2", Convention("caffe", "0..255", "bgr", "bgr")),
        ("monet", Convention("0..255", "0..1", "rgb", "rgb")),
    ],
)
def test_a_file_of_another_convention_is_added_or_asked_for(
    name: str, convention: Convention, tmp_path: Path
) -> None:
    """All 36 files are tried by ``python -m benchmarks.conventions``."""
    file = rewritten(name, convention, tmp_path / "file.onnx")
    try:
        add_model(file, Options(name="added"))
    except UnclearConventionError as exc:
        assert str(convention) in exc.choices and exc.sheet.is_file()
        return
    photo = np.rint(load_photos()[1] * 255).astype(np.uint8)[np.newaxis, :96, :96]
    ours, target = (
        Session(find_model(each, precision="float32"), device="cpu", threads=1).run(photo)
        for each in ("added", name)
    )
    assert psnr(ours, target) >= SAME_DB


@pytest.mark.parametrize("span", ["0..1", "0..255", "-1..1"])
def test_the_range_of_a_denoiser_is_asked_for(span: str, tmp_path: Path) -> None:
    """Of clean photos it returns most in the ranges where it does least."""
    with pytest.raises(UnclearConventionError) as caught:
        add_model(restorer(tmp_path / "file.onnx", span), Options())
    assert str(Convention(span, span, "rgb", "rgb")) in caught.value.choices
    added = add_model(tmp_path / "file.onnx", Options(hints=Hints(span, span)))
    assert added.findings.task == "restore" and added.findings.convention.startswith(f"RGB {span} in")


def test_what_the_user_or_the_file_says_is_not_tried() -> None:
    metadata = {"Image.BitmapPixelFormat": "Bgr8", "Image.NominalPixelRange": "Normalized_0_1"}
    assert hints_of(metadata, Hints()) == Hints("0..1", "0..1", "bgr", "bgr")
    assert hints_of(metadata, Hints(range_out="0..255")) == Hints("0..1", "0..255", "bgr", "bgr")
    candidates = Hints("0..1", "0..1", "bgr", "bgr").candidates(3, integers_in=False, integers_out=False)
    assert candidates == [Convention("0..1", "0..1", "bgr", "bgr")]


def test_noise_is_no_image() -> None:
    rng = np.random.default_rng(0)
    probes = photos(1, 64)
    candidates = Hints().candidates(3, integers_in=False, integers_out=False)
    with pytest.raises(ModelError, match="no convention tried makes an image of it"):
        find_convention(
            lambda values: rng.normal(0, 1e5, values.shape).astype(np.float32), probes, candidates, 1
        )


@pytest.mark.parametrize("span", ["0..1", "0..255", "-1..1", "imagenet", "caffe"])
@pytest.mark.parametrize("order", ["rgb", "bgr"])
def test_decoding_reverses_encoding(span: str, order: str) -> None:
    image = np.random.default_rng(0).random((5, 7, 3), np.float32)
    assert np.allclose(decoded(encoded(image, span, order), span, order), image, atol=1e-5)
    black = encoded(np.zeros((1, 1, 3), np.float32), "caffe", "bgr")
    assert np.allclose(black[0, 0], (-103.939, -116.779, -123.68), atol=1e-3)
