"""Where the time of a film goes: each stage alone, and the whole as a user runs it.

What decoder, model and encoder take of the processor, each alone, bounds what any pipeline could reach
on so many cores. All else, conversions and smoothing and waiting, is what ours costs.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path
from typing import Any, TypeVar

import av
import cv2
import numpy as np

from vidgan.errors import VidganError
from vidgan.jobs.job import load_model, load_style
from vidgan.media.encoder import Encoder, add_video, format_of
from vidgan.media.frame import Frame, VideoInfo
from vidgan.media.image import Pixels, RgbImage
from vidgan.models.registry import Task, find_model, task_of
from vidgan.session import Session, cores
from vidgan.sinks import open_sink
from vidgan.sources import open_source
from vidgan.sources.video import VideoSource
from vidgan.tasks.effects import open_effects, palette_of
from vidgan.tasks.settings import (
    DEFAULT_SCALE,
    KINDS,
    SegmentSettings,
    Settings,
    StyleSettings,
    TranslateSettings,
    UpscaleSettings,
)
from vidgan.tasks.steadier import open_steadier
from vidgan.tasks.upscaler import Upscaler
from vidgan.temporal.filter import Smoother
from vidgan.temporal.motion import relate, see

T = TypeVar("T")

RATE = 25
SHORT = 10
"""Frames of the run that is subtracted from the long one, with all that starting and ending takes."""

_COMMANDS: dict[Task, str] = {
    "style": "stylize",
    "upscale": "upscale",
    "translate": "translate",
    "segment": "segment",
    "colorize": "colorize",
}

_BOUNDING = "decode", "model", "encode"
_LOOK_SECONDS = 0.02
_AT_ONCE = 150e6
"""Bytes of RGB that the measurement of stages may hold."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What a stage takes of a frame when it has the machine to itself, in milliseconds.

    Attributes:
        wall: of the clock.
        cpu: of the processor, all threads together.
    """

    wall: float
    cpu: float


@dataclass(frozen=True, kw_only=True)
class Work:
    """What is done to a film: :func:`work_of`.

    Attributes:
        model: which does it: a name or a file.
        settings: with which.
    """

    model: str
    settings: Settings

    @property
    def command(self) -> list[str]:
        """Of ``vidgan``, with what names the model."""
        settings, name = self.settings, _COMMANDS[self.settings.task]
        scale = ["--scale", str(settings.scale)] if isinstance(settings, UpscaleSettings) else []
        return [name, "--style" if name == "stylize" else "--model", self.model, *scale]

    @property
    def reads_labels(self) -> bool:
        """Whether films have to be of label maps."""
        if not isinstance(self.settings, TranslateSettings):
            return False
        return bool(find_model(self.model, precision="int8").classes)

    def load(self) -> Session:
        """The model, on the CPU."""
        match self.settings:
            case StyleSettings():
                return load_style(self.model, device="cpu")
            case UpscaleSettings(scale=scale):
                return Upscaler(self.model, device="cpu").session(scale or DEFAULT_SCALE)
        return load_model(self.model, self.settings.task, device="cpu")


def work_of(model: str, *, scale: int = DEFAULT_SCALE) -> Work:
    """What a model, by its name or file, is for.

    Args:
        scale: of one that enlarges.

    Raises:
        ModelNotFoundError, ModelError: as of :func:`vidgan.models.registry.find_model`.
    """
    task = task_of(model)
    return Work(model=model, settings=UpscaleSettings(scale=scale) if task == "upscale" else KINDS[task]())


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run of a command.

    Attributes:
        wall, cpu: seconds.
        peak_mb: the most memory that it had, in 10⁶ bytes; None where the system does not say.
        output: what it printed.
    """

    wall: float
    cpu: float
    peak_mb: float | None
    output: str


@dataclass(frozen=True, kw_only=True)
class Speed:
    """What :func:`measure_speed` found.

    Attributes:
        stages: each alone, in the order of a frame's way.
        fps: end to end, start-up included.
        fps_frames_only: without what starting and ending take.
        cpu_ms: of the processor a frame, likewise without.
        first_frame_seconds: from the command's start until its first frame came out.
        cores: that this process may use.
    """

    width: int
    height: int
    frames: int
    stages: dict[str, Stage]
    fps: float
    fps_frames_only: float
    cpu_ms: float
    first_frame_seconds: float
    peak_mb: float | None
    cores: int

    @property
    def bound_fps(self) -> float:
        """Cores over what decoder, model and encoder take of them."""
        return 1000 * self.cores / sum(self.stages[name].cpu for name in _BOUNDING)

    @property
    def share(self) -> float:
        """Of the bound, that the whole reaches."""
        return self.fps_frames_only / self.bound_fps

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "bound_fps": self.bound_fps, "share": self.share}


