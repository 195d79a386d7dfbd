"""Processes one uploaded file: ``python -m vidgan.live.web.worker``.

A job is one line of JSON on standard input: paths ``input`` and ``output``, ``task``, ``options`` of its settings,
``device`` and ``provenance``; or the path ``check`` of a file that is checked, see :func:`vidgan.check_file`. Messages
are lines of JSON on standard output.

This is a separate process so that a malicious or damaged file affects nothing else, the live stream keeps its share of
the processor, and cancelling is killing.
"""

import contextlib
import json
import os
import sys
import textwrap
import threading
from itertools import islice
from pathlib import Path
from typing import Any

import vidgan
from vidgan.errors import InputError, VidganError
from vidgan.jobs.settings import JobOptions
from vidgan.media.frame import VideoInfo
from vidgan.media.vault_file import ATTACHED_SUFFIXES, BOXED_SUFFIXES
from vidgan.provenance.description import describe
from vidgan.session import Device
from vidgan.tasks import task_named, task_of_settings
from vidgan.tasks.task import TaskSettings

_NICE = 10
_WITH_VAULT = BOXED_SUFFIXES | ATTACHED_SUFFIXES
_MAX_WIDTH, _MAX_HEIGHT = 4096, 2304
_MAX_FRAMES = 10 * 60 * 60
"""Ten minutes at 60 fps. Durations in headers cannot be trusted, so that frames are counted."""

_FRAMES_PER_MESSAGE = 5
_MAX_LINES, _MAX_LABEL, _MAX_TEXT = 64, 60, 600
"""Limits of a report: a file's credentials may name thousands of files that it was made from."""


def main() -> int:
    with contextlib.suppress(AttributeError, OSError):
        os.nice(_NICE)
    job = json.loads(sys.stdin.readline())
    # The parent keeps standard input open; its end means that nobody waits for the result.
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    try:
        if "check" in job:
            _send(report=_check(Path(job["check"])))
        else:
            settings = task_named(job["task"]).settings_type(**job["options"])
            files = Path(job["input"]), Path(job["output"])
            _send(result=_process(*files, settings, job["device"], job["provenance"]))
    except VidganError as exc:
        _send(error=str(exc))
    return 0


def _check(path: Path) -> list[tuple[str, str]]:
    lines = islice(describe(vidgan.check_file(path)), _MAX_LINES)
    return [
        (label[:_MAX_LABEL], textwrap.shorten(text, _MAX_TEXT, placeholder=" …")) for label, text in lines
    ]


def _process(
    source: Path, output: Path, settings: TaskSettings, device: Device, provenance: JobOptions
) -> dict[str, Any]:
    if task_of_settings(settings).makes_vault(settings) and output.suffix.lower() not in _WITH_VAULT:
        raise InputError(
            f"{source}: with a passcode the page takes mp4, mov and mkv, which hold the faces themselves"
        )

    def on_start(info: VideoInfo) -> None:
        if info.width * info.height > _MAX_WIDTH * _MAX_HEIGHT:
            raise InputError(
                f"{source}: frames of {info.width}x{info.height} are too large; "
                f"the limit here is {_MAX_WIDTH}x{_MAX_HEIGHT}"
            )
        if (info.frame_count or 0) > _MAX_FRAMES:
            raise _too_long(source)
        _send(total=info.frame_count)

    def on_frame(count: int) -> None:
        if count > _MAX_FRAMES:
            raise _too_long(source)
        if count % _FRAMES_PER_MESSAGE == 0:
            _send(done=count)

    options: JobOptions = {**provenance, "on_start": on_start, "on_frame": on_frame, "device": device}
    result = vidgan.run(source, output, [settings], **options)
    return {"frames": result.frames, "warnings": result.warnings}


def _too_long(source: Path) -> InputError:
    return InputError(
        f"{source}: has more than {_MAX_FRAMES} frames, ten minutes at 60 fps; cut it into parts first"
    )


def _send(**message: Any) -> None:
    print(json.dumps(message), flush=True)


def _exit_with_parent() -> None:
    sys.stdin.read()
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
