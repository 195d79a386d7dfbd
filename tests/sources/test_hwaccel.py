"""Hardware that decodes: asked for by name it is there or an error; ``auto`` says what it found."""

from pathlib import Path

import av
import pytest
from av.codec.hwaccel import hwdevices_available
from av.container import InputContainer

from tests.support.commands import SAMPLES, assert_one_clear_error, vidgan
from vidgan.errors import InputError
from vidgan.sources import open_source
from vidgan.sources.hardware import open_decoded_by

CLIP = SAMPLES / "bunny.mp4"


def test_hardware_that_ffmpeg_does_not_know_is_an_error_that_names_what_it_knows(tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    done = vidgan("stylize", CLIP, "-o", out, "--style", "starry", "--hwaccel", "abacus")
    assert_one_clear_error(done, "abacus", "knows")
    assert not out.exists()


def test_hardware_that_does_not_come_up_is_an_error(tmp_path: Path) -> None:
    def opener(hardware: object) -> InputContainer:
        raise av.error.PermissionError(1, "Operation not permitted")

    for kind in hwdevices_available():
        with pytest.raises(InputError, match=f"cannot be decoded by {kind}: .*not permitted"):
            open_decoded_by(kind, CLIP, opener)


def test_auto_goes_on_with_what_works_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vidgan.sources.hardware.hwdevices_available", lambda: ["cuda", "qsv"])
    tried: list[bool] = []

    def second_works(hardware: object) -> InputContainer:
        tried.append(hardware is not None)
        if len(tried) == 1:
            raise RuntimeError("no stream is compatible")
        return av.open(str(CLIP))

    container, said = open_decoded_by("auto", CLIP, second_works)
    container.close()
    assert said == [f"{CLIP}: decoded by qsv"] and tried == [True, True]

    def nothing_works(hardware: object) -> InputContainer:
        if hardware is not None:
            raise RuntimeError("no stream is compatible")
        return av.open(str(CLIP))

    container, said = open_decoded_by("auto", CLIP, nothing_works)
    container.close()
    assert "for want of hardware" in said[0]


def test_auto_decodes_the_same_frames_on_any_machine() -> None:
    with open_source(CLIP, hwaccel="auto") as ours, open_source(CLIP) as theirs:
        first, expected = next(iter(ours)), next(iter(theirs))
    assert (first.pixels == expected.pixels).all()
    assert len(ours.warnings) == 1 and theirs.warnings == []
