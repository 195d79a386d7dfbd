"""``vidgan upscale`` as a user runs it: what comes out is so many times as large, and else as it was."""

import json
import re
import shutil
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import onnx
import pytest

import vidgan as package
from tests.support.commands import SAMPLES, assert_one_clear_error, vidgan
from tests.support.images import read_pixels
from tests.support.timestamps import seconds
from tests.support.upscalers import upscaler_file
from vidgan.cli.messages import worded
from vidgan.errors import InputError, ModelError, ModelNotFoundError
from vidgan.jobs.batch import Batch, run_batch
from vidgan.jobs.batch_inputs import BatchInputs
from vidgan.jobs.paths import Input
from vidgan.jobs.plan import JobRequest, Step
from vidgan.jobs.runner import JobResult, LocalBackend, run_job
from vidgan.jobs.settings import JobSettings
from vidgan.media.frame import Frame
from vidgan.media.image import RgbImage
from vidgan.media.trim import Trim
from vidgan.models.registry import bundled_models, bundled_upscalers, find_model, find_upscalers
from vidgan.session import Session
from vidgan.tasks import load_models
from vidgan.tasks.upscale import UpscaleSettings

SAMPLE = SAMPLES / "bunny.mp4"
SMALL = "--size", "96", "--frames", "20"


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of models as they are bundled."""
    folder = tmp_path_factory.mktemp("models")
    for name, scale in (("swift-x2", 2), ("swift-x4", 4), ("clean-x4", 4)):
        path = upscaler_file(folder / name / f"{name}.onnx", scale=scale)
        path.rename(path.with_name("float32.onnx"))
    return folder


@pytest.fixture
def bundled(models: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Those models, and a style, as if they had come with vidgan."""
    if not (models / "starry").exists():
        shutil.copytree(Path(find_model("starry", precision="int8").file.path).parent, models / "starry")
    monkeypatch.setattr("vidgan.models.registry.BUNDLED", models)
    return models


@pytest.fixture(scope="session")
def twice(models: Path) -> Path:
    return models / "swift-x2" / "float32.onnx"


@pytest.fixture(scope="session")
def fourfold(models: Path) -> Path:
    return models / "swift-x4" / "float32.onnx"


def images(path: Path, size: tuple[int, int] | None = None) -> list[np.ndarray]:
    width, height = size or (None, None)
    with av.open(str(path)) as video:
        return [each.to_ndarray(format="rgb24", width=width, height=height) for each in video.decode(video=0)]


def times(path: Path) -> list[Fraction]:
    with av.open(str(path)) as video:
        stream = video.streams.video[0]
        return [seconds(each.pts, stream.time_base) for each in video.decode(stream)]


def close(enlarged: np.ndarray, wanted: np.ndarray) -> bool:
    """Whether it shows the same, seen from afar: fresh weights add some detail of their own."""
    small = cv2.resize(enlarged, (40, 24), interpolation=cv2.INTER_AREA).astype(float)
    return bool(np.abs(small - cv2.resize(wanted, (40, 24), interpolation=cv2.INTER_AREA)).mean() < 12)


