"""How far, how fast, how much longer: a moving bar on a terminal, a line now and then elsewhere."""

import sys
import time
from typing import TYPE_CHECKING, Self

import click

from vidgan.cli.interruption import look

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

_LINE_EVERY_SECONDS = 5.0

_ESTIMATE_AFTER_SECONDS = 2.0
"""By then a frame or more has shown how long the others take."""

_LONG_SECONDS = 300.0
"""Whoever has to wait longer is told at once."""


class Progress:
    """Progress of one file on stderr; call :meth:`start` once and then :meth:`update`.

    Args:
        name: what is being worked on.
        quiet: show nothing.
    """

    def __init__(self, name: str, *, quiet: bool = False) -> None:
        self._name = name
        self._quiet = quiet
        self._total: int | None = None
        self._before: int | None = None
        self._estimated = False
        self._encoding_since: float | None = None
        self._bar = None if quiet or not sys.stderr.isatty() else _terminal_bar()
        self._started = self._last_line = time.monotonic()

    def start(self, total: int | None) -> None:
        """Says how many frames are expected, if that is known."""
        self._total = total
        self._started = self._last_line = time.monotonic()
        if self._bar is not None:
            self._task = self._bar.add_task(self._name, total=total, fps="")
            self._bar.start()

    def update(self, frames: int) -> None:
        """Says that ``frames`` are done; what was done before the first call took no time here."""
        look()
        now = time.monotonic()
        if self._before is None:
            self._before = frames - 1
        fps = (frames - self._before) / max(now - self._started, 1e-9)
        if not self._estimated and self._total and now - self._started >= _ESTIMATE_AFTER_SECONDS:
            self._estimated = True
            self._say_estimate(self._total, (self._total - frames) / fps, fps)
        if self._bar is not None:
            self._bar.update(self._task, completed=frames, total=self._total, fps=f"{fps:.1f} fps")
        elif not self._quiet and now - self._last_line >= _LINE_EVERY_SECONDS:
            self._last_line = now
            click.echo(f"{self._name}: {self._line(frames, fps)}", err=True)

    def tile(self, tiles: int, total: int) -> None:
        """Says that ``tiles`` of ``total`` of a single image are done."""
        look()
        now = time.monotonic()
        if self._bar is not None:
            self._bar.update(self._task, completed=tiles, total=total)
        elif not self._quiet and now - self._last_line >= _LINE_EVERY_SECONDS:
            self._last_line = now
            left = (now - self._started) / tiles * (total - tiles)
            click.echo(f"{self._name}: {tiles}/{total} tiles, {_clock(left)} left", err=True)

    def encode(self, frames: int, total: int) -> None:
        """Says that ``frames`` of ``total`` are encoded, after all of them were processed."""
        look()
        now = time.monotonic()
        if self._encoding_since is None:
            self._encoding_since = self._last_line = now
            if self._bar is not None:
                self._task = self._bar.add_task(f"{self._name}, encoding", total=total, fps="")
        fps = frames / max(now - self._encoding_since, 1e-9)
        if self._bar is not None:
            self._bar.update(self._task, completed=frames, fps=f"{fps:.1f} fps")
        elif not self._quiet and now - self._last_line >= _LINE_EVERY_SECONDS:
            self._last_line = now
            self._total = total
            click.echo(f"{self._name}, encoding: {self._line(frames, fps)}", err=True)

    def notify(self, text: str) -> None:
        """A line above the bar; nothing where it is quiet."""
        if self._bar is not None:
            self._bar.console.print(text, highlight=False, markup=False)
        elif not self._quiet:
            click.echo(text, err=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def _say_estimate(self, total: int, seconds: float, fps: float) -> None:
        if seconds >= _LONG_SECONDS:
            self.notify(
                f"{self._name}: will take about {_in_words(seconds)}: {total:,} frames at {fps:.2g} fps"
            )

    def _line(self, frames: int, fps: float) -> str:
        if not self._total:
            return f"{frames} frames, {fps:.1f} fps"
        left = max(0, self._total - frames) / max(fps, 1e-9)
        return f"{frames}/{self._total} frames, {fps:.1f} fps, {_clock(left)} left"


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def _in_words(seconds: float) -> str:
    """A duration of minutes or more, rounded as an estimate is: ``"3 hours"``."""
    hours = seconds / 3600
    if hours >= 48:
        return f"{round(hours / 24)} days"
    if hours >= 9.5:
        return f"{round(hours)} hours"
    # Half hours up to there.
    return f"{round(2 * hours) / 2:g} hours" if hours >= 1.75 else f"{round(seconds / 60)} minutes"


def _terminal_bar() -> "Bar":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[fps]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
