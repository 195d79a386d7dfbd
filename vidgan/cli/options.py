"""Options of the command line, made from the options of tasks and jobs."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from vidgan.cli.completion import NAMING, complete_name
from vidgan.cli.messages import worded

if TYPE_CHECKING:
    from vidgan.tasks.options import Flag

F = TypeVar("F", bound=Callable[..., Any])
S = TypeVar("S")

PathType = click.Path(path_type=Path)
_HEADINGS = ("Model", "Faces", "Input", "Output", "Encoder", "Temporal", "Provenance", "Device", "Reporting")


DEVICES = "auto", "cpu", "cuda", "tensorrt", "coreml", "directml", "openvino", "webgpu"
"""As :data:`vidgan.session.Device`, known without loading onnxruntime."""


class SizeType(click.ParamType[str]):
    """Width and height, even, as encoders take them."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        width, _, height = str(value).partition("x")
        if not (width.isdecimal() and height.isdecimal()):
            self.fail(f"{value!r} is not WIDTHxHEIGHT, e.g. 1280x720", param, ctx)
        if any(not 16 <= int(side) <= 8192 or int(side) % 2 for side in (width, height)):
            self.fail(f"{value!r}: both sides must be even, from 16 to 8192", param, ctx)
        return str(value)


class HeadedOption(click.Option):
    """An option that stands under a heading in the help text."""

    def __init__(self, *args: Any, heading: str = "Output", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.heading = heading


class HeadedCommand(click.Command):
    """A command whose options stand under headings."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        sections: dict[str, list[tuple[str, str]]] = {heading: [] for heading in _HEADINGS}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None and isinstance(parameter, click.Option):
                sections.setdefault(getattr(parameter, "heading", "Reporting"), []).append(record)
        sections["Reporting"] = sections.pop("Reporting")
        for heading, records in sections.items():
            if records:
                with formatter.section(heading):
                    formatter.write_dl(records)


class _FlagType(click.ParamType[Any]):
    """The value of a flag, parsed and checked by the flag itself."""

    def __init__(self, flag: "Flag") -> None:
        self._flag = flag
        self.name = flag.type.__name__

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return self._flag.value_of(value)
        except ValueError as exc:
            self.fail(worded(str(exc)), param, ctx)


def options_for(settings: type) -> list[click.Option]:
    """The options of a settings class."""
    from vidgan.tasks.options import default_of, options_of

    made = []
    for name, described in options_of(settings).items():
        default = default_of(settings, name)
        made += [as_click(flag, default if len(described.flags) == 1 else None) for flag in described.flags]
    return made


def provenance_options() -> list[click.Option]:
    """``--mark`` and the options of the credentials, as jobs have them."""
    from vidgan.jobs.provenance import ProvenanceSettings
    from vidgan.jobs.settings import JobSettings

    mark = [each for each in options_for(JobSettings) if each.name == "mark"]
    return [*mark, *options_for(ProvenanceSettings)]


def options_of_all(settings: Iterable[type]) -> list[click.Option]:
    """The options of several settings classes, each name once, with the widest bounds of all."""
    from vidgan.tasks.options import options_of

    merged: dict[str, Flag] = {}
    for each in settings:
        for described in options_of(each).values():
            for flag in described.flags:
                merged[flag.name] = _widest(merged[flag.name], flag) if flag.name in merged else flag
    return [as_click(flag, None) for flag in merged.values()]


def as_click(flag: "Flag", default: Any) -> click.Option:
    """A flag as an option of click. What is not given is None, whatever the default."""
    declarations = [flag.short] if flag.short else []
    shown = flag.shown_default or _words(default)
    help_text = flag.help if shown is None else f"{flag.help}  [default: {shown}]"
    if flag.type is bool:
        return HeadedOption(
            [*declarations, f"--{flag.name}", flag.parameter],
            is_flag=True, flag_value=True, default=None, help=help_text, heading=flag.heading,
        )  # fmt: skip
    return HeadedOption(
        [*declarations, f"--{flag.name}", flag.parameter],
        type=_FlagType(flag),
        shell_complete=complete_name if flag.parameter in NAMING else None,
        multiple=flag.repeatable,
        default=None,
        metavar=flag.metavar or ("|".join(flag.choices) if flag.choices else _bounds(flag)),
        help=help_text,
        heading=flag.heading,
    )


def device_option(command: F) -> F:
    """Adds ``--device``."""
    return click.option(
        "--device", cls=HeadedOption, heading="Device", default="auto", show_default=True,
        type=click.Choice(DEVICES),
        help="Device of the models; auto says which one ran, the others fail where they do not come up.",
    )(command)  # fmt: skip


def output_options(command: F) -> F:
    """Adds the options of the output, and of what is printed about it."""
    for option in reversed(_OUTPUT):
        command = option(command)
    return command


_OUTPUT = (
    click.option("-o", "--output", type=PathType, cls=HeadedOption,
                 help="Output file, or a folder for it; 'frames/%06d.png' makes images of frames, '-' is stdout.  "
                 "[default: INPUT.MODEL.suffix beside the input]"),
    click.option("-f", "--force", is_flag=True, cls=HeadedOption, help="Replace the output if it exists."),
    click.option("--preview", type=PathType, metavar="IMAGE", cls=HeadedOption,
                 help="Write a few frames, or the faces or poses that are followed, before and after as one "
                 "image; no video."),
    click.option("--pipe-format", type=click.Choice(["nut", "y4m"]), default="nut", show_default=True,
                 cls=HeadedOption, help="Format of stdout."),
    click.option("--json", "as_json", is_flag=True, cls=HeadedOption, heading="Reporting",
                 help="Print the result as JSON on stdout."),
    click.option("--report", type=click.Path(path_type=Path, dir_okay=False), cls=HeadedOption, heading="Reporting",
                 help="Write the result, or the error, to a JSON file."),
    click.option("-q", "--quiet", is_flag=True, cls=HeadedOption, heading="Reporting",
                 help="Print errors only."),
)  # fmt: skip


def settings_from(settings: type[S], values: Mapping[str, Any]) -> S:
    """Settings from flags.

    Raises:
        click.UsageError: a value is out of its range, or two do not go together.
    """
    from vidgan.errors import InputError
    from vidgan.tasks.options import from_flags

    try:
        return from_flags(settings, values)
    except InputError as exc:
        raise click.UsageError(worded(str(exc))) from None


def split_settings(values: Mapping[str, Any], settings: type) -> tuple[dict[str, Any], dict[str, Any]]:
    """The values of a settings class's flags, and the others."""
    from vidgan.tasks.options import options_of

    names = {flag.parameter for described in options_of(settings).values() for flag in described.flags}
    own = {name: value for name, value in values.items() if name in names}
    return own, {name: value for name, value in values.items() if name not in names}


def _widest(one: "Flag", other: "Flag") -> "Flag":
    choices = tuple(dict.fromkeys((*one.choices, *other.choices))) if one.choices and other.choices else ()
    return replace(
        one,
        choices=choices,
        minimum=None if one.minimum is None or other.minimum is None else min(one.minimum, other.minimum),
        maximum=None if one.maximum is None or other.maximum is None else max(one.maximum, other.maximum),
        help=one.help if one.help == other.help else f"{one.help}",
    )


def _words(default: Any) -> str | None:
    return str(default) if isinstance(default, int | float | str) and default is not False else None


def _bounds(flag: "Flag") -> str:
    return "N" if flag.type is int else "NUMBER" if flag.type is float else flag.type.__name__.upper()


def is_required(settings: type, name: str) -> bool:
    """Whether a field has no default."""
    from vidgan.tasks.options import default_of

    return default_of(settings, name) is MISSING
