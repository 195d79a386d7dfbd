"""The contract of a recipe: its configuration, its state in training, and its entry in the registry."""

from collections.abc import Callable, Collection, Sequence
from copy import copy
from dataclasses import MISSING, Field, asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Generic, Literal, Protocol, TypeVar

import torch
from torch import Tensor

from training.networks.exportable import ExportableNetwork

Kind = Literal["value", "folder", "folders", "file", "run", "classes", "weights", "names", "numbers"]
_PATHS: tuple[Kind, ...] = ("folder", "folders", "file", "run", "classes", "weights")
_FOLDERS: tuple[Kind, ...] = ("folder", "folders")


def setting(
    help: str,
    default: Any = MISSING,
    *,
    kind: Kind = "value",
    choices: Collection[Any] = (),
    off: str | None = None,
) -> Any:
    """A field of a :class:`RecipeConfig`, from which the command line makes its option.

    Args:
        help: one phrase, for ``--help``.
        default: none for a required setting.
        kind: ``"value"`` for numbers, switches and names, else what the strings mean: one folder or several, a
            file, weights of another run, a list of classes, ``NETWORK=FILE``, or a list of names or numbers.
        choices: the values that are possible; empty for all of the default's type.
        off: name of a switch's opposite; by default ``no-NAME``.
    """
    metadata = {"help": help, "kind": kind, "choices": tuple(choices), "off": off}
    if isinstance(default, list | dict):
        return field(default_factory=lambda: copy(default), metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, kw_only=True)
class RecipeConfig:
    """All settings that decide what a run computes. Paths are strings, so that it is plain JSON."""

    recipe: str = ""
    batch: int = setting("Images per step.", 4)
    steps: int = setting("Training steps.", 5000)
    learning_rate: float = setting("Highest learning rate.", 2e-4)
    precision: str = "float32"
    seed: int = setting("Seed of all random numbers.", 0)

    def as_dict(self) -> dict[str, Any]:
        """The settings by name, as a run folder keeps them."""
        return asdict(self)

    def without_paths(self) -> dict[str, Any]:
        """The settings with the last part of each path only: paths say more about a machine than a model."""
        settings = self.as_dict()
        for each in fields(self):
            kind, value = each.metadata.get("kind"), settings[each.name]
            if kind in _PATHS and value:
                settings[each.name] = run_of(Path(value)) if kind == "run" else _last_part(value)
        return settings

    @classmethod
    def settings(cls, omit: Collection[str] = ()) -> list[Field[Any]]:
        """The fields that users set, but for those in ``omit``."""
        return [each for each in fields(cls) if each.metadata and each.name not in omit]

    @classmethod
    def data(cls) -> list[str]:
        """Names of the settings that are folders of training data."""
        return [each.name for each in cls.settings() if each.metadata["kind"] in _FOLDERS]


class Trainable(Protocol):
    """A system that :func:`training.core.trainer.train` runs."""

    @property
    def steps(self) -> int: ...

    def step(self, index: int) -> dict[str, float]: ...

    def sample_sheet(self) -> Tensor: ...

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state: dict[str, Any]) -> None: ...


class Recipe(Trainable, Protocol):
    """A trainable system with its training data.

    Attributes:
        photos, held_out: files that are trained on, and files that are held out for evaluation.
        device: where it trains.
    """

    photos: list[Path]
    held_out: list[Path]
    device: torch.device


_C = TypeVar("_C", bound=RecipeConfig)


class RunState(Generic[_C]):
    """The settings, the device and the length of a run, from which recipes derive its state.

    Args:
        config: what to train.
        device: where; what is read from files is prepared on the CPU.
    """

    def __init__(self, config: _C, device: torch.device) -> None:
        self.config = config
        self.device = device

    @property
    def steps(self) -> int:
        return self.config.steps


Split = tuple[Sequence[Path], Sequence[Path]]
"""Files that were trained on, and files that were held out."""


@dataclass(frozen=True, kw_only=True)
class RecipeEntry:
    """A recipe in the registry.

    Attributes:
        name: in configurations.
        config: the class of its settings; :meth:`RecipeConfig.data` names the data that it needs.
        recipe: builds the state of a run from a configuration and a device.
        network: builds the network that is exported, with fresh weights, from a configuration.
        metadata: of an exported model besides that of its network, from a configuration and a direction.
        examples: files to calibrate and to compare an exported model with, from a configuration and a direction.
        directions: names of the generators in a checkpoint that has several; the first is the default.
        command: name and help of the command that trains it; None for recipes with a command of their own.
        checkpoint_pause: least seconds between checkpoints.
    """

    name: str
    config: type[RecipeConfig]
    recipe: Callable[[Any, torch.device], Recipe]
    network: Callable[[Any], ExportableNetwork]
    examples: Callable[[Any, str], Split]
    metadata: Callable[[Any, str], dict[str, Any]] = lambda config, direction: {}
    directions: tuple[str, ...] = ()
    command: tuple[str, str] | None = None
    checkpoint_pause: float = 60.0


def _last_part(paths: Any) -> Any:
    if isinstance(paths, dict):
        return {key: Path(path).name for key, path in paths.items()}
    return [Path(each).name for each in paths] if isinstance(paths, list) else Path(paths).name


def run_of(weights: Path) -> str:
    """The name in ``NAME/checkpoint.pt``, ``NAME/onnx/float32.onnx`` and ``NAME/float32.onnx``."""
    return weights.parent.parent.name if weights.parent.name == "onnx" else weights.parent.name
