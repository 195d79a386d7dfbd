"""Small networks of uncommon form, added without a hint: each works, is asked for, or is refused with its reason."""

from pathlib import Path

import numpy as np
import onnx
import onnx.parser
import pytest
from numpy.typing import NDArray

from vidgan.errors import ModelError
from vidgan.importer.adding import Options, UnclearConventionError, add_model
from vidgan.models.registry import find_model
from vidgan.session import Session

OPSET_17 = '<ir_version: 8, opset_import: ["" : 17]>'
TWICE = "float[4] twice = {1, 1, 2, 2}"

ALPHA_OUT = f"""{OPSET_17} g (float[N, 3, H, W] x) => (float[N, 4, H, W] y) <float one = {{1}}> {{
    mean = ReduceMean <axes = [1]> (x)
    zero = Sub (mean, mean)
    alpha = Add (zero, one)
    y = Concat <axis = 1> (x, alpha)
}}"""

BYTES_NHWC = f"""{OPSET_17} g (uint8[N, H, W, 3] x) => (uint8[N, P, Q, 3] y) <{TWICE}> {{
    floats = Cast <to = 1> (x)
    first = Transpose <perm = [0, 3, 1, 2]> (floats)
    large = Resize <mode = "nearest"> (first, , twice)
    last = Transpose <perm = [0, 2, 3, 1]> (large)
    y = Cast <to = 2> (last)
}}"""

BYTES_OUT = f"""{OPSET_17} g (float[1, 3, H, W] x) => (uint8[1, H, W, 3] y) <float k = {{255}}, float z = {{0}}> {{
    last = Transpose <perm = [0, 2, 3, 1]> (x)
    levels = Mul (last, k)
    whole = Round (levels)
    limited = Clip (whole, z, k)
    y = Cast <to = 2> (limited)
}}"""

TWO_SIZES = f"""{OPSET_17} g (float[N, 3, H, W] x) => (float[N, 3, A, B] two, float[N, 3, P, Q] four)
<{TWICE}, float[4] times = {{1, 1, 4, 4}}> {{
    two = Resize <mode = "nearest"> (x, , twice)
    four = Resize <mode = "nearest"> (x, , times)
}}"""

SHAPE_TOO = f"""{OPSET_17} g (float[N, 3, H, W] x) => (int64[4] s, float[N, 3, H, W] y) {{
    s = Shape (x)
    y = Identity (x)
}}"""

FREE_BATCH = f"""{OPSET_17} g (float[N, 3, 64, 64] x) => (float[N, 3, 128, 128] y)
<int64[4] shape = {{-1, 3, 64, 64}}, {TWICE}> {{
    fixed = Reshape (x, shape)
    y = Resize <mode = "nearest"> (fixed, , twice)
}}"""

SCALES_GIVEN = f"""{OPSET_17} g (float[N, 3, H, W] x, float[4] scales) => (float[N, 3, P, Q] y) {{
    y = Resize <mode = "nearest"> (x, , scales)
}}"""

OPSET_9 = f"""<ir_version: 4, opset_import: ["" : 9]> g (float[N, 3, H, W] x) => (float[N, 3, P, Q] y) <{TWICE}> {{
    y = Upsample <mode = "nearest"> (x, twice)
}}"""

OPSET_7 = """<ir_version: 3, opset_import: ["" : 7]> g (float[1, 3, 32, 32] x) => (float[1, 3, 64, 64] y) {
    y = Upsample <mode = "nearest", scales = [1.0, 1.0, 2.0, 2.0]> (x)
}"""

OPSET_10 = f"""<ir_version: 5, opset_import: ["" : 10]> g (float[N, 3, H, W] x) => (float[N, 3, P, Q] y) <{TWICE}> {{
    y = Resize <mode = "nearest"> (x, twice)
}}"""

OUTPUT_OF_ONE_SIZE = f"""{OPSET_17} g (float[N, 3, H, W] x) => (float[N, 3, 128, 128] y)
<int64[2] sides = {{128, 128}}, int64[1] first = {{0}}, int64[1] last = {{2}}> {{
    given = Shape (x)
    head = Slice (given, first, last)
    shape = Concat <axis = 0> (head, sides)
    y = Resize <mode = "nearest"> (x, , , shape)
}}"""

SWAPPED = f"""{OPSET_17} g (float[N, 3, H, W] x) => (float[N, 3, P, Q] y) <int64[3] order = {{2, 1, 0}}> {{
    y = Gather <axis = 1> (x, order)
}}"""

CAFFE_BGR = f"""{OPSET_17} g (float[1, 3, H, W] x) => (float[1, 3, H, W] y)
<float[1, 3, 1, 1] mean = {{103.939, 116.779, 123.68}}, float z = {{0}}, float k = {{255}}> {{
    levels = Add (x, mean)
    y = Clip (levels, z, k)
}}"""

