"""A batch: every video and image of a folder, processed into another folder.

The other folder holds a journal of what is done, so that a second run does only what is missing: what failed, what
is new, and what would come out differently because the file or a setting changed.
"""

import hashlib
import json
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from vidgan.errors import InputError, OutputError, OutputExistsError, VidganError
from vidgan.jobs.batch_inputs import BatchInputs
from vidgan.jobs.fingerprint import FileFingerprint, checksum, file_fingerprint
from vidgan.jobs.paths import Input
from vidgan.jobs.plan import JobRequest, Step, files_of
from vidgan.jobs.provenance import ProvenanceSettings
from vidgan.jobs.runner import JobResult
from vidgan.jobs.settings import JobSettings
from vidgan.media.encoding import VIDEO_SUFFIXES
from vidgan.media.ffmpeg import writing
from vidgan.models.registry import ModelSpec
from vidgan.sinks import check_output
from vidgan.sinks.verification import Verification
from vidgan.sources import default_suffix, is_still

JOURNAL = ".vidgan-batch.jsonl"
DEFAULT_NAME = "{stem}.{model}{ext}"
"""Names of outputs; they tell the model, so that two batches into one folder do not meet."""

_POLL_SECONDS = 0.2

Status = Literal["done", "skipped", "failed"]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Outcome of one file.

    Attributes:
        input, output: the files.
        status: ``"skipped"`` is one that an earlier run has done with the same settings.
        error: why it failed, in one line.
        frames, seconds: of the work; 0 where there was none.
        warnings: what the user should know of it.
        verification: of the output, see :class:`vidgan.sinks.verification.Verification`.
    """

    input: str
    output: str
    status: Status
    error: str | None = None
    frames: int = 0
    seconds: float = 0.0
    warnings: list[str] = field(default_factory=list)
    verification: Verification | None = None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class Process(Protocol):
    """Processes one file: :func:`vidgan.jobs.runner.run_job` with loaded models, or a cluster's ``run``."""

    def __call__(self, request: JobRequest, *, on_frame: Callable[[int], None]) -> JobResult: ...


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Where files come from, where they go, and what is done to them.

    Attributes:
        inputs: where its files come from.
        steps: what is done.
        models: of the steps, in all variants; they decide what the outputs look like.
        process: does it to one file.
        settings: options of the jobs.
        provenance: options of the outputs' credentials.
        name: of an output, from ``{stem}``, ``{model}`` and ``{ext}`` (with its dot).
        overwrite: replace outputs that another batch, or nobody's, made.
    """

    inputs: BatchInputs
    steps: Sequence[Step]
    models: Sequence[ModelSpec]
    process: Process
    settings: JobSettings = field(default_factory=JobSettings)
    provenance: ProvenanceSettings = field(default_factory=ProvenanceSettings)
    name: str = DEFAULT_NAME
    overwrite: bool = False

    @property
    def out(self) -> Path:
        """Folder of the outputs; made where it is missing. May lie within one of the inputs."""
        return self.inputs.out

    def output_of(self, path: Path) -> Path:
        """Where ``path`` goes; ``clip.avi``, which vidgan does not write, becomes an mkv."""
        suffix = default_suffix(path)
        if not is_still(path):
            default = self.steps[-1].task.default_suffix()
            suffix = default or (suffix if suffix in VIDEO_SUFFIXES else ".mkv")
        model = ".".join(each.name for each in self.steps)
        name = self.name.format(stem=path.stem, model=model, ext=suffix)
        return self.out / self.inputs.folder_of(path) / name

    def check_names(self, inputs: Sequence[Path]) -> None:
        """Refuses inputs whose outputs would have one name.

        Raises:
            InputError: two have.
        """
        by_output: defaultdict[Path, list[Path]] = defaultdict(list)
        for path in inputs:
            by_output[self.output_of(path)].append(path)
        for output, paths in by_output.items():
            if len(paths) > 1:
                names = " and ".join(map(str, paths))
                raise InputError(f"{names} would both become {output}; choose names that keep them apart")


def run_batch(
    batch: Batch,
    inputs: Sequence[Path],
    *,
    workers: int = 1,
    on_outcome: Callable[[Outcome], None] | None = None,
    on_frame: Callable[[Path, int], None] | None = None,
) -> list[Outcome]:
    """Works through ``inputs``; a file that fails costs only itself.

    Ctrl-C stops all files that are in progress; what is done stays done.

    Args:
        workers: how many files at a time.
        on_outcome: called on the calling thread after each file, in the order in which they end.
        on_frame: called on some thread with a file and the number of its frames so far.

    Raises:
        InputError: the outputs would be the inputs, or two outputs would be one file.
        OutputError: the folder for the outputs cannot be made.
    """
    if any(batch.out.resolve() == place.resolve() for place in batch.inputs.places):
        raise InputError(f"{batch.out}: is the folder of the inputs; choose another for the outputs")
    batch.check_names(inputs)
    try:
        batch.out.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise OutputError(f"{batch.out}: cannot be made: {exc.strerror}") from exc
    journal = _Journal(batch.out, _fingerprint(batch))
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
    reported: set[Future[Outcome]] = set()

    def report(future: Future[Outcome]) -> None:
        reported.add(future)
        outcomes.append(future.result())
        if on_outcome is not None:
            on_outcome(future.result())

    with ThreadPoolExecutor(workers, thread_name_prefix="vidgan-batch") as pool:
        futures = [pool.submit(work, path) for path in inputs]
        try:
            for future in _as_completed(futures):
                report(future)
        except BaseException:
            stopped.set()
            pool.shutdown(cancel_futures=True)
            # Files that had all their frames came to an end meanwhile.
            for future in futures:
                if future not in reported and not future.cancelled() and future.exception() is None:
                    report(future)
            raise
    return outcomes


class Prospect:
    """Tells what a run would do with each file, by the journal in the folder of the outputs; nothing is changed."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self._journal = _Journal(batch.out, _fingerprint(batch))

    def is_done(self, path: Path) -> bool:
        """Whether it would be skipped."""
        return self._journal.has(self._batch.output_of(path), path)

    def check(self, path: Path) -> None:
        """Refuses a file whose output has the name of something else.

        Raises:
            OutputExistsError, OutputError: it has.
        """
        output = self._batch.output_of(path)
        if output.exists():
            _may_replace(self._batch, self._journal, output)


