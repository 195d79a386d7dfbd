"""What operators are told by logging, and that a library prints nothing."""

import logging
from pathlib import Path

import pytest

import vidgan
from tests.support.clips import make_clip


def test_a_job_logs_its_models_and_frames_and_prints_nothing(
    tmp_path: Path, identity: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO, logger="vidgan")
    output = tmp_path / "out.mp4"
    result = vidgan.stylize(make_clip(tmp_path / "in.mp4"), output, style=identity)
    assert capfd.readouterr() == ("", "")
    own = [each for each in caplog.records if each.name.startswith("vidgan.")]
    assert own == caplog.records and {each.levelno for each in own} == {logging.INFO}
    words = [each.getMessage() for each in own]
    assert f"{identity}: opened on cpu by CPUExecutionProvider" in words
    assert f"{output}: begun on cpu, after 0 frames" in words
    assert words[-1].startswith(f"{output}: {result.frames} frames in ")
