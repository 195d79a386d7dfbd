"""A job in segments, each processed for itself, as a cluster does it."""

from pathlib import Path

from vidgan.jobs.fingerprint import file_fingerprint
from vidgan.jobs.paths import Input
from vidgan.jobs.plan import JobRequest, Step, plan_job
from vidgan.jobs.runner import LocalBackend
from vidgan.jobs.segment_worker import SegmentJob, process_segment, ranges_of
from vidgan.segments.store import SegmentStore
from vidgan.sinks import open_sink, segment_encoding
from vidgan.sources import Source, open_source
from vidgan.tasks.task import TaskSettings


def in_segments(path: Path, output: Path, settings: TaskSettings) -> None:
    """What a cluster does, in this process."""
    with open_source(path) as source, SegmentStore(output) as parts:
        job = segment_job(path, output, settings, source)
        plan = job.plan
        with open_sink(output, plan.output_info, store=parts, encoder=plan.encoder) as sink:
            for wanted in ranges_of(plan, source, list(source.times()), done=0):
                parts.add_encoded(process_segment(job, wanted).segment)
            assert sink.verification is None


def segment_job(path: Path, output: Path, settings: TaskSettings, source: Source) -> SegmentJob:
    """The data that all segments of a job share."""
    request = JobRequest(input=Input.at(path), output=output, steps=[Step(settings)])
    backend = LocalBackend(request, "cpu")
    plan = plan_job(request, backend.models, "cpu", source.info)
    return SegmentJob(
        plan=plan,
        fingerprint=file_fingerprint(path),
        precise=({"generator": None},),
        encoding=segment_encoding(output, plan.output_info, plan.encoder),
        yuv=bool(backend.models) and backend.models[0].take_yuv,
    )
