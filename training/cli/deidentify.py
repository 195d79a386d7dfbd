"""The commands that train on aligned faces: their data and networks come from two folders."""

from pathlib import Path
from typing import Any

import click
import numpy as np

from training.cli.options import Folder, TrainCommand, config_options, run_options
from training.cli.train import RESUME, train_settings
from training.core.recipe import RecipeEntry
from training.data.photos import list_photos
from training.faces.mean_face import mean_of_faces
from training.recipes.deidentify import DEIDENTIFY
from training.recipes.woven import WOVEN

_FOLDERS = {"lfw_train": 0.5, "congress": 0.2, "nobody": 0.3}
"""Folders of faces, and their shares in a batch."""
_SHOWN = "congress", "nobody"
_NETWORKS = {
    "landmarks": "faces/mediapipe_face_landmark_468.onnx",
    "recognizer": "recognisers/mobilefacenet_128_112x112.onnx",
    "second_recognizer": "recognisers/mobilefacenet_casia_112x96.fp16.safetensors",
    "feature_extractor": "squeezenet1_1_lpips.safetensors",
}
"""Files in the folder of weights, by setting."""


def _command(entry: RecipeEntry, summary: str) -> click.Command:
    """The command of a recipe that takes faces."""

    @click.command(entry.name, cls=TrainCommand, help=f"{summary}\n\n{RESUME}")
    @click.option(
        "--faces",
        type=Folder,
        required=True,
        help=f"Folder of folders of aligned faces: {', '.join(_FOLDERS)}.",
    )
    @click.option("--weights", type=Folder, required=True, help="Folder of the loss networks.")
    @click.option(
        "--cache",
        type=click.Path(dir_okay=False, path_type=Path),
        help="File of points and embeddings of the faces; default: faces.npz in the run's folder.",
    )
    @config_options(entry.config, omit=("faces", "shown", "shares", "cache", *_NETWORKS))
    @run_options
    def command(faces: Path, weights: Path, cache: Path | None, out: Path, **settings: Any) -> None:
        folders = {name: share for name, share in _FOLDERS.items() if (faces / name).is_dir()}
        if not folders:
            raise click.UsageError(f"{faces}: none of {', '.join(_FOLDERS)} is in it")
        train_settings(
            entry,
            out=out,
            faces=[str(faces / name) for name in folders],
            shown=[str(faces / name) for name in folders if name in _SHOWN],
            shares=list(folders.values()),
            cache=str(cache or out / "faces.npz"),
            **settings | {name: str(weights / file) for name, file in _NETWORKS.items()},
        )

    return command


deidentify = _command(DEIDENTIFY, "Train the replacement of faces by those of people who do not exist.")
woven = _command(WOVEN, "Train faces that a passcode changes and brings back; experimental.")


@click.command("mean-face")
@click.option("--faces", type=Folder, required=True, help="Folder of folders of aligned faces.")
@click.option("--weights", type=Folder, required=True, help="Folder of the loss networks.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="File, .npy, that is written.",
)
def mean_face(faces: Path, weights: Path, out: Path) -> None:
    """Compute the mean face of the training data, whose lines a de-identifier draws."""
    folders = [faces / name for name in _FOLDERS if (faces / name).is_dir()]
    np.save(out, mean_of_faces(list_photos(folders), weights / _NETWORKS["landmarks"]))
