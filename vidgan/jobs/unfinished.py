"""Unfinished jobs: found by their hidden folders, resumed, or removed."""

import contextlib
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from filelock import FileLock, Timeout

from vidgan.errors import InputError, ModelError, OutputError, VidganError
from vidgan.jobs.batch import note_resumed
from vidgan.jobs.fingerprint import checksum, file_fingerprint
from vidgan.jobs.paths import Input
from vidgan.jobs.plan import JobRequest, Step, versions
from vidgan.jobs.provenance import ProvenanceSettings
from vidgan.jobs.runner import JobResult, LocalBackend, run_job
from vidgan.jobs.settings import JobSettings
from vidgan.media.address import not_found
from vidgan.media.ffmpeg import reading, writing
from vidgan.media.frame import VideoInfo
from vidgan.models.registry import find_model
from vidgan.segments.journal import (
    JOURNAL,
    LOCK,
    OWN_FILES,
    SUFFIX,
    SegmentRecord,
    folder_of,
    is_delivered,
    read_journal,
    read_notes,
)
from vidgan.session import RealDevice
from vidgan.sources import is_image, open_source
from vidgan.tasks import task_named
from vidgan.tasks.task import TaskSettings

JobStatus = Literal[
    "interrupted",
    "complete",
    "running",
    "input changed",
    "input gone",
    "model changed",
    "model gone",
    "other version",
    "other machine",
    "of a cluster",
    "damaged",
]


@dataclass(frozen=True, kw_only=True)
class Job:
    """An unfinished job, see :class:`vidgan.segments.store.SegmentStore`.

    Attributes:
        folder: the hidden one with the parts.
        state: ``"interrupted"`` is what can be gone on with; of what is ``"complete"`` the video is in its
            place. After a change of the input, the model, vidgan itself or the number of cores, a run begins
            anew; what is ``"of a cluster"`` goes on with
            the command that began it; a ``"damaged"`` folder has no readable journal, or one that belongs
            elsewhere.
        output: where the video will be; None if nothing says so.
        input, model: files, as the journal has them; None if it has none.
        frames: done.
        age_seconds: since something was written.
        bytes: on the disk.
    """

    folder: Path
    state: JobStatus
    output: Path | None
    input: str | None
    model: str | None
    frames: int
    age_seconds: float
    bytes: int


def find_jobs(where: Path, *, recursive: bool = False) -> list[Job]:
    """Those in a folder, or the one of an output or of a hidden folder itself.

    Raises:
        InputError: there is nothing of that name, and no job for it; or it cannot be read.
    """
    with reading(where):
        own = folder_of(where)
        for folder in (where, own):
            if _is_job_folder(folder):
                return [_look_at(folder)]
        if not where.is_dir():
            raise InputError(not_found(where, "is no folder, and no unfinished output"))
        pattern = f".*{SUFFIX}"
        found = where.rglob(pattern) if recursive else where.glob(pattern)
        return [_look_at(each) for each in sorted(found) if _is_job_folder(each)]


def expected_frames(job: Job) -> int | None:
    """Number of frames of the whole output, as the input tells; None where it does not, or has changed."""
    if job.state not in ("interrupted", "running"):
        return None
    fingerprint, _ = _read(job.folder)
    try:
        settings = JobSettings.from_json(fingerprint["settings"])
        with open_source(
            fingerprint["input"], size=settings.size, trim=settings.trim, rate=settings.rate
        ) as source:
            frames: int | None = source.info.frame_count
            return frames
    except (VidganError, ValueError, TypeError, KeyError, AttributeError):
        return None


