"""``python -m export`` for a CycleGAN: a generator a direction, as models that translate images."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from click.testing import CliRunner

import vidgan
from export.cli import cli
from export.parity import open_session, psnr_db, run_session, run_torch
from training.core.run_folder import CHECKPOINT, CONFIG
from training.networks.swift_translator import SwiftTranslator
from training.recipes.cyclegan import DIRECTIONS, CycleGANConfig
from training.recipes.runs import load_network, read_run
from vidgan.media.image import YuvImage
from vidgan.media.tiling import STATS
from vidgan.media.trim import Trim
from vidgan.sources import open_source
from vidgan.tasks.translate import ImageEffect

SAMPLE = Path(__file__).parents[2] / "samples" / "bunny.mp4"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, photos: Path) -> Path:
    """A run with random weights, of two generators with different outputs."""
    folder = tmp_path_factory.mktemp("runs") / "translator"
    folder.mkdir()
    config = CycleGANConfig(a=str(photos), b=str(photos.parent / "secret" / "b"), network="swift-translator")
    (folder / CONFIG).write_text(json.dumps(config.as_dict()))
    torch.manual_seed(0)
    generators = torch.nn.ModuleDict({direction: SwiftTranslator() for direction in DIRECTIONS})
    torch.save({"generator": generators.state_dict(), "step": 7}, folder / CHECKPOINT)
    return folder


def exported(run: Path, out: Path, *options: object) -> Path:
    result = CliRunner().invoke(cli, [str(run), "--out", str(out), *map(str, options)])
    assert result.exit_code == 0, result.output
    return out


@pytest.fixture(scope="module")
def models(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of its files from a to b, in all precisions."""
    return exported(run, tmp_path_factory.mktemp("models"))


def test_videos_are_translated_without_becoming_rgb(models: Path) -> None:
    session = vidgan.load_model(str(models / "int8.onnx"), "translate", device="cpu")
    effect = ImageEffect(session)
    with (
        open_source(SAMPLE, yuv=True) as planar,
        open_source(SAMPLE) as plain,
    ):
        in_planes, in_rgb = (effect.apply(next(iter(source))) for source in (planar, plain))
    assert isinstance(in_planes.image, YuvImage) and not isinstance(in_rgb.image, YuvImage)
    assert psnr_db(in_planes.pixels, in_rgb.pixels) > 28


def test_translated_videos_are_smoothed_unless_that_is_unwanted(models: Path, tmp_path: Path) -> None:
    output = {}
    for smooth in (None, "flow", "off"):
        video = tmp_path / f"{smooth}.mkv"
        vidgan.translate(
            SAMPLE, video, model=str(models / "int8.onnx"), smooth=smooth, size="180", trim=Trim(frames=4)
        )
        with open_source(video) as source:
            output[smooth] = np.stack([frame.pixels for frame in source])
    assert np.array_equal(output[None], output["flow"]) and not np.array_equal(output[None], output["off"])


def test_models_of_both_layouts_take_the_light_for_the_same(run: Path, models: Path) -> None:
    generator = load_network(read_run(run), "a-to-b")
    images = np.random.default_rng(0).integers(0, 256, (2, 3, 4, 3)).astype(np.uint8)
    large = np.kron(images // 2, np.ones((1, 24, 24, 1), np.uint8))
    dark, bright = large[0], large[1] + 120
    for name, least in (("float32", 50), ("float16", 45), ("int8", 25), ("int8-yuv420", 25)):
        session = open_session(onnx.load(models / f"{name}.onnx"))
        for image in (dark, bright):
            assert psnr_db(run_session(session, image), run_torch(generator, image)) > least, name
    session = open_session(onnx.load(models / "float32.onnx"))
    lights = [session.run([STATS], {"images": each[np.newaxis]})[0] for each in (dark, bright)]
    assert np.array_equal(*lights), "tiles are told what every image is told"


def test_a_model_says_what_it_does_and_nothing_of_the_machine(
    run: Path, photos: Path, tmp_path: Path
) -> None:
    back = exported(run, tmp_path, "--direction", "b-to-a", "--precision", "float32", "--photos", photos)
    model = onnx.load(back / "float32.onnx")
    facts = {each.key: each.value for each in model.metadata_props}
    assert facts["vidgan.task"] == "translate" and facts["vidgan.direction"] == "b-to-a"
    assert "vidgan.classes" not in facts and "secret" not in facts["vidgan.recipe"]
    assert json.loads(facts["vidgan.recipe"])["b"] == "b" and facts["vidgan.steps"] == "7"
    assert [each.name for each in open_session(model).get_inputs()] == ["images"]
    image = np.random.default_rng(0).integers(0, 256, (32, 48, 3)).astype(np.uint8)
    found = run_session(open_session(model), image)
    there, back_again = (run_torch(load_network(read_run(run), each), image) for each in DIRECTIONS)
    assert psnr_db(found, back_again) > 50 > psnr_db(found, there)
