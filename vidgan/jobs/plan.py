"""A job planned once: what its input and output are, which models run, and what decides its frames."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import av

from vidgan import __version__
from vidgan.errors import InputError
from vidgan.jobs.chain import Chain
from vidgan.jobs.chain_order import check_order
from vidgan.jobs.even_sides import EvenSides, even_sides
from vidgan.jobs.fingerprint import checksum, file_fingerprint
from vidgan.jobs.paths import Input, Output, is_folder
from vidgan.jobs.provenance import MarkEffect, ProvenanceSettings, job_mark
from vidgan.jobs.settings import JobSettings
from vidgan.media.encoding import EncoderChoice
from vidgan.media.frame import VideoInfo
from vidgan.media.label_map import Palette
from vidgan.media.stream_modes import PipeFormat, StreamModes
from vidgan.models.registry import ModelSpec
from vidgan.provenance.manifest import MarkFacts
from vidgan.session import ONNXRUNTIME_VERSION, RealDevice, Session
from vidgan.session.output_check import ImageModel
from vidgan.sinks import kind_of
from vidgan.sources import Source, is_image, open_source
from vidgan.tasks import load_models, task_of_settings
from vidgan.tasks.models import StepModels
from vidgan.tasks.task import ChainStep, StepContext, Task, TaskSettings, Variants
from vidgan.temporal.reuse import interval_of


@dataclass(frozen=True)
class Step:
    """A step as a caller asks for it.

    Attributes:
        settings: the task's options.
        models: loaded ones; None to load what the settings name.
    """

    settings: TaskSettings
    models: StepModels | None = None

    @property
    def task(self) -> Task[Any]:
        return task_of_settings(self.settings)

    @property
    def name(self) -> str:
        """For outputs that have none: the model's name, or the verb of a task without a model.

        Raises:
            ModelError: the model's file cannot be read.
        """
        if not self.task.uses_model(self.settings):
            return self.task.verb
        return self.task.label(self.settings)

    def loaded(self, **options: Any) -> StepModels:
        return load_models(self.settings, **options) if self.models is None else self.models


@dataclass(frozen=True, kw_only=True)
class JobRequest:
    """A job as a caller asks for it.

    Attributes:
        input, output: the files; an output of None gets a name beside the input, a folder one within it.
        steps: at least one.
        settings: options of the job.
        provenance: options of the output's credentials.
        overwrite: replace an output that exists.
        pipe_format: of what goes to standard output.
    """

    input: Input
    steps: Sequence[Step]
    output: Path | None = None
    settings: JobSettings = field(default_factory=JobSettings)
    provenance: ProvenanceSettings = field(default_factory=ProvenanceSettings)
    overwrite: bool = False
    pipe_format: PipeFormat = "nut"

    @property
    def output_path(self) -> Path:
        """The output's name, with the default filled in."""
        if self.output is not None and not is_folder(self.output):
            return self.output
        last = self.steps[-1].task
        if self.output is not None and (last.numbered_images or self.input.kind == "image folder"):
            return self.output / "%06d.png"
        default = self.input.default_output(".".join(each.name for each in self.steps), last.default_suffix())
        return default if self.output is None else self.output / default.name


