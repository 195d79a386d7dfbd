"""When Python's garbage collector runs."""

import gc

_LOADED_OBJECTS = 150_000
"""More than the modules of any command have; looking through them again and again takes a seventh of start-up."""

_USUAL = gc.get_threshold()


def collect_once_loaded() -> None:
    """Puts the first collection off until the modules are loaded; afterwards there are as many as usual."""
    gc.set_threshold(_LOADED_OBJECTS)
    gc.callbacks.append(_collect_as_usual)


def _collect_as_usual(phase: str, info: object) -> None:
    gc.callbacks.remove(_collect_as_usual)
    gc.set_threshold(*_USUAL)