def note_resumed(output: Path, source: Sequence[int]) -> None:
    """Tells the batch that began a file, if one did, that somebody else has finished it.

    Args:
        source: fingerprint of its input.
    """
    output = output.absolute()
    for folder in output.parents:
        journal = _Journal(folder, None)
        if journal.settings_of(output) is not None:
            journal.add(output, (source[0], source[1]))


class _StoppedError(Exception):
    """The batch was interrupted."""


class _Journal:
    """Journal of begun and finished outputs, one line each; the last line about an output counts.

    Args:
        out: the folder of the outputs.
        settings: fingerprint of this batch's settings; None to keep that of each output.
    """

    def __init__(self, out: Path, settings: str | None) -> None:
        self._path = out / JOURNAL
        self._out = out
        self._settings = settings
        self._lock = threading.Lock()
        self._entries: dict[str, dict[str, Any]] = {}
        if self._path.exists():
            for line in self._path.read_text(encoding="utf-8").splitlines():
                try:
                    entry = json.loads(line)
                    self._entries[entry["output"]] = entry
                except (ValueError, KeyError, TypeError):
                    continue  # Cut off by a crash; that file is done again.

    def settings_of(self, output: Path) -> str | None:
        """Fingerprint of the settings that this output was made, or begun, with; None for one of nobody."""
        entry = self._entries.get(self._name(output))
        settings = None if entry is None else entry.get("settings")
        return settings if isinstance(settings, str) else None

    def has(self, output: Path, source: Path) -> bool:
        """Whether the output is there and would come out the same again."""
        return output.exists() and self._entries.get(self._name(output)) == self._entry(
            output, file_fingerprint(source)
        )

    def begin(self, output: Path) -> None:
        """Says that the output will be this batch's, whoever finishes it."""
        if self.settings_of(output) != self._settings:
            self._write({"output": self._name(output), "settings": self._settings})

    def add(self, output: Path, source: FileFingerprint) -> None:
        """Says that the output is done."""
        self._write(self._entry(output, source))

    def _write(self, entry: dict[str, Any]) -> None:
        with self._lock, writing(self._path), self._path.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(entry) + "\n")
            self._entries[entry["output"]] = entry

    def _entry(self, output: Path, source: FileFingerprint) -> dict[str, Any]:
        settings = self._settings or self.settings_of(output)
        return {"output": self._name(output), "input": list(source), "settings": settings}

    def _name(self, output: Path) -> str:
        return output.relative_to(self._out).as_posix()


def _process(batch: Batch, journal: _Journal, path: Path, on_frame: Callable[[int], None]) -> Outcome:
    output = batch.output_of(path)
    try:
        if journal.has(output, path):
            return Outcome(input=str(path), output=str(output), status="skipped")
        output.parent.mkdir(parents=True, exist_ok=True)
        overwrite = _may_replace(batch, journal, output)
        journal.begin(output)
        request = JobRequest(
            input=Input.at(path),
            output=output,
            steps=batch.steps,
            settings=batch.settings,
            provenance=batch.provenance,
            overwrite=overwrite,
        )
        result = batch.process(request, on_frame=on_frame)
        journal.add(output, file_fingerprint(path))
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
        warnings=result.warnings,
        verification=result.verification,
    )


def _may_replace(batch: Batch, journal: _Journal, output: Path) -> bool:
    """Whether an output that exists may be replaced: one of these settings, or any where that was asked for.

    Raises:
        OutputExistsError, OutputError: it may not be, or cannot be written.
    """
    before = journal.settings_of(output)
    same = before == _fingerprint(batch)
    if output.exists() and before is not None and not same and not batch.overwrite:
        raise OutputExistsError(
            f"{output}: exists already, made with other settings; `overwrite=True` replaces it"
        )
    overwrite = batch.overwrite or same
    check_output(output, overwrite=overwrite)
    return overwrite


def _failed(path: Path, output: Path, error: str) -> Outcome:
    return Outcome(input=str(path), output=str(output), status="failed", error=error)


def _as_completed(futures: Sequence[Future[Outcome]]) -> Iterator[Future[Outcome]]:
    """Those that ended, as they come, in pieces of time, so that Ctrl-C gets through on every platform."""
    pending = set(futures)
    while pending:
        done, pending = wait(pending, timeout=_POLL_SECONDS, return_when=FIRST_COMPLETED)
        yield from sorted(done, key=futures.index)


def _fingerprint(batch: Batch) -> str:
    facts = {
        "models": checksum(*batch.models),
        # Names of models may change without the models.
        "steps": [{"task": each.settings.task, **_without_model(each)} for each in batch.steps],
        "settings": batch.settings.as_json(),
    }
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _without_model(step: Step) -> dict[str, Any]:
    task, settings = step.task, step.settings
    facts = {name: value for name, value in settings.as_json().items() if name != task.model_field}
    arrangement = task.arrangement(settings)
    return facts | files_of(task, settings) | ({} if arrangement is None else {"arrangement": arrangement})
