"""``vidgan models``: list, show, add and remove."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vidgan.cli.messages import note, worded

if TYPE_CHECKING:
    from vidgan.tasks.task import Task

_RANGES = click.Choice(["0..1", "0..255", "-1..1", "imagenet", "caffe"])
_ORDERS = click.Choice(["rgb", "bgr"])


class _Setting(click.ParamType[tuple[str, str]]):
    name = "setting"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        key, equals, text = str(value).partition("=")
        if not key or not equals:
            self.fail(f"{value!r} is not INPUT=VALUE", param, ctx)
        return key, text


class _Models(click.Group):
    """``vidgan models [NAME]`` shows what there is; ``add`` and ``remove`` are commands."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or args[0] not in (*self.commands, "-h", "--help"):
            args = ["show", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_Models)
def models() -> None:
    """List, show, add and remove models; without a command, 'show'."""


@models.command()
@click.argument("name", metavar="[NAME|FILE.onnx]", required=False)
@click.option(
    "--try",
    "image",
    type=click.Path(path_type=Path),
    help="Show every style, or NAME, or the models of --task, on this image or label map.",
)
@click.option("--task", metavar="COMMAND|all", help="Models to list or to try: those of a command, or all.")
@click.option("-o", "--output", type=click.Path(path_type=Path), default="styles.jpg", show_default=True,
              help="Where --try writes its contact sheet.")  # fmt: skip
@click.option("-f", "--force", is_flag=True, help="Replace the contact sheet if it exists.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def show(
    name: str | None, image: Path | None, task: str | None, output: Path, force: bool, as_json: bool
) -> None:
    """List the models, show the card of one, or try them on an image."""
    if image is not None:
        _try(image, output, [name] if name else _names(task or "stylize"), force=force)
        return
    if name is not None and not as_json:
        click.echo(_card(name))
        return
    entries = _entries(_tasks(task or "all"), name)
    if as_json:
        click.echo(json.dumps(entries, indent=2))
        return
    width = max((len(each["name"]) for each in entries), default=0)
    for each in entries:
        title = _plain(each.get("title", ""))
        click.echo(f"{_plain(each['name']):{width}} {each['task']:10} {title}")


def _entries(tasks: "Sequence[Task[Any]]", name: str | None) -> list[dict[str, Any]]:
    """Facts of all models of these tasks, or of the one of that name."""
    from vidgan.models.registry import added_models, bundled_models, find_model, members_of

    made = {each.name: {**each.facts, "title": each.title, "task": task.name}
            for task in tasks for each in task.made_models()}  # fmt: skip

    def entry(name: str) -> dict[str, Any]:
        if name in made:
            return made[name]
        spec = find_model(name, precision="int8", others=list(made))
        return {"name": spec.name, "task": spec.task, **spec.facts}

    if name is not None:
        return [entry(each) for each in ([name] if name in made else members_of(name))]
    return [
        entry(each)
        for task in tasks
        for each in (*bundled_models(task.name), *(found.name for found in task.made_models()),
                     *added_models(task.name))
    ]  # fmt: skip


def _card(name: str) -> str:
    from vidgan.errors import ModelNotFoundError
    from vidgan.models.registry import UNIVERSAL, card_of, find_model
    from vidgan.models.universal.installation import universal_card

    if name == UNIVERSAL and (card := universal_card()) is not None:
        return card
    made = {each.name: each.card for task in _tasks("all") for each in task.made_models()}
    if name in made:
        return made[name]
    try:
        return card_of(name)
    except ModelNotFoundError:
        find_model(name, precision="float32", others=list(made))
        raise


def _tasks(verb: str) -> "list[Task[Any]]":
    from vidgan.tasks import all_tasks, task_for_verb

    if verb == "all":
        return list(all_tasks())
    if (task := task_for_verb(verb)) is None:
        verbs = ", ".join(each.verb for each in all_tasks())
        raise click.UsageError(f"--task: no command {verb!r} runs a model; there are {verbs}, all")
    return [task]


def _names(verb: str) -> list[str]:
    """Models and trials that a command offers; says why a command offers nothing."""
    from vidgan.tasks import names_to_try

    found = {task: names_to_try(task) for task in _tasks(verb)}
    names = [name for each in found.values() for name in each]
    untried = [f"{task.verb}: not tried: {task.untried}" for task, each in found.items() if not each]
    if not names:
        raise click.UsageError(untried[0])
    for each in untried:
        note(each)
    return names


def _try(image: Path, output: Path, names: list[str], *, force: bool) -> None:
    from vidgan.jobs.contact_sheet import contact_sheet

    left_out = contact_sheet(image, output, names, overwrite=force)
    for each in left_out:
        note(each)
    tried = [name for name in names if not any(each.startswith(f"{name}: ") for each in left_out)]
    click.echo(f"{output}: {', '.join(tried)}")


