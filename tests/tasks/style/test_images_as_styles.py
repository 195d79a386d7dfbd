"""``--style painting.jpg``: made once, kept, run like a bundled style; blends; and every kind of bad image."""

import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray

import vidgan
from tests.support.clips import make_clip
from tests.support.commands import SAMPLES, assert_one_clear_error
from tests.support.commands import vidgan as command
from tests.support.universal import name_styles
from vidgan.cli import cli
from vidgan.errors import InputError, ModelError
from vidgan.jobs.api import load_style
from vidgan.jobs.plan import Step
from vidgan.models.registry import added_models, find_model, model_in
from vidgan.sources import open_source
from vidgan.sources.image import read_image
from vidgan.tasks.style import StyleSettings
from vidgan.tasks.style.images import add_image, style_of
from vidgan.tasks.style.painting import read_painting

PHOTO = np.ascontiguousarray(read_image(SAMPLES / "bunny.jpg").pixels[:180, :320])
BLUE, RED = (40, 60, 220), (220, 50, 40)


def painting(path: Path, color: tuple[int, int, int] = BLUE, *, size: tuple[int, int] = (120, 90)) -> Path:
    """Strokes of one color, and its darker and lighter shades."""
    width, height = size
    random = np.random.default_rng(3)
    shades = random.uniform(0.6, 1.15, (height, width, 1))
    image = cv2.GaussianBlur(shades * np.array(color), (7, 3), 0).clip(0, 255).astype(np.uint8)
    assert cv2.imwrite(str(path), image[..., ::-1])
    return path


def stylized(style: Path | str, **options: Any) -> NDArray[np.uint8]:
    return vidgan.stylize(PHOTO, style=str(style), **options)


