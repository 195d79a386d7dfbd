"""A recording never replaces what is shown, by whatever name."""

from pathlib import Path

import pytest

from vidgan.errors import OutputError
from vidgan.live.sinks.recording import check_recording_path


@pytest.mark.parametrize("link", ["itself", "symlink", "hardlink"])
def test_a_recording_does_not_replace_what_is_shown(tmp_path: Path, link: str) -> None:
    shown, record = tmp_path / "shown.mp4", tmp_path / "record.mp4"
    shown.write_bytes(b"video")
    if link == "symlink":
        record.symlink_to(shown)
    elif link == "hardlink":
        record.hardlink_to(shown)
    else:
        record = shown
    with pytest.raises(OutputError, match="is the input itself"):
        check_recording_path(record, overwrite=True, inputs=[shown])
    assert shown.read_bytes() == b"video"
    check_recording_path(tmp_path / "other.mp4", overwrite=True, inputs=[shown])
