"""Which steps can follow which."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from vidgan.errors import InputError
from vidgan.models.registry import ModelSpec
from vidgan.tasks.task import Task


def check_order(tasks: Sequence[Task[Any]], specs: Sequence[Mapping[str, ModelSpec]]) -> None:
    """Refuses a step that cannot follow another.

    Args:
        specs: of each step's models, by role.

    Raises:
        InputError: one takes label maps, and the one before makes images, or the other way.
    """
    kinds = [
        (task, task.input_kind(found), task.output_kind(found))
        for task, found in zip(tasks, specs, strict=True)
    ]
    for (before, _, made), (after, wanted, _) in pairwise(kinds):
        if made != wanted:
            raise InputError(
                f"{after.verb} cannot follow {before.verb}: it takes {_article(wanted)}, "
                f"and {before.verb} makes {_article(made)}"
            )


def _article(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"
