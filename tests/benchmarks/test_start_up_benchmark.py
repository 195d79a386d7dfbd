"""The time until the first frame is measured in a process that keeps its bytecode."""

from pathlib import Path

import click
import pytest

from benchmarks.start_up import first_of_file, with_bytecode
from vidgan.jobs.speed import make_clip


def test_the_first_frame_comes_after_the_start_and_bytecode_is_kept(tmp_path: Path) -> None:
    clip = make_clip(None, tmp_path / "clip.mp4", size="64x48", frames=3)
    found = first_of_file(clip, "starry", with_bytecode(tmp_path / "bytecode"))
    assert found.wall > 0 and found.cpu > 0
    assert list((tmp_path / "bytecode").rglob("runner.*.pyc"))
    with pytest.raises(click.ClickException, match="no-such-style"):
        first_of_file(clip, "no-such-style", with_bytecode(tmp_path / "bytecode"))
