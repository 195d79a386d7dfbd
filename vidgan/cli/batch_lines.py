"""Lines of ``vidgan batch`` about its files."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vidgan.cli.interruption import look
from vidgan.cli.messages import note, worded
from vidgan.cli.report import counted, duration

if TYPE_CHECKING:
    from vidgan.jobs.batch import Outcome

_LINE_EVERY_SECONDS = 10.0


class BatchLines:
    """A line for each file that ends, and one now and then for those in the making.

    Args:
        inputs: the files.
        outcomes: takes the last outcome of each.
        quiet: say failures alone.
    """

    def __init__(self, inputs: list[Path], outcomes: "dict[str, Outcome]", *, quiet: bool) -> None:
        self._outcomes = outcomes
        self._quiet = quiet
        self._bytes = {str(path): path.stat().st_size for path in inputs}
        self._done = self._ended_bytes = self._worked_bytes = 0
        self._started = self._last_line = time.monotonic()

    def notify(self, outcome: "Outcome") -> None:
        self._outcomes[outcome.input] = outcome
        size = self._bytes[outcome.input]
        self._done += 1
        self._ended_bytes += size
        if outcome.status == "done":
            self._worked_bytes += size
        if self._quiet and outcome.status != "failed":
            return
        words = {
            "done": f"{counted(outcome.frames, 'frame')}, {outcome.frames / max(outcome.seconds, 1e-9):.1f} fps",
            "skipped": "done already",
            "failed": f"failed: {worded(outcome.error or '')}",
        }[outcome.status]
        name = outcome.output if outcome.status == "done" else outcome.input
        click.echo(f"[{self._done}/{len(self._bytes)}] {name}: {words}{self._left()}", err=True)
        for warning in outcome.warnings:
            note(warning, indent="  ")

    def frame_done(self, path: Path, count: int) -> None:
        look()
        now = time.monotonic()
        if now - self._last_line >= _LINE_EVERY_SECONDS and not self._quiet:
            self._last_line = now
            click.echo(f"  {path}: {counted(count, 'frame')}{self._left()}", err=True)

    def _left(self) -> str:
        """By bytes, which is all that is known of files that nobody has opened yet; failures took no time."""
        left = sum(self._bytes.values()) - self._ended_bytes
        if not self._worked_bytes or not left:
            return ""
        seconds = (time.monotonic() - self._started) * left / self._worked_bytes
        return f" ({duration(seconds)} left)"


def summarize(outcomes: "Sequence[Outcome]") -> None:
    """A line for each status, then the failures."""
    for status in ("done", "skipped", "failed"):
        those = [each for each in outcomes if each.status == status]
        if those:
            frames = sum(each.frames for each in those)
            files = "file " if len(those) == 1 else "files"
            said = f"{frames:9} frame{'' if frames == 1 else 's'}" if frames else ""
            click.echo(f"{status:8}{len(those):6} {files}{said}".rstrip())
    for each in outcomes:
        if each.status == "failed":
            click.echo(f"  {worded(each.error or '')}")
