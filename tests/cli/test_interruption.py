"""Ctrl-C that Python dropped gets through at the next look."""

import importlib
import signal
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest

from vidgan.cli import interruption
from vidgan.cli.progress import Progress


@pytest.fixture(autouse=True)
def listening(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    monkeypatch.setattr(interruption, "_came", False)
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    interruption.listen()
    yield
    interruption.stop_watching()
    for number, handler in before.items():
        signal.signal(number, handler)


class Thing:
    """Something that a weak reference can be made to."""


def drop_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while Python cleans up after a weak reference."""
    ignored: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", ignored.append)
    thing = Thing()
    reference = weakref.ref(thing, lambda _: signal.raise_signal(signal.SIGINT))
    del thing
    assert reference() is None and len(ignored) == 1


def test_nothing_came() -> None:
    interruption.look()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_is_not_dropped_gets_through_at_once(number: signal.Signals) -> None:
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(number)


def test_what_was_dropped_gets_through_with_the_next_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    with Progress("video", quiet=True) as progress:
        progress.start(10)
        progress.update(1)
        drop_one(monkeypatch)
        with pytest.raises(KeyboardInterrupt):
            progress.update(2)


def test_what_was_dropped_ends_a_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = importlib.import_module("vidgan.cli.batch")  # The package has the command under that name.
    monkeypatch.setattr(batch, "_LOOK_EVERY_SECONDS", 0.01)
    monkeypatch.setattr("vidgan.jobs.batch_inputs.SettledInputs.find", lambda _: [])
    drop_one(monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        next(batch._arriving(SimpleNamespace(inputs=None)))


def test_only_the_main_thread_is_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    drop_one(monkeypatch)
    raised: list[BaseException] = []

    def work() -> None:
        try:
            interruption.look()
        except KeyboardInterrupt as exc:
            raised.append(exc)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert raised == []


def fail_while_cleaning_up(act: Callable[[], object]) -> None:
    thing = Thing()
    reference = weakref.ref(thing, lambda _: act())
    del thing
    assert reference() is None


def test_what_was_dropped_is_not_printed(capfd: pytest.CaptureFixture[str]) -> None:
    fail_while_cleaning_up(lambda: signal.raise_signal(signal.SIGINT))
    assert capfd.readouterr().err == ""
    with pytest.raises(KeyboardInterrupt):
        interruption.look()


def test_other_errors_that_python_drops_are_printed(capfd: pytest.CaptureFixture[str]) -> None:
    fail_while_cleaning_up(lambda: 1 / 0)
    assert "ZeroDivisionError" in capfd.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_an_interrupt_within_an_exec_ends_with_the_exit_code() -> None:
    """As while a dataclass is made; Python would end by SIGINT."""
    code = (
        "import vidgan.cli as cli\n"
        "def interrupted():\n"
        "    try: exec('raise KeyboardInterrupt')\n"
        "    except KeyboardInterrupt: return 130\n"
        "cli._run = interrupted\n"
        "cli.main()\n"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 130


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_a_library_that_is_interrupted_while_it_loads_ends_with_the_exit_code() -> None:
    """Modules in C turn Ctrl-C into an ImportError of their own."""
    code = (
        "import signal\n"
        "import vidgan.cli as cli\n"
        "def load(**_):\n"
        "    try: signal.raise_signal(signal.SIGINT)\n"
        "    except KeyboardInterrupt: raise ImportError('initialization failed')\n"
        "cli.cli = load\n"
        "cli.main()\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.returncode == 130 and ended.stderr == "interrupted; no output was left\n"
