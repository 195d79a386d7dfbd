"""Small graphs with what real files have been seen to have: geometry is found by running them."""

from pathlib import Path

import numpy as np
import onnx
import onnx.parser
import pytest
from numpy.typing import NDArray

from vidgan.errors import ModelError
from vidgan.importer.adding import Options, add_model
from vidgan.importer.convention import Hints
from vidgan.importer.geometry import Geometry, examine_geometry
from vidgan.importer.graph import read_graph
from vidgan.models.registry import find_model
from vidgan.session import Session

LEVELS = Hints("0..1", "0..1", "rgb", "rgb")


def model(text: str) -> bytes:
    return onnx.parser.parse_model(text).SerializeToString()


def geometry(text: str, **settings: str) -> Geometry:
    return examine_geometry(read_graph(model(text), settings), seconds=10)[0]


def added(text: str, folder: Path) -> Session:
    path = folder / "net.onnx"
    path.write_bytes(model(text))
    add_model(path, Options(name="net", hints=LEVELS))
    return Session(find_model("net", precision="float32"), device="cpu")


def image(height: int, width: int) -> NDArray[np.uint8]:
    return np.random.default_rng(height).integers(0, 256, (height, width, 3), np.uint8)


IDENTITY = """<ir_version: 8, opset_import: ["" : 17]>
    g (float[1, 3, H, W] x) => (float[1, 3, H, W] y) { y = Identity (x) }"""

FIXED_BY_DECLARATION = """<ir_version: 8, opset_import: ["" : 17]>
    g (float[1, 3, 156, 156] x) => (float[1, 3, 156, 156] y) { y = Identity (x) }"""

NCHW_TO_NHWC = """<ir_version: 8, opset_import: ["" : 17]>
    g (float[N, 3, H, W] x) => (float[N, P, Q, 3] y) { y = Transpose <perm = [0, 2, 3, 1]> (x) }"""

NO_BATCH = """<ir_version: 8, opset_import: ["" : 17]>
    g (float[3, H, W] x) => (float[3, H, W] y) { y = Identity (x) }"""

NAMES = """<ir_version: 8, opset_import: ["" : 17]>
    g (float[N, H, W, 3] "serving/input:0") => (float[N, H, W, 3] "a/b:0") { "a/b:0" = Identity ("serving/input:0") }"""

MULTIPLE_OF_16 = """<ir_version: 8, opset_import: ["" : 17]>
    g (float[N, H, W, 3] x) => (float[N, P, Q, 3] y) {
        a = Transpose <perm = [0, 3, 1, 2]> (x)
        b = SpaceToDepth <blocksize = 16> (a)
        c = DepthToSpace <blocksize = 16> (b)
        y = Transpose <perm = [0, 2, 3, 1]> (c)
    }"""

FOUR_MOD_EIGHT = """<ir_version: 8, opset_import: ["" : 17]>
    g (float[N, 3, H, W] x) => (float[N, 3, P, Q] y)
    <int64[8] more = {0, 0, 4, 0, 0, 0, 0, 0}, int64[1] first = {4}, int64[1] last = {100000}, int64[1] axis = {2}> {
        a = Pad <mode = "constant"> (x, more)
        b = SpaceToDepth <blocksize = 8> (a)
        c = DepthToSpace <blocksize = 8> (b)
        y = Slice (c, first, last, axis)
    }"""

OLD = """<ir_version: 3, opset_import: ["" : 6]>
    g (float[1, 3, 8, 8] x, float[3, 1, 1] k) => (float[1, 3, 8, 8] y)
    <float[3, 1, 1] k = {0, 0, 0}> { y = Add (x, k) }"""

HALF = """<ir_version: 8, opset_import: ["" : 17]>
    g (float16[N, 3, H, W] x) => (float16[N, 3, H, W] y) { y = Identity (x) }"""

CUSTOM = """<ir_version: 8, opset_import: ["" : 17, "com.x" : 1]>
    g (float[N, 3, H, W] x) => (float[N, 3, H, W] y) { y = com.x.Y (x) }"""

TWO_IMAGES = """<ir_version: 8, opset_import: ["" : 17]>
    g (float[N, 3, H, W] a, float[N, 3, H, W] b) => (float[N, 3, H, W] y) { y = Add (a, b) }"""

