"""A folder of films and pictures, each repainted into the same place of another folder.

What is done is written down in the other folder, so that a second run does only what is missing: what
failed, what is new, and what would come out differently because the file or a setting changed.
"""

import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Literal

from vidgan.errors import InputError, OutputError, VidganError
from vidgan.jobs.fingerprint import Identity, checksum, identity
from vidgan.jobs.job import JobResult
from vidgan.media.encoder import VIDEO_SUFFIXES
from vidgan.media.ffmpeg import writing
from vidgan.models.registry import ModelSpec
from vidgan.sinks import check_output
from vidgan.sinks.verification import Verification
from vidgan.sources import PICTURE_SUFFIXES, is_picture
from vidgan.tasks.settings import Settings, StyleSettings

INPUT_SUFFIXES = {
    *VIDEO_SUFFIXES, *PICTURE_SUFFIXES,
    ".3gp", ".avi", ".flv", ".gif", ".m2ts", ".mpeg", ".mpg", ".mts", ".ogv", ".ts", ".vob", ".wmv",
}  # fmt: skip
JOURNAL = ".vidgan-batch.jsonl"

_POLL_SECONDS = 0.2

Status = Literal["done", "skipped", "failed"]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one file.

    Attributes:
        input, output: the files.
        status: ``"skipped"`` is one that an earlier run has done with the same settings.
        error: why it failed, in one line.
        frames, seconds: of the work; 0 where there was none.
        notices: what the user should know of it.
        verification: of the output, see :class:`vidgan.sinks.verification.Verification`.
    """

    input: str
    output: str
    status: Status
    error: str | None = None
    frames: int = 0
    seconds: float = 0.0
    notices: list[str] = field(default_factory=list)
    verification: Verification | None = None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Where files come from, where they go, and what is done to them.

    Attributes:
        folder: of the inputs.
        out: of the outputs; made where it is missing. May lie within ``folder``.
        models: what may paint.
        paint: paints one file with them: :func:`vidgan.jobs.job.stylize` or :func:`vidgan.jobs.job.upscale` with what
            they are loaded in, or :meth:`vidgan.jobs.cluster.Cluster.paint`.
        settings: further arguments of ``paint``.
        recursive: whether folders in the folder count too.
        include, exclude: patterns (``*.mp4``) of names or of paths within the folder; no
            ``include`` means all.
        overwrite: replace outputs that this batch did not make.
    """

    folder: Path
    out: Path
    models: Sequence[ModelSpec]
    paint: Callable[..., JobResult]
    settings: Settings = field(default_factory=StyleSettings)
    recursive: bool = False
    include: Sequence[str] = ()
    exclude: Sequence[str] = ()
    overwrite: bool = False

    def inputs(self) -> list[Path]:
        """The files that are there now, in order.

        Raises:
            InputError: there is no such folder.
        """
        if not self.folder.is_dir():
            raise InputError(f"{self.folder}: no such folder")
        found = self.folder.rglob("*") if self.recursive else self.folder.iterdir()
        return sorted(path for path in found if self._is_wanted(path))

    def output_of(self, path: Path) -> Path:
        """Where ``path`` goes; ``clip.avi``, which vidgan does not write, becomes ``clip.avi.mkv``."""
        place = self.out / path.relative_to(self.folder)
        kept = is_picture(path) or path.suffix.lower() in VIDEO_SUFFIXES
        return place if kept else place.with_name(f"{place.name}.mkv")

    def _is_wanted(self, path: Path) -> bool:
        name = path.relative_to(self.folder).as_posix()
        inside_out = self.out.resolve() in path.resolve().parents
        return (
            path.suffix.lower() in INPUT_SUFFIXES
            and not path.name.startswith(".")
            and not inside_out
            and path.is_file()
            and (not self.include or _matches(name, self.include))
            and not _matches(name, self.exclude)
        )


def run_batch(
    batch: Batch,
    inputs: Sequence[Path],
    *,
    workers: int = 1,
    on_outcome: Callable[[Outcome], None] | None = None,
    on_frame: Callable[[Path, int], None] | None = None,
) -> list[Outcome]:
    """Works through ``inputs``; what fails costs only itself.

    Ctrl-C stops all files that are in the making; what is done stays done.

    Args:
        workers: how many files at a time.
        on_outcome: called on the calling thread after each file, in the order in which they end.
        on_frame: called on some thread with a file and the number of its frames so far.

    Raises:
        InputError: the outputs would be the inputs.
        OutputError: the folder for the outputs cannot be made.
    """
    if batch.out.resolve() == batch.folder.resolve():
        raise InputError(f"{batch.out}: is the folder of the inputs; choose another for the outputs")
    try:
        batch.out.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise OutputError(f"{batch.out}: cannot be made: {exc.strerror}") from exc
    journal = _Journal(batch.out, checksum(*batch.models), batch.settings)
    stopped = threading.Event()

    def work(path: Path) -> Outcome:
        def frame_done(count: int) -> None:
            if stopped.is_set():
                raise _StoppedError
            if on_frame is not None:
                on_frame(path, count)

        if stopped.is_set():
            raise _StoppedError
        return _process(batch, journal, path, frame_done)

    outcomes: list[Outcome] = []
    with ThreadPoolExecutor(workers, thread_name_prefix="vidgan-batch") as pool:
        try:
            for outcome in _as_completed([pool.submit(work, path) for path in inputs]):
                outcomes.append(outcome)
                if on_outcome is not None:
                    on_outcome(outcome)
        except BaseException:
            stopped.set()
            raise
    return outcomes