@dataclass(frozen=True, kw_only=True)
class PlannedStep:
    """A step of which everything is known; may travel to another process.

    Attributes:
        settings: resolved, see :meth:`vidgan.tasks.task.Task.resolve`.
        specs: the chosen models, by role.
        input_info, output_info: of the frames that go in and come out.
    """

    settings: TaskSettings
    specs: Mapping[str, ModelSpec]
    input_info: VideoInfo
    output_info: VideoInfo

    @property
    def task(self) -> Task[Any]:
        return task_of_settings(self.settings)

    @property
    def is_temporal(self) -> bool:
        return self.task.is_temporal(self.settings, self.specs)

    @property
    def shows_people(self) -> bool:
        return self.task.shows_people(self.settings)

    @property
    def needs_consent(self) -> bool:
        return self.task.needs_consent(self.settings)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A job of which everything is known before the first frame.

    Attributes:
        request: what was asked for.
        output: where the result goes.
        steps: in order.
        device: of the models.
        mark: in the pixels of the output; None for none.
    """

    request: JobRequest
    output: Output
    steps: tuple[PlannedStep, ...]
    device: RealDevice
    mark: MarkFacts | None = None

    @property
    def input(self) -> Input:
        return self.request.input

    @property
    def settings(self) -> JobSettings:
        return self.request.settings

    @property
    def source_info(self) -> VideoInfo:
        return self.steps[0].input_info

    @property
    def even_sides(self) -> EvenSides | None:
        """The effect that brings frames to even sides, where the output needs them."""
        if self.output.kind != "video":
            return None
        return even_sides(self.output.path, self._unfitted_info, self.encoder, self.settings.even)

    @property
    def output_info(self) -> VideoInfo:
        info, fitted = self._unfitted_info, self.even_sides
        return info if fitted is None else replace(info, width=fitted.size[0], height=fitted.size[1])

    @property
    def _unfitted_info(self) -> VideoInfo:
        info = self.steps[-1].output_info
        return replace(info, width=2 * info.width, alpha=False) if self.settings.compare else info

    @property
    def encoder(self) -> EncoderChoice:
        suffix = self.output.path.suffix.lower()
        return self.settings.encoder_choice(self.steps[-1].task.default_encoder(suffix))

    @property
    def palette(self) -> Palette | None:
        """The colors of an output of label maps."""
        last = self.steps[-1]
        return last.task.output_palette(last.settings, last.specs)

    @property
    def streams(self) -> StreamModes:
        """The treatment of the input's other streams."""
        return replace(self.settings.streams, images=False) if self.hides_faces else self.settings.streams

    @property
    def hides_faces(self) -> bool:
        """Whether nothing of the output may show the faces of the input."""
        return any(each.task.hides_faces(each.settings) for each in self.steps)

    @property
    def is_temporal(self) -> bool:
        return any(each.is_temporal for each in self.steps)

    @property
    def reuse(self) -> int:
        """One of so many distinct frames in a row is generated at least, see :func:`interval_of`."""
        return max(interval_of(getattr(each.settings, "reuse", "off")) for each in self.steps)

    @property
    def look_ahead(self) -> int:
        """Frames after a segment's last one that its frames depend on."""
        return sum(getattr(each.settings, "look_ahead", 0) for each in self.steps if each.is_temporal)

    @property
    def specs(self) -> list[ModelSpec]:
        return [spec for step in self.steps for spec in step.specs.values()]

    def describe(self, attribute: str) -> str:
        """``name`` or ``precision`` of the models, joined where they differ."""
        found = dict.fromkeys(str(getattr(spec, attribute)) for spec in self.specs)
        return "+".join(found) or "none"

    def fingerprint(self) -> dict[str, Any]:
        """Everything that decides the frames, as JSON; segments of jobs that differ in it never meet.

        The output is named as seen from the folder that the segments are beside, which may move.
        """
        place = self.output.place
        return {
            "input": str(self.input.path.absolute()),
            "output": self.output.path.relative_to(place.parent).as_posix(),
            "identity": file_fingerprint(self.input.path),
            "steps": [
                {
                    "task": step.settings.task,
                    "settings": step.settings.as_json(),
                    "models": {
                        role: {"path": str(spec.file.path.absolute()), "sha256": checksum(spec)}
                        for role, spec in step.specs.items()
                    },
                    **files_of(step.task, step.settings),
                }
                for step in self.steps
            ],
            "settings": self.settings.as_json(),
            "device": self.device,
            "versions": versions(),
            **({} if self.mark is None else {"mark": asdict(self.mark)}),
            # The encoder divides its work by them.
            "cores": os.cpu_count(),
        }

    def open_chain(
        self,
        models: Sequence[Mapping[str, ImageModel]],
        sessions: Sequence[Mapping[str, Session]],
        *,
        workers: int,
        workspace: Path | None = None,
    ) -> Chain:
        """The chain of the steps, see :meth:`open_steps`."""
        return Chain(
            self.open_steps(models, sessions, workspace),
            workers=workers,
            compare=self.settings.compare,
            even_sides=self.even_sides,
        )

    def open_steps(
        self,
        models: Sequence[Mapping[str, ImageModel]],
        sessions: Sequence[Mapping[str, Session]],
        workspace: Path | None = None,
    ) -> list[ChainStep]:
        """The steps, ready to run; the mark is one more, at the end.

        Args:
            models: of each step by role, their outputs checked.
            sessions: the same without the check.
            workspace: see :class:`vidgan.tasks.task.StepContext`.
        """
        steps = [
            step.task.open(
                step.settings,
                StepContext(
                    input=self.input.path,
                    specs=step.specs,
                    models=by_role,
                    sessions=raw,
                    input_info=step.input_info,
                    output_info=step.output_info,
                    start=self.settings.trim.start,
                    workspace=workspace,
                ),
            )
            for step, by_role, raw in zip(self.steps, models, sessions, strict=True)
        ]
        if self.mark is not None:
            from vidgan.provenance.pixel_mark import PixelMark

            steps.append(ChainStep(effect=MarkEffect(PixelMark(self.mark.kind, self.mark.id)), reuse=1))
        return steps