def test_a_video_becomes_twice_as_large_and_stays_what_it_was(tmp_path: Path, twice: Path) -> None:
    output = tmp_path / "out.mp4"
    done = vidgan("upscale", SAMPLE, "-o", output, "-m", twice, *SMALL, "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert (result["width"], result["height"], result["frames"]) == (340, 192, 20)
    assert result["model"] == "swift-x2" and result["verification"]["frames"] == 20
    assert result["verification"]["packets"]["audio 1"] > 0
    enlarged = images(output)
    assert {each.shape for each in enlarged} == {(192, 340, 3)}
    assert all(close(a, b) for a, b in zip(enlarged, images(SAMPLE, (340, 192)), strict=False))
    assert times(output) == times(SAMPLE)[:20]


@pytest.mark.parametrize(
    ("options", "size"),
    [
        (["--scale", "4"], (680, 384)),
        (["--scale", "2"], (340, 192)),
        (["--height", "300"], (532, 300)),
        (["--height", "96"], (170, 96)),
    ],
)
def test_any_size_up_to_four_times_comes_of_a_fourfold_one(
    tmp_path: Path, fourfold: Path, options: list[str], size: tuple[int, int]
) -> None:
    output = tmp_path / "out.mkv"
    done = vidgan("upscale", SAMPLE, "-o", output, "-m", fourfold, *options, "--size", "96", "--frames", "3")
    assert done.returncode == 0, done.stderr
    enlarged = images(output)
    assert len(enlarged) == 3 and enlarged[0].shape[1::-1] == size
    assert close(enlarged[0], images(SAMPLE, size)[0])


def test_a_image_of_odd_size_with_transparency(tmp_path: Path, twice: Path) -> None:
    photo = cv2.resize(cv2.imread(str(SAMPLES / "bunny.jpg")), (61, 47))
    alpha = np.zeros((47, 61), np.uint8)
    alpha[:, 30:] = 255
    cv2.imwrite(str(tmp_path / "in.png"), np.dstack([photo, alpha]))
    done = vidgan("upscale", tmp_path / "in.png", "-m", twice)
    assert done.returncode == 0, done.stderr
    found = read_pixels(tmp_path / "in.swift-x2.png", cv2.IMREAD_UNCHANGED)
    assert found.shape == (94, 122, 4) and close(found[..., :3], cv2.resize(photo, (122, 94)))
    assert (found[:, :56, 3] == 0).all() and (found[:, 64:, 3] == 255).all()


def test_ten_bits_and_the_shape_of_pixels_stay(tmp_path: Path, twice: Path) -> None:
    source = tmp_path / "in.mkv"
    with av.open(str(source), "w") as video:
        stream = video.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p10le"
        stream.codec_context.sample_aspect_ratio = Fraction(4, 3)
        for shade in range(3):
            image = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 80 * shade, np.uint8), format="rgb24")
            video.mux(stream.encode(image.reformat(format="yuv420p10le")))
        video.mux(stream.encode(None))
    package.upscale(source, tmp_path / "out.mkv", model=str(twice))
    with av.open(str(tmp_path / "out.mkv")) as video:
        stream = video.streams.video[0]
        assert (stream.width, stream.height) == (128, 96)
        assert stream.pix_fmt == "yuv420p10le" and stream.sample_aspect_ratio == Fraction(4, 3)


def test_a_folder_of_images_and_images_of_a_video(tmp_path: Path, twice: Path) -> None:
    pattern = tmp_path / "frames" / "%03d.png"
    done = vidgan("upscale", SAMPLE, "-o", pattern, "-m", twice, "--size", "48", "--frames", "3")
    assert done.returncode == 0, done.stderr
    done = vidgan("upscale", tmp_path / "frames", "-o", tmp_path / "out.mp4", "-m", twice, "--rate", "5")
    assert done.returncode == 0, done.stderr
    enlarged = images(tmp_path / "out.mp4")
    assert len(enlarged) == 3 and enlarged[0].shape == (192, 344, 3)


def test_smoothing_is_off_unless_asked_for_and_works_at_the_new_size(tmp_path: Path, twice: Path) -> None:
    videos = {}
    for smooth in (None, "off", "flow"):
        options = {} if smooth is None else {"smooth": smooth}
        output = tmp_path / f"{smooth}.mkv"
        package.upscale(
            SAMPLE, output, model=str(twice), size="160", trim=Trim(frames=8),
            encoder_options={"crf": "1"}, **options,
        )  # fmt: skip
        videos[smooth] = np.stack(images(output)).astype(float)
    assert np.array_equal(videos[None], videos["off"])
    assert videos["flow"].shape == videos["off"].shape
    difference = np.abs(videos["flow"] - videos["off"]).mean((1, 2, 3))
    assert difference[0] < 1 and difference[4:].min() > 0.2
    # It follows what moves instead of smearing it.
    assert difference.max() < 6


