"""The garbage collector begins late, and then runs as usual."""

import gc

import pytest

from vidgan.cli.garbage_collection import collect_once_loaded


def test_collections_are_as_usual_from_the_first_one_on() -> None:
    usual, callbacks = gc.get_threshold(), list(gc.callbacks)
    try:
        collect_once_loaded()
        assert gc.get_threshold()[0] > 100 * usual[0]
        gc.collect()
        assert gc.get_threshold() == usual and gc.callbacks == callbacks
    finally:
        gc.set_threshold(*usual)


def test_the_first_one_comes_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = gc.get_threshold()
    monkeypatch.setattr("vidgan.cli.garbage_collection._LOADED_OBJECTS", 100)
    try:
        collect_once_loaded()
        kept = [[number] for number in range(1000)]
        assert gc.get_threshold() == usual and len(kept) == 1000
    finally:
        gc.set_threshold(*usual)
