"""A Ray cluster, or all GPUs of one machine: segments of a job are tasks of workers.

The only importer of ray. The calling machine reads each input once, to know its frames, hands its segments out,
and joins what comes back; so only the inputs must be where every machine finds them. A worker that dies costs
its segment, which another one processes.
"""

from __future__ import annotations

import logging
import os
import socket
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from time import perf_counter
from typing import Any, Self

from vidgan.errors import ClusterError, VidganError
from vidgan.jobs.fingerprint import file_fingerprint
from vidgan.jobs.paths import Input
from vidgan.jobs.plan import JobRequest, Models, Plan, Step, versions
from vidgan.jobs.runner import JobResult, OpenJob, Processed, run_job
from vidgan.jobs.segment_worker import (
    WARM_UP_FRAMES,
    ProcessedSegment,
    SegmentJob,
    SegmentRange,
    process_segment,
    ranges_of,
)
from vidgan.models.registry import ModelSpec, precise_variant
from vidgan.session import Device, RealDevice, preferred_precision
from vidgan.sinks import segment_encoding
from vidgan.tasks.task import Variants

_log = logging.getLogger(__name__)

_LOCAL = "local"
_POLL_SECONDS = 0.2
_TICK_FRAMES = 100
_CONNECT_SECONDS = 5.0
_MAX_DEATHS = 3
"""Workers that a segment may cost before it is to blame."""

_QUEUED = 2
"""Segments submitted for each worker, so that none waits."""


@dataclass(frozen=True)
class _StepModels:
    """Models of a step for the cluster's device; only their descriptions are needed here."""

    variants: Variants
    take_yuv: bool


