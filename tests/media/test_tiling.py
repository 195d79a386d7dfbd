"""Large frames in tiles: the same image, in less memory."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import onnx.parser
import pytest

import vidgan
from tests.support.commands import SAMPLES
from vidgan.errors import ModelError
from vidgan.media.image import Pixels, YuvImage
from vidgan.media.tiling import GIVEN_STATS, HALO, affordable_pixels, half, tiles_of
from vidgan.models.onnx_file import initializer_named
from vidgan.models.registry import BUNDLED, bundled_models, find_model, read_model
from vidgan.models.universal import TEMPLATES
from vidgan.session import Session


def photo(width: int, height: int) -> Pixels:
    image = cv2.imread(str(SAMPLES / "bunny.jpg"), cv2.IMREAD_COLOR_RGB)
    return np.asarray(cv2.resize(image, (width, height)), np.uint8)


@pytest.mark.parametrize(
    ("height", "width", "most"),
    [(1080, 1920, 700_000), (2160, 3840, 2_000_000), (851, 1283, 250_000), (9, 9, 1)],
)
def test_tiles_cover_a_image_once(height: int, width: int, most: int) -> None:
    tiles = tiles_of(height, width, most)
    counts = np.zeros((height, width), int)
    for tile in tiles:
        counts[tile.kept] += 1
        for kept, around, side in zip(tile.kept, tile.window, (height, width), strict=True):
            assert around.start % 8 == 0 and (around.stop % 8 == 0 or around.stop == side)
            assert around.start == max(0, kept.start - HALO) and around.stop == min(side, kept.stop + HALO)
        part = np.zeros((height, width), bool)
        part[tile.kept] = True
        assert (
            part[tile.window][tile.inner].all()
            and part[tile.window].sum() == part[tile.window][tile.inner].size
        )
    assert (counts == 1).all()


def test_there_are_no_more_tiles_than_need_be() -> None:
    sizes = [len(tiles_of(2160, 3840, most)) for most in (10_000_000, 5_000_000, 2_000_000, 1_000_000)]
    assert sizes[0] == 1 and all(a < b for a, b in pairwise(sizes))
    for tile in tiles_of(2160, 3840, 2_000_000):
        rows, columns = tile.window
        assert (rows.stop - rows.start) * (columns.stop - columns.start) <= 2_000_000
    # What cannot be afforded at all is not split for ever.
    assert len(tiles_of(2160, 3840, 10)) < 300


def test_chroma_is_half_of_it() -> None:
    assert half((slice(8, 24), slice(0, 31))) == (slice(4, 12), slice(0, 16))


def test_the_system_says_what_is_affordable() -> None:
    one, four = affordable_pixels(1), affordable_pixels(4)
    assert one is not None and four is not None and 100_000 < four < one


@pytest.mark.parametrize("name", bundled_models("style"))
@pytest.mark.parametrize("precision", ["int8", "float32"])
def test_seams_cannot_be_seen(name: str, precision: Any) -> None:
    spec = find_model(name, precision=precision)
    whole, tiled = Session(spec, device="cpu"), Session(spec, device="cpu", tile_pixels=350_000)
    image = photo(645, 901)
    difference = np.abs(whole.run(image[np.newaxis]).astype(int) - tiled.run(image[np.newaxis]))
    assert difference.max() <= 1
    assert whole.warnings == []
    assert tiled.warnings == ["for want of memory, processed 645x901 in 6 tiles of 328x304"]


@pytest.mark.parametrize("template", TEMPLATES)
def test_styles_of_images_can_be_tiled(template: str) -> None:
    assert initializer_named((BUNDLED / "any" / f"{template}.onnx").read_bytes(), GIVEN_STATS)


def test_seams_of_planes_cannot_be_seen() -> None:
    spec = find_model("starry", precision="int8")
    planes = YuvImage.from_rgb(photo(646, 902))
    whole = Session(spec, device="cpu").run_yuv(planes)
    tiled = Session(spec, device="cpu", tile_pixels=350_000).run_yuv(planes)
    assert np.abs(whole.luma.astype(int) - tiled.luma).max() <= 1
    assert np.abs(whole.chroma.astype(int) - tiled.chroma).max() <= 1


def test_images_of_a_batch_are_tiled_each_in_its_own_light() -> None:
    spec = find_model("starry", precision="int8")
    batch = np.stack([photo(400, 600), photo(400, 600) // 4])
    whole, tiled = Session(spec, device="cpu"), Session(spec, device="cpu", tile_pixels=150_000)
    assert np.abs(whole.run(batch).astype(int) - tiled.run(batch)).max() <= 1


def test_where_memory_runs_out_tiles_become_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    """As onnxruntime says it; whoever asks for less gets it."""
    session = Session(find_model("starry", precision="int8"), device="cpu")
    image = photo(800, 800)[np.newaxis]
    expected = session.run(image)
    run, asked, outputs = session._model.session.run, [], session._model.outputs

    def scarce(names: list[str], feed: dict[str, Any], options: object = None) -> Any:
        if names == outputs:
            _, height, width, _ = next(iter(feed.values())).shape
            pixels = height * width
            asked.append(pixels)
            if pixels > 400_000:
                raise RuntimeError("Failed to allocate memory for requested buffer of size 1234")
        return run(names, feed, options) if options else run(names, feed)

    class Scarce:
        run = staticmethod(scarce)

    session._model = replace(session._model, session=Scarce())
    assert np.abs(session.run(image).astype(int) - expected).max() <= 1
    assert asked[0] == 640_000 and max(asked[-4:]) <= 400_000
    assert "for want of memory" in session.warnings[0]


def foreign(folder: Path) -> Path:
    """A model that is not vidgan's own: it says nothing of light."""
    head = '<ir_version: 10, opset_import: ["" : 20]> g (uint8[N, H, W, 3] x) => (uint8[N, H, W, 3] y) '
    model = onnx.parser.parse_model(head + "{ y = Identity (x) }")
    onnx.helper.set_model_props(model, {"vidgan.task": "style"})
    onnx.save(model, folder / "foreign.onnx")
    return folder / "foreign.onnx"


def test_a_model_that_cannot_be_tiled_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session(read_model(foreign(tmp_path)), device="cpu", tile_pixels=1000)
    image = photo(400, 600)[np.newaxis]
    assert np.array_equal(session.run(image), image) and session.warnings == []

    class Scarce:
        def run(self, *_: object) -> None:
            raise RuntimeError("std::bad_alloc")

    session._model = replace(session._model, session=Scarce())
    with pytest.raises(ModelError, match="not enough memory for 400x600"):
        session.run(image)


def test_a_video_in_tiles_says_so(tmp_path: Path) -> None:
    session = Session(find_model("starry", precision="int8"), device="cpu", tile_pixels=400_000)
    result = vidgan.stylize(
        SAMPLES / "bunny.mp4", tmp_path / "out.mp4", style=session, trim=vidgan.Trim(frames=2)
    )
    assert any("processed 1280x720 in" in each for each in result.warnings)