def measure_speed(
    clip: Path | None, work: Work, *, size: str, frames: int, options: Sequence[str] = ()
) -> Speed:
    """Works on a clip at a size, stage by stage and as a whole, on the CPU.

    Args:
        clip: what to work on, repeated until there are enough frames; None for a moving texture.
        work: what to do to it.
        size: ``"640x360"``.
        frames: of the whole run.
        options: more of the command, for the whole run.

    Raises:
        InputError: the clip is not what the model takes.
        VidganError: a command failed.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        short, long = (
            make_clip(clip, folder / f"{n}.mp4", size=size, frames=n) for n in (SHORT, frames + SHORT)
        )
        with open_source(long) as source:
            info = source.info
        stages = measure_stages(long, work)
        out = ["-o", str(folder / "out.mp4"), "--force"]
        brief, whole = (run_command([*_command(path, work, options), *out]) for path in (short, long))
        return Speed(
            width=info.width,
            height=info.height,
            frames=frames + SHORT,
            stages=stages,
            fps=(frames + SHORT) / whole.wall,
            fps_frames_only=frames / (whole.wall - brief.wall),
            cpu_ms=1000 * (whole.cpu - brief.cpu) / frames,
            first_frame_seconds=_first_frame(short, work, options),
            peak_mb=whole.peak_mb,
            cores=cores(),
        )


def make_clip(clip: Path | None, path: Path, *, size: str, frames: int) -> Path:
    """Writes so many frames of the repeated clip, or of a moving texture, as H.264 without sound."""
    width, height = map(int, size.split("x"))
    step = Fraction(1, RATE)
    info = VideoInfo(width=width, height=height, time_base=step, frame_rate=Fraction(RATE))
    pictures = texture(width, height) if clip is None else _repeated(clip, size)
    with open_sink(path, info) as sink:
        for index, pixels in enumerate(islice(pictures, frames)):
            sink.write(Frame(image=RgbImage(pixels), pts=index, time_base=step, duration=1))
    return path


def _repeated(clip: Path, size: str) -> Iterator[Pixels]:
    while True:
        with open_source(clip, size=size) as source:
            yield from (frame.pixels for frame in source)


def texture(width: int, height: int) -> Iterator[Pixels]:
    """Clouds of all sizes that drift by, as like to a film as can be made of nothing."""
    random = np.random.default_rng(0)
    sky = np.zeros((height, 2 * width, 3), np.float32)
    side = 2
    while side < width:
        cells = random.normal(size=(max(2, side * height // (2 * width)), side, 3)).astype(np.float32)
        sky += cv2.resize(cells, (2 * width, height), interpolation=cv2.INTER_CUBIC) / side**0.7
        side *= 2
    low, high = float(sky.min()), float(sky.max())
    picture = ((sky - low) * (255 / (high - low))).astype(np.uint8)
    while True:
        for left in range(0, width, 2):
            yield np.ascontiguousarray(picture[:, left : left + width])


def measure_stages(clip: Path, work: Work) -> dict[str, Stage]:
    """Each stage of a clip's way, one after the other, in this process."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)  # As in the pipeline.
    try:
        return _stages(clip, work)
    finally:
        cv2.setNumThreads(threads)


