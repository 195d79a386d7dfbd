"""Where the time of a video goes: each stage alone, and the whole as a user runs it.

What decoder, model and encoder take of the processor, each alone, bounds what any pipeline could reach
on so many cores. All else, conversions and smoothing and waiting, is what ours costs.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path
from typing import Any, TypeVar

import av
import cv2
import numpy as np

from vidgan.errors import VidganError
from vidgan.jobs.paths import Input
from vidgan.jobs.plan import JobRequest, Plan, Step, open_input, plan_job
from vidgan.jobs.process_usage import ProcessUsage, run_command
from vidgan.jobs.runner import LocalBackend
from vidgan.media.encoding import Encoder, add_video, format_of
from vidgan.media.frame import Frame, VideoInfo
from vidgan.media.image import Pixels, RgbImage
from vidgan.session import cores
from vidgan.sinks import open_sink
from vidgan.sources import open_source
from vidgan.sources.video import VideoSource
from vidgan.tasks import task_of_model, task_of_settings
from vidgan.tasks.listing import TASKS
from vidgan.tasks.options import default_of, options_of
from vidgan.tasks.task import Task, TaskSettings
from vidgan.temporal.filter import TemporalFilter
from vidgan.temporal.motion import estimate_motion, flow_luma

T = TypeVar("T")

RATE = 25
SHORT = 10
"""Frames of the run that is subtracted from the long one, with all that starting and ending takes."""

_BOUNDING = "decode", "model", "encode"
_AT_ONCE = 150e6
"""Bytes of RGB that the measurement of stages may hold."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Cost of a stage per frame when it has the machine to itself, in milliseconds.

    Attributes:
        wall: of the clock.
        cpu: of the processor, all threads together.
    """

    wall: float
    cpu: float


@dataclass(frozen=True, kw_only=True)
class Work:
    """The task of a benchmark, see :func:`work_of`.

    Attributes:
        settings: of one step.
    """

    settings: TaskSettings

    @property
    def task(self) -> Task[Any]:
        return task_of_settings(self.settings)

    @property
    def command(self) -> list[str]:
        """The options of ``vidgan`` that name the model."""
        task = self.task
        options = [
            f"--{name}={value}" for name, value in self.settings.as_json().items() if _is_changed(self, name)
        ]
        return [task.verb, *options]

    @property
    def reads_labels(self) -> bool:
        """Whether the input must show label maps."""
        variants = self.task.find_models(self.settings, "int8")
        return self.task.input_kind({role: specs[0] for role, specs in variants.items()}) == "label map"


def _is_changed(work: Work, name: str) -> bool:
    return bool(getattr(work.settings, name) != default_of(type(work.settings), name))


def work_of(model: str, **options: Any) -> Work:
    """The task of a model, by its name or file, as work.

    Args:
        options: of the task, those that are not None.

    Raises:
        ModelNotFoundError, ModelError: as of :func:`vidgan.models.registry.find_model`.
    """
    task = task_of_model(model)
    known = options_of(task.settings_type)
    given = {name: value for name, value in options.items() if name in known and value is not None}
    if task.model_field is not None:
        given[task.model_field] = model
    return Work(settings=task.settings_type(**given))


@dataclass(frozen=True, kw_only=True)
class Speed:
    """Result of :func:`measure_speed`.

    Attributes:
        stages: each alone, in the order of a frame's way.
        fps: end to end, start-up included.
        fps_frames_only: without what starting and ending take.
        cpu_ms: of the processor a frame, likewise without.
        generated_share: share of the frames that the model ran for; the others reuse outputs.
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
    generated_share: float
    first_frame_seconds: float
    peak_mb: float | None
    cores: int

    @property
    def bound_fps(self) -> float:
        """Cores over what decoder, model and encoder take of them, the model for the frames that it ran for."""
        decode, model, encode = (self.stages[name].cpu for name in _BOUNDING)
        return 1000 * self.cores / (decode + self.generated_share * model + encode)

    @property
    def share(self) -> float:
        """Share of the bound that the whole reaches."""
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
        out = ["-o", str(folder / "out.mp4"), "--force", "--json"]
        brief, whole = (run_command([*_command(path, work, options), *out]) for path in (short, long))
        return Speed(
            width=info.width,
            height=info.height,
            frames=frames + SHORT,
            stages=stages,
            fps=(frames + SHORT) / whole.wall,
            fps_frames_only=frames / (whole.wall - brief.wall),
            cpu_ms=1000 * (whole.cpu - brief.cpu) / frames,
            generated_share=_generated_share(whole),
            first_frame_seconds=first_frame_seconds(short, work, options),
            peak_mb=whole.peak_mb,
            cores=cores(),
        )


def _generated_share(run: ProcessUsage) -> float:
    result = json.loads(run.output)
    return float(result["generated_frames"] / result["frames"])


def make_clip(clip: Path | None, path: Path, *, size: str, frames: int) -> Path:
    """Writes so many frames of the repeated clip, or of a moving texture, as H.264 without sound."""
    width, height = map(int, size.split("x"))
    step = Fraction(1, RATE)
    info = VideoInfo(width=width, height=height, time_base=step, frame_rate=Fraction(RATE))
    images = texture(width, height) if clip is None else _repeated(clip, size)
    with open_sink(path, info) as sink:
        for index, pixels in enumerate(islice(images, frames)):
            sink.write(Frame(image=RgbImage(pixels), pts=index, time_base=step, duration=1))
    return path


def _repeated(clip: Path, size: str) -> Iterator[Pixels]:
    while True:
        with open_source(clip, size=size) as source:
            yield from (frame.pixels for frame in source)


