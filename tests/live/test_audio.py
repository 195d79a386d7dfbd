"""Audio in recordings: microphones, simulated by a tone, and the sound of video files."""

import time
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.live.fakes import gray_pair
from tests.support.commands import SAMPLES, assert_one_clear_error, vidgan
from tests.support.timestamps import seconds
from vidgan.errors import InputError
from vidgan.live.audio import AudioFeed, AudioTrack
from vidgan.live.clock import now
from vidgan.live.controls import Controls
from vidgan.live.settings import LiveSettings
from vidgan.live.sinks.recording import RecordingSink
from vidgan.live.sources.microphone import Microphone
from vidgan.live.sources.video_file import VideoFileSource

TONE = 440
LAVFI_TONE = f"sine=frequency={TONE}:sample_rate=44100,arealtime"
SAMPLE_RATE = 48_000


def audio_of(path: Path) -> tuple[NDArray[np.float32], list[float]]:
    """The left channel at 48 kHz, and the timestamps of the audio frames in seconds."""
    with av.open(str(path)) as container:
        frames = list(container.decode(audio=0))
    assert {frame.sample_rate for frame in frames} == {SAMPLE_RATE}
    return np.concatenate([frame.to_ndarray()[0] for frame in frames]), [
        float(seconds(frame.pts, frame.time_base)) for frame in frames
    ]


def frequency_of(samples: NDArray[np.float32]) -> float:
    """The strongest frequency in Hz."""
    return float(np.argmax(np.abs(np.fft.rfft(samples))) * SAMPLE_RATE / len(samples))


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm"])
def test_microphone_is_recorded(tmp_path: Path, suffix: str) -> None:
    path, messages = tmp_path / f"a{suffix}", list[str]()
    controls = Controls(LiveSettings(style="x"), styles=["x"], recording=True)
    with Microphone(LAVFI_TONE, format="lavfi") as microphone:
        sink = RecordingSink(controls, path, fps=25, notify=messages.append, audio=lambda: microphone.feed)
        start = now()
        while now() - start < 1_500_000:
            sink.write(gray_pair(90, now()))
            time.sleep(0.02)
        sink.close()
    samples, times = audio_of(path)
    assert abs(frequency_of(samples) - TONE) < 10
    assert times == sorted(times) and len(samples) / SAMPLE_RATE <= (now() - start) / 1e6
    assert len(messages) == 1 and "recorded" in messages[0]


def test_missing_audio_becomes_a_gap(tmp_path: Path) -> None:
    """Audio before the start is dropped, and an interruption of three seconds keeps its length."""
    feed, path = AudioFeed(), tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        track = AudioTrack(container, feed, "aac")
        for began in (-50_000, *(tenth * 100_000 for tenth in (*range(10), *range(40, 50)))):
            frame = av.AudioFrame.from_ndarray(np.full((1, 4800), 9000, np.int16), "s16", "mono")
            frame.sample_rate = SAMPLE_RATE
            feed.publish(frame, began)
        container.mux(track.packets(since=0))
        container.mux(track.flush())
    samples, times = audio_of(path)
    assert 1.9 < len(samples) / SAMPLE_RATE < 2.1
    assert times[0] < 0.1 and times[-1] > 4.8
    assert max(after - before for before, after in pairwise(times)) > 2.8


def test_each_subscriber_receives_all_audio() -> None:
    feed = AudioFeed()
    one, two = feed.subscribe(), feed.subscribe()
    frame = av.AudioFrame.from_ndarray(np.zeros((1, 480), np.int16), "s16", "mono")
    feed.publish(frame, 5)
    feed.unsubscribe(two)
    feed.publish(frame, 6)
    assert [began for _, began in one.read()] == [5, 6]
    assert [began for _, began in two.read()] == [5] and not one.read()


@pytest.fixture(scope="module")
def video_with_tone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of gray with a tone that begins after one second, when the gray turns white."""
    path = tmp_path_factory.mktemp("video") / "tone.mp4"
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        audio = container.add_stream("aac", rate=SAMPLE_RATE, layout="mono")
        for number in range(50):
            pixels = np.full((48, 64, 3), 240 if number >= 25 else 60, np.uint8)
            container.mux(video.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
        container.mux(video.encode(None))
        seconds = np.arange(2 * SAMPLE_RATE, dtype=np.float32) / SAMPLE_RATE
        tone = (np.sin(2 * np.pi * TONE * seconds) * (seconds >= 1) * 0.5).astype(np.float32)
        for start in range(0, len(tone), 1024):
            frame = av.AudioFrame.from_ndarray(tone[np.newaxis, start : start + 1024], "fltp", "mono")
            frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, start, Fraction(1, SAMPLE_RATE)
            container.mux(audio.encode(frame))
        container.mux(audio.encode(None))
    return path


def test_sound_of_a_video_is_recorded_in_sync(tmp_path: Path, identity: str, video_with_tone: Path) -> None:
    path = tmp_path / "a.mkv"
    done = vidgan(
        *("live", video_with_tone, "--no-window", "--style", identity, "--smooth", "off", "--size", "64x48"),
        *("--record", path),
    )
    assert done.returncode == 0, done.stderr
    samples, times = audio_of(path)
    onset = times[0] + float(np.argmax(np.abs(samples) > 0.1)) / SAMPLE_RATE
    with av.open(str(path)) as container:
        white = next(
            float(frame.time)
            for frame in container.decode(video=0)
            if frame.to_ndarray(format="gray").mean() > 150
        )
    assert abs(frequency_of(samples[round((onset - times[0] + 0.1) * SAMPLE_RATE) :]) - TONE) < 10
    # Frames arrive at the times of the file, so that only late frames shift the image.
    assert abs(onset - white) < 0.15


def test_sound_can_be_left_out(tmp_path: Path, identity: str, video_with_tone: Path) -> None:
    path = tmp_path / "a.mkv"
    words = ["--no-window", "--style", identity, "--size", "64x48", "--record", path, "--no-audio"]
    assert vidgan("live", video_with_tone, *words).returncode == 0
    with av.open(str(path)) as container:
        assert not container.streams.audio


def test_a_silent_video_has_no_audio() -> None:
    source = VideoFileSource(SAMPLES / "street.mkv")
    frames = source.frames()
    next(frames)
    frames.close()
    assert source.audio is None


def test_missing_microphone_is_one_clear_line() -> None:
    with pytest.raises(InputError, match="cannot be opened"):
        Microphone("nowhere", format="lavfi")
    done = vidgan("live", SAMPLES / "bunny.mp4", "--no-window", "--microphone", "nowhere")
    assert_one_clear_error(done, "--microphone")