def settled_inputs(batch: Batch, seconds: float) -> Iterator[tuple[Path, Identity]]:
    """The inputs that nobody has written to for so many seconds: they are complete."""
    for path in batch.inputs():
        try:
            found = identity(path)
        except OSError:
            continue  # Gone since.
        if time.time() - found[1] / 1e9 >= seconds:
            yield path, found


def note_resumed(output: Path, facts: Mapping[str, Any], settings: Settings) -> None:
    """Tells the batch that began a film, if one did, that somebody else has finished it.

    Args:
        facts: see :func:`vidgan.jobs.job.job_facts`.
        settings: those among them.
    """
    output = output.absolute()
    for folder in output.parents:
        journal = _Journal(folder, facts["model"], settings)
        if journal.made(output):
            journal.add(output, facts["identity"])


class _StoppedError(Exception):
    """The batch was interrupted."""


class _Journal:
    """What was done with which settings, a line each; the last line about an output counts."""

    def __init__(self, out: Path, model: str, settings: Settings) -> None:
        self._path = out / JOURNAL
        self._out = out
        self._settings = _fingerprint(model, settings)
        self._lock = threading.Lock()
        self._done: dict[str, dict[str, Any]] = {}
        if self._path.exists():
            for line in self._path.read_text(encoding="utf-8").splitlines():
                try:
                    entry = json.loads(line)
                    self._done[entry["output"]] = entry
                except (ValueError, KeyError, TypeError):
                    continue  # Cut off by a crash; that file is done again.

    def made(self, output: Path) -> bool:
        """Whether an earlier run made this output or began to, with whatever settings."""
        return output.relative_to(self._out).as_posix() in self._done

    def has(self, output: Path, source: Path) -> bool:
        """Whether the output is there and would come out the same again."""
        name = output.relative_to(self._out).as_posix()
        return output.exists() and self._done.get(name) == self._entry(output, identity(source))

    def begin(self, output: Path) -> None:
        """Says that the output will be this batch's, whoever finishes it."""
        if not self.made(output):
            self._write({"output": output.relative_to(self._out).as_posix()})

    def add(self, output: Path, source: Identity) -> None:
        """Says that the output is done."""
        self._write(self._entry(output, source))

    def _write(self, entry: dict[str, Any]) -> None:
        with self._lock, writing(self._path), self._path.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(entry) + "\n")
            self._done[entry["output"]] = entry

    def _entry(self, output: Path, source: Identity) -> dict[str, Any]:
        name = output.relative_to(self._out).as_posix()
        return {"output": name, "input": list(source), "settings": self._settings}


def _process(batch: Batch, journal: _Journal, path: Path, on_frame: Callable[[int], None]) -> Outcome:
    output = batch.output_of(path)
    try:
        if journal.has(output, path):
            return Outcome(input=str(path), output=str(output), status="skipped")
        output.parent.mkdir(parents=True, exist_ok=True)
        overwrite = batch.overwrite or journal.made(output)
        check_output(output, overwrite=overwrite)
        journal.begin(output)
        result = batch.paint(
            path, output, overwrite=overwrite, on_frame=on_frame, **batch.settings.arguments()
        )
        journal.add(output, identity(path))
    except _StoppedError:
        raise
    except VidganError as exc:
        return _failed(path, output, str(exc))
    except Exception as exc:  # One file must not end the night's work for the others.
        return _failed(path, output, f"{path}: unexpected {type(exc).__name__}: {exc}")
    return Outcome(
        input=str(path),
        output=str(output),
        status="done",
        frames=result.frames,
        seconds=result.seconds,
        notices=result.notices,
        verification=result.verification,
    )


def _failed(path: Path, output: Path, error: str) -> Outcome:
    return Outcome(input=str(path), output=str(output), status="failed", error=error)


def _as_completed(futures: Sequence[Future[Outcome]]) -> Iterator[Outcome]:
    """The results as they come, in pieces of time, so that Ctrl-C gets through on every platform."""
    pending = set(futures)
    while pending:
        done, pending = wait(pending, timeout=_POLL_SECONDS, return_when=FIRST_COMPLETED)
        for future in sorted(done, key=futures.index):
            yield future.result()


def _fingerprint(model: str, settings: Settings) -> str:
    facts = {"model": model, **settings.as_json()}
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch(name, each) or fnmatch(name.rpartition("/")[2], each) for each in patterns)