THREE_MOD_SEVEN = f"""{OPSET_17} g (float[N, 3, H, W] x) => (float[N, 3, P, Q] y)
<int64[8] more = {{0, 0, 4, 4, 0, 0, 0, 0}}, int64[2] first = {{4, 4}}, int64[2] last = {{100000, 100000}},
 int64[2] axes = {{2, 3}}> {{
    padded = Pad <mode = "constant"> (x, more)
    deep = SpaceToDepth <blocksize = 7> (padded)
    flat = DepthToSpace <blocksize = 7> (deep)
    y = Slice (flat, first, last, axes)
}}"""

MORE_THAN_TWICE = f"""{OPSET_17} g (float[N, 3, H, W] x) => (float[N, 3, P, Q] y)
<{TWICE}, int64[8] more = {{0, 0, 3, 3, 0, 0, 2, 2}}> {{
    large = Resize <mode = "nearest"> (x, , twice)
    y = Pad <mode = "edge"> (large, more)
}}"""

BORDER_OF_ONE_SIZE = f"""{OPSET_17} g (float[1, 3, 64, 64] x) => (float[1, 3, 96, 96] y)
<int64[4] shape = {{1, 3, 64, 64}}, {TWICE}, int64[2] first = {{16, 16}}, int64[2] last = {{-16, -16}},
 int64[2] axes = {{2, 3}}> {{
    fixed = Reshape (x, shape)
    large = Resize <mode = "nearest"> (fixed, , twice)
    y = Slice (large, first, last, axes)
}}"""

DOUBLE = f"{OPSET_17} g (double[N, 3, H, W] x) => (double[N, 3, H, W] y) {{ y = Identity (x) }}"

INTEGERS = f"{OPSET_17} g (int32[1, 3, H, W] x) => (int32[1, 3, H, W] y) {{ y = Identity (x) }}"

SHARPENED_FIRST = f"""{OPSET_17} g (float[N, 3, H, W] x) => (float[N, 3, P, Q] y) <float much = {{1.5}}> {{
    first, second, third = Split <axis = 1> (x)
    smooth = AveragePool <kernel_shape = [3, 3], pads = [1, 1, 1, 1], count_include_pad = 0> (first)
    detail = Sub (first, smooth)
    more = Mul (detail, much)
    sharp = Add (first, more)
    y = Concat <axis = 1> (sharp, second, third)
}}"""
"""Takes luma and chroma in three channels, which no convention tried has."""

SIX_CHANNELS = f"""{OPSET_17} g (float[N, 6, H, W] x) => (float[N, 3, H, W] y)
<int64[1] first = {{0}}, int64[1] last = {{3}}, int64[1] axis = {{1}}> {{ y = Slice (x, first, last, axis) }}"""

SIZE_GIVEN = f"""{OPSET_17} g (float[1, 3, H, W] x, int64[2] size) => (float[1, 3, P, Q] y)
<int64[2] head = {{1, 3}}> {{
    shape = Concat <axis = 0> (head, size)
    y = Resize <mode = "linear"> (x, , , shape)
}}"""

GRAY_TO_RGB = (
    f"{OPSET_17} g (float[N, 1, H, W] x) => (float[N, 3, H, W] y) {{ y = Concat <axis = 1> (x, x, x) }}"
)

FAINT_RESIDUAL = f"""{OPSET_17} g (float[N, 3, H, W] x) => (float[N, 3, P, Q] y) <float little = {{0.02}}> {{
    smooth = AveragePool <kernel_shape = [3, 3], pads = [1, 1, 1, 1], count_include_pad = 0> (x)
    detail = Sub (x, smooth)
    y = Mul (detail, little)
}}"""

TRANSPOSED = f"""{OPSET_17} g (float[N, 3, H, W] x) => (float[N, 3, P, Q] y) {{
    y = Transpose <perm = [0, 1, 3, 2]> (x)
}}"""

SEVERAL_FRAMES = f"""{OPSET_17} g (float[1, 5, 3, H, W] x) => (float[1, 3, H, W] y) {{
    y = ReduceMean <axes = [1], keepdims = 0> (x)
}}"""


def resized(factor: str, *, fixed: bool = False) -> str:
    side = "64, 64" if fixed else "H, W"
    shape = "1, 3, 64, 64" if fixed else "0, 0, 0, 0"
    return f"""{OPSET_17} g (float[1, 3, {side}] x) => (float[1, 3, P, Q] y)
    <int64[4] shape = {{{shape}}}, float[4] scales = {{1, 1, {factor}}}> {{
        given = Reshape (x, shape)
        y = Resize <mode = "linear"> (given, , scales)
    }}"""


def saved(text: str, folder: Path) -> Path:
    path = folder / "net.onnx"
    path.write_bytes(onnx.parser.parse_model(text).SerializeToString())
    return path


