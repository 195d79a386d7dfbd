"""Runs a planned job: one procedure, whether this process or a cluster processes the frames."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any, Protocol

from vidgan.errors import CancelledError
from vidgan.jobs.chain import Chain, pack_states, unpack_states
from vidgan.jobs.credentials import JobCredentials, open_credentials, provenance_tags
from vidgan.jobs.paths import made_folder
from vidgan.jobs.pipeline import run_pipeline
from vidgan.jobs.plan import JobRequest, Models, Plan, open_input, plan_job, takes_yuv
from vidgan.jobs.stopwatch import Stopwatch
from vidgan.jobs.vault import JobVault
from vidgan.jobs.warnings import changed_sides, findings, resume_warnings, unused_encoder
from vidgan.media.frame import VideoInfo
from vidgan.models.registry import ModelSpec, precise_variant
from vidgan.segments.journal import clear_away
from vidgan.segments.store import SegmentStore
from vidgan.session import Device, RealDevice, Session, cores
from vidgan.session.output_check import CheckedModel
from vidgan.sinks import Sink, is_pattern, open_sink
from vidgan.sinks.verification import Verification
from vidgan.sources import Source
from vidgan.tasks.models import StepModels
from vidgan.temporal.filter import State

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class JobResult:
    """Result of a job; all of it is true of this run.

    Attributes:
        input, output: the files.
        model, precision: the models that ran, and their arithmetic.
        device: ``"cpu"``, ``"cuda"`` or ``"tensorrt"``: the one that really ran.
        frames: in the output.
        resumed_frames: those of them that an earlier run had made.
        generated_frames: those that this run's first step was applied to; the others reuse outputs. None where a
            cluster made them.
        width, height: of the output, in pixels.
        seconds: wall time of the frames and of finishing the file, without loading.
        busy_seconds: per stage; ``finish`` joins, encodes what could not be encoded before, signs and verifies.
        verification: what was found in the finished video when it was opened again, see
            :class:`vidgan.sinks.verification.Verification`; None for anything but a video.
        warnings: what the user should know of the input and the output.
    """

    input: str
    output: str
    model: str
    precision: str
    device: str
    frames: int
    resumed_frames: int
    generated_frames: int | None
    width: int
    height: int
    seconds: float
    busy_seconds: dict[str, float]
    verification: Verification | None
    warnings: list[str]

    @property
    def fps(self) -> float:
        return (self.frames - self.resumed_frames) / self.seconds if self.seconds else 0.0

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "fps": round(self.fps, 2)}


@dataclass(kw_only=True)
class OpenJob:
    """A planned job whose source and sink are open.

    Attributes:
        plan: what is to be done.
        source: the input's frames.
        sink: takes the output's frames.
        store: the folder of its segments; None for an output that cannot be resumed.
        resumed: frames that an earlier run has made.
        on_frame: called with the number of frames done so far.
    """

    plan: Plan
    source: Source
    sink: Sink
    store: SegmentStore | None
    resumed: int
    on_frame: Callable[[int], None]


@dataclass(kw_only=True)
class Processed:
    """Result of a backend.

    Attributes:
        frames: processed by this run.
        seconds: of wall time.
        generated: those frames that did not reuse an output; None if that is not known.
        busy_seconds: per stage.
        warnings: about the models.
        vault: that goes with the output; None for none.
    """

    frames: int
    seconds: float
    generated: int | None = None
    busy_seconds: dict[str, float] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    vault: bytes | None = None


class Backend(Protocol):
    """Processes the frames of a job.

    Attributes:
        models: of each step, in all variants.
        device: of the models.
        decodes_here: whether the source's frames are decoded in this process.
        needs_store: whether segments are stored for an output that cannot be resumed too.
    """

    decodes_here: bool
    needs_store: bool

    @property
    def models(self) -> Sequence[Models]: ...

    @property
    def device(self) -> RealDevice: ...

    def fingerprint(self, plan: Plan) -> dict[str, Any]: ...

    def process(self, job: OpenJob) -> Processed: ...


class LocalBackend:
    """Processes frames in this process.

    Args:
        request: the job; its models are loaded unless the caller did.
        device: ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"tensorrt"``.
        on_tile: of an image, see :attr:`vidgan.session.Session.on_tile`.

    Raises:
        ModelError, DeviceError: as of :class:`vidgan.tasks.models.StepModels`.
    """

    decodes_here = True
    needs_store = False

    def __init__(
        self,
        request: JobRequest,
        device: Device = "auto",
        *,
        on_tile: Callable[[int, int], None] | None = None,
    ) -> None:
        self._on_tile = on_tile if request.input.kind == "image" else None
        self._models: list[StepModels] = [each.loaded(device=device) for each in request.steps]
        if self.device == "cpu" and request.input.kind == "video":
            yuv = takes_yuv(request, self._models[0])
            for each in self._models:
                each.load_ahead(yuv=yuv)

    @property
    def models(self) -> list[StepModels]:
        return self._models

    @property
    def device(self) -> RealDevice:
        return next((each.device for each in self._models if each.specs), "cpu")

    def fingerprint(self, plan: Plan) -> dict[str, Any]:
        return plan.fingerprint()

    def open_chain(self, plan: Plan, workspace: Path | None = None) -> tuple[Chain, Callable[[], list[str]]]:
        """The steps of a plan, ready to run, and what asks for warnings about their models afterwards."""
        sessions = [
            models.sessions(step.specs) for models, step in zip(self._models, plan.steps, strict=True)
        ]
        for each in (each for by_role in sessions for each in by_role.values()):
            each.on_tile = self._on_tile
        checked = [{role: output_checked(each) for role, each in by_role.items()} for by_role in sessions]
        workers = max((each.workers for by_role in sessions for each in by_role.values()), default=cores())

        chain = plan.open_chain(checked, sessions, workers=workers, workspace=workspace)

        def warnings() -> list[str]:
            of_checks = [
                warning for by_role in checked for each in by_role.values() for warning in each.warnings
            ]
            of_models = [
                warning for by_role in sessions for each in by_role.values() for warning in each.warnings
            ]
            return [*of_checks, *of_models]

        return chain, warnings

    def process(self, job: OpenJob) -> Processed:
        plan, store = job.plan, job.store
        _log.info("%s: begun on %s, after %d frames", plan.output.path, self.device, job.resumed)
        chain, warnings = self.open_chain(plan, None if store is None else store.folder)
        before = job.source.skip(job.resumed) if store is not None else None
        if store is not None:
            chain.states = unpack_states(store.saved_state(), len(chain.states))

        def frame_done(count: int, states: Sequence[State | None]) -> None:
            if store is not None:
                store.save_state(job.resumed + count, pack_states(states))
            job.on_frame(job.resumed + count)

        report = run_pipeline(
            job.source, chain, job.sink, before=before, first=job.resumed, on_frame=frame_done
        )
        _log.info("%s: %d frames in %.1f s", plan.output.path, report.frames, report.seconds)
        return Processed(
            frames=report.frames,
            seconds=report.seconds,
            generated=chain.generated,
            busy_seconds=report.busy_seconds,
            warnings=[*(f"{plan.output.path}: {warning}" for warning in warnings()), *chain.warnings()],
            vault=chain.vault(),
        )


def output_checked(session: Session) -> CheckedModel:
    """A model whose broken outputs are noticed, and repeated in float32 where there is that variant."""
    return CheckedModel(session, lambda: _precise(session))


def _precise(session: Session) -> Session | None:
    spec: ModelSpec | None = precise_variant(session.spec)
    return None if spec is None else Session(spec, device=session.device)


def run_job(
    request: JobRequest,
    open_backend: Callable[[], Backend],
    *,
    on_start: Callable[[VideoInfo], None] | None = None,
    on_frame: Callable[[int], None] | None = None,
    on_encode: Callable[[int, int], None] | None = None,
    on_size: Callable[[int], None] | None = None,
    cancel: Event | None = None,
) -> JobResult:
    """Runs a job from end to end.

    Args:
        open_backend: called once the names are found to be right; loads the models.
        on_start: called once with the description of the output's frames.
        on_frame: called with the number of frames done so far.
        on_encode, on_size: see :func:`vidgan.sinks.open_sink`.
        cancel: once it is set, the job ends at the next frame.

    Raises:
        CancelledError: ``cancel`` was set. What is done stays for the next run.
        VidganError: one of its kinds, see :mod:`vidgan.errors`; no output is left then.
    """
    request.input.check_exists()
    output = request.output_path
    with ExitStack() as opened:
        opened.enter_context(made_folder(None if is_pattern(output) else request.output))
        clear_away(output.parent if is_pattern(output) else output)
        request.input.check_output(output, overwrite=request.overwrite)
        backend = open_backend()
        source = opened.enter_context(open_input(request, backend.models, decode=backend.decodes_here))
        plan = plan_job(request, backend.models, backend.device, source.info)
        store = _open_store(opened, plan, backend)
        vault = JobVault(plan)
        credentials = open_credentials(plan)
        warnings = _warnings_before(plan, store, vault)
        resumed = 0 if store is None else store.frames
        check = partial(_check_cancelled, cancel, output)
        with (
            Stopwatch() as finishing,
            _open_sink(
                plan, source, store, credentials,
                vault=vault, on_encode=_checked(check, on_encode), on_size=on_size,
            ) as sink,
        ):  # fmt: skip
            _begin(plan, credentials, on_start)
            job = OpenJob(
                plan=plan,
                source=source,
                sink=sink,
                store=store,
                resumed=resumed,
                on_frame=_checked(check, on_frame),
            )
            check()
            processed = backend.process(job)
            vault.made = processed.vault
            finishing.start()
        return JobResult(
            input=str(request.input.path),
            output=str(output),
            model=plan.describe("name"),
            precision=plan.describe("precision"),
            device=backend.device,
            frames=resumed + processed.frames,
            resumed_frames=resumed,
            generated_frames=processed.generated,
            width=plan.output_info.width,
            height=plan.output_info.height,
            seconds=processed.seconds + finishing.seconds,
            busy_seconds={**processed.busy_seconds, "finish": finishing.seconds},
            verification=sink.verification,
            warnings=[
                *dict.fromkeys(warning for spec in plan.specs for warning in spec.warnings),
                *warnings,
                *source.warnings,
                *processed.warnings,
                *sink.warnings,
                *(credentials.warnings if credentials is not None else []),
                *findings(plan, sink),
            ],
        )


def _begin(
    plan: Plan, credentials: JobCredentials | None, on_start: Callable[[VideoInfo], None] | None
) -> None:
    """Says that frames come, once it is certain that their output can be signed."""
    if credentials is not None:
        credentials.wait()
    if on_start is not None:
        on_start(plan.output_info)


def _warnings_before(plan: Plan, store: SegmentStore | None, vault: JobVault) -> list[str]:
    """Remarks for the user that are known before the first frame."""
    resumed = [] if store is None else resume_warnings(store)
    return [*unused_encoder(plan), *changed_sides(plan), *resumed, *vault.warnings]


def _open_store(opened: ExitStack, plan: Plan, backend: Backend) -> SegmentStore | None:
    if plan.output.is_resumable:
        notes = {"provenance": plan.request.provenance.as_json()}
        return opened.enter_context(SegmentStore(plan.output.place, backend.fingerprint(plan), notes=notes))
    return opened.enter_context(SegmentStore(plan.output.place, None)) if backend.needs_store else None


def _check_cancelled(cancel: Event | None, output: Path) -> None:
    if cancel is not None and cancel.is_set():
        raise CancelledError(f"{output}: cancelled; the same job continues after its last segment")


def _checked(check: Callable[[], None], call: Callable[..., None] | None) -> Callable[..., None]:
    """``call``, after the check."""

    def checked(*counts: int) -> None:
        check()
        if call is not None:
            call(*counts)

    return checked


def _open_sink(
    plan: Plan,
    source: Source,
    store: SegmentStore | None,
    credentials: JobCredentials | None,
    **calls: Any,
) -> Sink:
    return open_sink(
        plan.output.path,
        plan.output_info,
        store=store,
        copy_streams_from=plan.input.streams_from,
        timeline=source.timeline,
        trim=plan.settings.trim,
        streams=plan.streams,
        overwrite=plan.request.overwrite,
        pipe_format=plan.request.pipe_format,
        encoder=plan.encoder,
        palette=plan.palette,
        signer=credentials,
        tags=provenance_tags(plan),
        **calls,
    )
