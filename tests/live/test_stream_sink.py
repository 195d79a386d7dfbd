"""What is sent on arrives, and a receiver may be late, or go."""

import socket
import threading
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest
from live.pictures import Kept, Scripted, controls, forever
from live.test_recording import shot

from vidgan.errors import OutputError
from vidgan.live.live import Live
from vidgan.live.sinks import stream as stream_module
from vidgan.live.sinks.stream import StreamSink
from vidgan.live.sinks.virtual_camera import VirtualCameraSink
from vidgan.live.sources.stream import StreamSource


def free_port(kind: int = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])


class Receiver:
    """Looks at what arrives, on a thread of its own."""

    def __init__(self, opened: Callable[[], Iterator[av.VideoFrame]]) -> None:
        self.greys: list[float] = []
        self._opened = opened
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        for picture in self._opened():
            self.greys.append(float(picture.to_ndarray(format="gray").mean()))
            if len(self.greys) == 10:
                self._enough.set()
                return

    def wait(self) -> None:
        assert self._enough.wait(60)


def listening(address: str, options: dict[str, str]) -> Callable[[], Iterator[av.VideoFrame]]:
    def opened() -> Iterator[av.VideoFrame]:
        with av.open(address, options=options) as container:
            yield from container.decode(video=0)

    return opened


@pytest.mark.parametrize("scheme", ["udp", "tcp", "rtmp"])
def test_what_is_sent_arrives(identity: str, scheme: str) -> None:
    """udp is read by our own source; the others by FFmpeg, which here plays the server."""
    port = free_port(socket.SOCK_DGRAM if scheme == "udp" else socket.SOCK_STREAM)
    address = f"{scheme}://127.0.0.1:{port}" + ("/live/x" if scheme == "rtmp" else "")
    receiver = Receiver(
        {
            "udp": StreamSource(address).pictures,
            "tcp": listening(f"{address}?listen=1", {}),
            "rtmp": listening(address, {"listen": "1"}),
        }[scheme]
    )
    with Live(Scripted(forever(90)), controls(identity)) as live:
        live.attach(StreamSink(address, fps=25, say=live.say))
        receiver.wait()
    assert receiver.greys == pytest.approx([90] * 10, abs=6)


def test_a_receiver_that_is_not_there_is_said_once_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vidgan.live.sinks.stream._RETRY_SECONDS", 0.0)
    port, said, starts = free_port(), list[str](), list[object]()
    sending = stream_module._Sending
    monkeypatch.setattr(stream_module, "_Sending", lambda *given: starts.append(given) or sending(*given))
    sink = StreamSink(f"tcp://me:secret@127.0.0.1:{port}", fps=25, say=said.append)
    moments = (shot(50, 40_000 * index) for index in count())
    while not said or len(starts) < 3:
        sink.write(next(moments))
    assert len(said) == 1 and "nobody takes the stream (Connection refused)" in said[0]
    with socket.create_server(("127.0.0.1", port)):
        while len(said) < 2:
            sink.write(next(moments))
        assert said[1] == f"tcp://127.0.0.1:{port}: takes it again"
        sink.finish()


@pytest.mark.parametrize("address", ["http://x/y", "file.mp4", "file:///tmp/x", "unix:///tmp/x"])
def test_addresses_that_nothing_is_sent_to(address: str) -> None:
    with pytest.raises(OutputError, match="a stream goes to an address of rtmp"):
        StreamSink(address, fps=25, say=print)


class TestVirtualCamera:
    """Up to the edge of pyvirtualcam: what stands behind it needs a device of the system's."""

    @pytest.fixture
    def sent(self, monkeypatch: pytest.MonkeyPatch) -> list[np.ndarray]:
        pictures: list[np.ndarray] = []
        self.closed = 0

        def camera(width: int, height: int, fps: float) -> SimpleNamespace:
            assert fps == 25

            def send(pixels: np.ndarray) -> None:
                assert pixels.shape == (height, width, 3) and pixels.dtype == np.uint8
                pictures.append(pixels)

            def close() -> None:
                self.closed += 1

            return SimpleNamespace(width=width, height=height, send=send, close=close)

        monkeypatch.setattr(pytest.importorskip("pyvirtualcam"), "Camera", camera)
        return pictures

    def test_it_gets_rgb_of_the_size_that_it_was_opened_with(self, sent: list[np.ndarray]) -> None:
        sink = VirtualCameraSink(25)
        assert self.closed == 1  # That there is one was found out beforehand.
        for value, size in ((30, (64, 48)), (130, (32, 24)), (230, (64, 48))):
            sink.write(shot(value, 0, size))
        sink.finish()
        assert [int(np.median(pixels)) for pixels in sent] == pytest.approx([30, 130, 230], abs=1)
        assert self.closed == 2

    def test_no_device_is_one_line(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def missing(**_: object) -> None:
            raise RuntimeError("'v4l2loopback' backend: No v4l2 loopback device found")

        monkeypatch.setattr(pytest.importorskip("pyvirtualcam"), "Camera", missing)
        with pytest.raises(OutputError, match="there is no device for it"):
            VirtualCameraSink(25)

    def test_the_real_library_says_that_there_is_none(self) -> None:
        pytest.importorskip("pyvirtualcam")
        if Path("/sys/devices/virtual/video4linux").exists():
            pytest.skip("there is a virtual camera here")
        with pytest.raises(OutputError, match="virtual camera: there is no device for it"):
            VirtualCameraSink(25)

    def test_a_missing_library_is_one_line(self, monkeypatch: pytest.MonkeyPatch) -> None:
        import sys

        monkeypatch.setitem(sys.modules, "pyvirtualcam", None)
        with pytest.raises(OutputError, match=r"pip install 'vidgan\[vcam\]'"):
            VirtualCameraSink(25)


def test_a_film_can_be_streamed_on_and_back(identity: str) -> None:
    """One live path sends, another receives."""
    address = f"udp://127.0.0.1:{free_port(socket.SOCK_DGRAM)}"
    kept = Kept()
    with (
        Live(Scripted(forever(70)), controls(identity)) as sending,
        Live(StreamSource(address), controls(identity)) as receiving,
    ):
        receiving.attach(kept)
        sending.attach(StreamSink(address, fps=25, say=sending.say))
        kept.wait_for(lambda shots: len(shots) >= 5)
    assert [int(np.median(each.painted.pixels)) for each in kept.shots[:5]] == pytest.approx([70] * 5, abs=6)
