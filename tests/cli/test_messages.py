"""Messages of the library name settings of Python; the command line words them as its options."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import vidgan
from tests.support.commands import SAMPLES, assert_one_clear_error
from tests.support.commands import vidgan as command
from vidgan.cli import cli
from vidgan.cli.messages import worded, worded_report

PACKAGE = Path(vidgan.__file__).parent
CARD = PACKAGE / "importer" / "card.py"
"""Makes Markdown, where backquotes are its own."""
SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("`size` scales first, e.g. `size='256x256'`", "--size scales first, e.g. --size 256x256"),
        ("`size=1080`", "--size 1080"),
        ("`overwrite=True` replaces it", "--force replaces it"),
        ("or `credentials=False`", "or --no-credentials"),
        ("`mask_model` is for `mask='class:NAME'`", "--mask-model is for --mask class:NAME"),
        ("`settings={'gain': 'VALUE'}`", "--set gain=VALUE"),
        ('`consent="It is me, and I agree"`', '--consent "It is me, and I agree"'),
        ("`vidgan.segment`", "'vidgan segment'"),
        ("`vidgan.deidentify(pixelate=True)`", "'vidgan deidentify --pixelate'"),
        ("`vidgan.models.store.remove('bear')`", "'vidgan models remove bear'"),
        (
            "`vidgan.jobs.contact_sheet.contact_sheet('my clip.mp4')`",
            'vidgan models --try "my clip.mp4"',
        ),
        ("`vidgan.run('a.mp4', ..., ['upscale:scale=2'])`", 'vidgan run a.mp4 "upscale:scale=2"'),
        ("no `code of others()` and no `os.remove('x')`", "no `code of others()` and no `os.remove('x')`"),
        ("'vidgan doctor' says more", "'vidgan doctor' says more"),
        ("`size`.mp4 and clips/`size`/a.mp4: no", "`size`.mp4 and clips/`size`/a.mp4: no"),
        ("`a.mp4: there; `overwrite=True` replaces it", "`a.mp4: there; --force replaces it"),
        ("a`b` `c`d.mp4: use `mask`", "a`b` `c`d.mp4: use --mask"),
        (f"`{5000 * '('}`: no such file", f"`{5000 * '('}`: no such file"),
        (f"`{5000 * '-'}1`: no such file", f"`{5000 * '-'}1`: no such file"),
    ],
)
def test_settings_become_options(message: str, words: str) -> None:
    assert worded(message) == words


def test_names_on_the_command_line_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["vidgan", "stylize", "my `size` clip.mp4"])
    assert worded("my `size` clip.mp4: no; see `size`") == "my `size` clip.mp4: no; see --size"
    assert worded("my `size` clip.starry.mp4: there; `overwrite=True`") == (
        "my `size` clip.starry.mp4: there; --force"
    )


def test_a_report_is_worded_but_for_its_files() -> None:
    found = worded_report({"input": "`size`.mp4", "error": "`size`", "warnings": ["`rate=2`"], "frames": 3})
    assert found == {"input": "`size`.mp4", "error": "--size", "warnings": ["--rate 2"], "frames": 3}


def test_every_setting_that_a_message_names_is_an_option() -> None:
    known = set(options_of(cli))
    assert {"--size", "--force", "--no-credentials", "--set"} <= known
    named = [
        (place, flag) for place, span in spans() for flag in re.findall(r"--[a-z-]+", worded(f"`{span}`"))
    ]
    assert len(named) > 30
    wrong = [(place, flag) for place, flag in named if flag not in known]
    assert not wrong, wrong


def test_everything_between_backquotes_is_worded() -> None:
    left = [(place, span) for place, span in spans() if "`" in worded(f"`{span}`")]
    assert not left, left


def test_python_and_the_command_line_are_told_in_their_own_words(tmp_path: Path) -> None:
    clip, output = SAMPLES / "bunny.jpg", tmp_path / "out.png"
    output.touch()
    with pytest.raises(vidgan.OutputExistsError, match=r"exists already; `overwrite=True` replaces it$"):
        vidgan.stylize(clip, output, style="starry")
    done = command("stylize", clip, "-o", output, "-s", "starry", "--report", tmp_path / "report.json")
    assert_one_clear_error(done, "exists already; --force replaces it")
    assert "--force replaces it" in (tmp_path / "report.json").read_text()


def spans() -> Iterator[tuple[str, str]]:
    """What stands between single backquotes in texts of the library, apart from docstrings; ``x`` for values."""
    for path in sorted(PACKAGE.rglob("*.py")):
        if "cli" in path.relative_to(PACKAGE).parts or path == CARD:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        inner = {
            id(part) for each in ast.walk(tree) if isinstance(each, ast.JoinedStr) for part in each.values
        }
        docs = {id(each.value) for each in ast.walk(tree) if isinstance(each, ast.Expr)}
        for node in ast.walk(tree):
            if id(node) in inner | docs or not isinstance(node, ast.JoinedStr | ast.Constant):
                continue
            for span in SPAN.findall(text_of(node)):
                yield f"{path.relative_to(PACKAGE)}:{node.lineno}", span


def text_of(node: ast.JoinedStr | ast.Constant) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    parts = (
        str(each.value) if isinstance(each, ast.Constant) else "'x'" if is_repr(each) else "x"
        for each in node.values
    )
    return "".join(parts)


def is_repr(node: ast.expr) -> bool:
    return isinstance(node, ast.FormattedValue) and node.conversion == ord("r")


def options_of(group: click.Group) -> Iterator[str]:
    """All spellings of the options of all commands."""
    context = click.Context(group)
    for name in group.list_commands(context):
        each = group.get_command(context, name)
        assert each is not None
        if isinstance(each, click.Group):
            yield from options_of(each)
            continue
        for parameter in each.get_params(context):
            yield from [*parameter.opts, *parameter.secondary_opts]
