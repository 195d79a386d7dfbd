"""README: its commands and examples run, and what it names is there."""

import os
import re
import shlex
import tomllib
from pathlib import Path

import av
import click
import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from tests.support.clips import make_clip
from tests.support.commands import SAMPLES, vidgan
from vidgan.cli import cli
from vidgan.tasks import all_tasks, names_of_models

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
FORMER_WORDS = 2052
"""Of README before it became a page."""

SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", README, re.MULTILINE | re.DOTALL))
BLOCK = [re.split(r" {2,}", line)[0] for line in re.findall(r"^ {4}(vidgan .+)$", README, re.MULTILINE)]
INLINE = [each for each in re.findall(r"`(vidgan [^`]+)`", README) if "command not found" not in each]
WITHOUT_DEVICES = [each for each in BLOCK if each != "vidgan live" and "mine" not in each]


def test_it_is_a_page() -> None:
    assert len(README.split()) < 0.55 * FORMER_WORDS
    for section in ("Install", "What you can rely on", "First errors", "From Python", "A style of your own"):
        assert section in SECTIONS
    for size in ("0.9 GB", "0.65 GB", "6.9 GB"):
        assert size in SECTIONS["Install"]
    assert "video, an image or a folder of frames" in README and "files: each for itself" in README


def test_it_begins_with_a_moving_before_and_after() -> None:
    (path,) = re.findall(r"^!\[.+\]\((.+\.webp)\)$", README.split("## ")[0], re.MULTILINE)
    data = (ROOT / path).read_bytes()
    assert data.count(b"ANMF") >= 12
    width, height = (1 + int.from_bytes(data[start : start + 3], "little") for start in (24, 27))
    assert abs(width / height - 2 * 16 / 9) < 0.1


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\]\(([^)#]+?)(?:#.*?)?\)", README))))
def test_what_it_links_to_is_there(path: str) -> None:
    assert path.startswith("https://") or (ROOT / path).is_file()


def test_the_index_has_every_document() -> None:
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    for path in (ROOT / "docs").glob("*.md"):
        assert path.name == "index.md" or path.name in index, path.name


def test_the_table_has_every_task_and_model() -> None:
    table = README[README.index("| task | command |") :].split("\n\n")[0]
    for task in all_tasks():
        assert f"`vidgan {task.verb}" in table
        for name in names_of_models(task):
            assert re.search(rf"\b{name}\b", table), name
    for line in table.splitlines():
        if "camvid" in line:
            assert "CC BY-NC 4.0" in line


def test_its_extras_are_those_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(re.findall(r"'\.\[(\w+)\]'", README)) <= set(project["optional-dependencies"])


@pytest.mark.parametrize("command", BLOCK)
def test_a_command_has_these_options(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(click.Command, "invoke", lambda *_: None)
    words = command.replace("FILE|FOLDER...", "FILE").split("#")[0]
    done = CliRunner().invoke(cli, shlex.split(words)[1:], standalone_mode=True)
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize("command", sorted(set(INLINE)))
def test_a_command_that_it_mentions_has_these_options(command: str) -> None:
    """Those in sentences and tables leave arguments out."""
    words = shlex.split(command)[1:]
    group = cli.get_command(click.Context(cli), words[0])
    assert group is not None
    names = {name for each in group.params for name in each.opts} | {"--help"}
    if isinstance(group, click.Group):
        names |= {name for each in group.commands.values() for part in each.params for name in part.opts}
    assert {each.split("=")[0] for each in words if each.startswith("-")} <= names


@pytest.mark.parametrize("command", WITHOUT_DEVICES)
def test_a_command_runs(command: str, tmp_path: Path) -> None:
    make_clip(tmp_path / "clip.mp4", times=range(12))
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "a.mp4").write_bytes((tmp_path / "clip.mp4").read_bytes())
    photo = cv2.resize(cv2.imread(str(SAMPLES / "bunny.jpg")), (160, 90))
    cv2.imwrite(str(tmp_path / "photo.jpg"), photo)
    before = set(tmp_path.iterdir())
    done = vidgan(*shlex.split(command)[1:], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.returncode == 0, done.stderr
    made = {path for path in tmp_path.rglob("*") if path.is_file()} - before
    videos = [path for path in made if path.suffix == ".mp4" and path.parent.name != "clips"]
    assert videos or [path for path in made if path.suffix == ".jpg"]
    for path in videos:
        with av.open(str(path)) as container:
            assert sum(1 for _ in container.decode(video=0)) == 12


def test_the_python_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its loop keeps sound."""
    make_clip(tmp_path / "in.mp4", times=range(12), sound="aac")
    monkeypatch.chdir(tmp_path)
    code = "\n".join(line[4:] for line in SECTIONS["From Python"].splitlines() if line.startswith("    "))
    names = {"pixels": np.full((48, 64, 3), 90, np.uint8)}
    exec(compile(code, "README.md", "exec"), names)
    assert names["stylized"].shape == (48, 64, 3)
    for name in ("out.mp4", "large.mp4"):
        with av.open(name) as container:
            assert len(container.streams.audio) == 1 and sum(1 for _ in container.decode(video=0)) == 12


def test_the_first_five_errors_are_ours() -> None:
    rows = re.findall(r"^\| `(.+?)` \| (.+) \|$", SECTIONS["First errors"], re.MULTILINE)
    assert len(rows) == 5
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "vidgan").rglob("*.py"))
    for message, _ in rows:
        # Devices come in by their names; the first message is the shell's.
        ours = message.removeprefix("CUDA ") in sources
        assert ours or message == "vidgan: command not found", message
