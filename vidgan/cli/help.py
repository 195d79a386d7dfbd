"""``vidgan help`` and ``vidgan completion``."""

import click
from click.shell_completion import get_completion_class


@click.command("help")
@click.argument("names", nargs=-1, metavar="[COMMAND]...")
@click.pass_context
def help_(context: click.Context, names: tuple[str, ...]) -> None:
    """Show the help of a command."""
    parent = context.parent
    assert parent is not None
    command: click.Command = parent.command
    for name in names:
        found = command.get_command(parent, name) if isinstance(command, click.Group) else None
        if found is None:
            raise click.UsageError(f"no command {' '.join(names)!r}")
        command, parent = found, click.Context(found, info_name=name, parent=parent)
    click.echo(command.get_help(parent))


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print a script that makes a shell complete commands and options.

    \b
    bash:  eval "$(vidgan completion bash)"          in ~/.bashrc
    zsh:   eval "$(vidgan completion zsh)"           in ~/.zshrc
    fish:  vidgan completion fish > ~/.config/fish/completions/vidgan.fish
    """
    kind = get_completion_class(shell)
    root = context.find_root().command
    assert kind is not None
    click.echo(kind(root, {}, "vidgan", "_VIDGAN_COMPLETE").source())
