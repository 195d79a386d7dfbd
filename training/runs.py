"""Runs that are done: what was trained, as it is used."""

import json
from pathlib import Path
from typing import Any

import torch

from training.data.labels import Classes
from training.networks import Generator, build_generator
from training.networks.style_encoder import size_of
from training.networks.swift import Swift
from training.networks.translation import (
    Colorizer,
    LabelPainter,
    PicturePainter,
    Segmenter,
    SequencePainter,
    Translator,
)
from training.networks.unet import UNet
from training.networks.vid2vid import SequentialGenerator
from training.recipes.any_style import AnyStyle
from training.recipes.pix2pix import Pix2PixConfig, generator_of
from training.recipes.segmentation import SegmentationConfig
from training.recipes.vid2vid import Vid2VidConfig
from training.trainer import CHECKPOINT, CONFIG
from training.weights import load_weights

TRANSLATORS = "pix2pix", "segmentation", "vid2vid"
"""Recipes of translators, as a run's configuration names them."""


def load_translator(run: Path) -> Translator | SequencePainter:
    """The trained network of a run, in evaluation mode.

    Raises:
        ValueError: the run is of no such recipe, or its files are not those of one.
    """
    config, saved = read_run(run)
    translator = translator_of(config)
    try:
        translator.network.load_state_dict(saved["generator"])
    except (KeyError, RuntimeError) as exc:
        raise ValueError(f"{run}: the checkpoint is not of the network in {CONFIG}") from exc
    return translator.eval().requires_grad_(False)


def load_any_style(run: Path) -> AnyStyle:
    """What a run of ``any-style`` has learned, in evaluation mode.

    Raises:
        ValueError: the run is of another recipe.
    """
    config, saved = read_run(run)
    if config.get("recipe") != "any-style":
        raise ValueError(f"{run}: is not a run of any-style")
    state = saved["generator"]
    channels = {name: len(state[f"encoder.{size_of(name)}"]) for name in config["style_layers"]}
    network = AnyStyle(channels, config["experts"])
    network.load_state_dict(state)
    return network.eval().requires_grad_(False)


def load_direction(run: Path, direction: str) -> Generator:
    """One generator of a CycleGAN's run, in evaluation mode, with what can be folded into its kernels folded.

    Raises:
        ValueError: the run is of another recipe.
    """
    config, _ = read_run(run)
    if config.get("recipe") != "cyclegan":
        raise ValueError(f"{run}: is not the run of a CycleGAN")
    generator = build_generator(config["network"])
    load_weights(generator, run / CHECKPOINT, part=direction)
    generator.eval()
    if isinstance(generator, Swift):
        generator.fold()
    return generator


def read_run(run: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Configuration and checkpoint of a run.

    Raises:
        FileNotFoundError: the folder holds no run, or one that has not got to a checkpoint.
    """
    if not (run / CONFIG).exists():
        raise FileNotFoundError(f"{run}: holds no training run; give the folder that was --out")
    if not (run / CHECKPOINT).exists():
        raise FileNotFoundError(f"{run}: nothing has been learned there yet; train it first")
    config: dict[str, Any] = json.loads((run / CONFIG).read_text())
    saved: dict[str, Any] = torch.load(run / CHECKPOINT, map_location="cpu", weights_only=True)
    return config, saved


def translator_of(config: dict[str, Any]) -> Translator | SequencePainter:
    """With fresh weights, of a run's configuration.

    Raises:
        ValueError: it is of no recipe of translators.
    """
    if config["recipe"] == "segmentation":
        settings = SegmentationConfig(**config)
        classes = Classes.read(settings.classes)
        return Segmenter(UNet(3, len(classes), width=settings.width, depth=settings.depth), classes)
    if config["recipe"] == "vid2vid":
        films = Vid2VidConfig(**config)
        classes = Classes.read(films.classes)
        return SequencePainter(
            SequentialGenerator(len(classes), width=films.width, depth=films.depth), classes
        )
    if config["recipe"] != "pix2pix":
        raise ValueError(f"recipe {config['recipe']!r} trains no translator")
    pairs = Pix2PixConfig(**config)
    if pairs.photos:
        return Colorizer(generator_of(pairs, 1, 2))
    if pairs.target_classes:
        classes = Classes.read(pairs.target_classes)
        return Segmenter(generator_of(pairs, 3, len(classes)), classes)
    if not pairs.classes:
        return PicturePainter(generator_of(pairs, 3, 3))
    classes = Classes.read(pairs.classes)
    return LabelPainter(generator_of(pairs, len(classes), 3), classes)