class Models(Protocol):
    """The models of one step in all variants, as :class:`vidgan.tasks.models.StepModels` has them."""

    @property
    def variants(self) -> Variants: ...

    @property
    def take_yuv(self) -> bool: ...


def open_input(request: JobRequest, models: Sequence[Models], *, decode: bool = True) -> Source:
    """The source of a job, with what its first step wants of it.

    Args:
        decode: whether frames will be decoded; otherwise only their times are read.

    Raises:
        InputError: it cannot be read, or a step cannot follow another.
    """
    first = request.steps[0]
    specs = _first_variants(models[0])
    check_order([each.task for each in request.steps], [_first_variants(each) for each in models])
    settings = first.task.resolve(first.settings, specs)
    job = request.settings
    return open_source(
        request.input.path,
        size=job.size,
        trim=job.trim,
        rate=job.rate,
        keep_start=job.keep_start,
        hwaccel=job.hwaccel if decode else "off",
        yuv=decode and takes_yuv(request, models[0]),
        palette=first.task.input_palette(settings, specs),
    )


def takes_yuv(request: JobRequest, models: Models) -> bool:
    """Whether the first step of a job, which has these models, wants frames as luma and chroma."""
    rgb_output = is_image(request.output_path) or "rgb" in (request.settings.encoder or "")
    return request.steps[0].task.takes_yuv(models.take_yuv, rgb_output)


def plan_job(request: JobRequest, models: Sequence[Models], device: RealDevice, info: VideoInfo) -> Plan:
    """Plans a job for frames of that kind.

    Raises:
        InputError, ModelError: a step's settings cannot be met.
        CredentialsError: frames are to be marked, and the key for that cannot be read or made.
    """
    steps = []
    for step, available in zip(request.steps, models, strict=True):
        task, path = step.task, request.input.path
        specs = task.select(available.variants, step.settings, path, info)
        settings = task.resolve(step.settings, specs)
        after = task.output_info(settings, path, info)
        steps.append(PlannedStep(settings=settings, specs=specs, input_info=info, output_info=after))
        info = after
    output = request.output_path
    plan = Plan(
        request=request, output=Output(output, kind_of(output, info)), steps=tuple(steps), device=device
    )
    mark = job_mark(
        [each.task for each in plan.steps],
        # An image in memory is no file that could be told from others.
        plan.fingerprint if request.input.path.exists() else dict,
        request.provenance,
        wanted=plan.settings.mark == "on" or any(each.shows_people for each in plan.steps),
        label_maps=plan.palette is not None,
    )  # fmt: skip
    return replace(plan, mark=mark)


def files_of(task: Task[Any], settings: TaskSettings) -> dict[str, Any]:
    """Fingerprints of the files that settings name, as an entry of a fingerprint; nothing where there are none.

    Raises:
        InputError: one cannot be read.
    """
    found = {}
    for path in task.files(settings):
        try:
            found[str(path.absolute())] = list(file_fingerprint(path))
        except OSError as exc:
            raise InputError(f"{path}: cannot be read: {exc.strerror or exc}") from exc
    return {"files": found} if found else {}


def _first_variants(models: Models) -> dict[str, ModelSpec]:
    return {role: specs[0] for role, specs in models.variants.items()}


def versions() -> dict[str, Any]:
    """Versions of the software that makes the frames."""
    codecs = {name: list(version) for name, version in av.library_versions.items()}
    return {"vidgan": __version__, "codecs": codecs, "runtime": ONNXRUNTIME_VERSION}
