"""Films painted by many machines, or many GPUs of one: segments are tasks of a Ray cluster.

The only importer of ray. The machine that calls reads each film once, to know its frames, hands its segments
out, and puts together what comes back; so only the inputs must be where every machine finds them. A worker
that dies costs its segment, which another one paints.
"""

from __future__ import annotations

import logging
import os
import socket
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from time import perf_counter
from types import TracebackType
from typing import Any, Self

from vidgan.errors import ClusterError, VidganError
from vidgan.jobs.fingerprint import identity
from vidgan.jobs.job import (
    JobResult,
    changed_colours,
    check_names,
    job_facts,
    missing_tags,
    resume_notices,
    versions,
)
from vidgan.jobs.segment_worker import WARM_UP, Film, Models, Painted, Span, paint_segment, spans_of
from vidgan.models.registry import ModelSpec, Task, find_model, find_upscalers, precise_variant, reaching
from vidgan.segments.journal import clear_away
from vidgan.segments.store import Parts
from vidgan.session import Device, RealDevice, best_precision
from vidgan.sinks import is_pattern, kind_of, open_sink, segment_encoding
from vidgan.sources import is_picture, open_source
from vidgan.tasks.effects import drawn_in, palette_of
from vidgan.tasks.settings import KINDS, Settings

_LOCAL = "local"
_POLL_SECONDS = 0.2
_TICK_FRAMES = 100
_PATIENCE_SECONDS = 5.0
_DEATHS = 3
"""How many workers a segment may cost before it is to blame."""

_AHEAD = 2
"""Segments that wait for each worker, so that none waits for us."""


class Cluster:
    """Workers that paint with one model. Leaving its ``with`` block lets go of them.

    Args:
        address: of a running cluster, ``"auto"`` for the one that this machine is part of, or ``"local"`` for
            the cores and GPUs of this machine. A process that is connected to a cluster stays so.
        model: a bundled model's name or the path of an ``.onnx`` file; only this machine needs it.
        task: what it has to be for.
        device: ``"auto"`` is the cluster's GPUs if it has any.

    Attributes:
        specs: of what paints, the smallest scale first.
        slots: segments that are painted at a time.

    Raises:
        ClusterError: Ray is not installed, the cluster is not reached, or has no such device.
        ModelError: as :func:`vidgan.jobs.job.load_style`.
    """

    def __init__(
        self,
        address: str,
        *,
        model: str,
        task: Task,
        device: Device = "auto",
    ) -> None:
        self._ray = _import_ray()
        self._connected_before = bool(self._ray.is_initialized())
        resources = _connect(self._ray, address)
        gpus, cores = int(resources.get("GPU", 0)), int(resources.get("CPU", 0))
        if device in ("cuda", "tensorrt") and not gpus:
            raise ClusterError(f"the cluster {address} has no GPU")
        chosen: RealDevice = ("cuda" if gpus else "cpu") if device == "auto" else device
        self.slots = max(1, cores if chosen == "cpu" else gpus)
        precision = best_precision(chosen)
        if task == "upscale":
            self.specs = find_upscalers(model, precision=precision)
        else:
            self.specs = [find_model(model, precision=precision, task=task)]
        self._device = chosen
        self._task = self._ray.remote(
            num_cpus=1, num_gpus=0 if chosen == "cpu" else 1, max_retries=_DEATHS, retry_exceptions=False
        )(_paint)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._connected_before:
            self._ray.shutdown()

    def paint(
        self,
        input: Path,
        output: Path,
        *,
        overwrite: bool = False,
        on_frame: Callable[[int], None] | None = None,
        **settings: Any,
    ) -> JobResult:
        """As :func:`vidgan.jobs.job.stylize` or, with an upscaler, :func:`vidgan.jobs.job.upscale`.

        The frames are the same where nothing is smoothed.

        With smoothing they differ by what a smoother remembers from further back than
        :data:`vidgan.jobs.segment_worker.WARM_UP` frames before a segment.

        Args:
            on_frame: called every now and then with the number of frames done so far, also while there
                are no more of them.

        Raises:
            ClusterError: workers died of the same segment, or have another vidgan.
            VidganError: as there.
        """
        chosen = self._settings(settings)
        clear_away(output.parent if is_pattern(output) else output)
        check_names(input, output, overwrite=overwrite)
        started = perf_counter()
        with ExitStack() as opened:
            source = opened.enter_context(
                open_source(
                    input,
                    size=chosen.size,
                    trim=chosen.trim,
                    rate=chosen.rate,
                    palette=palette_of(self.specs[0], chosen),
                )
            )
            info = chosen.output_info(input, source.info)
            spec = reaching(self.specs, info.height / source.info.height)
            models = Models(usual=spec, precise=precise_variant(spec), device=self._device)
            kind = kind_of(output, info)
            place = output.parent if kind == "pictures" else output
            parts = opened.enter_context(Parts(place, self._facts(input, output, place, spec, chosen, kind)))
            resumed, notices = parts.frames, resume_notices(parts)
            sink = opened.enter_context(
                open_sink(
                    output,
                    info,
                    parts=parts,
                    beside=input if input.is_file() and not is_picture(input) else None,
                    timeline=source.timeline,
                    trim=chosen.trim,
                    streams=chosen.streams,
                    overwrite=overwrite,
                    encoder=chosen.encoder_for(output),
                    palette=drawn_in(spec, chosen),
                )
            )
            film = Film(
                input=input.absolute(),
                identity=identity(input),
                info=source.info,
                settings=chosen,
                encoding=segment_encoding(output, info, chosen.encoder_for(output)),
                output=output,
            )

            def tick() -> None:
                if on_frame is not None:
                    on_frame(parts.frames)

            times = []
            for pts in source.times():
                times.append(pts)
                if len(times) % _TICK_FRAMES == 0:
                    tick()
            spans = spans_of(source, times, chosen, models.usual, done=resumed)
            for painted in self._painted(film, models, spans, tick):
                at = parts.frames
                parts.take_over(painted.part)
                notices += [
                    f"{output}: frames {at + 1} to {parts.frames}: {each}" for each in painted.notices
                ]
            if kind == "picture":
                for frame in parts.frames_of_all(info):
                    sink.write(frame)
            frames = parts.frames
        return JobResult(
            input=str(input),
            output=str(output),
            model=spec.name,
            precision=spec.precision,
            device=self._device,
            frames=frames,
            resumed_frames=resumed,
            width=info.width,
            height=info.height,
            seconds=perf_counter() - started,
            busy_seconds={},
            verification=sink.verification,
            notices=[
                *notices,
                *source.notices,
                *sink.notices,
                *changed_colours(output, kind, drawn_in(spec, chosen)),
                *missing_tags(output, sink.verification),
            ],
        )

    def _settings(self, arguments: dict[str, Any]) -> Settings:
        return KINDS[self.specs[0].task](**arguments)

    def _facts(
        self, input: Path, output: Path, place: Path, spec: ModelSpec, settings: Settings, kind: str
    ) -> dict[str, Any] | None:
        if kind == "picture":
            return None
        facts = job_facts(input, output.relative_to(place.parent), spec, self._device, settings)
        # Where nothing is smoothed, segments are the same whoever painted them.
        return facts if settings.smoothing(spec) == "off" and not spec.past else facts | {"warm_up": WARM_UP}

    def _painted(
        self, film: Film, models: Models, spans: Iterable[Span], tick: Callable[[], None]
    ) -> Iterator[Painted]:
        """The segments in order, as many in the making as keep all workers busy."""
        shared, shared_models = self._ray.put(film), self._ray.put(models)
        left = iter(spans)
        pending: deque[Any] = deque()
        try:
            while True:
                for span in islice(left, _AHEAD * self.slots - len(pending)):
                    pending.append(self._task.remote(shared, shared_models, span, versions()))
                if not pending:
                    return
                yield self._result(film, pending[0], tick)
                pending.popleft()
        finally:
            for each in pending:
                self._ray.cancel(each, force=True)

    def _result(self, film: Film, task: Any, tick: Callable[[], None]) -> Painted:
        while not self._ray.wait([task], timeout=_POLL_SECONDS)[0]:
            tick()
        tick()
        try:
            painted = self._ray.get(task)
        except self._ray.exceptions.RayTaskError as exc:
            if isinstance(exc.cause, VidganError):
                raise exc.cause from None
            raise ClusterError(f"{film.input}: a worker failed: {exc.cause!r}") from exc
        except self._ray.exceptions.RayError as exc:
            raise ClusterError(
                f"{film.input}: {_DEATHS + 1} workers died of the same segment; their memory may be too small"
            ) from exc
        assert isinstance(painted, Painted)
        return painted