def texture(width: int, height: int) -> Iterator[Pixels]:
    """Clouds of all sizes that drift by, as like to a video as can be made of nothing."""
    random = np.random.default_rng(0)
    sky = np.zeros((height, 2 * width, 3), np.float32)
    side = 2
    while side < width:
        cells = random.normal(size=(max(2, side * height // (2 * width)), side, 3)).astype(np.float32)
        sky += cv2.resize(cells, (2 * width, height), interpolation=cv2.INTER_CUBIC) / side**0.7
        side *= 2
    low, high = float(sky.min()), float(sky.max())
    image = ((sky - low) * (255 / (high - low))).astype(np.uint8)
    while True:
        for left in range(0, width, 2):
            yield np.ascontiguousarray(image[:, left : left + width])


def measure_stages(clip: Path, work: Work) -> dict[str, Stage]:
    """Each stage of a clip's way, one after the other, in this process."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)  # As in the pipeline.
    try:
        return _stages(clip, work)
    finally:
        cv2.setNumThreads(threads)


def _stages(clip: Path, work: Work) -> dict[str, Stage]:
    request = JobRequest(
        input=Input.at(clip), output=clip.with_name("stages.mp4"), steps=[Step(work.settings)]
    )
    backend = LocalBackend(request, "cpu")
    found: dict[str, Stage] = {}
    with open_input(request, backend.models) as source:
        assert isinstance(source, VideoSource)
        plan = plan_job(request, backend.models, "cpu", source.info)
        sessions = [each.sessions(step.specs) for each, step in zip(backend.models, plan.steps, strict=True)]
        # Models that are still being loaded on a thread would be counted.
        for session in (each for by_role in sessions for each in by_role.values() if each.takes_yuv):
            session.load_yuv()
        count = int(max(8, min(60, _AT_ONCE // (3 * source.info.width * source.info.height))))
        decoded = _timed(found, "decode", lambda: list(islice(source.decoded(), count)))
        frames = _timed(found, "convert in", lambda: [source.as_frame(each) for each in decoded])
    (step,) = plan.open_steps(sessions, sessions)
    effect, temporal_filter = step.effect, step.temporal_filter
    if effect is None:
        # A recurrent model is both.
        assert temporal_filter is not None
        outputs = _timed(found, "model", lambda: _filtered(temporal_filter, frames, frames))
        found["smooth"] = Stage(wall=0.0, cpu=0.0)
    else:
        effect.apply(frames[0])
        mapped = _timed(found, "model", lambda: [effect.apply(frame) for frame in frames])
        outputs = _timed(
            found,
            "smooth",
            lambda: mapped if temporal_filter is None else _filtered(temporal_filter, frames, mapped),
        )
    _time_encoding(found, plan, outputs)
    return found


def _filtered(
    temporal_filter: TemporalFilter, sources: Sequence[Frame], outputs: Sequence[Frame]
) -> list[Frame]:
    lumas = [flow_luma(frame) for frame in sources]
    motions = [None, *(estimate_motion(*pair) for pair in pairwise(lumas))]
    return [temporal_filter.apply(*each) for each in zip(outputs, motions, strict=True)]


def _time_encoding(found: dict[str, Stage], plan: Plan, frames: Sequence[Frame]) -> None:
    path, info = plan.output.path, plan.output_info
    encoding = format_of(path, info, plan.encoder).encoding
    with av.open(str(path), "w") as container:
        stream = add_video(container, encoding, info)
        encoder = Encoder(stream, encoding, info)
        converted = _timed(found, "convert out", lambda: [encoder.convert(frame) for frame in frames])

        def encode() -> list[av.VideoFrame]:
            for frame in converted:
                encoder.send(frame)
            encoder.flush()
            return converted

        _timed(found, "encode", encode)


def _timed(found: dict[str, Stage], name: str, work: Callable[[], list[T]]) -> list[T]:
    """Returns the work's result and puts its time per frame into ``found``."""
    wall, cpu = time.perf_counter(), time.process_time()
    done = work()
    n = max(1, len(done))
    found[name] = Stage(
        wall=1000 * (time.perf_counter() - wall) / n, cpu=1000 * (time.process_time() - cpu) / n
    )
    return done


def first_frame_seconds(
    clip: Path, work: Work, options: Sequence[str] = (), *, environment: Mapping[str, str] | None = None
) -> float:
    """Seconds from the start of a command until its first frame has come out of a pipe.

    Args:
        options: more of the command.
        environment: of its process; None for that of this one.

    Raises:
        VidganError: no frame came.
    """
    command = [*_command(clip, work, options), "-o", "-", "--pipe-format", "y4m"]
    started = time.perf_counter()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
    ) as process:
        assert process.stdout is not None
        seen = process.stdout.readline()  # The header, which comes before any frame.
        seen += process.stdout.readline()
        seconds = time.perf_counter() - started
        process.communicate()
    if b"FRAME" not in seen:
        raise VidganError(f"{' '.join(command)} gave no frame")
    return seconds


def _command(clip: Path, work: Work, options: Sequence[str]) -> list[str]:
    fixed = [*_vidgan(work.task), *work.command, str(clip)]
    return [*fixed, "--device", "cpu", "--quiet", *options]


def _vidgan(task: Task[Any]) -> list[str]:
    """The command line in a process that knows the task, also one that was registered from outside."""
    if task.listed in TASKS:
        return [sys.executable, "-m", "vidgan"]
    path, module = sys.path, type(task).__module__
    program = f"import sys; sys.path[:] = {path!r}; import {module}; from vidgan.cli import main; main()"
    return [sys.executable, "-c", program]


def plot_speed(speeds: Sequence[Speed], image: Path) -> None:
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
    figure.savefig(image, dpi=120)
    plt.close(figure)