def _stages(clip: Path, work: Work) -> dict[str, Stage]:
    session, settings = work.load(), work.settings
    yuv = session.takes_planes or settings.keeps_luma(clip)
    with open_source(clip, yuv=yuv, palette=palette_of(session.spec, settings)) as source:
        assert isinstance(source, VideoSource)
        info = source.info
        count = int(max(8, min(60, _AT_ONCE // (3 * info.width * info.height))))
        found: dict[str, Stage] = {}

        def timed(name: str, work: Callable[[], list[T]]) -> list[T]:
            wall, cpu = time.perf_counter(), time.process_time()
            done = work()
            n = max(1, len(done))
            found[name] = Stage(
                wall=1000 * (time.perf_counter() - wall) / n, cpu=1000 * (time.process_time() - cpu) / n
            )
            return done

        decoded = timed("decode", lambda: list(islice(source.decoded(), count)))
        frames = timed("convert in", lambda: [source.as_frame(each) for each in decoded])
    larger = settings.output_info(clip, info)
    effects = open_effects(session, session.spec, settings, (larger.width, larger.height), clip)

    def paint(frame: Frame) -> Frame:
        for effect in effects:
            frame = effect.apply(frame)
        return frame

    def steady(steadier: Smoother, painted: Sequence[Frame]) -> list[Frame]:
        seen = [see(frame) for frame in frames]
        relations = [None, *(relate(*pair) for pair in pairwise(seen))]
        return [steadier.smooth(*each) for each in zip(painted, relations, strict=True)]

    if session.spec.past:
        # One that remembers is both.
        generator = open_steadier(session, settings, clip)
        assert generator is not None
        smoothed = timed("model", lambda: steady(generator, frames))
        found["smooth"] = Stage(wall=0.0, cpu=0.0)
    else:
        paint(frames[0])
        painted = timed("model", lambda: [paint(frame) for frame in frames])
        smoother = None
        if not isinstance(settings, SegmentSettings):
            smoother = open_steadier(session, replace(settings, smooth="flow"), clip)
        smoothed = timed("smooth", lambda: painted if smoother is None else steady(smoother, painted))
    encoding = format_of(clip, larger, settings.encoder_for(clip)).encoding
    with av.open(str(clip.with_name("stages.mp4")), "w") as container:
        stream = add_video(container, encoding, larger)
        encoder = Encoder(stream, encoding, larger)
        pictures = timed("convert out", lambda: [encoder.convert(frame) for frame in smoothed])

        def encode() -> list[av.VideoFrame]:
            for picture in pictures:
                encoder.send(picture)
            encoder.flush()
            return pictures

        timed("encode", encode)
    return found


def run_command(command: Sequence[str]) -> Run:
    """Runs another process to its end.

    Raises:
        VidganError: it failed.
    """
    started = time.perf_counter()
    with tempfile.TemporaryFile("w+") as printed, tempfile.TemporaryFile("w+") as complaints:
        process = subprocess.Popen(command, stdout=printed, stderr=complaints)
        try:
            cpu, peak = _waited_for(process)
        except BaseException:
            process.kill()
            process.wait()
            raise
        wall = time.perf_counter() - started
        for file in (printed, complaints):
            file.seek(0)
        if process.returncode:
            raise VidganError(f"{' '.join(command)} failed: {complaints.read().strip()[-2000:]}")
        return Run(wall=wall, cpu=cpu, peak_mb=peak, output=printed.read())


def _waited_for(process: "subprocess.Popen[bytes]") -> tuple[float, float | None]:
    """Seconds of the processor that it took, and the most memory that it had."""
    if not hasattr(os, "wait4"):
        before = os.times()
        process.wait()
        after = os.times()
        return sum(after[2:4]) - sum(before[2:4]), None  # Of children, user and system.
    peak: float | None = None
    done, status, usage = os.wait4(process.pid, os.WNOHANG)
    while not done:
        peak = max(filter(None, (peak, _high_water_mb(process.pid))), default=None)
        time.sleep(_LOOK_SECONDS)
        done, status, usage = os.wait4(process.pid, os.WNOHANG)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime, peak


def _high_water_mb(pid: int) -> float | None:
    """The most memory that a process has had so far, where the system says so.

    What wait4() says would count what the parent had when it made the process.
    """
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("VmHWM:")), None)


def _first_frame(clip: Path, work: Work, options: Sequence[str]) -> float:
    """Seconds until the first frame has come out of a pipe."""
    command = [*_command(clip, work, options), "-o", "-", "--pipe-format", "y4m"]
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        seen = process.stdout.readline()  # The header, which comes before any frame.
        seen += process.stdout.readline()
        seconds = time.perf_counter() - started
        process.communicate()
    if b"FRAME" not in seen:
        raise VidganError(f"{' '.join(command)} gave no frame")
    return seconds


def _command(clip: Path, work: Work, options: Sequence[str]) -> list[str]:
    fixed = [sys.executable, "-m", "vidgan", *work.command, str(clip)]
    return [*fixed, "--device", "cpu", "--quiet", *options]


def plot_speed(speeds: Sequence[Speed], picture: Path) -> None:
    """Draws what each stage takes of the processor, a bar a size, and what the whole takes beside it.

    Raises:
        ImportError: matplotlib is not installed.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(9, 1.2 + 0.9 * len(speeds)))
    names = [f"{each.width}x{each.height}" for each in speeds]
    # A pixel's share, so that sizes can be compared.
    per_pixel = [1e6 / (each.width * each.height) for each in speeds]
    left = np.zeros(len(speeds))
    for stage in speeds[0].stages:
        values = np.array(
            [each.stages[stage].cpu * scale for each, scale in zip(speeds, per_pixel, strict=True)]
        )
        axes.barh(names, values, left=left, height=0.5, label=stage)
        left += values
    whole = [each.cpu_ms * scale for each, scale in zip(speeds, per_pixel, strict=True)]
    axes.plot(whole, names, "k|", markersize=24, label="the whole")
    axes.set(xlabel="processor time of a million pixels, ms")
    axes.invert_yaxis()
    axes.legend(ncols=4, fontsize="small")
    figure.tight_layout()
    figure.savefig(picture, dpi=120)
    plt.close(figure)
