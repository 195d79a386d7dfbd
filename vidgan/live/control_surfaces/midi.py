"""MIDI controllers, by mido and python-rtmidi."""

from collections.abc import Callable, Mapping
from typing import Any, Self

from vidgan.errors import InputError, OutputError
from vidgan.live.control_surfaces.parameters import PARAMETERS, set_parameter
from vidgan.live.controls import Controls

DEFAULT_MAP = {"strength": 1, "mix": 8}
"""Control change numbers by parameter: modulation wheel and balance."""

_MAX_VALUE = 127
_FIRST_PAD = 36
"""Note of the first pad of most pad controllers; it selects the first style."""


class MidiControl:
    """Applies the messages of a MIDI input, from entering its ``with`` block to leaving it.

    Program changes and notes select styles by number; control changes set ``strength``, ``mix`` and others.

    Args:
        controls: to change.
        port: name of the input or a part of it; empty for the first one.
        control_changes: control change numbers by parameter.
        notify: called with messages for the user.

    Raises:
        OutputError: mido or its backend is not installed.
        InputError: there is no such input.
    """

    def __init__(
        self,
        controls: Controls,
        port: str = "",
        *,
        control_changes: Mapping[str, int] = DEFAULT_MAP,
        notify: Callable[[str], None],
    ) -> None:
        self._controls, self._notify = controls, notify
        self._parameters = {number: name for name, number in control_changes.items()}
        self._mido = _import_mido()
        self.name = _find_port(port, self._mido)

    def __enter__(self) -> Self:
        self._port = self._mido.open_input(self.name, callback=self.handle)
        return self

    def __exit__(self, *_: object) -> None:
        self._port.close()

    def handle(self, message: Any) -> None:
        """Applies a :class:`mido.Message`; errors are reported to the user."""
        try:
            self._apply(message)
        except InputError as exc:
            self._notify(f"MIDI: {exc}")

    def _apply(self, message: Any) -> None:
        if message.type == "program_change":
            set_parameter(self._controls, "style", message.program)
        elif message.type == "note_on" and message.velocity:
            set_parameter(self._controls, "style", message.note - _FIRST_PAD)
        elif message.type == "control_change" and message.control in self._parameters:
            set_parameter(self._controls, self._parameters[message.control], message.value / _MAX_VALUE)


def parse_map(text: str) -> dict[str, int]:
    """Parses ``strength=1,mix=8``; parameters that are not named keep their default.

    Raises:
        InputError: a parameter does not exist, or a number is not within 0…127.
    """
    parsed = dict(DEFAULT_MAP)
    for part in text.split(","):
        name, _, number = part.strip().partition("=")
        if name not in PARAMETERS:
            raise InputError(
                f"`midi_map` {text}: no parameter called {name!r}; there are {', '.join(PARAMETERS)}"
            )
        if not number.isdecimal() or int(number) > _MAX_VALUE:
            raise InputError(f"`midi_map` {text}: {name} needs a control change number of 0 to {_MAX_VALUE}")
        parsed[name] = int(number)
    return parsed


def _import_mido() -> Any:
    try:
        import mido

        mido.get_input_names()
    except ImportError as exc:
        raise OutputError(f"`midi`: needs {exc.name}; pip install 'vidgan[control]'") from None
    except Exception as exc:  # Backends raise errors of their own where the system has no MIDI.
        raise InputError(f"`midi`: this system has no MIDI: {exc}") from exc
    return mido


def _find_port(wanted: str, mido: Any) -> str:
    names: list[str] = mido.get_input_names()
    matches = [name for name in names if wanted.lower() in name.lower()]
    if not matches:
        available = f"available: {', '.join(names)}" if names else "no MIDI input is connected"
        raise InputError(f"`midi` {wanted}: not found; {available}".replace("` :", "`:"))
    return matches[0]