def resume(
    job: Job,
    *,
    overwrite: bool = False,
    complete: Callable[[Sequence[Step]], Sequence[Step]] = list,
    on_start: Callable[[VideoInfo], None] | None = None,
    on_frame: Callable[[int], None] | None = None,
    on_encode: Callable[[int, int], None] | None = None,
) -> JobResult:
    """Resumes an interrupted job with the settings that it began with.

    A batch that began it will find it done.

    Args:
        complete: adds what a journal does not have, such as passcodes.

    Raises:
        VidganError: as of :func:`vidgan.run`; the job is not an interrupted one.
    """
    if (state := _look_at(job.folder).state) != "interrupted":
        instead = (
            "the same 'vidgan batch' with `cluster` does"
            if state == "of a cluster"
            else "'vidgan jobs clean' removes it"
        )
        raise InputError(f"{job.output or job.folder}: {state}; cannot be resumed, {instead}")
    fingerprint, _ = _read(job.folder)
    assert job.output is not None
    request = JobRequest(
        input=Input.at(Path(fingerprint["input"])),
        output=job.output,
        steps=complete([Step(each) for each in _step_settings(fingerprint)]),
        settings=JobSettings.from_json(fingerprint["settings"]),
        provenance=_provenance(job.folder),
        overwrite=overwrite,
    )
    result = run_job(
        request,
        lambda: LocalBackend(request, fingerprint["device"]),
        on_start=on_start,
        on_frame=on_frame,
        on_encode=on_encode,
    )
    note_resumed(job.output, fingerprint["identity"])
    return result


def _provenance(folder: Path) -> ProvenanceSettings:
    """Options of credentials in a journal; the usual where it says nothing."""
    notes = read_notes(folder / JOURNAL)
    try:
        settings: ProvenanceSettings = ProvenanceSettings.from_json(notes["provenance"])
    except (VidganError, ValueError, TypeError, KeyError, AttributeError):
        return ProvenanceSettings()
    return settings


def _step_settings(fingerprint: dict[str, Any]) -> list[TaskSettings]:
    """The steps of a journal.

    Raises:
        VidganError, ValueError, TypeError, KeyError: it has none, or others than this version knows.
    """
    steps = [
        task_named(each["task"]).settings_type.from_json(each["settings"]) for each in fingerprint["steps"]
    ]
    if not steps:
        raise ValueError("no steps")
    return steps


def _models(fingerprint: dict[str, Any]) -> list[dict[str, Any]]:
    """Path and checksum of each model of a journal."""
    return [model for step in fingerprint["steps"] for model in step["models"].values()]


def clean(job: Job) -> int:
    """Throws a job's parts away; bytes that are free again.

    What vidgan did not make stays, and the folder with it.

    Raises:
        OutputError: a process is at work on it, or it cannot be removed.
    """
    lock = job.folder / LOCK
    if lock.is_symlink() or not _is_job_folder(job.folder):
        raise OutputError(f"{job.folder}: is no folder of vidgan's any more; it stays")
    freed = 0
    with writing(job.folder):
        try:
            with FileLock(lock).acquire(timeout=0):
                for path in _own_files(job.folder):
                    if path != lock:
                        freed += path.stat().st_size
                        path.unlink()
        except Timeout:
            raise OutputError(f"{job.output or job.folder}: another vidgan is at work on it") from None
        lock.unlink(missing_ok=True)
        empty = [each for each in job.folder.iterdir() if OWN_FILES.fullmatch(each.name)]
    for folder in (*empty, job.folder):
        with contextlib.suppress(OSError):  # It is not empty, or no folder.
            folder.rmdir()
    return freed


def _look_at(folder: Path) -> Job:
    fingerprint, segments = _read(folder)
    state = _state(folder, fingerprint)
    stats: list[os.stat_result] = []
    for path in _own_files(folder):
        with contextlib.suppress(FileNotFoundError):  # Of a run at work.
            stats.append(path.stat())
    last = max((each.st_mtime for each in stats), default=time.time())
    return Job(
        folder=folder,
        state=state,
        output=_output(folder, fingerprint),
        input=_text(fingerprint.get("input")),
        model=_model_path(fingerprint),
        frames=sum(each.frames for each in segments),
        age_seconds=max(0.0, time.time() - last),
        bytes=sum(each.st_size for each in stats),
    )


