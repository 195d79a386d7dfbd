"""Names of models, as a shell completes them."""

import click
from click.shell_completion import CompletionItem

NAMING = "model", "style", "styles", "style_outside"
"""Parameters that take the name of a model, or a file."""


def complete_name(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The names that begin so, of models for the command that is typed; and files."""
    from vidgan.errors import VidganError
    from vidgan.models.registry import added_models
    from vidgan.tasks import all_tasks, shipped_names, task_for_verb
    from vidgan.tasks.style import TASK

    task = TASK if str(param.name).startswith("style") else task_for_verb(str(ctx.info_name))
    names = []
    for each in all_tasks() if task is None else (task,):
        try:
            names += [*shipped_names(each), *added_models(each.name)]
        except VidganError:
            continue  # Said when the command runs.
    items = [CompletionItem(name) for name in dict.fromkeys(names) if name.startswith(incomplete)]
    return [*items, CompletionItem(incomplete, type="file")]