def mean_color(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    return np.asarray(pixels.mean((0, 1)), np.float64)


def frames_of(path: Path) -> list[NDArray[np.uint8]]:
    with open_source(path) as source:
        return [frame.pixels for frame in source]


def test_a_video_takes_on_the_colors_of_a_image(universal: Path, own_data: Path, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4")
    first = vidgan.stylize(clip, style=painting(tmp_path / "blue sea.png", BLUE))
    vidgan.stylize(clip, style=painting(tmp_path / "red.png", RED))
    assert Path(first.output) == tmp_path / "clip.blue sea.mp4" and first.model == "blue-sea"
    blue, red = (mean_color(frames_of(tmp_path / f"clip.{name}.mp4")[10]) for name in ("blue sea", "red"))
    assert blue[2] > blue[0] + 30 and red[0] - red[2] > blue[0] - blue[2] + 60
    (made,) = [each for each in first.warnings if "style made" in each]
    assert made.startswith("blue sea.png: style made in ") and str(own_data / "styles") in made
    again = vidgan.stylize(clip, style=tmp_path / "blue sea.png", overwrite=True)
    assert not [each for each in again.warnings if "style made" in each]
    assert len(list((own_data / "styles").iterdir())) == 2


def test_it_runs_like_a_bundled_style(universal: Path, tmp_path: Path) -> None:
    session = load_style(str(painting(tmp_path / "a.png")), device="cpu")
    bundled = load_style("starry", device="cpu")
    assert session.takes_yuv and session.spec.precision == bundled.spec.precision == "int8"
    assert session.spec.planar is not None and session.tensors == bundled.tensors
    folder = session.spec.file.path.parent
    assert {each.name for each in folder.iterdir()} >= {"float32.onnx", "float16.onnx", "int8-yuv420.onnx"}
    precise = load_style(str(folder / "float32.onnx"), device="cpu")
    images = [each.run(PHOTO[np.newaxis])[0].astype(float) for each in (session, precise)]
    assert 10 * np.log10(255**2 / np.mean((images[0] - images[1]) ** 2)) > 28


def test_a_style_depends_on_the_images_bytes_not_on_its_name(universal: Path, tmp_path: Path) -> None:
    one = style_of([(str(painting(tmp_path / "a.png")), 1.0)])
    shutil.copy(tmp_path / "a.png", tmp_path / "b.png")
    same = style_of([(str(tmp_path / "b.png"), 1.0)])
    assert same.folder == one.folder and one.warnings and not same.warnings
    other = style_of([(str(painting(tmp_path / "a.png", RED)), 1.0)])
    stroke = style_of([(str(tmp_path / "b.png"), 1.0)], stroke=1.5)
    assert len({one.folder, other.folder, stroke.folder}) == 3


def test_a_damaged_kept_style_is_made_again(universal: Path, tmp_path: Path) -> None:
    made = style_of([(str(painting(tmp_path / "a.png")), 1.0)])
    (made.folder / "int8.onnx").unlink()
    again = style_of([(str(tmp_path / "a.png"), 1.0)])
    assert again.folder == made.folder and again.warnings and (made.folder / "int8.onnx").is_file()
    assert [each.name for each in made.folder.parent.iterdir()] == [made.folder.name]


def test_the_size_of_strokes(universal: Path, tmp_path: Path) -> None:
    path = painting(tmp_path / "a.png", size=(400, 300))
    small, large = (read_painting(path, stroke=stroke)[0].shape for stroke in (0.5, 2.0))
    assert (small, large) == ((147, 195, 3), (579, 771, 3))
    with pytest.raises(InputError, match="`stroke`: below 1 is for an image as style, and starry is none"):
        stylized("starry", stroke=0.5)


def by_a_smaller_frame(style: str, width: int, height: int) -> NDArray[np.uint8]:
    small = cv2.resize(PHOTO, (width, height), interpolation=cv2.INTER_AREA)
    output = load_style(style).run(small[np.newaxis])[0]
    return np.asarray(cv2.resize(output, (320, 180), interpolation=cv2.INTER_CUBIC), np.uint8)


def test_wider_strokes_come_from_smaller_frames() -> None:
    assert np.array_equal(stylized("starry", stroke=2.0), by_a_smaller_frame("starry", 160, 88))
    assert np.array_equal(stylized("starry", stroke=3.0), by_a_smaller_frame("starry", 104, 64))


def test_an_image_brings_as_wide_strokes_as_it_can(universal: Path, tmp_path: Path) -> None:
    path = painting(tmp_path / "a.png", size=(400, 300))
    widest = style_of([(str(path), 1.0)], stroke=2.0)
    wider = stylized(path, stroke=3.0)
    assert np.array_equal(wider, by_a_smaller_frame(str(widest.folder / "int8.onnx"), 216, 120))


def test_strokes_of_a_video_are_wider(tmp_path: Path) -> None:
    """The wider the strokes, the less of the variance lies in fine detail."""
    shares = []
    for stroke in (1, 3):
        output = tmp_path / f"{stroke}.mp4"
        options = "--size", "640x360", "--to", "0.2", "--stroke", str(stroke), "--crf", "10"
        done = command("stylize", SAMPLES / "bunny.mp4", "-s", "starry", "-o", output, *options)
        assert done.returncode == 0, done.stderr
        frame = frames_of(output)[-1].astype(np.float32)
        assert frame.shape == (360, 640, 3)
        shares.append((frame - cv2.GaussianBlur(frame, (0, 0), 2)).var() / frame.var())
    assert shares[1] < 0.6 * shares[0]


def test_without_the_universal_model_it_says_so(own_data: Path, tmp_path: Path) -> None:
    path = painting(tmp_path / "a.png")
    with pytest.raises(ModelError) as error:
        stylized(path)
    assert str(error.value).startswith(
        f"{path}: an image as style needs the universal style model, which is not"
    )
    assert "vidgan models add FOLDER" in str(error.value)


def test_models_add_keeps_a_style_under_a_name(universal: Path, tmp_path: Path) -> None:
    made = add_image(painting(tmp_path / "a.png"), "mine", title="Mine")
    assert "mine" in added_models("style") and "any" not in added_models()
    assert find_model("mine", precision="int8").title == "Mine"
    assert np.array_equal(stylized("mine"), stylized(tmp_path / "a.png"))
    assert "a.png" not in (made.folder / "card.md").read_text()[:6]
    with pytest.raises(ModelError, match="'mine' already"):
        add_image(tmp_path / "a.png", "mine")
    with pytest.raises(ModelError, match="comes with vidgan"):
        add_image(tmp_path / "a.png", "starry")


def test_commands(own_data: Path, tmp_path: Path) -> None:
    """The universal model is added, then an image by name, both by the command line."""
    from tests.support.universal import write_universal_model

    exported = write_universal_model(tmp_path / "run" / "onnx")
    path = painting(tmp_path / "a.png")
    added = command("models", "add", exported.parent)
    assert added.returncode == 0 and str(own_data / "models" / "any") in added.stdout
    done = command("models", "add", path, "--name", "mine", "--stroke", "1.5")
    assert done.returncode == 0 and "added as 'mine'" in done.stdout, done.stderr
    assert model_in(own_data / "models" / "mine", "int8").facts["stroke"] == 1.5
    assert_one_clear_error(command("models", "add", tmp_path), "without kernels.npz")


def test_the_card_of_the_universal_model_is_shown(universal: Path) -> None:
    (universal / "card.md").write_text("# any\n\nOne generator for all paintings.\n", encoding="utf-8")
    shown = CliRunner().invoke(cli, ["models", "any"])
    assert shown.exit_code == 0 and "One generator for all paintings." in shown.output
    (universal / "card.md").unlink()
    assert "no model called 'any'" in str(CliRunner().invoke(cli, ["models", "any"]).exception)


def test_a_step_of_a_chain_is_a_image(universal: Path, tmp_path: Path) -> None:
    path = painting(tmp_path / "a.png")
    clip = make_clip(tmp_path / "clip.mp4", times=range(3))
    vidgan.run(clip, tmp_path / "out.mp4", [str(path), f"stylize:{path}:0.5,starry:0.5,smooth=off"])
    assert len(frames_of(tmp_path / "out.mp4")) == 3


def test_a_blend_lies_between_its_images(universal: Path, tmp_path: Path) -> None:
    blue, red = painting(tmp_path / "blue.png", BLUE), painting(tmp_path / "red.png", RED)
    colors = [mean_color(stylized(f"{blue}:{1 - share},{red}:{share}")) for share in (0.0, 0.6, 1.0)]
    redness = [float(color[0] - color[2]) for color in colors]
    assert redness == sorted(redness) and redness[-1] - redness[0] > 60
    settings = StyleSettings(style=f"{blue}:0.5,{red}:0.5")
    assert Step(settings).name == "blue-red" and len(Step(settings).loaded(device="cpu").specs) == 1


def test_a_blend_takes_added_styles_and_named_vectors(universal: Path, tmp_path: Path) -> None:
    blue, red = painting(tmp_path / "blue.png", BLUE), painting(tmp_path / "red.png", RED)
    add_image(blue, "mine")
    wanted = stylized(f"{blue}:0.5,{red}:0.5")
    assert np.array_equal(stylized(f"mine:0.5,{red}:0.5"), wanted)
    outputs_mixed = stylized(f"scream:0.5,{red}:0.5")
    name_styles(universal, {}, {"scream": blue})
    assert np.array_equal(stylized(f"scream:0.5,{red}:0.5"), wanted)
    assert not np.array_equal(outputs_mixed, wanted)
    # With a share of 1 its own weights count.
    assert np.array_equal(stylized("scream:1"), stylized("scream"))


def test_outputs_are_mixed_where_a_style_has_no_vector(own_data: Path) -> None:
    starry, wave = (stylized(name).astype(float) for name in ("starry", "wave"))
    mixed = stylized("starry:0.25,wave:0.75").astype(float)
    assert np.abs(mixed - (0.25 * starry + 0.75 * wave)).max() <= 2


BAD = {
    "missing.jpg": "no such image",
    "folder.jpg": "is a folder; a style is made of one image",
    "empty.png": "the file is empty",
    "text.png": "not an image",
    "cut.jpg": "damaged or cut off",
    "even.png": "shows a single color",
    "clear.png": "shows a single color",
}


def write_bad(folder: Path) -> None:
    (folder / "folder.jpg").mkdir()
    (folder / "empty.png").touch()
    (folder / "text.png").write_text("a painting")
    (folder / "cut.jpg").write_bytes(cv2.imencode(".jpg", PHOTO)[1].tobytes()[:10_000])
    cv2.imwrite(str(folder / "even.png"), np.full((50, 60, 3), 90, np.uint8))
    noise = np.random.default_rng(0).integers(0, 256, (50, 60, 4), np.uint8)
    noise[..., 3] = 0
    cv2.imwrite(str(folder / "clear.png"), noise)


@pytest.mark.parametrize("name", BAD)
def test_a_image_that_is_none_costs_one_clear_line(name: str, universal: Path, tmp_path: Path) -> None:
    write_bad(tmp_path)
    with pytest.raises(InputError) as error:
        stylized(tmp_path / name)
    assert str(error.value).startswith(f"{tmp_path / name}: ") and BAD[name] in str(error.value)
    assert "\n" not in str(error.value)


def remarks_on(path: Path) -> str:
    _, remarks = read_painting(path, stroke=1.0)
    return " | ".join(each.removeprefix(f"{path}: ") for each in remarks)


def test_odd_images_are_used_and_said(tmp_path: Path) -> None:
    assert remarks_on(painting(tmp_path / "fine.png", size=(400, 300))) == ""
    assert remarks_on(painting(tmp_path / "tiny.png", size=(16, 16))) == (
        "has only 16x16 pixels and was enlarged; its strokes will be soft"
    )
    gray = np.random.default_rng(0).integers(0, 256, (200, 300), np.uint8)
    cv2.imwrite(str(tmp_path / "gray.jpg"), gray)
    assert remarks_on(tmp_path / "gray.jpg").startswith("has no colors")


def test_transparent_places_are_white(tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(0, 100, (200, 300, 4), np.uint8)
    image[:, :, 3] = 255
    image[:, 150:, 3] = 0
    cv2.imwrite(str(tmp_path / "half.png"), image)
    pixels, remarks = read_painting(tmp_path / "half.png", stroke=1.0)
    assert pixels[:, 220:].min() == 255 and pixels[:, :160].max() < 120
    assert remarks == [f"{tmp_path / 'half.png'}: is transparent in places, which count as white"]


def test_a_moving_image_gives_its_first_frame(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.gif", codec="gif", pix_fmt="rgb8", times=range(0, 50, 10))
    pixels, remarks = read_painting(clip, stroke=1.0)
    assert remarks[0] == f"{clip}: moves; its first frame is the style"
    first = cv2.resize(frames_of(clip)[0], pixels.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    assert np.array_equal(pixels, first)


def test_a_damaged_image_gives_what_is_left(tmp_path: Path) -> None:
    data = bytearray(cv2.imencode(".jpg", PHOTO)[1].tobytes())
    data[len(data) // 2 : len(data) // 2 + 40] = bytes([0xFE]) * 40
    (tmp_path / "hurt.jpg").write_bytes(data)
    assert "is damaged; the part that could be decoded was used" in remarks_on(tmp_path / "hurt.jpg")


def test_a_photo_is_said_to_be_one(tmp_path: Path) -> None:
    from PIL import Image

    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Canon", "Canon EOS 5D"
    Image.fromarray(PHOTO).save(tmp_path / "photo.jpg", exif=exif)
    assert remarks_on(tmp_path / "photo.jpg") == (
        "was taken by a camera (Canon EOS 5D); of a photo, colors and texture become the style"
    )


@pytest.mark.parametrize("mode", ["P", "CMYK", "LA", "I;16", "1"])
def test_images_of_other_modes_are_used(mode: str, tmp_path: Path) -> None:
    from PIL import Image

    image = Image.fromarray(PHOTO)
    if mode == "I;16":
        image = Image.fromarray(cv2.cvtColor(PHOTO, cv2.COLOR_RGB2GRAY).astype(np.uint16) * 257)
    path = tmp_path / f"image.{'jpg' if mode == 'CMYK' else 'png'}"
    (image if mode == "I;16" else image.convert(mode)).save(path)
    pixels, remarks = read_painting(path, stroke=1.0)
    # Dots in black and white are gray from afar.
    found, wanted = (cv2.resize(each, (40, 22), interpolation=cv2.INTER_AREA) for each in (pixels, PHOTO))
    grays = [cv2.cvtColor(each, cv2.COLOR_RGB2GRAY).ravel() for each in (found, wanted)]
    assert np.corrcoef(*grays)[0, 1] > 0.95
    assert any("no colors" in each for each in remarks) == (mode in ("LA", "I;16", "1"))


def test_an_animated_image_of_any_format_gives_its_first_frame(tmp_path: Path) -> None:
    from PIL import Image

    frames = [Image.fromarray(each) for each in (PHOTO, 255 - PHOTO)]
    for suffix in (".webp", ".png"):
        path = tmp_path / f"moves{suffix}"
        frames[0].save(path, save_all=True, append_images=frames[1:], duration=100, lossless=True)
        pixels, _ = read_painting(path, stroke=1.0)
        first = cv2.resize(PHOTO, pixels.shape[1::-1], interpolation=cv2.INTER_CUBIC)
        assert np.abs(pixels.astype(int) - first).mean() < 3


@pytest.mark.parametrize("size", [(3, 3), (16, 4000), (4000, 16)])
def test_thin_images_have_a_style_too(size: tuple[int, int], universal: Path, tmp_path: Path) -> None:
    path = painting(tmp_path / "thin.png", size=size)
    assert stylized(path).shape == PHOTO.shape


def test_an_image_that_claims_to_be_huge_is_refused(universal: Path, tmp_path: Path) -> None:
    data = bytearray(cv2.imencode(".png", PHOTO)[1].tobytes())
    data[16:24] = (60_000).to_bytes(4, "big") * 2
    (tmp_path / "huge.png").write_bytes(data)
    with pytest.raises(InputError, match=r"huge\.png: .*60000x60000") as error:
        stylized(tmp_path / "huge.png")
    assert "\n" not in str(error.value)


def test_a_hundred_megapixels(tmp_path: Path) -> None:
    large = np.zeros((10_000, 10_000), np.uint8)
    large[::2, :5000] = 200
    cv2.imwrite(str(tmp_path / "large.bmp"), large)
    pixels, _ = read_painting(tmp_path / "large.bmp", stroke=1.0)
    assert (
        pixels.shape == (387, 387, 3)
        and abs(float(pixels[100, 50, 0]) - 100) < 3
        and pixels[100, 300, 0] == 0
    )