@models.command()
@click.argument("file", metavar="FILE|IMAGE|FOLDER", type=click.Path(path_type=Path))
@click.option("--name", help="Name to call it by; default: the file's.")
@click.option(
    "--task",
    type=click.Choice(["style", "upscale", "restore"]),
    help="What it is for; default: upscale if it enlarges, restore if it gives its input back, else style.",
)
@click.option(
    "--range-in", type=_RANGES, help="Values of the images that it takes; default: found by trying."
)
@click.option("--range-out", type=_RANGES, help="Values of the images that it returns; likewise.")
@click.option("--order", type=_ORDERS, help="Order of the channels of both; likewise.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    type=_Setting(),
    metavar="INPUT=VALUE",
    help="Value of an input that is no image, or values with commas between; repeatable.",
)
@click.option("--license", metavar="TEXT", help="Terms of the weights, for its card; default: unknown.")
@click.option(
    "--stroke",
    type=click.FloatRange(0.25, 2),
    default=1.0,
    show_default=True,
    help="Size of the strokes of a style that is made of an image.",
)
@click.option("--title", metavar="TEXT", help="One line about it, for lists.")
@click.option(
    "--choose",
    type=click.IntRange(1),
    metavar="N",
    help="The Nth convention of the contact sheet, where several come into question.",
)
@click.option("--look", is_flag=True, help="Keep a contact sheet of what it makes of vidgan's photos.")
@click.option("--yes", is_flag=True, help="Take the likeliest convention without asking.")
@click.option("-f", "--force", is_flag=True, help="Replace an added model of that name.")
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
def add(
    file: Path,
    settings: tuple[tuple[str, str], ...],
    range_in: str | None,
    range_out: str | None,
    order: str | None,
    choose: int | None,
    yes: bool,
    force: bool,
    as_json: bool,
    stroke: float,
    **options: Any,
) -> None:  # fmt: skip
    """Add a model that others made: an ONNX file, or PyTorch weights (.pth, .safetensors). Or the style of an image.

    An export of vidgan's own is kept as it is. Other model files are run, in a process of its own with limits on time
    and memory, to find out how they want their images. A folder is taken for an exported universal style model, which
    makes styles of images.
    """
    from vidgan.tasks.style.images import is_image

    if file.is_dir() or is_image(str(file)):
        _add_style(file, stroke=stroke, force=force, as_json=as_json, **options)
        return
    from vidgan.importer.adding import Options, UnclearConventionError, add_model
    from vidgan.importer.convention import Hints
    from vidgan.importer.exports import is_export

    if is_export(file):
        _add_export(file, force=force, as_json=as_json, **options)
        return

    def attempt(number: int | None) -> Any:
        hints = Hints(range_in, range_out, order, order)
        asked = Options(
            hints=hints, settings=dict(settings), choose=number, best=yes, overwrite=force, **options
        )
        return add_model(file, asked, on_step=lambda step: click.echo(f"{step} ...", err=True))

    try:
        added = attempt(choose)
    except UnclearConventionError as exc:
        added = attempt(_chosen(exc))
    for warning in added.warnings:
        note(warning)
    if as_json:
        from dataclasses import asdict

        click.echo(json.dumps({"folder": str(added.folder), **asdict(added.findings)}, indent=2))
        return
    click.echo((added.folder / "card.md").read_text(encoding="utf-8"))
    click.echo(f"added as {added.findings.name!r} in {added.folder}; use it with")
    for command in added.findings.commands():
        click.echo(f"    {command}")


def _add_export(
    file: Path,
    *,
    name: str | None,
    title: str | None,
    license: str | None,
    force: bool,
    as_json: bool,
    **_: Any,
) -> None:
    """Adds an export of vidgan's own; options about its images have nothing to say."""
    from vidgan.importer.exports import add_export

    added = add_export(
        file,
        name,
        title=title,
        license=license,
        overwrite=force,
        on_step=lambda step: click.echo(f"{step} ...", err=True),
    )
    if as_json:
        from dataclasses import asdict

        click.echo(json.dumps({**asdict(added), "folder": str(added.folder)}, indent=2))
        return
    click.echo(
        f"added as {added.name!r} in {added.folder} ({', '.join(added.files)}); use it with\n    {added.command}"
    )


def _add_style(
    file: Path, *, name: str | None, title: str | None, stroke: float, force: bool, as_json: bool, **_: Any
) -> None:
    """Adds the style of an image, or the universal style model itself."""
    from vidgan.models.universal.installation import add_universal
    from vidgan.tasks.style.images import add_image

    if file.is_dir():
        folder = add_universal(file, overwrite=force)
        click.echo(f"added the universal style model in {folder}; 'vidgan stylize --style IMAGE' uses it")
        return
    made = add_image(file, name, title=title, stroke=stroke, overwrite=force)
    for warning in made.warnings:
        note(warning)
    name = made.folder.name
    if as_json:
        click.echo(json.dumps({"folder": str(made.folder), "name": name}, indent=2))
        return
    click.echo(f"added as {name!r} in {made.folder}; use it with\n    vidgan stylize VIDEO --style {name}")


@models.command()
@click.argument("name")
def remove(name: str) -> None:
    """Remove a model that was added."""
    from vidgan.models.store import remove as remove_model

    click.echo(f"removed {remove_model(name)}")


def _chosen(unclear: Any) -> int:
    """Asks for the number of a convention; without a terminal that is wrong usage."""
    for number, choice in enumerate(unclear.choices, 1):
        click.echo(f"{number}: {choice}", err=True)
    if not sys.stdin.isatty():
        raise click.UsageError(worded(str(unclear)))
    click.echo(f"what each makes of a photo: {unclear.sheet}", err=True)
    return int(click.prompt("which one is right", type=click.IntRange(1, len(unclear.choices)), err=True))


def _plain(text: str) -> str:
    """Without what a terminal would take for commands."""
    return "".join(each if each.isprintable() else " " for each in text)
