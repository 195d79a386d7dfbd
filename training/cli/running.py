"""What commands that train share: which recipes of a file are meant, and the run itself."""

import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

import click
import torch

from training.cli.options import pick_device, pick_precision
from training.trainer import Recipe, prepare_run, train


class Config(Protocol):
    """What decides a run."""

    def as_dict(self) -> dict[str, Any]: ...


_C = TypeVar("_C", bound=Config)


class PhotoRecipe(Recipe, Protocol):
    """A recipe that learns from photos."""

    photos: list[Path]
    held_out: list[Path]
    device: torch.device


_ABOUT = "data", "shown", "hardware", "failures", "failures_back"
"""What a recipe says for the card of a model alone."""


def recipes_in(file: Path, names: Sequence[str], *, kind: str) -> dict[str, dict[str, Any]]:
    """The entries of a TOML file, all of them or those named, without what they say for cards.

    Args:
        kind: what one is called, for messages.

    Raises:
        click.UsageError: one is not there.
    """
    recipes = tomllib.loads(file.read_text(encoding="utf-8"))
    if unknown := sorted(set(names) - set(recipes)):
        raise click.UsageError(f"no such {kind}: {', '.join(unknown)}; there are {', '.join(recipes)}")
    return {
        name: {key: value for key, value in recipes[name].items() if key not in _ABOUT}
        for name in names or recipes
    }


def run(
    build: Callable[[_C, torch.device], PhotoRecipe],
    config: _C,
    out: Path,
    *,
    device: str,
    tensorboard: bool = False,
    checkpoint_pause: float = 60.0,
) -> None:
    """Trains to the end, or goes on from where it stopped.

    Args:
        build: the recipe's class.
        checkpoint_pause: seconds from one checkpoint to the next at least.
    """
    prepare_run(out, config.as_dict())
    recipe = build(config, pick_device(device))
    click.echo(f"{len(recipe.photos)} photos, {len(recipe.held_out)} held out, on {recipe.device}")
    train(recipe, out, tensorboard=tensorboard, checkpoint_pause=checkpoint_pause)
    click.echo(f"done: {out}; next: python -m export {out}")


def run_as_asked(
    build: Callable[[_C, torch.device], PhotoRecipe],
    configure: Callable[..., _C],
    *,
    out: Path,
    precision: str,
    device: str,
    threads: int | None,
    tensorboard: bool,
    checkpoint_pause: float = 60.0,
    **settings: Any,
) -> None:
    """:func:`run`, with what :data:`training.cli.options.run_options` ask, and the recipe's own settings.

    Args:
        configure: the class of the recipe's configuration.
    """
    if threads:
        torch.set_num_threads(threads)
    config = configure(precision=pick_precision(precision, device), **settings)
    run(build, config, out, device=device, tensorboard=tensorboard, checkpoint_pause=checkpoint_pause)