def test_where_an_interrupted_run_goes_on_the_video_is_the_same(tmp_path: Path, twice: Path) -> None:
    options = {"model": str(twice), "size": "48", "trim": Trim(frames=300), "smooth": "flow"}
    loop = tmp_path / "long.mkv"
    with av.open(str(loop), "w") as video:
        stream = video.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 84, 48, "yuv420p"
        shown = images(SAMPLE, (84, 48))
        for number in range(270):
            image = av.VideoFrame.from_ndarray(shown[number % len(shown)], format="rgb24")
            video.mux(stream.encode(image))
        video.mux(stream.encode(None))

    class StoppedError(Exception):
        pass

    def stop(count: int) -> None:
        if count == 260:
            raise StoppedError

    with pytest.raises(StoppedError):
        package.upscale(loop, tmp_path / "out.mkv", on_frame=stop, **options)
    done = vidgan("jobs", "list", tmp_path, "--json")
    (job,) = json.loads(done.stdout)
    assert job["state"] == "interrupted" and job["frames"] == 250 and job["model"] == str(twice)
    done = vidgan("jobs", "resume", tmp_path)
    assert done.returncode == 0 and "270 frames, 250 of them from before" in done.stdout, done.stderr
    package.upscale(loop, tmp_path / "whole.mkv", **options)
    assert np.array_equal(images(tmp_path / "out.mkv"), images(tmp_path / "whole.mkv"))


def test_a_run_with_another_scale_begins_anew(tmp_path: Path, fourfold: Path) -> None:
    def stop(count: int) -> None:
        if count == 255:
            raise KeyboardInterrupt

    loop = tmp_path / "long.mkv"
    with av.open(str(loop), "w") as video:
        stream = video.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        for _ in range(256):
            video.mux(stream.encode(av.VideoFrame(32, 32, "yuv420p")))
        video.mux(stream.encode(None))
    with pytest.raises(KeyboardInterrupt):
        package.upscale(loop, tmp_path / "out.mkv", model=str(fourfold), scale=4, on_frame=stop)
    result = package.upscale(loop, tmp_path / "out.mkv", model=str(fourfold), scale=2)
    assert result.resumed_frames == 0 and result.height == 64
    assert any("begun anew" in each for each in result.warnings)


