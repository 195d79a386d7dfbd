"""``vidgan models``."""

import json

import click


@click.command()
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def models(name: str | None, as_json: bool) -> None:
    """List the models, or show the card of one."""
    from vidgan.model import bundled_models, card_of, find_model

    if name is not None and not as_json:
        click.echo(card_of(name))
        return
    specs = [find_model(each, precision="int8") for each in ([name] if name else bundled_models())]
    if as_json:
        click.echo(json.dumps([{"name": spec.name, **spec.facts} for spec in specs], indent=2))
        return
    for spec in specs:
        click.echo(f"{spec.name:12} {spec.task:8} {spec.title}")
