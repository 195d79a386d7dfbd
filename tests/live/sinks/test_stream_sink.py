"""Streams and the virtual camera: delivery, keyframes, audio, and receivers that are absent."""

import contextlib
import io
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest

from tests.live.fakes import CollectingSink, ScriptedSource, controls, forever, gray_pair
from tests.support.timestamps import seconds
from vidgan.errors import OutputError
from vidgan.live.audio import AudioFeed
from vidgan.live.frame_pair import FramePair
from vidgan.live.pipeline.live_pipeline import LivePipeline
from vidgan.live.sinks import stream as stream_module
from vidgan.live.sinks.stream import StreamSink
from vidgan.live.sinks.virtual_camera import VirtualCameraSink
from vidgan.live.sources.stream import StreamSource


def free_port(kind: int = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])


class Receiver:
    """Receives frames on a thread of its own."""

    def __init__(self, opened: Callable[[], Iterator[av.VideoFrame]]) -> None:
        self.grays: list[float] = []
        self._opened = opened
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        for frame in self._opened():
            self.grays.append(float(frame.to_ndarray(format="gray").mean()))
            if len(self.grays) == 10:
                self._enough.set()
                return

    def wait(self) -> None:
        assert self._enough.wait(60)


def listening(address: str, options: dict[str, str]) -> Callable[[], Iterator[av.VideoFrame]]:
    def frames() -> Iterator[av.VideoFrame]:
        with av.open(address, options=options) as container:
            yield from container.decode(video=0)

    return frames


@pytest.mark.parametrize("scheme", ["udp", "tcp", "rtmp"])
def test_frames_arrive(identity: str, scheme: str) -> None:
    """UDP is received by our own source, the other protocols by FFmpeg as the server."""
    port = free_port(socket.SOCK_DGRAM if scheme == "udp" else socket.SOCK_STREAM)
    address = f"{scheme}://127.0.0.1:{port}" + ("/live/x" if scheme == "rtmp" else "")
    receiver = Receiver(
        {
            "udp": StreamSource(address).frames,
            "tcp": listening(f"{address}?listen=1", {}),
            "rtmp": listening(address, {"listen": "1"}),
        }[scheme]
    )
    with LivePipeline(ScriptedSource(forever(90)), controls(identity)) as live:
        live.attach(StreamSink(address, fps=25, notify=live.notify))
        receiver.wait()
    assert receiver.grays == pytest.approx([90] * 10, abs=6)


def test_absent_receiver_is_reported_once_and_retried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vidgan.live.sinks.stream._RETRY_SECONDS", 0.0)
    port, messages, starts = free_port(), list[str](), list[object]()
    connection = stream_module._Connection

    def counted(*given: Any) -> object:
        starts.append(given)
        return connection(*given)

    monkeypatch.setattr(stream_module, "_Connection", counted)
    sink = StreamSink(f"tcp://me:secret@127.0.0.1:{port}", fps=25, notify=messages.append)
    moments = (gray_pair(50, 40_000 * index) for index in count())
    while not messages or len(starts) < 3:
        sink.write(next(moments))
    assert len(messages) == 1 and "the receiver is not there (Connection refused)" in messages[0]
    with socket.create_server(("127.0.0.1", port)):
        while len(messages) < 2:
            sink.write(next(moments))
        assert messages[1] == f"tcp://127.0.0.1:{port}: connected again"
        sink.close()


def test_the_process_that_sends_loads_no_models() -> None:
    code = "import sys, vidgan.live.sinks.relay; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"onnxruntime", "cryptography"} & set(done.stdout.split())


