"""Parameters that control surfaces change."""

from collections.abc import Callable
from pathlib import Path

from vidgan.errors import InputError
from vidgan.live.controls import Controls

Value = float | int | str | bool | None


def _clamp(value: Value) -> float:
    return min(1.0, max(0.0, float(value or 0.0)))


def _style(controls: Controls, value: Value) -> str:
    """A style by name, file stem or index."""
    if isinstance(value, str):
        matches = [style for style in controls.styles if value in (style, Path(style).stem)]
        if not matches:
            raise InputError(f"no style called {value!r}; there are {', '.join(controls.styles)}")
        return matches[0]
    return controls.styles[int(value or 0) % len(controls.styles)]


def _set_recording(controls: Controls, value: Value) -> None:
    controls.set_recording(bool(value))


PARAMETERS: dict[str, Callable[[Controls, Value], object]] = {
    "style": lambda controls, value: controls.update(style=_style(controls, value)),
    "second_style": lambda controls, value: controls.update(second_style=_style(controls, value)),
    "mix": lambda controls, value: controls.set_mix(_clamp(value)),
    "strength": lambda controls, value: controls.update(strength=_clamp(value)),
    "stroke": lambda controls, value: controls.update(stroke=1 + 2 * _clamp(value)),
    "record": _set_recording,
    "snapshot": lambda controls, _: controls.request_snapshot(),
}
"""Setters by name. Styles are names or indices; ``mix``, ``strength`` and ``stroke`` are clamped to 0…1;
the last is from the width that a style has to three times that."""


def set_parameter(controls: Controls, name: str, value: Value) -> None:
    """Sets a parameter.

    Raises:
        InputError: there is no such parameter, or the value is of another type.
    """
    if name not in PARAMETERS:
        raise InputError(f"no parameter called {name!r}; there are {', '.join(PARAMETERS)}")
    try:
        PARAMETERS[name](controls, value)
    except (TypeError, ValueError) as exc:
        raise InputError(f"{name}: cannot be set to {value!r}") from exc
