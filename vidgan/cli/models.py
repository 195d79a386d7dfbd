"""``vidgan models``."""

import json
from pathlib import Path

import click


@click.command()
@click.argument("name", required=False)
@click.option("--try", "picture", type=click.Path(path_type=Path), help="Show every style on this picture.")
@click.option("-o", "--output", type=click.Path(path_type=Path), default="styles.jpg", show_default=True,
              help="Where --try writes its contact sheet.")  # fmt: skip
@click.option("-f", "--force", is_flag=True, help="Replace the contact sheet if it exists.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def models(name: str | None, picture: Path | None, output: Path, force: bool, as_json: bool) -> None:
    """List the models, show the card of one, or try all styles on a picture."""
    from vidgan.models.registry import bundled_models, card_of, find_model
    from vidgan.tasks import all_tasks

    names = [name] if name else [each for task in all_tasks() for each in bundled_models(task.name)]
    if picture is not None:
        from vidgan.jobs.contact_sheet import contact_sheet

        styles = [name] if name else bundled_models("style")
        contact_sheet(picture, output, styles, overwrite=force)
        click.echo(f"{output}: {', '.join(styles)}")
        return
    if name is not None and not as_json:
        click.echo(card_of(name))
        return
    specs = [find_model(each, precision="int8") for each in names]
    if as_json:
        click.echo(json.dumps([{"name": spec.name, **spec.facts} for spec in specs], indent=2))
        return
    for spec in specs:
        click.echo(f"{spec.name:14} {spec.task:9} {spec.title}")
