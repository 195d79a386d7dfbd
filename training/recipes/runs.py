"""Finished runs: the configuration and the trained network of a run folder."""

from pathlib import Path
from typing import Any, NamedTuple

from training.core.recipe import RecipeConfig, RecipeEntry
from training.core.run_folder import CONFIG, read_checkpoint, read_config
from training.core.weights import part_of
from training.networks.exportable import ExportableNetwork
from training.recipes import RECIPES


class Run(NamedTuple):
    """A run that has a checkpoint.

    Attributes:
        folder: of the run.
        entry: its recipe.
        config: its settings.
        checkpoint: the saved state.
    """

    folder: Path
    entry: RecipeEntry
    config: RecipeConfig
    checkpoint: dict[str, Any]

    @property
    def steps(self) -> int:
        """Steps that are done."""
        return int(self.checkpoint["step"])

    def direction(self, name: str) -> str:
        """``name`` for recipes with several generators, else the empty string."""
        return name if self.entry.directions else ""


def read_run(folder: Path) -> Run:
    """Configuration and checkpoint of a run.

    Raises:
        FileNotFoundError: the folder holds no run, or one without a checkpoint.
        ValueError: the run is of no recipe that is known, or has unknown settings.
    """
    settings = read_config(folder)
    entry = RECIPES.get(settings["recipe"])
    if entry is None:
        raise ValueError(f"{folder}: is of the recipe {settings['recipe']!r}; known are {', '.join(RECIPES)}")
    try:
        config = entry.config(**settings)
    except TypeError as exc:
        raise ValueError(f"{folder / CONFIG}: not a configuration of {entry.name} ({exc})") from exc
    return Run(folder, entry, config, read_checkpoint(folder))


def load_network(run: Run, direction: str = "") -> ExportableNetwork:
    """The trained network of a run, in evaluation mode and folded.

    Args:
        direction: which generator, for recipes with several; the first by default.

    Raises:
        ValueError: the checkpoint is not of the network in the configuration.
    """
    part = direction or next(iter(run.entry.directions), "")
    network = run.entry.network(run.config)
    try:
        network.trained.load_state_dict(part_of(run.checkpoint["generator"], run.direction(part)))
    except (KeyError, RuntimeError) as exc:
        raise ValueError(f"{run.folder}: the checkpoint is not of the network in {CONFIG}") from exc
    network.eval().requires_grad_(False)
    network.fold()
    return network