def packets_sent(pairs: list[FramePair], **options: Any) -> list[tuple[str, bool, float]]:
    """Type, keyframe flag and time of all packets that a raw UDP socket receives."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver, io.BytesIO() as data:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        receiver.bind(("127.0.0.1", 0))
        sink = StreamSink(f"udp://127.0.0.1:{receiver.getsockname()[1]}", fps=25, notify=print, **options)
        for pair in pairs:
            sink.write(pair)
        sink.close()
        receiver.settimeout(0.5)
        with contextlib.suppress(TimeoutError):
            while True:
                data.write(receiver.recv(1 << 16))
        data.seek(0)
        with av.open(data, "r", format="mpegts") as container:
            return [
                (packet.stream.type, packet.is_keyframe, float(seconds(packet.pts, packet.time_base)))
                for packet in container.demux()
                if packet.pts is not None
            ]


def test_udp_begins_with_a_keyframe_and_keeps_the_interval() -> None:
    """Every frame is sent, the first one included, and every 25th is a keyframe."""
    pairs = [gray_pair(5 * index, 40_000 * index) for index in range(51)]
    packets = packets_sent(pairs, keyframe_seconds=1.0)
    assert [keyframe for _, keyframe, _ in packets] == [index % 25 == 0 for index in range(51)]
    assert packets[0][2] < packets[1][2]


def test_stream_has_the_sound_of_its_source() -> None:
    feed = AudioFeed()

    class Pairs(list[FramePair]):
        """Publishes 40 ms of audio before each frame."""

        def __iter__(self) -> Iterator[FramePair]:
            for pair in super().__iter__():
                frame = av.AudioFrame.from_ndarray(np.full((1, 1920), 9000, np.int16), "s16", "mono")
                frame.sample_rate = 48_000
                feed.publish(frame, pair.input.pts)
                yield pair

    packets = packets_sent(Pairs(gray_pair(50, 40_000 * index) for index in range(50)), audio=lambda: feed)
    assert next(keyframe for kind, keyframe, _ in packets if kind == "video")
    times = [time for kind, _, time in packets if kind == "audio"]
    assert len(times) > 60 and 1.5 < times[-1] - times[0] < 2.1


@pytest.mark.parametrize("address", ["http://x/y", "file.mp4", "file:///tmp/x", "unix:///tmp/x"])
def test_unsupported_urls(address: str) -> None:
    with pytest.raises(OutputError, match="cannot be streamed to; streams go to rtmp"):
        StreamSink(address, fps=25, notify=print)


class TestVirtualCamera:
    """pyvirtualcam is replaced by a fake, because the real one needs a device."""

    @pytest.fixture
    def sent(self, monkeypatch: pytest.MonkeyPatch) -> list[np.ndarray]:
        frames: list[np.ndarray] = []
        self.closed = 0

        def camera(width: int, height: int, fps: float) -> SimpleNamespace:
            assert fps == 25

            def send(pixels: np.ndarray) -> None:
                assert pixels.shape == (height, width, 3) and pixels.dtype == np.uint8
                frames.append(pixels)

            def close() -> None:
                self.closed += 1

            return SimpleNamespace(width=width, height=height, send=send, close=close)

        monkeypatch.setattr(pytest.importorskip("pyvirtualcam"), "Camera", camera)
        return frames

    def test_frames_are_rgb_of_the_first_size(self, sent: list[np.ndarray]) -> None:
        sink = VirtualCameraSink(25)
        assert self.closed == 1  # The probe at the start.
        for value, size in ((30, (64, 48)), (130, (32, 24)), (230, (64, 48))):
            sink.write(gray_pair(value, 0, size))
        sink.close()
        assert [int(np.median(pixels)) for pixels in sent] == pytest.approx([30, 130, 230], abs=1)
        assert self.closed == 2

    def test_no_device_is_one_line(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def missing(**_: object) -> None:
            raise RuntimeError("'v4l2loopback' backend: No v4l2 loopback device found")

        monkeypatch.setattr(pytest.importorskip("pyvirtualcam"), "Camera", missing)
        with pytest.raises(OutputError, match="there is no device"):
            VirtualCameraSink(25)

    def test_real_library_without_a_device(self) -> None:
        pytest.importorskip("pyvirtualcam")
        if Path("/sys/devices/virtual/video4linux").exists():
            pytest.skip("there is a virtual camera here")
        with pytest.raises(OutputError, match="virtual camera: there is no device"):
            VirtualCameraSink(25)

    def test_missing_library_is_one_line(self, monkeypatch: pytest.MonkeyPatch) -> None:
        import sys

        monkeypatch.setitem(sys.modules, "pyvirtualcam", None)
        with pytest.raises(OutputError, match=r"pip install 'vidgan\[vcam\]'"):
            VirtualCameraSink(25)


def test_stream_from_one_pipeline_to_another(identity: str) -> None:
    address = f"udp://127.0.0.1:{free_port(socket.SOCK_DGRAM)}"
    kept = CollectingSink()
    with (
        LivePipeline(ScriptedSource(forever(70)), controls(identity)) as sending,
        LivePipeline(StreamSource(address), controls(identity)) as receiving,
    ):
        receiving.attach(kept)
        sending.attach(StreamSink(address, fps=25, notify=sending.notify))
        kept.wait_for(lambda pairs: len(pairs) >= 5)
    assert [int(np.median(each.output.pixels)) for each in kept.pairs[:5]] == pytest.approx([70] * 5, abs=6)
