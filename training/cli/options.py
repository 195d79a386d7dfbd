"""Options of the training commands: those of a recipe's settings, and those that all commands share."""

import re
from collections.abc import Callable, Collection
from dataclasses import MISSING, Field
from pathlib import Path
from typing import Any, TypeVar

import click
import torch

from training.core.compatibility import current_setting
from training.core.precision import PRECISIONS, fastest_precision
from training.core.recipe import RecipeConfig

_F = TypeVar("_F", bound=Callable[..., Any])
Folder = click.Path(exists=True, file_okay=False, path_type=Path)
File = click.Path(exists=True, dir_okay=False, path_type=Path)
Output = click.Path(dir_okay=False, path_type=Path)


class SizeType(click.ParamType[tuple[int, int]]):
    """``WIDTHxHEIGHT`` in pixels, as ``(height, width)``."""

    name = "WIDTHxHEIGHT"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        if isinstance(value, tuple):
            return value
        found = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})", value)
        if found is None:
            self.fail(f"{value!r} is not like 256x192", param, ctx)
        return int(found[2]), int(found[1])


class TrainCommand(click.Command):
    """A command that also takes options by the names that settings had before they were renamed."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        known = {flag for each in self.params for flag in (*each.opts, *each.secondary_opts)}
        return super().parse_args(ctx, [_renamed(each, known) for each in args])


def _renamed(argument: str, known: Collection[str]) -> str:
    flag, equals, value = argument.partition("=")
    if not flag.startswith("--") or flag in known:
        return argument
    current = "--" + current_setting(flag[2:].replace("-", "_")).replace("_", "-")
    return current + equals + value if current in known else argument


def options(*some: Callable[[_F], _F]) -> Callable[[_F], _F]:
    """Several options as one decorator."""

    def decorate(function: _F) -> _F:
        for each in reversed(some):
            function = each(function)
        return function

    return decorate


def config_options(
    config: type[RecipeConfig], *, omit: Collection[str] = (), required: Collection[str] = ()
) -> Callable[[_F], _F]:
    """An option for each setting of a recipe, required ones first; the command gets the settings by name.

    Args:
        omit: settings without an option.
        required: settings that have a default but are required here.
    """
    settings = [(each, each.name in required or not _has_default(each)) for each in config.settings(omit)]
    settings.sort(key=lambda each: not each[1])
    return options(*(_option(setting, required=is_required) for setting, is_required in settings))


def _has_default(setting: Field[Any]) -> bool:
    return setting.default is not MISSING or setting.default_factory is not MISSING


def _option(setting: Field[Any], *, required: bool) -> Callable[[_F], _F]:
    kind, choices = setting.metadata["kind"], setting.metadata["choices"]
    default = setting.default if setting.default_factory is MISSING else setting.default_factory()
    flag = setting.name.replace("_", "-")
    shared: dict[str, Any] = {"help": setting.metadata["help"], "required": required}
    if not required:
        shared |= {"default": default, "show_default": default not in (None, "")}
    if isinstance(default, bool):
        off = setting.metadata["off"] or f"no-{flag}"
        return click.option(f"--{flag}/--{off}", setting.name, **shared)
    if choices:
        return click.option(f"--{flag}", setting.name, type=click.Choice(sorted(choices)), **shared)
    if kind == "value":
        return click.option(f"--{flag}", setting.name, type=type(default), **shared)
    return click.option(f"--{flag}", setting.name, **shared | _of_kind(kind, default, required=required))


def _of_kind(kind: str, default: Any, *, required: bool) -> dict[str, Any]:
    """Attributes of the option of a path or list, in place of a type."""
    if kind == "classes":
        return {"metavar": "FILE"}
    if kind == "weights":
        return {
            "multiple": True,
            "metavar": "NETWORK=FILE",
            "default": (),
            "callback": _parsed(parse_weights),
        }
    if kind == "folders":
        return {"type": Folder, "multiple": True, "default": (), "callback": _parsed(_strings)}
    if kind in ("names", "numbers"):
        number = kind == "numbers"
        text = None if required else ",".join(f"{each:g}" if number else each for each in default)
        parse = _numbers if number else names
        return {"metavar": "NUMBER,…" if number else "NAME,…", "default": text, "callback": _parsed(parse)}
    return {"type": Folder if kind == "folder" else File, "callback": _parsed(_string)}


def _parsed(parse: Callable[[Any], Any]) -> Callable[..., Any]:
    return lambda context, parameter, value: parse(value)


def _string(path: Path | None) -> str | None:
    return str(path) if path is not None else None


def _strings(paths: tuple[Path, ...]) -> list[str]:
    return [str(each) for each in paths]


def _numbers(text: str) -> list[float]:
    try:
        return [float(each) for each in names(text)]
    except ValueError as exc:
        raise click.BadParameter(f"{text!r}: expected numbers with commas") from exc


def names(text: str | None) -> list[str]:
    """The names in a list with commas."""
    return [name.strip() for name in text.split(",")] if text else []


def parse_weights(pairs: tuple[str, ...]) -> dict[str, str]:
    """File by network of ``NETWORK=FILE``.

    Raises:
        click.UsageError: an argument has another form.
    """
    if wrong := [pair for pair in pairs if "=" not in pair]:
        raise click.UsageError(f"--weights {wrong[0]!r}: expected NETWORK=FILE")
    return dict(pair.split("=", 1) for pair in pairs)


weights_option = click.option(
    "--weights",
    multiple=True,
    metavar="NETWORK=FILE",
    callback=_parsed(parse_weights),
    help="Loss network's weights, safetensors in torchvision's layout (vgg16=…, squeezenet=…); "
    "without it torchvision downloads its own.",
)
feature_extractor_option = click.option(
    "--feature-extractor",
    type=File,
    callback=_parsed(_string),
    help="SqueezeNet 1.1 of projected discriminators, safetensors; without it torchvision downloads its own.",
)
photos_option = click.option(
    "--photos",
    type=Folder,
    required=True,
    multiple=True,
    callback=_parsed(_strings),
    help="Folder of photos; repeatable.",
)
device_option = click.option("--device", default="auto", show_default=True, help="auto, cpu or cuda.")
run_options = options(
    click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the run."),
    click.option(
        "--precision",
        type=click.Choice(["auto", *PRECISIONS]),
        default="auto",
        show_default=True,
        help="Arithmetic; auto is bf16 where the device has it in hardware.",
    ),
    device_option,
    click.option("--threads", type=int, help="CPU threads."),
    click.option("--tensorboard", is_flag=True, help="Also write TensorBoard events."),
)


def pick_device(name: str) -> torch.device:
    """The device called ``name``; ``auto`` is CUDA where torch has it."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


def pick_precision(name: str, device: str) -> str:
    """The precision called ``name``; ``auto`` is the fastest on the device."""
    return fastest_precision(pick_device(device)) if name == "auto" else name
