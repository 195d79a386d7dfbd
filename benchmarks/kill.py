"""Runs that are killed at random moments, and whether anybody could tell from their results.

::

    python -m benchmarks.kill [--runs 50] [--seed 0]

Makes a clip of four segments with a variable frame rate and a sound track, and repaints it once in peace,
as a process of its own. Then as often as ``--runs`` says: starts the same command, kills it (SIGKILL, where
there is such a thing) once to three times, each at a moment drawn evenly from the time that the peaceful
run took, and lets the last one end. All frames that are decoded from the result, with their times, and all
packets of its sound must be those of the peaceful run, and nothing else may lie in the folder (where the kill
came when the video was in its place already, after the same command was given once more). Fails if one of
the results differs.
"""

import hashlib
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import click
import numpy as np

from benchmarks.stylize import describe_machine
from vidgan.segments.store import SEGMENT_FRAMES

FRAMES = 3 * SEGMENT_FRAMES + 150
_SIZE = 96, 64
_BASE = Fraction(1, 90000)
_SOUND_RATE, _BEAT = 48000, 960
_MOST_KILLS = 3

Content = tuple[list[tuple[int | None, str]], list[tuple[int | None, int | None, str]]]
"""The time and the checksum of every frame; times and checksum of every packet of sound."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """What became of a run.

    Attributes:
        killed: after how many seconds of each process.
        resumed: the frame after which the last process went on; None if the video was in its place already.
        complaint: what is wrong with the result; None if nothing is.
    """

    killed: list[float]
    resumed: int | None
    complaint: str | None

    def __str__(self) -> str:
        moments = ", ".join(f"{seconds:.2f}" for seconds in self.killed)
        then = "was complete" if self.resumed is None else f"resumed from frame {self.resumed}"
        return f"killed after {moments} s, {then}: {self.complaint or 'identical'}"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--runs", type=click.IntRange(1), default=50, show_default=True)
@click.option("--seed", default=0, show_default=True, help="Of the moments.")
@click.option("--style", default="starry", show_default=True)
def cli(runs: int, seed: int, style: str) -> None:
    """Kill vidgan again and again, and compare what comes out in the end."""
    click.echo("\n".join(f"{key:20} {value}" for key, value in describe_machine(None).items()))
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "clip.mp4"
        make_clip(clip)
        started = time.monotonic()
        _, errors = _ended(_start(clip, clip.with_name("peace.mp4"), style))
        if errors:
            raise click.ClickException(f"the run that nobody killed failed: {errors}")
        seconds = time.monotonic() - started
        peace = content(clip.with_name("peace.mp4"))
        click.echo(
            f"{'clip':20} {len(peace[0])} frames {_SIZE[0]}x{_SIZE[1]}, {len(peace[1])} packets of sound; "
            f"{style} takes {seconds:.1f} s in peace\n"
        )
        done = []
        for number in range(1, runs + 1):
            done.append(killed_run(clip, style, peace, seconds, chance))
            click.echo(f"{number:3}: {done[-1]}")
    identical = sum(run.complaint is None for run in done)
    continued = sum(bool(run.resumed) for run in done)
    click.echo(f"\n{identical} of {runs} identical; {continued} went on after a segment that was done")
    if identical != runs:
        sys.exit(1)


def make_clip(path: Path) -> None:
    """Noise that drifts over a slope, at uneven times, and a tone that rises."""
    width, height = _SIZE
    noise = np.random.default_rng(0).normal(0, 25, (height, 500 + width, 3))
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=30, options={"preset": "veryfast", "crf": "18"})
        sound = container.add_stream("aac", rate=_SOUND_RATE)
        assert isinstance(video, av.VideoStream) and isinstance(sound, av.AudioStream)
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        video.codec_context.time_base = video.time_base = _BASE
        for index in range(FRAMES):
            left = index % 500
            slope = np.linspace(40, 40 + index % 170, width)[None, :, None]
            pixels = np.clip(slope + noise[:, left : left + width], 0, 255).astype(np.uint8)
            image = av.VideoFrame.from_ndarray(pixels, "rgb24")
            image.pts, image.time_base = 3000 * index + 700 * (index % 3), _BASE
            container.mux(video.encode(image))
        container.mux(video.encode(None))
        samples = np.arange(_SOUND_RATE * FRAMES // 30)
        tone = (np.sin(samples * (1 + samples / len(samples)) / 30) * 8000).astype(np.int16)
        for first in range(0, len(tone) - _BEAT, _BEAT):
            beat = av.AudioFrame.from_ndarray(tone[None, first : first + _BEAT], "s16", "mono")
            beat.sample_rate, beat.pts, beat.time_base = _SOUND_RATE, first, Fraction(1, _SOUND_RATE)
            container.mux(sound.encode(beat))
        container.mux(sound.encode(None))


def killed_run(clip: Path, style: str, peace: Content, seconds: float, chance: random.Random) -> Run:
    """One run in a folder of its own.

    Args:
        peace: what must come out.
        seconds: that a run takes in peace.
    """
    killed: list[float] = []
    resumed = None
    kills = chance.randint(1, _MOST_KILLS)
    with tempfile.TemporaryDirectory(dir=clip.parent) as folder:
        output = Path(folder) / "out.mp4"
        while not output.exists():
            process = _start(clip, output, style)
            moment = chance.uniform(0, seconds)
            if len(killed) < kills and _is_killed(process, moment):
                killed.append(moment)
                continue
            printed, errors = _ended(process)
            if errors:
                return Run(killed=killed, resumed=None, complaint=errors)
            if killed:
                resumed = int(json.loads(printed)["resumed_frames"])
            else:
                output.unlink()  # It came to its end before anything killed it: once more.
        if resumed is None:
            # The same command says then that the video is there, and clears away what is left.
            _ended(_start(clip, output, style))
        left = sorted(path.name for path in Path(folder).iterdir() if path != output)
        return Run(killed=killed, resumed=resumed, complaint=_complaint(content(output), peace, left))


def content(path: Path) -> Content:
    """All that is seen and heard of a video."""
    with av.open(str(path)) as container:
        frames = [(each.pts, _digest(each.to_ndarray().tobytes())) for each in container.decode(video=0)]
    with av.open(str(path)) as container:
        packets = [
            (each.pts, each.dts, _digest(bytes(each))) for each in container.demux(audio=0) if each.size
        ]
    return frames, packets


def _complaint(found: Content, wanted: Content, left: list[str]) -> str | None:
    parts: list[tuple[str, Sequence[object], Sequence[object]]] = [
        ("frames", found[0], wanted[0]),
        ("packets of sound", found[1], wanted[1]),
    ]
    for what, ours, theirs in parts:
        if len(ours) != len(theirs):
            return f"{len(ours)} {what}, not {len(theirs)}"
        different = [index for index, (a, b) in enumerate(zip(ours, theirs, strict=True)) if a != b]
        if different:
            return f"{len(different)} {what} differ, number {different[0]} first"
    return f"left in the folder: {', '.join(left)}" if left else None


def _start(clip: Path, output: Path, style: str) -> "subprocess.Popen[str]":
    command = ["stylize", str(clip), "-o", str(output), "--style", style, "--quiet", "--json"]
    return subprocess.Popen(
        [sys.executable, "-m", "vidgan", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _is_killed(process: "subprocess.Popen[str]", seconds: float) -> bool:
    """Whether it had not come to its end by itself until then."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return True
    return False


def _ended(process: "subprocess.Popen[str]") -> tuple[str, str]:
    """What it printed, and of what it complained if it failed."""
    printed, errors = process.communicate()
    return printed, (errors.strip() or f"exit code {process.returncode}") if process.returncode else ""


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


if __name__ == "__main__":
    cli()
