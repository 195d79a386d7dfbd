"""The folder of a training run: configuration, checkpoint, losses, curves and sample sheet."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from training.core.compatibility import upgrade_checkpoint, upgrade_config

CHECKPOINT = "checkpoint.pt"
CONFIG = "recipe.json"
LOSSES = "losses.csv"
CURVES = "losses.png"
SAMPLES = "samples.png"


def prepare_run(folder: Path, config: Mapping[str, Any]) -> int:
    """Creates the folder and writes the configuration, or checks that a run there has the same one.

    A run can be lengthened: ``steps`` may be more than before. Its schedules are those of the longer run from then on.

    Returns:
        By how many steps a run that is there was lengthened.

    Raises:
        ValueError: the folder holds a run with another configuration.
    """
    folder.mkdir(parents=True, exist_ok=True)
    saved = folder / CONFIG
    longer = 0
    if saved.exists() and (folder / CHECKPOINT).exists():
        before, now = read_config(folder), upgrade_config(config)
        different = sorted(key for key in now | before if now.get(key) != before.get(key))
        if different == ["steps"]:
            longer = now["steps"] - before["steps"]
            if longer < 0:
                raise ValueError(
                    f"{folder}: holds a run that is longer by {-longer}; --steps can be raised, not lowered"
                )
        elif different:
            raise ValueError(f"{folder}: holds a run that differs in {', '.join(different)}; choose another")
    saved.write_text(json.dumps(config, indent=2) + "\n")
    return longer


def read_config(folder: Path) -> dict[str, Any]:
    """The configuration of a run.

    Raises:
        FileNotFoundError: the folder holds no run.
    """
    if not (folder / CONFIG).exists():
        raise FileNotFoundError(f"{folder}: holds no training run; give the folder that was --out")
    return upgrade_config(json.loads((folder / CONFIG).read_text()))


def read_checkpoint(folder: Path) -> dict[str, Any]:
    """The checkpoint of a run, on the CPU.

    Raises:
        FileNotFoundError: the run has not got to a checkpoint.
    """
    if not (folder / CHECKPOINT).exists():
        raise FileNotFoundError(f"{folder}: nothing has been learned there yet; train it first")
    return upgrade_checkpoint(torch.load(folder / CHECKPOINT, map_location="cpu", weights_only=True))


def write_checkpoint(folder: Path, state: Mapping[str, Any]) -> None:
    """Replaces the checkpoint in one step, so that an interruption leaves a whole one."""
    part = folder / f"{CHECKPOINT}.part"
    torch.save(dict(state), part)
    part.replace(folder / CHECKPOINT)
