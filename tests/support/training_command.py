"""The training command in this process."""

import runpy
import sys

import pytest


def training(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    """Exit code of the command line."""
    monkeypatch.setattr(sys, "argv", ["training", *map(str, arguments)])
    try:
        runpy.run_module("training", run_name="__main__")
    except SystemExit as exit:
        return int(exit.code or 0)
    return 0
