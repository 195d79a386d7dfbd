"""De-identification of faces."""

from pathlib import Path
from typing import Any

import click

from training.cli.options import File, Folder, option_of, run_options
from training.cli.running import run_as_asked
from training.recipes.deidentify import OPTIMIZERS, DeidentifyConfig, DeidentifyRecipe

_FOLDERS = {"lfw_train": 0.64, "congress": 0.16, "nobody": 0.2}
_CHECKPOINT_PAUSE = 300.0
"""Seconds: on a busy CPU a checkpoint with its sheet takes as long as four steps."""
_SHOWN = "congress", "nobody"
_NETWORKS = {
    "landmarks": "faces/mediapipe_face_landmark_468.onnx",
    "recogniser": "recognisers/mobilefacenet_128_112x112.onnx",
    "second_recogniser": "recognisers/mobilefacenet_casia_112x96.fp16.safetensors",
    "eyes": "squeezenet1_1_lpips.safetensors",
}
"""In the folder of weights."""


@click.command()
@click.option(
    "--faces", type=Folder, required=True, help=f"Folder of folders of aligned faces: {', '.join(_FOLDERS)}."
)
@click.option("--weights", type=Folder, required=True, help="Folder of the networks that judge.")
@click.option(
    "--cache",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File for points and embeddings of the faces; default: faces.npz in the run's folder.",
)
@run_options
@click.option("--init", type=File, help="Another run's checkpoint to start from.")
@option_of(DeidentifyConfig, "size", "Side of the faces, in pixels; a multiple of 16.")
@option_of(DeidentifyConfig, "coarse_steps", "First steps, at a smaller size.")
@option_of(DeidentifyConfig, "coarse_size", "That size.")
@option_of(DeidentifyConfig, "quiet_steps", "First steps, without discriminators.")
@option_of(DeidentifyConfig, "batch", "Faces a step; half of them become nobody.")
@option_of(DeidentifyConfig, "steps", "Steps.")
@option_of(DeidentifyConfig, "learning_rate", "At its highest.")
@option_of(DeidentifyConfig, "judge_rate", "Of the discriminators, as a share of that.")
@option_of(DeidentifyConfig, "optimizer", "Of the generator.", choices=OPTIMIZERS)
@option_of(DeidentifyConfig, "pixel_weight", "Of the difference of faces that are to become themselves.")
@option_of(DeidentifyConfig, "feature_weight", "By how much more that counts at eyes and mouth.")
@option_of(DeidentifyConfig, "perceptual_weight", "Of their LPIPS.")
@option_of(DeidentifyConfig, "attract_weight", "Of the cosine that is lacking to who was to be painted.")
@option_of(DeidentifyConfig, "near", "The cosine that is enough.")
@option_of(DeidentifyConfig, "repel_weight", "Of the cosine with who was there.")
@option_of(DeidentifyConfig, "far", "The cosine that is none.")
@option_of(DeidentifyConfig, "colour_weight", "Of the difference of mean colours in cells.")
@option_of(DeidentifyConfig, "adversarial_weight", "Of the discriminator of pixels.")
@option_of(DeidentifyConfig, "projected_weight", "Of the discriminator of features.")
@option_of(DeidentifyConfig, "landmark_weight", "Of the distance of features from the lines.")
@option_of(DeidentifyConfig, "steady_weight", "Of the difference of the faces of two frames.")
@option_of(DeidentifyConfig, "shape", "How far an identity moves the lines, in eye distances.")
@option_of(DeidentifyConfig, "mixed", "Share of foreign identities that are halfway between two people.")
@option_of(DeidentifyConfig, "discriminator_width", "Channels of the discriminators' first stages.")
@option_of(DeidentifyConfig, "seed", "Of everything random.")
def deidentify(
    faces: Path, weights: Path, cache: Path | None, out: Path, init: Path | None, **settings: Any
) -> None:
    """Learn to make of every face another person's, who does not exist.

    Run it again to continue where it stopped.
    """
    folders = {name: share for name, share in _FOLDERS.items() if (faces / name).is_dir()}
    if not folders:
        raise click.UsageError(f"{faces}: none of {', '.join(_FOLDERS)} is in it")
    run_as_asked(
        DeidentifyRecipe,
        DeidentifyConfig,
        out=out,
        checkpoint_pause=_CHECKPOINT_PAUSE,
        faces=[str(faces / name) for name in folders],
        shown=[str(faces / name) for name in folders if name in _SHOWN],
        shares=list(folders.values()),
        cache=str(cache or out / "faces.npz"),
        init=str(init) if init else None,
        **settings | {name: str(weights / file) for name, file in _NETWORKS.items()},
    )