def noise(height: int, width: int) -> NDArray[np.uint8]:
    return np.random.default_rng(height).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize(
    ("text", "scale", "convention"),
    [
        (ALPHA_OUT, 1, "RGB 0..1 in, RGB 0..1 out"),
        (BYTES_NHWC, 2, "RGB 0..255 in, RGB 0..255 out"),
        (BYTES_OUT, 1, "RGB 0..1 in, RGB 0..255 out"),
        (TWO_SIZES, 4, "RGB 0..1 in, RGB 0..1 out"),
        (SHAPE_TOO, 1, "RGB 0..1 in, RGB 0..1 out"),
        (FREE_BATCH, 2, "RGB 0..1 in, RGB 0..1 out"),
        (OPSET_9, 2, "RGB 0..1 in, RGB 0..1 out"),
        (OPSET_7, 2, "RGB 0..1 in, RGB 0..1 out"),
        (OPSET_10, 2, "RGB 0..1 in, RGB 0..1 out"),
        (OUTPUT_OF_ONE_SIZE, 2, "RGB 0..1 in, RGB 0..1 out"),
        (SWAPPED, 1, "RGB 0..1 in, BGR 0..1 out"),
        (CAFFE_BGR, 1, "BGR caffe in, BGR 0..255 out"),
        (THREE_MOD_SEVEN, 1, "RGB 0..1 in, RGB 0..1 out"),
        (MORE_THAN_TWICE, 2, "RGB 0..1 in, RGB 0..1 out"),
        (DOUBLE, 1, "RGB 0..1 in, RGB 0..1 out"),
        (INTEGERS, 1, "RGB 0..255 in, RGB 0..255 out"),
    ],
    ids=["alpha out", "bytes NHWC", "bytes out", "two sizes", "shape too", "free batch", "opset 9", "opset 7",
         "opset 10", "output of one size", "swapped", "caffe BGR", "3 mod 7", "more than twice", "double", "integers"],
)  # fmt: skip
def test_what_repeats_pixels_does_so_wrapped(text: str, scale: int, convention: str, tmp_path: Path) -> None:
    result = add_model(saved(text, tmp_path), Options(name="net"))
    assert (result.findings.scale, result.findings.convention) == (scale, convention)
    session = Session(find_model("net", precision="float32"), device="cpu")
    for size in ((16, 16), (53, 90)):
        given = noise(*size)
        expected = given.repeat(scale, 0).repeat(scale, 1)
        assert np.array_equal(session.run(given[np.newaxis])[0], expected)


def test_a_border_of_one_size_is_told_from_another_scale(tmp_path: Path) -> None:
    result = add_model(saved(BORDER_OF_ONE_SIZE, tmp_path), Options(name="net"))
    assert (result.findings.scale, result.findings.border, result.findings.fixed) == (2, (32, 32), (48, 48))
    session = Session(find_model("net", precision="float32"), device="cpu")
    given = noise(53, 90)
    assert np.array_equal(session.run(given[np.newaxis])[0], given.repeat(2, 0).repeat(2, 1))


def test_an_input_of_several_numbers_takes_several(tmp_path: Path) -> None:
    path = saved(SCALES_GIVEN, tmp_path)
    with pytest.raises(ModelError, match=r"`settings={'scales': 'VALUE,VALUE,VALUE,VALUE'}`"):
        add_model(path, Options(name="net"))
    with pytest.raises(ModelError, match="its input 'scales' cannot be set to '1,2'"):
        add_model(path, Options(name="net", settings={"scales": "1,2"}))
    add_model(path, Options(name="net", settings={"scales": "1,1,3,3"}))
    session = Session(find_model("net", precision="float32"), device="cpu")
    given = noise(20, 30)
    assert np.array_equal(session.run(given[np.newaxis])[0], given.repeat(3, 0).repeat(3, 1))


def test_what_treats_channels_differently_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(UnclearConventionError) as caught:
        add_model(saved(SHARPENED_FIRST, tmp_path), Options())
    assert caught.value.choices[0] == "RGB 0..1 in, RGB 0..1 out" and len(caught.value.choices) > 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (SIX_CHANNELS, "takes no image with 1, 3 or 4 channels: its inputs are 'x' of shape (?, 6, ?, ?)"),
        (SEVERAL_FRAMES, "takes no image with 1, 3 or 4 channels"),
        (SIZE_GIVEN, "needs a value for its input 'size' (int64); give it with `settings={'size': 'VALUE,VALUE'}`"),
        (GRAY_TO_RGB, "returns 3 channels for an image of 1"),
        (FAINT_RESIDUAL, "no convention tried makes an image of it"),
        (TRANSPOSED, "no convention tried makes an image of it"),
        (resized("1.5, 1.5"), "returns images 1.5 times as large; vidgan takes whole scales, 1 to 8"),
        (resized("0.5, 0.5"), "returns images 0.5 times as large; vidgan takes whole scales, 1 to 8"),
        (resized("1.5, 1.5", fixed=True), "returns images 1.5 times as large"),
        (resized("0.5, 0.5", fixed=True), "returns images 0.5 times as large"),
        (resized("2, 1"), "enlarges height 2 times and width 1 times"),
    ],
    ids=["six channels", "several frames", "size given", "gray to RGB", "residual", "transposed",
         "1.5", "0.5", "fixed 1.5", "fixed 0.5", "rows alone"],
)  # fmt: skip
def test_refusals_say_what_it_is(text: str, words: str, tmp_path: Path, own_models: Path) -> None:
    path = saved(text, tmp_path)
    with pytest.raises(ModelError) as caught:
        add_model(path, Options())
    assert words in str(caught.value) and "\n" not in str(caught.value)
    assert str(caught.value).startswith(str(path)) and not own_models.exists()