class Cluster:
    """Workers that process segments. Leaving its ``with`` block lets go of them.

    Args:
        address: of a running cluster, ``"auto"`` for the one that this machine is part of, or ``"local"`` for
            the cores and GPUs of this machine. A process that is connected to a cluster stays so.
        steps: of the jobs; only this machine needs the model files.
        device: ``"auto"`` is the cluster's GPUs if it has any.

    Attributes:
        device: of the workers.
        slots: segments that are processed at a time.

    Raises:
        ClusterError: Ray is not installed, the cluster is not reached, or has no such device; or a step needs all
            frames in one place.
        ModelError: as of :func:`vidgan.load_model`.
    """

    decodes_here = False
    needs_store = True

    def __init__(self, address: str, steps: Sequence[Step], *, device: Device = "auto") -> None:
        _check_steps(steps)
        self._ray = _import_ray()
        self._connected_before = bool(self._ray.is_initialized())
        resources = _connect(self._ray, address)
        gpus, cores = int(resources.get("GPU", 0)), int(resources.get("CPU", 0))
        if device in ("cuda", "tensorrt") and not gpus:
            raise ClusterError(f"the cluster {address} has no GPU")
        self.device: RealDevice = ("cuda" if gpus else "cpu") if device == "auto" else device
        self.slots = max(1, cores if self.device == "cpu" else gpus)
        self._models = [_found(step, self.device) for step in steps]
        self._task = self._ray.remote(
            num_cpus=1,
            num_gpus=0 if self.device == "cpu" else 1,
            max_retries=_MAX_DEATHS,
            retry_exceptions=False,
        )(_process)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if not self._connected_before:
            self._ray.shutdown()

    @property
    def models(self) -> Sequence[Models]:
        """The models of each step, in all variants."""
        return self._models

    def run(self, request: JobRequest, *, on_frame: Callable[[int], None] | None = None) -> JobResult:
        """Processes one file, as :func:`vidgan.run` does.

        The frames are the same where no step is temporal. Otherwise they differ by what a temporal filter
        keeps from more than :data:`~vidgan.jobs.segment_worker.WARM_UP_FRAMES` generated frames before a segment.

        Args:
            on_frame: called every now and then with the number of frames done so far, also while there are no
                more of them.

        Raises:
            ClusterError: workers died of the same segment, or have another vidgan.
            VidganError: as there.
        """
        return run_job(request, lambda: self, on_frame=on_frame)

    def fingerprint(self, plan: Plan) -> dict[str, Any]:
        # Where no step is temporal, segments are the same whoever processed them.
        return plan.fingerprint() | ({"warm_up": WARM_UP_FRAMES} if plan.is_temporal else {})

    def process(self, job: OpenJob) -> Processed:
        started = perf_counter()
        plan, store, output = job.plan, job.store, job.plan.output.path
        assert store is not None

        def tick() -> None:
            job.on_frame(store.frames)

        times = []
        for pts in job.source.times():
            times.append(pts)
            if len(times) % _TICK_FRAMES == 0:
                tick()
        warnings = []
        ranges = ranges_of(plan, job.source, times, done=job.resumed)
        for processed in self._processed(self._segment_job(plan), ranges, tick):
            first = store.frames + 1
            store.add_encoded(processed.segment)
            warnings += [f"{output}: frames {first} to {store.frames}: {each}" for each in processed.warnings]
            _log.info("%s: frames %d to %d came from a worker", output, first, store.frames)
        if not plan.output.is_resumable:
            for frame in store.decoded_frames(plan.output_info):
                job.sink.write(frame)
        return Processed(
            frames=store.frames - job.resumed, seconds=perf_counter() - started, warnings=warnings
        )

    def _segment_job(self, plan: Plan) -> SegmentJob:
        path = plan.input.path
        here = replace(plan, request=replace(plan.request, input=Input.at(path.absolute()), steps=()))
        rgb = "rgb" in (plan.settings.encoder or "") or plan.output.kind != "video"
        return SegmentJob(
            plan=here,
            fingerprint=file_fingerprint(path),
            precise=tuple(
                {role: precise_variant(spec) for role, spec in step.specs.items()} for step in plan.steps
            ),
            encoding=segment_encoding(plan.output.path, plan.output_info, plan.encoder),
            yuv=plan.steps[0].task.takes_yuv(self._models[0].take_yuv, rgb),
        )

    def _processed(
        self, job: SegmentJob, ranges: Iterable[SegmentRange], tick: Callable[[], None]
    ) -> Iterator[ProcessedSegment]:
        """The segments in order, as many in flight as keep all workers busy."""
        shared = self._ray.put(job)
        left = iter(ranges)
        pending: deque[Any] = deque()
        try:
            while True:
                for wanted in islice(left, _QUEUED * self.slots - len(pending)):
                    pending.append(self._task.remote(shared, wanted, versions()))
                if not pending:
                    return
                yield self._result(job, pending[0], tick)
                pending.popleft()
        finally:
            for each in pending:
                self._ray.cancel(each, force=True)

    def _result(self, job: SegmentJob, task: Any, tick: Callable[[], None]) -> ProcessedSegment:
        while not self._ray.wait([task], timeout=_POLL_SECONDS)[0]:
            tick()
        tick()
        path = job.plan.input.path
        try:
            processed = self._ray.get(task)
        except self._ray.exceptions.RayTaskError as exc:
            if isinstance(exc.cause, VidganError):
                raise exc.cause from None
            raise ClusterError(f"{path}: a worker failed: {exc.cause!r}") from exc
        except self._ray.exceptions.RayError as exc:
            raise ClusterError(
                f"{path}: {_MAX_DEATHS + 1} workers died of the same segment; their memory may be too small"
            ) from exc
        assert isinstance(processed, ProcessedSegment)
        return processed


def _check_steps(steps: Sequence[Step]) -> None:
    """Refuses steps whose segments cannot be processed apart from each other."""
    for step in steps:
        if not step.task.runs_in_segments(step.settings):
            raise ClusterError(
                f"{step.task.verb} with these options needs all frames in one place; run it without a cluster"
            )


def _found(step: Step, device: RealDevice) -> _StepModels:
    variants = step.task.find_models(step.settings, preferred_precision(device))
    specs: list[ModelSpec] = [spec for of_role in variants.values() for spec in of_role]
    return _StepModels(variants, device == "cpu" and bool(specs) and all(spec.planar for spec in specs))


def _process(job: SegmentJob, wanted: SegmentRange, expected: dict[str, Any]) -> ProcessedSegment:
    """Processes one segment in a worker."""
    if (found := versions()) != expected:
        raise ClusterError(f"a worker has other versions: {found} instead of {expected}")
    return process_segment(job, wanted)


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
        except Exception as exc:  # A node that does not come up in time raises Exception itself.
            reason = " ".join(str(exc).split())[:200]
            raise ClusterError(f"the Ray cluster {address} is not reached: {reason}") from exc


def _check_reachable(address: str) -> None:
    """Ray itself would try for minutes."""
    host, _, port = address.rpartition(":")
    if not (host and port.isdecimal()):
        return
    try:
        socket.create_connection((host, int(port)), timeout=_CONNECT_SECONDS).close()
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
