"""What training commands share: options that a recipe's configuration stands behind, devices, weights."""

import re
from collections.abc import Callable, Collection
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import click
import torch

from training.core.precision import PRECISIONS, best_precision

_F = TypeVar("_F", bound=Callable[..., Any])
Folder = click.Path(exists=True, file_okay=False, path_type=Path)
File = click.Path(exists=True, dir_okay=False, path_type=Path)
Output = click.Path(dir_okay=False, path_type=Path)


class Size(click.ParamType[tuple[int, int]]):
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


def option_of(
    config: type[Any], name: str, help: str, *, choices: Collection[str] = ()
) -> Callable[[_F], _F]:
    """An option that the field ``name`` of a recipe's configuration stands behind.

    Args:
        choices: what it can be; nothing for anything of the default's type.
    """
    (default,) = (field.default for field in fields(config) if field.name == name)
    kind = click.Choice(sorted(choices)) if choices else type(default)
    return click.option(
        "--" + name.replace("_", "-"), type=kind, default=default, show_default=True, help=help
    )


def options(*some: Callable[[_F], _F]) -> Callable[[_F], _F]:
    """Several options as one decorator."""

    def decorate(function: _F) -> _F:
        for each in reversed(some):
            function = each(function)
        return function

    return decorate


weights_option = click.option(
    "--weights",
    multiple=True,
    metavar="NETWORK=FILE",
    help="Loss network's weights, safetensors in torchvision's layout (vgg16=…, squeezenet=…); "
    "without it torchvision downloads its own.",
)
eyes_option = click.option(
    "--eyes",
    type=File,
    help="SqueezeNet 1.1 for projected discriminators, safetensors; else torchvision downloads it.",
)
photos_option = click.option(
    "--photos", type=Folder, required=True, multiple=True, help="Folder of photos; repeatable."
)
device_option = click.option("--device", default="auto", show_default=True, help="auto, cpu or cuda.")
run_options = options(
    click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the run."),
    click.option(
        "--precision",
        type=click.Choice(["auto", *PRECISIONS]),
        default="auto",
        show_default=True,
        help="auto is bf16 where the device has it in hardware.",
    ),
    device_option,
    click.option("--threads", type=int, help="CPU threads."),
    click.option("--tensorboard", is_flag=True, help="Also write TensorBoard events."),
)


def names(text: str | None) -> list[str]:
    """Of a list with commas."""
    return [name.strip() for name in text.split(",")] if text else []


def parse_weights(pairs: tuple[str, ...]) -> dict[str, str]:
    """File by network of ``NETWORK=FILE``.

    Raises:
        click.UsageError: it is not of that form.
    """
    if wrong := [pair for pair in pairs if "=" not in pair]:
        raise click.UsageError(f"--weights {wrong[0]!r}: expected NETWORK=FILE")
    return dict(pair.split("=", 1) for pair in pairs)


def pick_device(name: str) -> torch.device:
    """``auto`` is CUDA where torch has it."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


def pick_precision(name: str, device: str) -> str:
    """``auto`` is what is fastest on the device."""
    return best_precision(pick_device(device)) if name == "auto" else name
