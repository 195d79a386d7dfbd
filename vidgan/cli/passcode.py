"""Passcodes asked for on the terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from vidgan.cli.messages import note
from vidgan.errors import InputError

if TYPE_CHECKING:
    from vidgan.jobs.plan import Step
    from vidgan.tasks.faces.vault.passcode import Passcode

_FINAL = (
    "the faces come back only with the passcode and with the vault in the output; "
    "if either is lost, nobody can bring them back"
)


def with_passcodes(steps: Sequence[Step]) -> list[Step]:
    """The steps, with the passcodes that they still need.

    Raises:
        InputError: there is nobody to ask.
        click.Abort: whoever was asked did not answer.
    """
    return [_with_passcode(each) for each in steps]


def _with_passcode(step: Step) -> Step:
    from vidgan.tasks.faces.vault.passcode import Passcode

    passcode: Passcode | None = getattr(step.settings, "passcode", None)
    if passcode is None and step.task.opens_vault(step.settings):
        passcode = Passcode.from_environment()
    if passcode is None:
        return step
    if step.task.makes_vault(step.settings):
        known = new_passcode(passcode)
    else:
        known = passcode if passcode.is_known else ask_passcode(twice=False)
    return replace(step, settings=step.settings.with_(passcode=known))


def new_passcode(given: Passcode) -> Passcode:
    """The passcode of a vault that is to be made, asked for where it is not known; says what a loss means.

    Raises:
        InputError: there is nobody to ask, or the passcode is too short.
    """
    note(_FINAL)
    return given if given.is_known else ask_passcode(twice=True)


def ask_passcode(*, twice: bool) -> Passcode:
    """Asks for a passcode, without showing it.

    Raises:
        InputError: there is no terminal, or the passcode is too short.
    """
    from vidgan.tasks.faces.vault.passcode import LEAST_CHARACTERS, PASSCODE_VARIABLE, Passcode

    if not sys.stdin.isatty():
        raise InputError(
            f"there is no terminal to ask for the passcode on; give --passcode-file FILE, or set {PASSCODE_VARIABLE}"
        )
    prompt = f"Passcode (at least {LEAST_CHARACTERS} characters)"
    again = "Passcode again" if twice else False
    return Passcode(click.prompt(prompt, hide_input=True, confirmation_prompt=again, err=True))
