"""Films in the making that lie about: found by their folders, gone on with, or thrown away."""

import contextlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from filelock import FileLock, Timeout

from vidgan.errors import InputError, ModelError, OutputError, VidganError
from vidgan.jobs.batch import note_resumed
from vidgan.jobs.fingerprint import checksum, identity
from vidgan.jobs.job import JobResult, colorize, segment, stylize, translate, upscale, versions
from vidgan.media.ffmpeg import reading, writing
from vidgan.media.frame import VideoInfo
from vidgan.models.registry import Task, find_model
from vidgan.segments.journal import (
    JOURNAL,
    LOCK,
    OWN_FILES,
    SUFFIX,
    Segment,
    folder_of,
    is_delivered,
    read_journal,
)
from vidgan.session import RealDevice
from vidgan.sources import is_picture, open_source
from vidgan.tasks.settings import settings_of

State = Literal[
    "interrupted",
    "complete",
    "at work",
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
    """What is left of a run, see :class:`vidgan.segments.store.Parts`.

    Attributes:
        folder: the hidden one with the parts.
        state: ``"interrupted"`` is what can be gone on with; of what is ``"complete"`` the film is in its
            place. After a change of the input, the model, vidgan itself or the number of cores, a run begins
            anew; what is ``"of a cluster"`` goes on with
            the command that began it; a ``"damaged"`` folder has no readable journal, or one that belongs
            elsewhere.
        output: where the film will be; None if nothing says so.
        input, model: files, as the journal has them; None if it has none.
        frames: done.
        age_seconds: since something was written.
        bytes: on the disk.
    """

    folder: Path
    state: State
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
            raise InputError(f"{where}: is no folder, and no unfinished output")
        pattern = f".*{SUFFIX}"
        found = where.rglob(pattern) if recursive else where.glob(pattern)
        return [_look_at(each) for each in sorted(found) if _is_job_folder(each)]


def expected_frames(job: Job) -> int | None:
    """Of the whole film, as the input tells; None where it does not, or is not what it was."""
    if job.state not in ("interrupted", "at work"):
        return None
    facts, _ = _read(job.folder)
    try:
        settings = settings_of(facts["task"], facts["settings"])
        with open_source(
            facts["input"], size=settings.size, trim=settings.trim, rate=settings.rate
        ) as source:
            return source.info.frame_count
    except (VidganError, ValueError, TypeError, KeyError, AttributeError):
        return None


def resume(
    job: Job,
    *,
    overwrite: bool = False,
    on_start: Callable[[VideoInfo], None] | None = None,
    on_frame: Callable[[int], None] | None = None,
) -> JobResult:
    """Goes on with an interrupted job, by the settings that it began with.

    A batch that began it will find it done.

    Raises:
        VidganError: as :func:`vidgan.jobs.job.stylize`; the job is not an interrupted one.
    """
    if (state := _look_at(job.folder).state) != "interrupted":
        instead = (
            "the same 'vidgan batch --cluster' does"
            if state == "of a cluster"
            else ("'vidgan jobs clean' removes it")
        )
        raise InputError(f"{job.output or job.folder}: {state}; cannot be gone on with, {instead}")
    facts, _ = _read(job.folder)
    settings = settings_of(facts["task"], facts["settings"])
    assert job.output is not None
    result = _RUNS[settings.task](
        facts["input"],
        job.output,
        facts["weights"],
        device=facts["device"],
        overwrite=overwrite,
        on_start=on_start,
        on_frame=on_frame,
        **settings.arguments(),
    )
    note_resumed(job.output, facts, settings)
    return result


_RUNS: dict[Task, Callable[..., JobResult]] = {
    "style": lambda film, output, weights, **others: stylize(film, output, style=weights, **others),
    "upscale": lambda film, output, weights, **others: upscale(film, output, model=weights, **others),
    "translate": lambda film, output, weights, **others: translate(film, output, model=weights, **others),
    "segment": lambda film, output, weights, **others: segment(film, output, model=weights, **others),
    "colorize": lambda film, output, weights, **others: colorize(film, output, model=weights, **others),
}


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
    facts, segments = _read(folder)
    state = _state(folder, facts)
    stats: list[os.stat_result] = []
    for path in _own_files(folder):
        with contextlib.suppress(FileNotFoundError):  # Of a run at work.
            stats.append(path.stat())
    last = max((each.st_mtime for each in stats), default=time.time())
    return Job(
        folder=folder,
        state=state,
        output=_output(folder, facts),
        input=_text(facts.get("input")),
        model=_text(facts.get("weights")),
        frames=sum(each.frames for each in segments),
        age_seconds=max(0.0, time.time() - last),
        bytes=sum(each.st_size for each in stats),
    )


def _read(folder: Path) -> tuple[dict[str, Any], list[Segment]]:
    facts, segments = read_journal(folder / JOURNAL)
    return facts if isinstance(facts, dict) else {}, segments


def _text(fact: Any) -> str | None:
    return fact if isinstance(fact, str) else None


def _state(folder: Path, facts: dict[str, Any]) -> State:
    """``"interrupted"`` only where :func:`vidgan.jobs.job.stylize` would not begin anew."""
    if _is_at_work(folder):
        return "at work"
    try:
        settings_of(facts["task"], facts["settings"])
        input, weights = Path(facts["input"]), Path(facts["weights"])
    except (VidganError, ValueError, TypeError, KeyError, AttributeError):
        return "damaged"
    if _output(folder, facts) is None or not input.is_absolute() or not weights.is_absolute():
        return "damaged"
    if facts.get("device") not in get_args(RealDevice):
        return "damaged"
    if is_delivered(folder, folder.with_name(folder.name[1 : -len(SUFFIX)])):
        return "complete"
    try:
        if list(identity(input)) != facts.get("identity"):
            return "input changed"
    except (OSError, ValueError):
        return "input gone"
    if not weights.is_file():
        return "model gone"
    if _checksum(weights) != facts.get("model"):
        return "model changed"
    if facts.get("versions") != versions():
        return "other version"
    if facts.get("cores") != os.cpu_count():
        return "other machine"
    return "of a cluster" if "warm_up" in facts else "interrupted"


def _checksum(weights: Path) -> str | None:
    """Of the model in a file, with its variant for planes; None if there is none in it."""
    try:
        return checksum(find_model(str(weights), precision="float32"))
    except ModelError:
        return None


def _is_at_work(folder: Path) -> bool:
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


def _output(folder: Path, facts: dict[str, Any]) -> Path | None:
    """Beside the folder or in a folder beside it; a journal may say no other place."""
    name = facts.get("output")
    if not isinstance(name, str):
        return None
    output = Path(name)
    if not 1 <= len(output.parts) <= 2 or output.is_absolute() or ".." in output.parts:
        return None
    return folder.parent / output if folder.name == f".{output.parts[0]}{SUFFIX}" else None


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
    """What vidgan made in it: files, of which some are the pictures of a film that was being put together."""
    found = [each for each in folder.iterdir() if OWN_FILES.fullmatch(each.name)]
    for each in list(found):
        if each.is_dir() and not each.is_symlink() and each.name.startswith("whole"):
            found += [picture for picture in each.iterdir() if is_picture(picture)]
    return [each for each in found if each.is_file() and not each.is_symlink()]
