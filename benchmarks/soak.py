"""A long video from end to end: what memory, threads and open files do meanwhile, and what is left after it.

::

    python -m benchmarks.soak [--minutes 30] [--plot docs/soak.svg]

Makes a video of noise that drifts, with sound, 160x90 at 25 frames a second, and repaints it with
everything on, as a process of its own that is looked at twice a second. Fails where memory grows by
more than 2 % of itself after the first tenth, where a thread or file is more at the end than then, or
where anything but the output is left. Linux only, since it reads ``/proc``.
"""

import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from statistics import median

import av
import click
import numpy as np

from benchmarks.stylize import describe_machine

_SIZE = 160, 90
_RATE = 25
_SOUND_RATE = 48000
_LOOK_EVERY_SECONDS = 0.5
_MOST_GROWTH = 0.02


@dataclass(frozen=True, kw_only=True)
class Look:
    """One look at the process.

    Attributes:
        seconds: since its start.
        megabytes: resident.
        threads, files: how many.
    """

    seconds: float
    megabytes: float
    threads: int
    files: int


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--minutes", default=30.0, show_default=True, help="Of video.")
@click.option("--style", default="starry", show_default=True)
@click.option("--plot", type=click.Path(path_type=Path), help="Draw the curves here.")
def cli(minutes: float, style: str, plot: Path | None) -> None:
    """Repaint a long video and watch the process."""
    click.echo("\n".join(f"{key:20} {value}" for key, value in describe_machine(None).items()))
    with tempfile.TemporaryDirectory() as folder:
        video, output = Path(folder) / "video.mp4", Path(folder) / "out.mp4"
        frames = round(minutes * 60 * _RATE)
        make_video(video, frames)
        looks = watch(video, output, style)
        with av.open(str(output)) as container:
            made = sum(1 for packet in container.demux(video=0) if packet.size)
        left = sorted(path.name for path in Path(folder).iterdir() if path not in (video, output))
    if plot is not None:
        draw(looks, plot)
    settled, end = _means(looks)
    growth = end.megabytes / settled.megabytes - 1
    click.echo(
        f"video                 {minutes:g} minutes, {frames} frames, {looks[-1].seconds:.0f} s of work"
    )
    click.echo(f"memory               {settled.megabytes:.0f} MB settled, {end.megabytes:.0f} MB at the end, "
               f"{100 * growth:+.1f} %, at most {max(each.megabytes for each in looks):.0f} MB")  # fmt: skip
    click.echo(f"threads              {settled.threads} settled, {end.threads} at the end")
    click.echo(f"open files           {settled.files} settled, {end.files} at the end")
    click.echo(f"frames missing       {frames - made}")
    click.echo(f"left in the folder   {', '.join(left) or 'nothing'}")
    more = end.threads > settled.threads or end.files > settled.files
    if growth > _MOST_GROWTH or more or made != frames or left:
        sys.exit(1)


def make_video(path: Path, frames: int) -> None:
    """Noise that drifts over a slope, and a tone."""
    width, height = _SIZE
    noise = np.random.default_rng(0).normal(0, 30, (height, 4 * width, 3))
    images = [
        av.VideoFrame.from_ndarray(
            np.clip(128 + noise[:, left : left + width], 0, 255).astype(np.uint8), "rgb24"
        ).reformat(format="yuv420p")
        for left in range(0, 3 * width, 2)
    ]
    tone = (np.sin(np.arange(_SOUND_RATE // _RATE) / 20) * 8000).astype(np.int16)[np.newaxis]
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=_RATE, options={"preset": "ultrafast", "crf": "28"})
        sound = container.add_stream("aac", rate=_SOUND_RATE)
        assert isinstance(video, av.VideoStream) and isinstance(sound, av.AudioStream)
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        for index in range(frames):
            image = images[index % len(images)]
            image.pts, image.time_base = index, Fraction(1, _RATE)
            container.mux(video.encode(image))
            beat = av.AudioFrame.from_ndarray(tone, "s16", "mono")
            beat.sample_rate, beat.pts = _SOUND_RATE, index * tone.shape[1]
            beat.time_base = Fraction(1, _SOUND_RATE)
            container.mux(sound.encode(beat))
        container.mux(video.encode(None))
        container.mux(sound.encode(None))


def watch(video: Path, output: Path, style: str) -> list[Look]:
    """Repaints the video in another process, and looks at that until it ends."""
    command = [sys.executable, "-m", "vidgan", "stylize", video, "-o", output, "--style", style, "-q"]
    looks: list[Look] = []
    started = time.monotonic()
    with subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            if (look := _look(process.pid, time.monotonic() - started)) is not None:
                looks.append(look)
            time.sleep(_LOOK_EVERY_SECONDS)
    if process.returncode:
        sys.exit(f"vidgan ended with {process.returncode}")
    return looks


def draw(looks: list[Look], path: Path) -> None:
    """Memory over time, threads and files below."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, (above, below) = plt.subplots(2, 1, sharex=True, figsize=(8, 5), layout="constrained")
    minutes = [each.seconds / 60 for each in looks]
    above.plot(minutes, [each.megabytes for each in looks], linewidth=1)
    above.set(ylabel="resident memory, MB", ylim=(0, None), title="vidgan stylize, a long video")
    below.plot(minutes, [each.threads for each in looks], label="threads", linewidth=1)
    below.plot(minutes, [each.files for each in looks], label="open files", linewidth=1)
    below.set(xlabel="minutes of work", ylim=(0, None))
    below.legend()
    figure.savefig(path)


def _look(pid: int, seconds: float) -> Look | None:
    """None if the process has just gone."""
    try:
        lines = (Path("/proc") / str(pid) / "status").read_text().splitlines()
        status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
        files = len(list((Path("/proc") / str(pid) / "fd").iterdir()))
        return Look(
            seconds=seconds,
            megabytes=int(status["VmRSS"].split()[0]) / 1024,
            threads=int(status["Threads"]),
            files=files,
        )
    except (OSError, KeyError):
        return None


def _means(looks: list[Look]) -> tuple[Look, Look]:
    """What is usual in the second tenth of the work, and in the tenth before its last twentieth.

    The very end is another kind of work: threads are gone, and the video is put together.
    """
    tenth = max(2, len(looks) // 10)
    return _usual(looks[tenth : 2 * tenth]), _usual(looks[-tenth - tenth // 2 : -tenth // 2])


def _usual(looks: list[Look]) -> Look:
    return Look(
        seconds=looks[-1].seconds,
        megabytes=median(each.megabytes for each in looks),
        threads=round(median(each.threads for each in looks)),
        files=round(median(each.files for each in looks)),
    )


if __name__ == "__main__":
    cli()
