"""Ctrl-C ends whatever a model is doing, and what hangs is given up."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import onnx
import onnx.helper
import onnx.parser
import pytest

from tests.support.commands import SAMPLES
from vidgan.errors import ModelError
from vidgan.models.registry import read_model
from vidgan.session import Session
from vidgan.session.termination import terminate_runs

ENDLESS = """<ir_version: 9, opset_import: ["" : 17]>
    g (uint8[N, H, W, 3] x) => (uint8[N, H, W, 3] y) <bool t = {1}> {
        y = Loop ("", t, x) <body = b (int64 i, bool c, uint8[P, Q, R, S] v) => (bool co, uint8[P, Q, R, S] vo) {
            co = Identity (c)
            vo = Identity (v)
        }>
    }"""

ENDLESS_TO_LOAD = """<ir_version: 9, opset_import: ["" : 17]>
    g (uint8[N, H, W, 3] x) => (uint8[N, H, W, 3] y) <bool t = {1}, uint8[1] k = {0}> {
        z = Loop ("", t, k) <body = b (int64 i, bool c, uint8[1] v) => (bool co, uint8[1] vo) {
            co = Identity (c)
            vo = Identity (v)
        }>
        y = Add (x, z)
    }"""


def style(text: str, path: Path) -> Path:
    model = onnx.parser.parse_model(text)
    onnx.helper.set_model_props(model, {"vidgan.task": "style", "vidgan.name": "evil"})
    onnx.save(model, path)
    return path


@pytest.mark.parametrize("text", [ENDLESS, ENDLESS_TO_LOAD], ids=["run", "load"])
@pytest.mark.parametrize("name", ["bunny.jpg", "bunny.mp4"])
def test_one_ctrl_c_ends_an_endless_model_and_leaves_nothing(text: str, name: str, tmp_path: Path) -> None:
    model = style(text, tmp_path / "evil.onnx")
    place = tmp_path / "place"
    place.mkdir()
    command = [
        sys.executable,
        "-m",
        "vidgan",
        "stylize",
        SAMPLES / name,
        "-o",
        place / f"out{Path(name).suffix}",
    ]
    process = subprocess.Popen([*map(str, command), "--style", str(model)], stderr=subprocess.PIPE, text=True)
    while not list(place.iterdir()) and process.poll() is None:
        time.sleep(0.1)
    time.sleep(1)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    try:
        _, said = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 130 and "interrupted" in said and "Traceback" not in said
    assert not list(place.iterdir())


def test_a_second_ctrl_c_ends_the_process_whatever_it_does() -> None:
    """The main thread is within a library, where Python hears of no signal."""
    code = (
        "import hashlib; from vidgan.cli.interruption import listen; listen(); print('on', flush=True);"
        "hashlib.pbkdf2_hmac('sha256', b'', b'', 10**9)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "on\n"
    time.sleep(1)  # It has to be in the library when the signal comes.
    try:
        process.send_signal(signal.SIGINT)
        time.sleep(1)
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)
    finally:
        process.kill()
        process.stdout.close()
    assert process.returncode == 130


def test_a_run_can_be_terminated_from_another_thread(tmp_path: Path) -> None:
    import threading

    session = Session(read_model(style(ENDLESS, tmp_path / "evil.onnx")), device="cpu")
    raised: list[BaseException] = []

    def run() -> None:
        try:
            session.run(np.zeros((1, 16, 16, 3), np.uint8))
        except ModelError as exc:
            raised.append(exc)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    time.sleep(0.5)
    terminate_runs(older_than_seconds=3600)
    time.sleep(0.5)
    assert thread.is_alive()
    terminate_runs()
    thread.join(30)
    assert not thread.is_alive() and "terminate" in str(raised[0])


def test_what_does_not_load_in_time_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vidgan.session.trial._LIMIT_SECONDS", 0.0)
    with pytest.raises(ModelError, match="is not loaded within"):
        Session(read_model(style(ENDLESS_TO_LOAD, tmp_path / "evil.onnx")), device="cpu")
