"""Capture of stderr, the only place where image decoders in C report damage."""

import contextlib
import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator

_DECODERS = re.compile(
    rb"\[ ?(?:WARN|ERROR|INFO):|libpng |Corrupt JPEG|Premature end of JPEG|Warning: unknown JFIF"
    rb"|Unknown Adobe|Unsupported marker|Inconsistent progression|Invalid (?:SOS|progressive|component|crop)"
)
"""Beginnings of lines of OpenCV's log, libpng and libjpeg."""

_DAMAGE = re.compile(
    rb"\[ERROR:|libpng error|Corrupt JPEG|Premature end|Inconsistent progression|Invalid (?:SOS|progressive)"
)

_one_at_a_time = threading.Lock()


@contextlib.contextmanager
def stderr_captured() -> Iterator[list[str]]:
    """Keeps decoders off stderr; afterwards the list holds their reports of damage.

    They write to file descriptor 2, which all threads share: lines of others are passed on.
    """
    complaints: list[str] = []
    with _one_at_a_time, contextlib.ExitStack() as undo:
        try:
            saved = os.dup(2)
        except OSError:  # A program without stderr.
            yield complaints
            return
        undo.callback(os.close, saved)
        heard = undo.enter_context(tempfile.TemporaryFile())
        with contextlib.suppress(AttributeError, ValueError, OSError):
            sys.stderr.flush()
        os.dup2(heard.fileno(), 2)
        try:
            yield complaints
        finally:
            os.dup2(saved, 2)
            heard.seek(0)
            for line in heard.read().splitlines(keepends=True):
                if _DAMAGE.match(line):
                    complaints.append(line.decode(errors="replace").strip())
                elif line.strip() and not _DECODERS.match(line):
                    os.write(2, line)
