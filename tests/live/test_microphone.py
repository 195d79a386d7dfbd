"""Sound in recordings, from a tone in the place of a microphone."""

import time
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from live.test_recording import shot
from support.commands import SAMPLES, assert_one_clear_error, vidgan

from vidgan.errors import InputError
from vidgan.live.clock import now
from vidgan.live.controls import Controls, Look
from vidgan.live.sinks.recording import RecordingSink, _Sound
from vidgan.live.sources.microphone import Microphone

TONE = 440
HEARD = f"sine=frequency={TONE}:sample_rate=44100,arealtime"


def sound_of(path: Path) -> tuple[np.ndarray, list[float]]:
    """One channel of a film's sound at 48000 a second, and when each piece of it begins, in seconds."""
    with av.open(str(path)) as container:
        pieces = list(container.decode(audio=0))
    assert {piece.sample_rate for piece in pieces} == {48_000}
    return np.concatenate([piece.to_ndarray()[0] for piece in pieces]), [
        float(piece.time) for piece in pieces
    ]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm"])
def test_a_recording_has_what_was_heard_meanwhile(tmp_path: Path, suffix: str) -> None:
    path, said = tmp_path / f"a{suffix}", list[str]()
    wishes = Controls(Look(style="x"), styles=["x"], recording=True)
    with Microphone(HEARD, format="lavfi") as microphone:
        sink = RecordingSink(wishes, path, fps=25, say=said.append, microphone=microphone)
        began = now()
        while now() - began < 1_500_000:
            sink.write(shot(90, now()))
            time.sleep(0.02)
        sink.finish()
    samples, times = sound_of(path)
    strongest = np.argmax(np.abs(np.fft.rfft(samples))) * 48_000 / len(samples)
    assert abs(strongest - TONE) < 10
    assert times == sorted(times) and len(samples) / 48_000 <= (now() - began) / 1e6
    assert len(said) == 1 and "recorded" in said[0]


def test_where_sound_is_missing_time_goes_on_without_it(tmp_path: Path) -> None:
    class Broken:
        """Heard for a second from the film's beginning on, and again three seconds later."""

        def __init__(self) -> None:
            self.pieces: list[tuple[av.AudioFrame, int]] = []

        def heard(self) -> list[tuple[av.AudioFrame, int]]:
            taken, self.pieces = self.pieces, []
            return taken

    def piece() -> av.AudioFrame:
        frame = av.AudioFrame.from_ndarray(np.full((1, 4800), 9000, np.int16), "s16", "mono")
        frame.sample_rate = 48_000
        return frame

    broken, path = Broken(), tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        sound = _Sound(container, broken, "matroska")  # type: ignore[arg-type]
        broken.pieces = [
            (piece(), -50_000),
            *((piece(), tenth * 100_000) for tenth in (*range(10), *range(40, 50))),
        ]
        container.mux(sound.packets(since=0))
        container.mux(sound.flush())
    samples, times = sound_of(path)
    assert 1.9 < len(samples) / 48_000 < 2.1
    assert times[0] < 0.1 and times[-1] > 4.8
    assert max(after - before for before, after in pairwise(times)) > 2.8


def test_a_microphone_that_is_not_there_is_one_clear_line() -> None:
    with pytest.raises(InputError, match="cannot be opened"):
        Microphone("nowhere", format="lavfi")
    done = vidgan("live", SAMPLES / "bunny.mp4", "--no-window", "--microphone", "nowhere")
    assert_one_clear_error(done, "--microphone")