MASK = """<ir_version: 8, opset_import: ["" : 17]>
    g (float[N, 3, H, W] x) => (float[N, 1, H, W] y) { y = ReduceMean <axes = [1]> (x) }"""

CLASSES = """<ir_version: 8, opset_import: ["" : 17]>
    g (float[N, 3, H, W] x) => (float[N, 3] y) { y = ReduceMean <axes = [2, 3], keepdims = 0> (x) }"""

RGBA = """<ir_version: 8, opset_import: ["" : 17]>
    g (float[N, 4, H, W] x) => (float[N, 4, H, W] y) { y = Identity (x) }"""

BATCHES_OF_FOUR = """<ir_version: 8, opset_import: ["" : 17]>
    g (float[4, 3, 64, 64] x) => (float[4, 3, 64, 64] y) <int64[4] s = {4, 3, 64, 64}> { y = Reshape (x, s) }"""

NOISE_FIRST = """<ir_version: 8, opset_import: ["" : 17]>
    g (float[N, 3, H, W] x) => (float[N, 3, P, Q] noise, float[N, 1, P, Q] mask, float[N, 3, P, Q] clean) {
        noise = Sub (x, x)
        mask = ReduceMean <axes = [1]> (x)
        clean = Identity (x)
    }"""

RESIDUAL = """<ir_version: 8, opset_import: ["" : 17]>
    g (float[N, 3, H, W] x) => (float[N, 3, P, Q] y) {
        a = AveragePool <kernel_shape = [3, 3], pads = [1, 1, 1, 1]> (x)
        y = Sub (x, a)
    }"""

NOT_REPEATED = """<ir_version: 8, opset_import: ["" : 17]>
    g (float[N, 3, H, W] x) => (float[N, 3, H, W] y) <float k = {1e30}> { y = Mul (x, k) }"""


@pytest.mark.parametrize("text", [IDENTITY, FIXED_BY_DECLARATION, NCHW_TO_NHWC, NO_BATCH, NAMES, MULTIPLE_OF_16,
                                  FOUR_MOD_EIGHT, OLD, HALF, RGBA, NOISE_FIRST])  # fmt: skip
def test_what_gives_its_image_back_does_so_wrapped(text: str, tmp_path: Path) -> None:
    session = added(text, tmp_path)
    for size in ((16, 16), (37, 50)):
        given = image(*size)
        assert np.array_equal(session.run(given[np.newaxis])[0], given)


def test_multiples_and_residues() -> None:
    found = geometry(MULTIPLE_OF_16)
    assert (found.multiple, found.residue, found.layout_in, found.fixed) == ((16, 16), (0, 0), "NHWC", False)
    found = geometry(FOUR_MOD_EIGHT)
    assert (found.multiple, found.residue) == ((8, 8), (4, 0))


def test_layouts_differ() -> None:
    found = geometry(NCHW_TO_NHWC)
    assert (found.layout_in, found.layout_out) == ("NCHW", "NHWC")
    assert geometry(NO_BATCH).layout_in == "CHW"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (CUSTOM, "needs operator com.x:Y"),
        (TWO_IMAGES, "takes two images"),
        (MASK, "returns 1 channel: a mask or a depth map, not an image"),
        (CLASSES, "not an image"),
        (BATCHES_OF_FOUR, "takes batches of 4 images alone"),
        (RESIDUAL, "no convention tried makes an image of it"),
    ],
)
def test_refusals_are_one_line(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(model(text))
    with pytest.raises(ModelError) as caught:
        add_model(path, Options())
    assert words in str(caught.value) and "\n" not in str(caught.value)
    assert str(caught.value).startswith(str(path))


def test_what_no_convention_makes_an_image_of_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(model(NOT_REPEATED))
    with pytest.raises(ModelError, match="no convention tried makes an image of it"):
        add_model(path, Options())


def test_names_are_kept_apart(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(model(IDENTITY))
    add_model(path, Options(hints=LEVELS))
    with pytest.raises(ModelError, match="there is a model called 'net' already"):
        add_model(path, Options(hints=LEVELS))
    with pytest.raises(ModelError, match="comes with vidgan"):
        add_model(path, Options(name="starry"))
    with pytest.raises(ModelError, match="no name for a model"):
        add_model(path, Options(name="../net"))
