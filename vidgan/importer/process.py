"""Examines a foreign file in a process of its own, and ends that where it hangs."""

import json
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from vidgan.errors import ModelError
from vidgan.session.limits import SECONDS_OF_CPU

# Nothing of the file is read while a process starts, which may take long on a busy machine.
_STALL_SECONDS = {"starting": 180.0, "reading": 25.0, "running": 120.0}
_OTHER_STALL_SECONDS = 240.0
_LOOK_SECONDS = 0.2


def run_child(
    module: str, folder: Path, request: dict[str, Any], on_step: Callable[[str], None]
) -> dict[str, Any]:
    """The last message of ``python -m module folder``, which is given the request.

    Args:
        on_step: called with each step that it begins.

    Raises:
        ModelError: it says that the file cannot be used, it hangs, or it ends without a word.
    """
    command = [sys.executable, "-m", module, str(folder)]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    return _followed(process, request, on_step)


def _followed(
    process: "subprocess.Popen[str]", request: dict[str, Any], on_step: Callable[[str], None]
) -> dict[str, Any]:
    assert process.stdin is not None and process.stdout is not None
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    source = process.stdout

    def read() -> None:
        for line in source:
            lines.put(line)
        lines.put(None)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        return _last_message(process, request, lines, on_step)
    finally:
        process.kill()
        process.wait()
        reader.join()
        process.stdin.close()
        source.close()


def _last_message(
    process: "subprocess.Popen[str]",
    request: dict[str, Any],
    lines: "queue.SimpleQueue[str | None]",
    on_step: Callable[[str], None],
) -> dict[str, Any]:
    assert process.stdin is not None
    try:
        process.stdin.write(json.dumps(request) + "\n")
        process.stdin.flush()
    except BrokenPipeError:
        pass  # It has ended; what it said comes below.
    step, waited = "starting", 0.0
    while True:
        try:
            line = lines.get(timeout=_LOOK_SECONDS)  # In pieces, so that Ctrl-C gets through.
        except queue.Empty:
            waited += _LOOK_SECONDS
            if waited > _STALL_SECONDS.get(step, _OTHER_STALL_SECONDS):
                raise ModelError(f"does not get beyond {step} within {waited:.0f} s") from None
            continue
        if line is None:
            raise ModelError(_end_of(process.wait(), step))
        message = json.loads(line)
        if "error" in message:
            raise ModelError(message["error"])
        if "step" not in message:
            return dict(message)
        step, waited = message["step"], 0.0
        on_step(step)


def _end_of(code: int, step: str) -> str:
    """Why a process ended that said nothing."""
    if code == -getattr(signal, "SIGXCPU", 0):
        return f"takes more than {SECONDS_OF_CPU} s of CPU time while {step}"
    if code < 0:
        return f"ends onnxruntime by {signal.Signals(-code).name} while {step}"
    return f"ends the examination with code {code} while {step}"


def as_entries(request: Any) -> dict[str, Any]:
    """A request in JSON's own types."""
    return dict(asdict(request))