def test_a_batch_takes_for_each_file_the_model_that_suits(tmp_path: Path, bundled: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    photo = cv2.imread(str(SAMPLES / "bunny.jpg"))
    for height in (40, 60, 90):
        cv2.imwrite(str(folder / f"{height}.png"), cv2.resize(photo, (64, height)))
    settings = UpscaleSettings(height=120)
    models = load_models(settings, device="cpu")
    batch = Batch(
        inputs=BatchInputs(places=[folder], out=tmp_path / "out"),
        steps=[Step(settings, models)],
        models=models.specs,
        process=lambda request, **options: run_job(request, lambda: LocalBackend(request), **options),
    )
    outcomes = run_batch(batch, batch.inputs.find())
    assert [each.status for each in outcomes] == ["done", "done", "done"]
    assert {read_pixels(each).shape[0] for each in (tmp_path / "out").glob("*.png")} == {120}
    assert sorted(scale for _, scale in models._sessions) == [2, 4]
    assert [each.status for each in run_batch(batch, batch.inputs.find())] == ["skipped"] * 3


def test_a_batch_from_the_command_line(tmp_path: Path, twice: Path) -> None:
    (tmp_path / "in").mkdir()
    cv2.imwrite(str(tmp_path / "in" / "a.png"), np.full((20, 30, 3), 90, np.uint8))
    arguments = "batch", tmp_path / "in", "-o", tmp_path / "out", "--model", twice
    assert vidgan(*arguments).returncode == 0
    assert read_pixels(tmp_path / "out" / "a.swift-x2.png").shape == (40, 60, 3)
    assert "done already" in vidgan(*arguments).stderr
    assert vidgan(*arguments, "--style", "starry").returncode == 2
    assert vidgan(*arguments[:4]).returncode == 2


def test_models_are_found_by_task(bundled: Path) -> None:
    assert bundled_models("style") == ["starry"]
    assert bundled_models("upscale") == ["clean-x4", "swift-x2", "swift-x4"]
    assert bundled_upscalers() == ["clean", "swift"]
    assert [each.scale for each in find_upscalers("swift", precision="int8")] == [2, 4]
    assert [each.scale for each in find_upscalers("swift-x4", precision="int8")] == [4]
    with pytest.raises(ModelNotFoundError, match="no upscaler called 'swit'; did you mean 'swift'"):
        find_upscalers("swit", precision="int8")
    with pytest.raises(ModelError, match="starry: made for style, not for upscale"):
        find_upscalers("starry", precision="int8")
    with pytest.raises(ModelNotFoundError, match=r"no style called 'stary'.* there are starry"):
        find_model("stary", precision="int8", task="style")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["in.png", "-m", "starry"], "made for style, not for upscale"),
        (["in.png", "--scale", "4"], "enlarges 2 times, and 4 are asked for"),
        (["in.png", "--height", "20"], "can become 30 to 120"),
        (["in.png", "--height", "121"], "can become 30 to 120"),
        (["small.png"], "16 a side are needed"),
        (["missing.png"], "no such file"),
        (["in.png", "-m", "missing.onnx"], "no such model file"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(
    tmp_path: Path, twice: Path, arguments: list[str], words: str
) -> None:
    cv2.imwrite(str(tmp_path / "in.png"), np.full((30, 40, 3), 90, np.uint8))
    cv2.imwrite(str(tmp_path / "small.png"), np.full((15, 40, 3), 90, np.uint8))
    before = set(tmp_path.iterdir())
    model = [] if "-m" in arguments else ["-m", str(twice)]
    source, *options = arguments
    assert_one_clear_error(vidgan("upscale", tmp_path / source, *options, *model), words)
    assert set(tmp_path.iterdir()) == before


def test_a_height_out_of_reach_names_the_two_steps(tmp_path: Path) -> None:
    small, out = tmp_path / "small.png", tmp_path / "out.png"
    cv2.imwrite(str(small), np.full((20, 24, 3), 90, np.uint8))
    with pytest.raises(InputError, match=r"in two steps: `vidgan\.run\(.*small\.png") as found:
        package.upscale(small, out, height=90)
    assert worded(str(found.value)).endswith(
        f'; in two steps: vidgan run {small} "upscale:scale=2" "upscale:height=90"'
    )
    steps = re.findall(r'"([^"]+)"', str(found.value))
    assert steps == ["upscale:scale=2", "upscale:height=90"]
    assert package.run(small, out, steps).height == 90
    with pytest.raises(InputError, match=r"not 400$"):
        package.upscale(small, tmp_path / "huge.png", height=400)


def test_an_upscaler_is_no_style(tmp_path: Path, twice: Path) -> None:
    done = vidgan("stylize", SAMPLES / "bunny.jpg", "-o", tmp_path / "out.png", "-s", twice)
    assert_one_clear_error(done, "made for upscale, not for style", "vidgan upscale --model")


def test_scale_and_height_are_one_too_many(tmp_path: Path, twice: Path) -> None:
    assert vidgan("upscale", SAMPLE, "-m", twice, "--scale", "2", "--height", "500").returncode == 2
    with pytest.raises(InputError, match="give one of them"):
        package.upscale(SAMPLE, tmp_path / "out.mp4", model=str(twice), scale=2, height=500)
    with pytest.raises(InputError, match="scale must be one of 2, 3, 4, got 5"):
        package.upscale(SAMPLE, tmp_path / "out.mp4", model=str(twice), scale=5)


def test_what_would_become_huge_is_refused_before_any_work(tmp_path: Path, fourfold: Path) -> None:
    cv2.imwrite(str(tmp_path / "in.png"), np.zeros((16, 4100, 3), np.uint8))
    with pytest.raises(InputError, match="would become 16400x64"):
        package.upscale(tmp_path / "in.png", model=str(fourfold), scale=4)


@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize("size", [(645, 401), (640, 400)])
def test_seams_of_tiles_cannot_be_seen(models: Path, scale: int, size: tuple[int, int]) -> None:
    spec = find_model(str(models / f"swift-x{scale}" / "float32.onnx"), precision="float32")
    photo = cv2.resize(cv2.imread(str(SAMPLES / "bunny.jpg"), cv2.IMREAD_COLOR_RGB), size)
    whole, tiled = Session(spec, device="cpu"), Session(spec, device="cpu", tile_pixels=90_000)
    one, other = (each.run(np.stack([photo, photo[::-1]])) for each in (whole, tiled))
    assert one.shape == (2, scale * size[1], scale * size[0], 3)
    assert np.abs(one.astype(int) - other).max() <= 1
    assert whole.warnings == [] and "for want of memory" in tiled.warnings[0]


def test_a_single_image_of_a_slow_model_shows_progress(twice: Path, tmp_path: Path) -> None:
    """Its tiles are counted, and make the same image; a video counts frames, and is not cut."""
    slow = tmp_path / "slow.onnx"
    model = onnx.load(twice)
    facts = {each.key: each.value for each in model.metadata_props} | {
        "vidgan.bytes_per_input_pixel": "16384"
    }
    onnx.helper.set_model_props(model, facts)
    onnx.save(model, slow)
    photo = tmp_path / "photo.png"
    cv2.imwrite(str(photo), cv2.resize(cv2.imread(str(SAMPLES / "bunny.jpg")), (640, 480)))
    step = Step(UpscaleSettings(model=str(slow)))
    counts: list[tuple[int, int]] = []

    def upscale(path: Path, output: Path, **settings: Any) -> JobResult:
        request = JobRequest(
            input=Input.at(path), output=output, steps=[step], settings=JobSettings(**settings)
        )
        return run_job(request, lambda: LocalBackend(request, on_tile=lambda *each: counts.append(each)))

    result = upscale(photo, tmp_path / "tiled.png")
    assert counts == [(number, 4) for number in range(1, 5)]
    assert not [warning for warning in result.warnings if "memory" in warning]
    package.upscale(photo, tmp_path / "whole.png", model=str(slow))
    tiled, whole = (read_pixels(tmp_path / name).astype(int) for name in ("tiled.png", "whole.png"))
    assert np.abs(tiled - whole).max() <= 1
    counts.clear()
    upscale(SAMPLE, tmp_path / "out.mp4", size="640x360", trim=Trim(frames=1))
    assert counts == []


@pytest.mark.parametrize("name", ["photo", "clean"])
def test_photo_and_clean_count_as_slow(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = find_upscalers(name, precision="float32")[0]
    session, tiles = Session(spec, device="cpu"), list[tuple[int, int]]()
    monkeypatch.setattr("vidgan.session._LEAST_TILE", 1 << 12)
    session.on_tile = lambda *each: tiles.append(each)
    session.run(np.full((1, 64, 512, 3), 90, np.uint8))
    assert len(tiles) > 1 and tiles == [(number, len(tiles)) for number in range(1, len(tiles) + 1)]


def test_the_effect_by_itself(twice: Path) -> None:
    session = load_models(UpscaleSettings(model=str(twice)), device="cpu").generator(2)
    effect = package.UpscaleEffect(session, size=(60, 40))
    pixels = np.full((20, 30, 3), 90, np.uint8)
    frame = Frame(image=RgbImage(pixels), pts=3, time_base=Fraction(1, 25), duration=1, alpha=pixels[..., 0])
    larger = effect.apply(frame)
    assert larger.size == (60, 40) and (larger.pts, larger.duration) == (3, 1)
    assert larger.alpha is not None and larger.alpha.shape == (40, 60) and (larger.alpha == 90).all()
