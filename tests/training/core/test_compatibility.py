"""Run folders and checkpoints with the old names of settings and weights are still read."""

import json
from pathlib import Path

import click
import pytest
import torch
from click.testing import CliRunner

from training.cli.options import TrainCommand, config_options
from training.core.compatibility import upgrade_checkpoint, upgrade_config, upgrade_weights
from training.core.run_folder import CHECKPOINT, CONFIG, prepare_run
from training.networks import build_generator
from training.networks.translators import LabelsToImage
from training.recipes import RECIPES
from training.recipes.pix2pix import Pix2PixConfig
from training.recipes.runs import load_network, read_run
from training.recipes.style import StyleConfig


def test_a_configuration_without_a_recipe_is_of_a_style() -> None:
    old = {
        "image": "a.jpg",
        "photos": ["b"],
        "steady_weight": 5.0,
        "grid_weight": 1.0,
        "jitter": 2,
        "fade": [0, 0],
    }
    config = StyleConfig(**upgrade_config(old))
    assert (config.recipe, config.temporal_weight, config.checkerboard_weight) == ("style", 5.0, 1.0)
    assert (config.crop_jitter, config.norm_fade) == (2, [0, 0])
    # Losses that came later.
    assert config.local_color_weight == config.lattice_weight == 0


def test_a_run_with_old_names_is_the_same_run(tmp_path: Path) -> None:
    old = {
        "recipe": "pix2pix", "inputs": "in", "targets": "out", "width": 8, "length": 48, "height": 32,
        "judge_rate": 0.5, "jitter": 0.3, "adversarial": "hinge", "scales": 2, "pixel": "mse", "grain": True,
    }  # fmt: skip
    now = Pix2PixConfig(**upgrade_config(old))
    assert (now.base_channels, now.image_width, now.image_height) == (8, 48, 32)
    assert (now.discriminator_lr_ratio, now.color_jitter, now.gan_mode) == (0.5, 0.3, "hinge")
    assert (now.num_discriminators, now.pixel_loss, now.input_noise) == (2, "mse", True)
    (tmp_path / CONFIG).write_text(json.dumps({**now.as_dict(), "judge_rate": 0.5}))
    (tmp_path / CHECKPOINT).touch()
    prepare_run(tmp_path, now.as_dict())


def test_british_settings_are_read() -> None:
    old = {"recipe": "deidentify", "colour_weight": 1.5, "recogniser": "a.onnx", "second_recogniser": "b"}
    now = {"recipe": "deidentify", "color_weight": 1.5, "recognizer": "a.onnx", "second_recognizer": "b"}
    assert upgrade_config(old) == now


@pytest.mark.parametrize("flag", ["--steady-weight=2.5", "--temporal-weight=2.5"])
def test_commands_take_settings_by_their_old_names(flag: str) -> None:
    @click.command(cls=TrainCommand)
    @config_options(StyleConfig, omit=("image", "photos", "weights"))
    def command(**settings: object) -> None:
        click.echo(settings["temporal_weight"])

    done = CliRunner().invoke(command, [flag])
    assert done.output == "2.5\n", done.output
    assert CliRunner().invoke(command, ["--jitterbug", "2"]).exit_code == 2


def test_a_checkpoint_with_old_names_is_loaded(tmp_path: Path) -> None:
    classes = tmp_path / "classes.txt"
    classes.write_text("sky 1 2 3\nvoid 0 0 0\n")
    config = {"recipe": "pix2pix", "classes": str(classes), "width": 8, "depth": 3, "grain": True}
    network = RECIPES["pix2pix"].network(Pix2PixConfig(**upgrade_config(config)))
    state = {
        name.replace("input_noise.", "grain."): each for name, each in network.trained.state_dict().items()
    }
    assert "grain.noise" in state
    (tmp_path / CONFIG).write_text(json.dumps(config))
    torch.save({"generator": state, "step": 3}, tmp_path / CHECKPOINT)
    run = read_run(tmp_path)
    loaded = load_network(run)
    assert run.steps == 3 and isinstance(loaded, LabelsToImage)
    for before, after in zip(network.parameters(), loaded.parameters(), strict=True):
        assert torch.equal(before, after)


def test_entries_of_recipes_get_their_names() -> None:
    saved = {
        "judges": {"a-to-b": {"network": {"scales.0.verdict.weight": 1}}},
        "pools": {"a-to-b": {"kept": []}},
        "scaler": {},
        "optimizers": [{"state": {0: 1}}],
    }
    assert upgrade_checkpoint(saved) == {
        "discriminators": {"a-to-b": {"network": {"scales.0.score.weight": 1}}},
        "pools": {"a-to-b": {"images": []}},
        "precision": {},
        "optimizers": [{"state": {0: 1}}],
    }
    assert upgrade_weights({"cells.patterns": 0, "stem.conv.weight": 1}) == {
        "patch_features.matrix": 0,
        "stem.conv.weight": 1,
    }


def test_today_s_names_are_left_alone() -> None:
    for name in ("swift", "swift-translator", "johnson"):
        weights = build_generator(name).state_dict()
        assert upgrade_weights(weights).keys() == weights.keys()
    config = StyleConfig(image="a", photos=["b"]).as_dict()
    assert upgrade_config(config) == config


@pytest.mark.parametrize("settings", [{"recipe": "pose"}, {"recipe": "pix2pix", "sharpness": 1}])
def test_an_unknown_run_is_refused_with_its_name(settings: dict[str, object], tmp_path: Path) -> None:
    (tmp_path / CONFIG).write_text(json.dumps(settings))
    torch.save({}, tmp_path / CHECKPOINT)
    with pytest.raises(ValueError, match=r"pose|sharpness"):
        read_run(tmp_path)