def _read(folder: Path) -> tuple[dict[str, Any], list[SegmentRecord]]:
    fingerprint, segments = read_journal(folder / JOURNAL)
    return fingerprint if isinstance(fingerprint, dict) else {}, segments


def _model_path(fingerprint: dict[str, Any]) -> str | None:
    """The first model of a journal, where it has one."""
    try:
        return _text(_models(fingerprint)[0]["path"])
    except (KeyError, IndexError, TypeError, AttributeError):
        return None


def _text(fact: Any) -> str | None:
    return fact if isinstance(fact, str) else None


def _state(folder: Path, fingerprint: dict[str, Any]) -> JobStatus:
    """``"interrupted"`` only where :func:`vidgan.jobs.api.stylize` would not begin anew."""
    if _is_running(folder):
        return "running"
    if fingerprint and "steps" not in fingerprint:
        return "other version"  # Of 0.1, which had one task a job.
    try:
        _step_settings(fingerprint)
        JobSettings.from_json(fingerprint["settings"])
        input, models = (
            Path(fingerprint["input"]),
            {Path(each["path"]): each["sha256"] for each in _models(fingerprint)},
        )
    except (VidganError, ValueError, TypeError, KeyError, AttributeError):
        return "damaged"
    if _output(folder, fingerprint) is None or not all(each.is_absolute() for each in (input, *models)):
        return "damaged"
    if fingerprint.get("device") not in get_args(RealDevice):
        return "damaged"
    if is_delivered(folder, folder.with_name(Path(fingerprint["output"]).parts[0])):
        return "complete"
    try:
        if list(file_fingerprint(input)) != fingerprint.get("identity"):
            return "input changed"
    except (OSError, ValueError):
        return "input gone"
    if not all(each.is_file() for each in models):
        return "model gone"
    if any(_checksum(path) != found for path, found in models.items()):
        return "model changed"
    if fingerprint.get("versions") != versions():
        return "other version"
    if fingerprint.get("cores") != os.cpu_count():
        return "other machine"
    return "of a cluster" if "warm_up" in fingerprint else "interrupted"


def _checksum(weights: Path) -> str | None:
    """Checksum of the model in a file and its yuv420 variant; None if the file has none."""
    try:
        return checksum(find_model(str(weights), precision="float32"))
    except ModelError:
        return None


def _is_running(folder: Path) -> bool:
    """Whether some process holds the lock, as far as can be seen."""
    lock = folder / LOCK
    if lock.is_symlink() or not lock.is_file():
        return False
    try:
        with FileLock(lock).acquire(timeout=0):
            return False
    except Timeout:
        return True
    except OSError:
        return False  # Another user's, or a disk that cannot be written to.


def _output(folder: Path, fingerprint: dict[str, Any]) -> Path | None:
    """Beside the folder or in a folder beside it; a journal may say no other place."""
    name = fingerprint.get("output")
    if not isinstance(name, str):
        return None
    output = Path(name)
    if not 1 <= len(output.parts) <= 2 or output.is_absolute() or ".." in output.parts:
        return None
    return folder.parent / output if folder.name == folder_of(Path(output.parts[0])).name else None


def _is_job_folder(path: Path) -> bool:
    return (
        path.name.startswith(".")
        and path.name.endswith(SUFFIX)
        and len(path.name) > len(f".{SUFFIX}")
        and not path.is_symlink()
        and path.is_dir()
        and ((path / JOURNAL).is_file() or (path / LOCK).is_file())
    )


def _own_files(folder: Path) -> list[Path]:
    """Files that vidgan made in the folder, those of an output that was being joined included."""
    found = [each for each in folder.iterdir() if OWN_FILES.fullmatch(each.name)]
    for each in list(found):
        if each.is_dir() and not each.is_symlink() and each.name.startswith(("joined", "whole")):
            found += [image for image in each.iterdir() if is_image(image)]
    return [each for each in found if each.is_file() and not each.is_symlink()]
