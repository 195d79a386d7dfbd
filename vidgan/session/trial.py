"""Loads a model in a process of its own first: a few bytes can make onnxruntime work forever, or take all memory.

``python -m vidgan.session.trial BYTES`` loads the model of so many bytes on stdin and prints ``ok`` or what is wrong.
"""

import hashlib
import subprocess
import sys
import threading
import time

from vidgan.errors import ModelError
from vidgan.session.limits import set_limits

_LIMIT_SECONDS = 60.0
_LOOK_SECONDS = 0.1

_passed: set[str] = set()
_lock = threading.Lock()


def try_loading(data: bytes) -> None:
    """Raises what loading the model would come to; at once for a model that has passed before.

    Raises:
        ModelError: onnxruntime does not load it, not in time, or not in the memory that there is; without the file.
    """
    digest = hashlib.sha256(data).hexdigest()
    with _lock:
        if digest in _passed:
            return
    answer = _answer(data)
    if answer != "ok":
        raise ModelError(answer or "ends onnxruntime while it is loaded")
    with _lock:
        _passed.add(digest)


def _answer(data: bytes) -> str:
    from vidgan.session.termination import terminable

    process = subprocess.Popen(
        [sys.executable, "-m", "vidgan.session.trial", str(len(data))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    answers: list[bytes] = []

    def talk() -> None:
        try:
            answers.append(process.communicate(data)[0])
        except (OSError, ValueError):
            answers.append(b"")

    thread = threading.Thread(target=talk, daemon=True)
    started = time.monotonic()
    try:
        with terminable(process.kill):
            thread.start()
            while thread.is_alive():
                thread.join(_LOOK_SECONDS)  # In pieces, so that Ctrl-C gets through.
                if time.monotonic() - started > _LIMIT_SECONDS:
                    return f"is not loaded within {_LIMIT_SECONDS:.0f} s"
    finally:
        process.kill()
        process.wait()
    return answers[0].decode(errors="replace").strip()


def main() -> None:
    size = int(sys.argv[1])
    data = sys.stdin.buffer.read(size)
    set_limits(size)
    from vidgan.session.runtime import ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    try:
        session = ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        # A name that is no text is found out only by asking for it.
        for value in (*session.get_inputs(), *session.get_outputs()):
            str(value.name)
    except Exception as exc:  # onnxruntime's errors share no base class.
        print(" ".join(str(exc).split())[:300] or type(exc).__name__)
    else:
        print("ok")


if __name__ == "__main__":
    main()
