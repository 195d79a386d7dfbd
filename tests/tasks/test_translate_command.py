"""``vidgan translate``, ``segment`` and ``colorize`` as a user runs them."""

import json
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

import vidgan as package
from tests.support.commands import SAMPLES, assert_one_clear_error, vidgan
from tests.support.images import read_pixels
from tests.support.streets import street_labels
from tests.support.translators import CLASSES, PAINT, RED, STEP, translator_file
from vidgan.errors import InputError, ModelError
from vidgan.media.label_map import Palette, read_palette
from vidgan.models.registry import find_model, read_model
from vidgan.session import Session
from vidgan.sources.label_png import read_indices
from vidgan.tasks.colorize.lab import lightness_of, with_chroma
from vidgan.temporal.flicker import measure_flicker

SAMPLE = SAMPLES / "bunny.mp4"
PALETTE = Palette.of(CLASSES)
FRAMES = 10


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("translators")
    kinds = "translate", "segment", "colorize", "echo", "remember"
    return {kind: translator_file(folder / f"{kind}r.onnx", kind) for kind in kinds}


def video(path: Path, frames: list[np.ndarray], encoder: str = "libx264rgb", **options: str) -> Path:
    """Of RGB images, 15 a second."""
    pixels = {"libx264rgb": "rgb24", "ffv1": "bgr0"}.get(encoder, "yuv420p")
    with av.open(str(path), "w") as container:
        stream = container.add_stream(encoder, rate=15, options=options or {"qp": "0"})
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = frames[0].shape[1], frames[0].shape[0], pixels
        for image in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def images(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [each.to_ndarray(format="rgb24") for each in container.decode(video=0)]


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video of label maps, without loss."""
    frames = [PALETTE.draw(street_labels(moment)) for moment in range(FRAMES)]
    return video(tmp_path_factory.mktemp("labels") / "street.mkv", frames)


def colored(labels: np.ndarray) -> np.ndarray:
    return np.array(PAINT, np.uint8)[labels]


def test_every_pixel_becomes_the_color_of_its_class(
    drawn: Path, models: dict[str, Path], tmp_path: Path
) -> None:
    done = vidgan("translate", drawn, "--model", models["translate"], "-o", tmp_path / "out" / "%03d.png")
    assert done.returncode == 0, done.stderr
    found = sorted((tmp_path / "out").iterdir())
    assert len(found) == FRAMES
    for moment, path in enumerate(found):
        image = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
        assert np.array_equal(image, colored(street_labels(moment)))


def test_compressed_labels_are_taken_by_their_nearest_color(models: dict[str, Path], tmp_path: Path) -> None:
    frames = [PALETTE.draw(street_labels(moment)) for moment in range(FRAMES)]
    lossy = video(tmp_path / "lossy.mp4", frames, "libx264", crf="23")
    result = package.translate(lossy, tmp_path / "out" / "%03d.png", model=str(models["translate"]))
    assert result.frames == FRAMES
    shares = []
    for moment in range(FRAMES):
        image = cv2.cvtColor(cv2.imread(str(tmp_path / "out" / f"{moment + 1:03}.png")), cv2.COLOR_BGR2RGB)
        shares.append((image == colored(street_labels(moment))).all(2).mean())
    assert min(shares) > 0.93


def test_edges_that_compression_mixed_do_not_become_a_third_class(tmp_path: Path) -> None:
    """Half way between the colors of the first and of the last lies that of the second."""
    palette = Palette(((220, 60, 60), (140, 60, 140), (60, 60, 220)), (0, 1, 2))
    labels = np.zeros((96, 160), np.uint8)
    labels[:, 61:] = 2
    labels[50:] = 1
    lossy = video(tmp_path / "lossy.mp4", [palette.draw(labels)] * 3, "libx264", crf="30")
    with package.open_source(lossy) as source:
        frames = [frame.pixels for frame in source]
    assert len(frames) == 3
    for frame in frames:
        assert not np.array_equal(frame, palette.draw(labels))
        nearest = np.abs(frame[..., None, :].astype(int) - palette.colors).sum(3).argmin(2)
        edge = slice(4, 44), slice(50, 72)
        assert (nearest[edge] == 1).any(), "a line of the second"
        found = palette.labels(frame)
        assert not (found[edge] == 1).any()
        assert (found != labels).mean() < 0.01


@pytest.mark.parametrize(("crf", "most"), [("23", 0.35), ("30", 0.6)])
def test_neighbors_and_luma_set_most_labels_right_again(tmp_path: Path, crf: str, most: float) -> None:
    palette = Palette.of(find_model("camvid", precision="int8").classes)
    drawn = images(SAMPLES / "street.mkv")[:5]
    lossy = video(tmp_path / "lossy.mp4", drawn, "libx264", crf=crf)
    colors = np.array(palette.colors, int)
    wrong = by_nearest = 0
    for frame, exact in zip(images(lossy), drawn, strict=True):
        labels = np.abs(exact[..., None, :] - colors).sum(3).argmin(2)
        assert np.array_equal(palette.labels(exact), labels), "of exact colors, every pixel stays"
        nearest = np.square(frame[..., None, :] - colors).sum(3).argmin(2)
        by_nearest += int(np.count_nonzero(nearest != labels))
        wrong += int(np.count_nonzero(palette.labels(frame) != labels))
    assert 0 < wrong < most * by_nearest


def test_lines_of_their_own_color_stay() -> None:
    """Two pixels wide, and sharp but for a little noise, as VP9 and H.264 in full color have them."""
    labels = np.zeros((64, 96), np.uint8)
    labels[:, 40:42] = 3
    noise = np.random.default_rng(0).integers(-6, 7, (64, 96, 3))
    frame = (PALETTE.draw(labels) + noise).clip(0, 255).astype(np.uint8)
    assert np.array_equal(PALETTE.labels(frame), labels)


def test_a_folder_of_class_indices_is_a_video(models: dict[str, Path], tmp_path: Path) -> None:
    folder = tmp_path / "indices"
    folder.mkdir()
    for moment in range(4):
        cv2.imwrite(str(folder / f"{moment:03}.png"), street_labels(moment))
    done = vidgan("translate", folder, "--model", models["translate"],
                  "-o", tmp_path / "out.mkv", "--encoder", "libx264rgb", "-e", "qp=0")  # fmt: skip
    assert done.returncode == 0, done.stderr
    for moment, image in enumerate(images(tmp_path / "out.mkv")):
        assert np.array_equal(image, colored(street_labels(moment)))
    with av.open(str(tmp_path / "out.mkv")) as container:
        assert container.streams.video[0].average_rate == 15


def test_colors_of_ones_own(models: dict[str, Path], tmp_path: Path) -> None:
    theirs = np.array([(1, 2, 3), (250, 0, 0), (0, 250, 0), (0, 0, 250)], np.uint8)
    clip = video(tmp_path / "theirs.mkv", [theirs[street_labels(0)]] * 2)
    colors = tmp_path / "palette.txt"
    colors.write_text("sky 1 2 3\nstreet 250 0 0\ncar 0 250 0\nvoid 0 0 250\n")
    arguments = "translate", clip, "--model", models["translate"], "--palette", colors
    assert_one_clear_error(
        vidgan(*arguments, "-o", tmp_path / "no.mkv"), "'street' is none", "--like street=CLASS"
    )
    done = vidgan(*arguments, "--like", "street=road", "-o", tmp_path / "%d.png")
    assert done.returncode == 0, done.stderr
    image = cv2.cvtColor(cv2.imread(str(tmp_path / "1.png")), cv2.COLOR_BGR2RGB)
    assert np.array_equal(image, colored(street_labels(0)))


def test_what_is_no_label_map_is_refused(models: dict[str, Path], tmp_path: Path) -> None:
    arguments = "translate", SAMPLE, "--model", models["translate"], "-o", tmp_path / "out.mp4", "--frames", 5
    assert_one_clear_error(
        vidgan(*arguments), "is no label map for translater", "--palette", "vidgan segment"
    )
    assert not list(tmp_path.iterdir())
    beyond = np.full((32, 32), 9, np.uint8)
    cv2.imwrite(str(tmp_path / "beyond.png"), beyond)
    refused = vidgan("translate", tmp_path / "beyond.png", "--model", models["translate"])
    assert_one_clear_error(refused, "has the index 9, and classes have 0 to 3")
    cv2.imwrite(str(tmp_path / "see_through.png"), np.zeros((32, 32, 4), np.uint8))
    refused = vidgan("translate", tmp_path / "see_through.png", "--model", models["translate"])
    assert_one_clear_error(refused, "has 4 channels")


def test_indices_are_indices_whatever_their_palette_shows(models: dict[str, Path], tmp_path: Path) -> None:
    indices = np.zeros((32, 48), np.uint8)
    indices[:, 20:] = 2
    palette = np.random.default_rng(0).integers(0, 256, (256, 4)).astype(np.uint8)
    palette[:, 3] = 255
    encoder = av.CodecContext.create("png", "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = 48, 32, "pal8", Fraction(1)
    image = av.VideoFrame.from_ndarray((indices, palette), format="pal8")  # type: ignore[arg-type]
    (tmp_path / "shown.png").write_bytes(b"".join(bytes(each) for each in encoder.encode(image)))
    # The first class alone is all zeros, which as a color would be void's black.
    cv2.imwrite(str(tmp_path / "zeros.png"), np.zeros((32, 48), np.uint8))
    for name, wanted in (("shown", indices), ("zeros", np.zeros_like(indices))):
        package.translate(
            tmp_path / f"{name}.png", tmp_path / f"{name}.out.png", model=str(models["translate"])
        )
        found = cv2.cvtColor(cv2.imread(str(tmp_path / f"{name}.out.png")), cv2.COLOR_BGR2RGB)
        assert np.array_equal(found, colored(wanted))


def test_dark_videos_are_colors_and_no_indices(models: dict[str, Path], tmp_path: Path) -> None:
    clip = video(tmp_path / "dark.mkv", [np.full((32, 48, 3), 2, np.uint8)] * 2)
    package.translate(clip, tmp_path / "%d.png", model=str(models["translate"]))
    assert (read_pixels(tmp_path / "1.png") == PAINT[3][::-1]).all(), "nearly black is void, not a car"


def test_labels_are_scaled_without_new_ones_between(models: dict[str, Path], tmp_path: Path) -> None:
    labels = np.zeros((64, 96), np.uint8)
    labels[:, 41:] = 2
    clip = video(tmp_path / "large.mkv", [PALETTE.draw(labels)] * 2)
    cv2.imwrite(str(tmp_path / "large.png"), labels)
    outputs = {clip: tmp_path / "%d.png", tmp_path / "large.png": tmp_path / "1.png"}
    for given, output in outputs.items():
        package.translate(given, output, model=str(models["translate"]), size="36x24", overwrite=True)
        image = cv2.cvtColor(cv2.imread(str(tmp_path / "1.png")), cv2.COLOR_BGR2RGB)
        assert image.shape == (24, 36, 3)
        assert {tuple(map(int, each)) for each in np.unique(image.reshape(-1, 3), axis=0)} == {
            PAINT[0],
            PAINT[2],
        }


def test_folders_that_are_no_video_of_label_maps(models: dict[str, Path], tmp_path: Path) -> None:
    folder = tmp_path / "maps"
    folder.mkdir()
    cv2.imwrite(str(folder / "1.jpg"), np.zeros((32, 32, 3), np.uint8))
    arguments = "translate", folder, "--model", models["translate"], "-o", tmp_path / "out.mkv"
    assert_one_clear_error(vidgan(*arguments), "maps: has no PNG")
    for number, side in enumerate((32, 32, 48)):
        cv2.imwrite(str(folder / f"{number}.png"), np.zeros((32, side), np.uint8))
    assert_one_clear_error(vidgan(*arguments), "2.png: is 48x32, and those before are 32x32")
    assert not (tmp_path / "out.mkv").exists()
    small = tmp_path / "small.png"
    cv2.imwrite(str(small), np.zeros((8, 8), np.uint8))
    assert_one_clear_error(vidgan("translate", small, "--model", models["translate"]), "8x8")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["translate", SAMPLE], "--model is missing"),
        (
            ["translate", SAMPLE, "--model", "camvid", "--like", "a=b"],
            "--like maps names of a palette file; give --palette",
        ),
    ],
)
def test_wrong_usage(arguments: list[object], words: str) -> None:
    done = vidgan(*arguments)
    assert done.returncode == 2 and words in done.stderr


def test_a_model_for_something_else_is_named(models: dict[str, Path], tmp_path: Path) -> None:
    done = vidgan("translate", SAMPLE, "--model", models["segment"], "-o", tmp_path / "out.mp4")
    assert_one_clear_error(done, "made for segment, not for translate", "vidgan segment --model")


def test_label_maps_come_back_from_a_video_to_the_pixel(models: dict[str, Path], tmp_path: Path) -> None:
    done = vidgan("segment", SAMPLE, "--model", models["segment"], "--frames", 6, "--size", "96x64",
                  "-o", tmp_path / "labels.mkv")  # fmt: skip
    assert done.returncode == 0, done.stderr
    session = Session(read_model(models["segment"]), device="cpu")
    with package.open_source(SAMPLE, size="96x64") as source:
        for frame, image in zip(source, images(tmp_path / "labels.mkv"), strict=False):
            wanted = session.run(frame.pixels[np.newaxis])[0]
            assert np.array_equal(PALETTE.labels(image), wanted)
    with av.open(str(tmp_path / "labels.mkv")) as container:
        assert container.streams.audio, "sound stays"


@pytest.mark.parametrize(
    ("name", "options", "kept"),
    [
        ("a.mp4", [], True),
        ("a.mkv", ["--encoder", "libvpx-vp9"], False),
        ("a.mp4", ["--encoder", "libx264"], False),
        ("a.mov", ["--encoder", "libx264rgb", "--crf", "30"], False),
        ("a.gif", [], True),
        ("a.apng", [], True),
        ("a.webp", [], False),
        ("a.y4m", [], False),
        ("%d.jpg", [], False),
        ("%d.png", [], True),
    ],
    ids=["mp4", "vp9", "libx264", "libx264rgb", "gif", "apng", "webp", "y4m", "jpg", "png"],
)
def test_colors_that_compression_changed_are_said(
    models: dict[str, Path], tmp_path: Path, name: str, options: list[str], kept: bool
) -> None:
    done = vidgan("segment", SAMPLE, "--model", models["segment"], "--frames", 3, "--size", "96x64",
                  *options, "-o", tmp_path / name)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert ("compression changed the colors of classes" in done.stderr) is not kept
    with package.open_source(tmp_path / name.replace("%d", "1")) as source:
        assert all(PALETTE.exact(frame.pixels) for frame in source) is kept


def test_colors_of_classes_are_halved_in_a_pipe(models: dict[str, Path], tmp_path: Path) -> None:
    done = vidgan("segment", SAMPLE, "--model", models["segment"], "--frames", 2, "--size", "96x64",
                  "-o", "-", errors="replace")  # fmt: skip
    assert done.returncode == 0
    assert "standard output: compression changed the colors of classes" in done.stderr


def test_images_of_label_maps_have_indices_and_show_colors(models: dict[str, Path], tmp_path: Path) -> None:
    small = "--frames", 3, "--size", "96x64"
    done = vidgan("segment", SAMPLE, "--model", models["segment"], *small, "-o", tmp_path / "labels")
    assert done.returncode == 0, done.stderr
    session = Session(read_model(models["segment"]), device="cpu")
    with package.open_source(SAMPLE, size="96x64") as source:
        for number, frame in zip(range(1, 4), source, strict=False):
            path = tmp_path / "labels" / f"{number:06}.png"
            wanted = session.run(frame.pixels[np.newaxis])[0]
            indices = read_indices(path)
            assert indices is not None and np.array_equal(indices, wanted)
            shown = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
            assert np.array_equal(shown, PALETTE.draw(wanted))
    done = vidgan("translate", tmp_path / "labels", "--model", models["translate"], "-o", tmp_path / "%d.png")
    assert done.returncode == 0, done.stderr
    image = cv2.cvtColor(cv2.imread(str(tmp_path / "3.png")), cv2.COLOR_BGR2RGB)
    assert np.array_equal(image, colored(wanted))


def test_segmenting_names_its_video_so_that_it_can_hold_rgb(models: dict[str, Path], tmp_path: Path) -> None:
    clip = video(tmp_path / "clip.webm", [np.zeros((32, 48, 3), np.uint8)] * 3, "libvpx-vp9", crf="30")
    result = package.segment(clip, model=str(models["segment"]))
    assert Path(result.output) == tmp_path / "clip.segmentr.mkv"
    done = vidgan("segment", clip, "--model", models["segment"], "--smooth", "flow", "-f")
    assert done.returncode == 2 and "--smooth" in done.stderr  # Between two classes there is none.


def test_lightness_is_kept_to_the_bit_whatever_the_color() -> None:
    photo = cv2.cvtColor(cv2.imread(str(SAMPLES / "bunny.jpg")), cv2.COLOR_BGR2RGB)[::3, ::3]
    lightness = lightness_of(np.ascontiguousarray(photo))
    random = np.random.default_rng(0)
    for chroma in (
        random.integers(0, 256, (*lightness.shape, 2)),
        np.full((*lightness.shape, 2), 250),
        np.zeros((*lightness.shape, 2)),
        np.full((*lightness.shape, 2), 128),
    ):
        pixels = with_chroma(lightness, chroma.astype(np.uint8))
        assert np.array_equal(lightness_of(pixels), lightness)


def test_color_is_as_much_as_there_is_of_it() -> None:
    lightness = np.full((8, 8), 140, np.uint8)
    pixels = with_chroma(lightness, np.full((8, 8, 2), 150, np.uint8))
    lab = cv2.cvtColor(pixels, cv2.COLOR_RGB2Lab)
    assert np.abs(lab[:, :, 1:].astype(int) - 150).max() <= 2
    white = with_chroma(np.full((2, 2), 255, np.uint8), np.full((2, 2, 2), 220, np.uint8))
    assert (white == 255).all(), "white has no color"


def test_a_gray_video_gets_colors_and_keeps_its_lightness(models: dict[str, Path], tmp_path: Path) -> None:
    done = vidgan("colorize", SAMPLE, "--model", models["colorize"], "--frames", 6, "--size", "160x96",
                  "-o", tmp_path / "%d.png")  # fmt: skip
    assert done.returncode == 0, done.stderr
    with package.open_source(SAMPLE, size="160x96") as source:
        for number, frame in zip(range(1, 7), source, strict=False):
            image = cv2.cvtColor(cv2.imread(str(tmp_path / f"{number}.png")), cv2.COLOR_BGR2RGB)
            assert np.array_equal(lightness_of(image), lightness_of(frame.pixels))
            middle = cv2.cvtColor(image, cv2.COLOR_RGB2Lab)[:, :, 1:]
            assert abs(float(np.median(middle)) - RED) <= 2


def test_strength_is_how_much_color(models: dict[str, Path], tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "gray.png"), np.full((32, 40, 3), 120, np.uint8))
    for strength, wanted in ((0.0, 128), (0.5, (128 + RED) // 2), (1.5, 128 + 3 * (RED - 128) // 2)):
        out = tmp_path / f"{strength}.png"
        package.colorize(tmp_path / "gray.png", out, model=str(models["colorize"]), strength=strength)
        lab = cv2.cvtColor(cv2.cvtColor(cv2.imread(str(out)), cv2.COLOR_BGR2RGB), cv2.COLOR_RGB2Lab)
        assert np.abs(lab[:, :, 1:].astype(int) - wanted).max() <= 2
    with pytest.raises(TypeError, match="no option look_ahead"):
        package.colorize(tmp_path / "gray.png", model=str(models["colorize"]), look_ahead=2)


def gray_video(path: Path, frames: list[np.ndarray], **tags: int) -> Path:
    """Of luma alone, as H.264 has it, without loss."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=15, options={"qp": "0"})
        stream.height, stream.width = frames[0].shape
        stream.pix_fmt = "yuv420p"
        for tag, value in tags.items():
            setattr(stream.codec_context, tag, value)
        for luma in frames:
            neutral = np.full((luma.shape[0] // 2, luma.shape[1]), 128, np.uint8)
            image = av.VideoFrame.from_ndarray(np.concatenate([luma, neutral]), format="yuv420p")
            container.mux(stream.encode(image))
        container.mux(stream.encode(None))
    return path


def planes(path: Path) -> list[tuple[np.ndarray, np.ndarray]]:
    """Luma, and both planes of chroma, of each frame."""
    with av.open(str(path)) as container:
        yuv = [each.to_ndarray(format="yuv420p") for each in container.decode(video=0)]
    height = yuv[0].shape[0] * 2 // 3
    return [(each[:height], each[height:].astype(int)) for each in yuv]


@pytest.mark.parametrize("tags", [{}, {"colorspace": 1}, {"colorspace": 1, "color_range": 2}])
def test_luma_of_a_gray_video_stays_as_it_is_in_its_stream(
    models: dict[str, Path], tmp_path: Path, tags: dict[str, int]
) -> None:
    random = np.random.default_rng(0)
    lumas = [cv2.blur(random.integers(16, 236, (96, 160), np.uint8), (5, 5)) for _ in range(5)]
    clip = gray_video(tmp_path / "gray.mkv", lumas, **tags)
    package.colorize(clip, tmp_path / "out.mkv", model=str(models["colorize"]), encoder_options={"crf": "0"})
    found = planes(tmp_path / "out.mkv")
    assert len(found) == 5
    for luma, (kept, chroma) in zip(lumas, found, strict=True):
        assert np.array_equal(kept, luma)
        assert np.abs(chroma - 128).mean() > 5
    (image, *_) = images(tmp_path / "out.mkv")
    a, b = cv2.split(cv2.cvtColor(image, cv2.COLOR_RGB2Lab)[:, :, 1:])
    assert abs(float(np.median(a)) - RED) <= 3 and abs(float(np.median(b)) - RED) <= 3


@pytest.mark.parametrize("size", [None, "80x48"])
def test_colors_of_what_stands_still_do_not_flicker(
    models: dict[str, Path], tmp_path: Path, size: str | None
) -> None:
    random = np.random.default_rng(0)
    scene = cv2.blur(random.integers(60, 200, (96, 160), np.uint8), (15, 15))
    noise = [cv2.blur(random.normal(0, 20, scene.shape), (7, 7)) for _ in range(12)]
    clip = gray_video(tmp_path / "noisy.mkv", [(scene + each).round().astype(np.uint8) for each in noise])
    changes, lumas = {}, {}
    for smooth in ("off", "flow"):
        out = tmp_path / f"{smooth}.mkv"
        package.colorize(clip, out, model=str(models["echo"]), smooth=smooth, size=size,
                         encoder_options={"crf": "0"})  # fmt: skip
        found = planes(out)
        lumas[smooth] = np.array([luma for luma, _ in found], int)
        changes[smooth] = np.abs(np.diff([chroma for _, chroma in found], axis=0)).mean(axis=(1, 2))[5:]
    assert changes["flow"].mean() < 0.5 * changes["off"].mean()
    steady, flickering = (
        measure_flicker(tmp_path / f"{smooth}.mkv", clip, chroma=True).warping_error
        for smooth in ("flow", "off")
    )
    assert steady < 0.5 * flickering
    if size is None:
        assert np.array_equal(lumas["flow"], lumas["off"])
    with pytest.raises(InputError, match="smooth must be off or flow"):
        package.colorize(clip, model=str(models["echo"]), smooth="blend")


def test_a_model_that_remembers_gets_its_frames_in_order(
    drawn: Path, models: dict[str, Path], tmp_path: Path
) -> None:
    result = package.translate(drawn, tmp_path / "%d.png", model=str(models["remember"]))
    levels = [int(read_pixels(tmp_path / f"{number}.png")[5, 5, 0]) for number in range(1, FRAMES + 1)]
    assert result.frames == FRAMES and levels == [STEP * moment for moment in range(FRAMES)]


def test_a_cut_is_forgotten_over(models: dict[str, Path], tmp_path: Path) -> None:
    before, after = np.zeros((48, 64), np.uint8), np.full((48, 64), 1, np.uint8)
    after[::8] = 3
    clip = video(tmp_path / "cut.mkv", [PALETTE.draw(each) for each in [before] * 3 + [after] * 2])
    package.translate(clip, tmp_path / "%d.png", model=str(models["remember"]))
    levels = [int(read_pixels(tmp_path / f"{number}.png")[5, 5, 0]) for number in range(1, 6)]
    assert levels == [0, STEP, 2 * STEP, 0, STEP]


def test_a_model_that_remembers_goes_on_where_it_was_interrupted(
    models: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vidgan.segments.store.SEGMENT_FRAMES", 5)
    frames = [PALETTE.draw(street_labels(moment // 8)) for moment in range(20)]
    clip = video(tmp_path / "long.mkv", frames)
    lossless = {"encoder": "libx264rgb", "encoder_options": {"qp": "0"}}

    def stop(count: int) -> None:
        if count == 12:
            raise KeyboardInterrupt

    folder = tmp_path / "frames" / "%03d.png"
    with pytest.raises(KeyboardInterrupt):
        package.translate(clip, folder, model=str(models["remember"]), on_frame=stop)
    result = package.translate(clip, folder, model=str(models["remember"]))
    assert result.resumed_frames in (5, 10)
    levels = [int(read_pixels(path)[5, 5, 0]) for path in sorted(folder.parent.iterdir())]
    assert levels == [STEP * moment for moment in range(20)]
    package.translate(clip, tmp_path / "out.mkv", model=str(models["remember"]), **lossless)
    assert [int(each[5, 5, 0]) for each in images(tmp_path / "out.mkv")] == levels
    assert result.frames == 20
    with pytest.raises(InputError, match="is recurrent"):
        package.translate(clip, tmp_path / "no.mkv", model=str(models["remember"]), smooth="flow")


def test_colors_go_on_where_they_were_interrupted(
    models: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vidgan.segments.store.SEGMENT_FRAMES", 6)
    random = np.random.default_rng(0)
    scene = cv2.blur(random.integers(60, 200, (96, 160), np.uint8), (15, 15))
    noise = [cv2.blur(random.normal(0, 20, scene.shape), (7, 7)) for _ in range(16)]
    clip = gray_video(tmp_path / "noisy.mkv", [(scene + each).round().astype(np.uint8) for each in noise])

    def stop(count: int) -> None:
        if count == 15:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        package.colorize(clip, tmp_path / "resumed.mkv", model=str(models["echo"]), on_frame=stop)
    result = package.colorize(clip, tmp_path / "resumed.mkv", model=str(models["echo"]))
    assert result.resumed_frames in (6, 12)
    package.colorize(clip, tmp_path / "whole.mkv", model=str(models["echo"]))
    assert np.array_equal(images(tmp_path / "resumed.mkv"), images(tmp_path / "whole.mkv"))


def test_a_folder_of_videos_is_translated(drawn: Path, models: dict[str, Path], tmp_path: Path) -> None:
    done = vidgan(
        "batch", drawn.parent, "--model", models["translate"], "-o", tmp_path / "out", "--frames", 3
    )
    assert done.returncode == 0, done.stderr
    (out,) = (path for path in (tmp_path / "out").iterdir() if path.suffix == ".mkv")
    assert len(images(out)) == 3
    again = vidgan(
        "batch", drawn.parent, "--model", models["translate"], "-o", tmp_path / "out", "--frames", 3
    )
    assert "done already" in again.stderr


def test_a_folder_of_videos_in_colors_of_ones_own(models: dict[str, Path], tmp_path: Path) -> None:
    theirs = np.array([(1, 2, 3), (250, 0, 0), (0, 250, 0), (0, 0, 250)], np.uint8)
    cv2.imwrite(str(tmp_path / "in.png"), theirs[street_labels(0)][..., ::-1])
    colors = tmp_path / "palette.txt"
    colors.write_text("sky 1 2 3\nstreet 250 0 0\ncar 0 250 0\nvoid 0 0 250\n")
    arguments = "batch", tmp_path, "-o", tmp_path / "out", "--palette", colors, "--like", "street=road"
    done = vidgan(*arguments, "--model", models["translate"])
    assert done.returncode == 0, done.stderr
    image = cv2.cvtColor(cv2.imread(str(tmp_path / "out" / "in.translater.png")), cv2.COLOR_BGR2RGB)
    assert np.array_equal(image, colored(street_labels(0)))
    done = vidgan(*arguments, "--model", models["segment"])
    assert done.returncode == 2 and "--palette is not an option of 'vidgan segment'" in done.stderr


def test_flicker_of_what_comes_out_is_measured(drawn: Path, models: dict[str, Path], tmp_path: Path) -> None:
    package.translate(drawn, tmp_path / "out.mkv", model=str(models["translate"]))
    assert measure_flicker(tmp_path / "out.mkv", drawn).warping_error < 0.05


def test_the_result_says_what_was_done(drawn: Path, models: dict[str, Path], tmp_path: Path) -> None:
    done = vidgan("translate", drawn, "--model", models["translate"], "-o", tmp_path / "out.mkv", "--json")
    result = json.loads(done.stdout)
    assert result["model"] == "translater" and result["frames"] == FRAMES and result["device"] == "cpu"


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"classes": "nonsense"}, "no list of names and colors"),
        ({"classes": [["a", [1, 2, 3]], ["b", [1, 2, 3]]]}, "no list of names and colors"),
        ({"classes": [["a", [1, 2, 300]]]}, "no list of names and colors"),
        ({"classes": []}, "no list of names and colors"),
        ({"state": {"past": [10**9, 1]}}, "of its recurrent state"),
        ({"state": "[" * 5000}, "of its recurrent state"),
        ({"state": {"past": [4, 1], "more": [1, 1]}}, "of its recurrent state"),
    ],
)
def test_models_that_say_nonsense(tmp_path: Path, facts: dict[str, object], words: str) -> None:
    with pytest.raises(ModelError, match=words):
        read_model(translator_file(tmp_path / "bad.onnx", "translate", **facts))


@pytest.mark.parametrize(("kind", "task"), [("segment", "translate"), ("translate", "segment")])
def test_models_of_another_shape(tmp_path: Path, kind: str, task: str) -> None:
    spec = read_model(translator_file(tmp_path / "bad.onnx", kind, task=task))
    with pytest.raises(ModelError, match=f"a model for {task} takes"):
        package.load_model(str(spec.file.path), task, device="cpu")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "has no colors"),
        ("sky 1 2", "is not: name red green blue"),
        ("sky 1 2 256", "is not: name red green blue"),
        ("sky 1 2 3\nroad 1 2 3", "is of two classes"),
    ],
)
def test_palettes_that_are_none(tmp_path: Path, content: str, words: str) -> None:
    (tmp_path / "palette.txt").write_text(content)
    with pytest.raises(InputError, match=words):
        read_palette(tmp_path / "palette.txt", CLASSES, {})


def test_colors_near_each_other_are_told_apart() -> None:
    palette = Palette(((10, 10, 10), (11, 10, 10), (200, 0, 0)), (0, 1, 2))
    labels = np.array([[0, 1], [2, 1]], np.uint8)
    assert np.array_equal(palette.labels(palette.draw(labels)), labels)
