"""``vidgan cameras``."""

import json
from dataclasses import asdict

import click

from vidgan.errors import InputError


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def cameras(as_json: bool) -> None:
    """List the cameras that 'vidgan live --camera' accepts."""
    from vidgan.live.sources import camera

    found = camera.cameras()
    if as_json:
        click.echo(json.dumps([asdict(each) for each in found], indent=2))
        return
    for each in found:
        click.echo(f"{each.number:2}  {each.name}  ({each.address})")
    if not found:
        click.echo("no camera is connected, or the system denies access to it", err=True)


@click.command(hidden=True, context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1)
def devices(arguments: tuple[str, ...]) -> None:
    """Renamed to 'vidgan cameras'."""
    raise InputError("'vidgan devices' is called 'vidgan cameras' now; 'vidgan doctor' lists CPU and GPUs")
