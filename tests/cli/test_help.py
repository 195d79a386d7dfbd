"""What help costs: it is shown without loading what processes images."""

import subprocess
import sys

import click
import pytest

from vidgan.cli import cli

HEAVY = {"av", "cv2", "numpy", "onnx", "onnxruntime", "ray"}


def loaded_by(code: str) -> set[str]:
    """The heavy packages that are imported once that code has run, in a process of its own."""
    program = (
        f"import sys\ntry:\n    {code}\nexcept SystemExit:\n    pass\nprint(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return HEAVY & set(done.stderr.split())


def test_the_package_costs_nothing() -> None:
    assert loaded_by("import vidgan; dir(vidgan)") == set()


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["doctor", "--help"], ["jobs", "list", "--help"]]
)
def test_help_loads_no_images(arguments: list[str]) -> None:
    assert loaded_by(f"sys.argv = {['vidgan', *arguments]!r}; import vidgan.cli; vidgan.cli.main()") == set()


def test_what_does_load_them_is_found() -> None:
    assert "numpy" in loaded_by("import vidgan.media.image")


@pytest.mark.parametrize("name", ["batch", "run", "stylize"])
def test_a_command_that_was_asked_for_twice_has_each_option_once(name: str) -> None:
    context = click.Context(cli)
    for _ in range(2):
        command = cli.get_command(context, name)
        assert command is not None
        spellings = [spelling for each in command.params for spelling in each.opts]
        assert len(spellings) == len(set(spellings))
