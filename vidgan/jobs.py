"""Films in the making that lie about: found by their folders, gone on with, or thrown away."""

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock, Timeout

from vidgan.errors import InputError
from vidgan.frame import VideoInfo
from vidgan.identity import identity
from vidgan.job import StylizeResult, stylize, versions
from vidgan.settings import Settings
from vidgan.sinks.parts import JOURNAL, LOCK, OWN_FILES, SUFFIX, read_journal

State = Literal["interrupted", "at work", "input changed", "input gone", "other version", "damaged"]


@dataclass(frozen=True, kw_only=True)
class Job:
    """What is left of a run, see :class:`vidgan.sinks.parts.Parts`.

    Attributes:
        folder: the hidden one with the parts.
        state: ``"interrupted"`` is what can be gone on with. After a change of the input or of vidgan
            itself, a run begins anew; a ``"damaged"`` folder has no readable journal.
        output: where the film will be; None if nothing says so.
        input, style: files, as the journal has them.
        frames: done.
        age_seconds: since something was written.
        bytes: on the disk.
    """

    folder: Path
    state: State
    output: Path | None
    input: str | None
    style: str | None
    frames: int
    age_seconds: float
    bytes: int


def find_jobs(where: Path, *, recursive: bool = False) -> list[Job]:
    """Those in a folder, or the one of an output or of a hidden folder itself.

    Raises:
        InputError: there is nothing of that name, and no job for it.
    """
    if _is_job_folder(where):
        return [_look_at(where)]
    own = where.absolute().with_name(f".{where.name}{SUFFIX}")
    if _is_job_folder(own):
        return [_look_at(own)]
    if not where.is_dir():
        raise InputError(f"{where}: is no folder, and no unfinished output")
    pattern = f".*{SUFFIX}"
    found = where.rglob(pattern) if recursive else where.glob(pattern)
    return [_look_at(each) for each in sorted(found) if _is_job_folder(each)]


def resume(
    job: Job,
    *,
    overwrite: bool = False,
    on_start: Callable[[VideoInfo], None] | None = None,
    on_frame: Callable[[int], None] | None = None,
) -> StylizeResult:
    """Goes on with an interrupted job, by the settings that it began with.

    Raises:
        VidganError: as :func:`vidgan.job.stylize`; the job is not an interrupted one.
    """
    if job.state != "interrupted":
        raise InputError(f"{job.output or job.folder}: {job.state}; cannot be gone on with")
    facts, _ = read_journal(job.folder / JOURNAL)
    try:
        settings = Settings.from_json(facts["settings"])
        input, style, device = str(facts["input"]), str(facts["style"]), facts["device"]
    except (ValueError, TypeError, KeyError, AttributeError) as exc:
        raise InputError(f"{job.folder}: its journal is damaged; 'vidgan jobs clean' removes it") from exc
    return stylize(
        input,
        job.output,
        style=style,
        device=device,
        overwrite=overwrite,
        on_start=on_start,
        on_frame=on_frame,
        **{name: getattr(settings, name) for name in settings.__dataclass_fields__},
    )


def clean(job: Job) -> int:
    """Throws a job's parts away, if no process is at work on it; bytes that are free again.

    What vidgan did not make stays, and the folder with it.
    """
    lock = FileLock(job.folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return 0
    try:
        for path in _own_files(job.folder):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            elif path.name != LOCK:
                path.unlink(missing_ok=True)
    finally:
        lock.release()
    (job.folder / LOCK).unlink(missing_ok=True)
    if not any(job.folder.iterdir()):
        job.folder.rmdir()
    return job.bytes


def _look_at(folder: Path) -> Job:
    facts, segments = read_journal(folder / JOURNAL)
    facts = facts if isinstance(facts, dict) else {}
    files = [each for each in _own_files(folder) if each.is_file()]
    times = [each.stat().st_mtime for each in files] or [folder.stat().st_mtime]
    return Job(
        folder=folder,
        state=_state(folder, facts),
        output=_output(folder, facts),
        input=facts.get("input"),
        style=facts.get("style"),
        frames=sum(each.frames for each in segments),
        age_seconds=max(0.0, time.time() - max(times)),
        bytes=sum(each.stat().st_size for each in files),
    )


def _state(folder: Path, facts: dict[str, Any]) -> State:
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
        lock.release()
    except Timeout:
        return "at work"
    if _output(folder, facts) is None or not isinstance(facts.get("input"), str):
        return "damaged"
    input = Path(facts["input"])
    if not input.exists():
        return "input gone"
    if list(identity(input)) != facts.get("identity"):
        return "input changed"
    return "interrupted" if facts.get("versions") == versions() else "other version"


def _output(folder: Path, facts: dict[str, Any]) -> Path | None:
    """Beside the folder or in a folder beside it; a journal may say no other place."""
    name = facts.get("output")
    if not isinstance(name, str) or not name:
        return None
    output = Path(name)
    place = output.parts[0]
    if len(output.parts) > 2 or output.is_absolute() or ".." in output.parts:
        return None
    return folder.parent / output if folder.name == f".{place}{SUFFIX}" else None


def _is_job_folder(path: Path) -> bool:
    return (
        path.name.startswith(".")
        and path.name.endswith(SUFFIX)
        and not path.is_symlink()
        and path.is_dir()
        and ((path / JOURNAL).is_file() or (path / LOCK).is_file())
    )


def _own_files(folder: Path) -> Iterator[Path]:
    return (each for each in folder.iterdir() if OWN_FILES.fullmatch(each.name) and not each.is_symlink())
