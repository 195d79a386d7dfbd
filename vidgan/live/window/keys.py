"""Keys of the window; the help overlay is generated from this table."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from vidgan.live.controls import Controls

_STEP = 0.1


class WindowActions(Protocol):
    """Target of keys: the settings of the pipeline, and the view of the window."""

    controls: Controls

    def toggle_help(self) -> None: ...
    def toggle_side_by_side(self) -> None: ...
    def toggle_split(self) -> None: ...
    def toggle_full_screen(self) -> None: ...
    def toggle_overlay(self) -> None: ...
    def toggle_fill(self) -> None: ...
    def toggle_output_window(self) -> None: ...
    def toggle_output_full_screen(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Key:
    """A key and its action.

    Attributes:
        codes: OpenCV's key codes that trigger the action.
        name: shown in the help.
        help: shown in the help.
        act: called with the window and the code.
    """

    codes: tuple[int, ...]
    name: str
    help: str
    act: Callable[[WindowActions, int], object]


def _letters(letters: str) -> tuple[int, ...]:
    """Codes of letters in both cases."""
    return tuple(ord(each) for letter in letters for each in {letter.lower(), letter.upper()})


# Codes of X11, Windows and macOS.
_LEFT, _UP, _RIGHT, _DOWN = (
    (65361, 0x250000, 63234),
    (65362, 0x260000, 63232),
    (65363, 0x270000, 63235),
    (65364, 0x280000, 63233),
)
_ESCAPE = 27
_DIGITS = "1234567890"

KEYS = [
    Key((*_letters("n"), *_RIGHT), "n, right", "next style", lambda w, _: w.controls.step_style(1)),
    Key((*_letters("p"), *_LEFT), "p, left", "previous style", lambda w, _: w.controls.step_style(-1)),
    Key(
        tuple(map(ord, _DIGITS)), "1 ... 9, 0", "style by number",
        lambda w, code: w.controls.select_style(_DIGITS.index(chr(code))),
    ),
    Key((*_letters("+="), *_UP), "+, up", "more strength", lambda w, _: w.controls.step_strength(_STEP)),
    Key((*_letters("-"), *_DOWN), "-, down", "less strength", lambda w, _: w.controls.step_strength(-_STEP)),
    Key((ord("]"),), "]", "mix in more of the second style", lambda w, _: w.controls.step_mix(_STEP)),
    Key((ord("["),), "[", "mix in less of the second style", lambda w, _: w.controls.step_mix(-_STEP)),
    Key(
        _letters("c"), "c", "keep the colors of the input",
        lambda w, _: w.controls.update(preserve_color=not w.controls.settings.preserve_color),
    ),
    Key(_letters("s"), "s", "temporal filter: flow, off, blend", lambda w, _: w.controls.step_smooth()),
    Key(_letters("u"), "u", "reuse of frames: auto, off", lambda w, _: w.controls.step_reuse()),
    Key(
        _letters("m"), "m", "mirror",
        lambda w, _: w.controls.update(mirror=not w.controls.settings.mirror),
    ),
    Key(_letters("b"), "b", "input and output side by side", lambda w, _: w.toggle_side_by_side()),
    Key(_letters("v"), "v, mouse", "split view; drag the line", lambda w, _: w.toggle_split()),
    Key(_letters("f"), "f", "full screen", lambda w, _: w.toggle_full_screen()),
    Key(_letters("z"), "z", "crop to the window, no black bars", lambda w, _: w.toggle_fill()),
    Key(_letters("i"), "i", "hide or show status line and record dot", lambda w, _: w.toggle_overlay()),
    Key((ord("o"),), "o", "output window without text", lambda w, _: w.toggle_output_window()),
    Key((ord("O"),), "O", "output window in full screen", lambda w, _: w.toggle_output_full_screen()),
    Key((ord(" "),), "space", "snapshot", lambda w, _: w.controls.request_snapshot()),
    Key(
        _letters("r"), "r", "start or stop recording",
        lambda w, _: w.controls.set_recording(not w.controls.recording),
    ),
    Key(_letters("h?"), "h, ?", "this help", lambda w, _: w.toggle_help()),
    Key((*_letters("q"), _ESCAPE), "q, Esc", "quit", lambda w, _: w.controls.stop()),
]  # fmt: skip

BY_CODE = {code: key for key in KEYS for code in key.codes}
HELP = [(key.name, key.help) for key in KEYS]