def _paint(film: Film, models: Models, span: Span, wanted: dict[str, Any]) -> Painted:
    """What a worker does."""
    if (found := versions()) != wanted:
        raise ClusterError(f"a worker has other versions: {found} instead of {wanted}")
    return paint_segment(film, models, span)


def _import_ray() -> Any:
    # It tells its makers how it is used otherwise; and nothing here uses the network unasked.
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    # It would warn, of tasks without a GPU, that it will hide GPUs from them in another way some day.
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ImportError:
        raise ClusterError("Ray is not installed; pip install 'vidgan[cluster]'") from None
    return ray


def _connect(ray: Any, address: str) -> dict[str, float]:
    """Resources of the cluster, once this process is part of it."""
    where: dict[str, Any] = {"_node_ip_address": "127.0.0.1", "include_dashboard": False}
    if address != _LOCAL:
        _check_reachable(address)
        where = {"address": address}
    with _quiet_start():
        try:
            if not ray.is_initialized():
                ray.init(log_to_driver=False, logging_level=logging.ERROR, **where)
            return dict(ray.cluster_resources())
        except (ConnectionError, ValueError, RuntimeError) as exc:
            reason = " ".join(str(exc).split())[:200]
            raise ClusterError(f"the Ray cluster {address} is not reached: {reason}") from exc


def _check_reachable(address: str) -> None:
    """Ray itself would try for minutes."""
    host, _, port = address.rpartition(":")
    if not (host and port.isdecimal()):
        return
    try:
        socket.create_connection((host, int(port)), timeout=_PATIENCE_SECONDS).close()
    except (OSError, OverflowError) as exc:
        raise ClusterError(f"the Ray cluster {address} is not reached: {exc}") from exc


@contextmanager
def _quiet_start() -> Iterator[None]:
    """Ray says at every start how it looks after its tokens."""
    logger = logging.getLogger("ray")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)
