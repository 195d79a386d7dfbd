"""Live sources and their errors."""

import http.server
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import av
import cv2
import numpy as np
import pytest

from tests.live.fakes import gray_frame
from tests.support.commands import SAMPLES
from vidgan.errors import InputError, InputNotFoundError
from vidgan.live.sources import camera as camera_module
from vidgan.live.sources import open_live_source
from vidgan.live.sources.camera import Camera, CameraSource, cameras, find_camera
from vidgan.live.sources.stream import StreamSource
from vidgan.live.sources.video_file import VideoFileSource
from vidgan.live.urls import without_credentials

BUILT_IN = Camera(0, "Integrated Camera: Integrated C", "/dev/video0")
OTHER = Camera(1, "HD Pro Webcam C920", "/dev/video2")


def test_missing_video() -> None:
    with pytest.raises(InputNotFoundError, match=r"nowhere\.mp4: no such file"):
        open_live_source("nowhere.mp4")


@pytest.mark.parametrize("place", [SAMPLES / "bunny.jpg", SAMPLES])
def test_images_and_folders_are_refused(place: Path) -> None:
    with pytest.raises(InputError, match="is not a video"):
        open_live_source(str(place))


@pytest.mark.parametrize(
    "address", ["file:///etc/passwd", "concat://a|b", "lavfi://testsrc", "pipe://0", "data://x"]
)
def test_unsupported_urls_are_refused(address: str) -> None:
    with pytest.raises(InputError, match="streams are rtsp"):
        open_live_source(address)


def test_credentials_are_not_displayed() -> None:
    assert without_credentials("rtsp://me:secret@cam/1") == "rtsp://cam/1"
    assert "secret" not in StreamSource("rtsp://me:secret@cam/1").name


def test_video_loops(tmp_path: Path) -> None:
    path = tmp_path / "short.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=100)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for value in (20, 120, 220):
            container.mux(stream.encode(gray_frame(value)))
        container.mux(stream.encode(None))
    assert len(list(VideoFileSource(path).frames())) == 3
    source = VideoFileSource(path, loop=True)
    frames = source.frames()
    grays = [int(next(frames).to_ndarray(format="gray").mean()) for _ in range(7)]
    frames.close()
    assert source.frame_rate == 100
    assert (
        grays[3:6] == grays[:3]
        and grays[6] == grays[0]
        and grays == pytest.approx([20, 120, 220] * 2 + [20], abs=3)
    )


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder and its URL."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments, directory=str(tmp_path))  # type: ignore[arg-type]

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield tmp_path, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_video_by_http(served: tuple[Path, str]) -> None:
    folder, address = served
    with av.open(str(folder / "a.ts"), "w") as container:
        stream = container.add_stream("libx264", rate=50)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for value in range(20, 220):
            container.mux(stream.encode(gray_frame(value)))
        container.mux(stream.encode(None))
    source = StreamSource(f"{address}/a.ts")
    grays = [each.to_ndarray(format="gray").mean() for each in source.frames()]
    assert grays == pytest.approx(list(range(20, 220)), abs=4) and source.frame_rate == 50


def test_playlist_opens_no_local_files(served: tuple[Path, str]) -> None:
    folder, address = served
    target = SAMPLES / "bunny.mp4"
    head = "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n"
    (folder / "list.m3u8").write_text(f"{head}file://{target}\n#EXT-X-ENDLIST\n")
    with pytest.raises(InputError):
        next(StreamSource(f"{address}/list.m3u8").frames())


def test_missing_stream_is_one_line(served: tuple[Path, str]) -> None:
    with pytest.raises(InputError, match=r"nothing\.mp4: cannot be read: .*404"):
        next(StreamSource(f"{served[1]}/nothing.mp4").frames())
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(InputError, match="Connection refused"):
            next(StreamSource(f"tcp://127.0.0.1:{port}").frames())


def test_find_camera() -> None:
    both = [BUILT_IN, OTHER]
    assert find_camera("1", both) == OTHER and find_camera("2", both) is None
    assert find_camera("c920", both) == OTHER and find_camera("/dev/video0", both) == BUILT_IN
    assert find_camera("c", both) is None


def test_no_camera_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera_module, "cameras", list)
    monkeypatch.setattr(cv2, "VideoCapture", lambda number: SimpleNamespace(isOpened=bool, release=bool))
    with pytest.raises(InputError, match=r"camera 0: cannot be opened; no camera is connected"):
        next(CameraSource().frames())
    with pytest.raises(InputError, match="camera Logi: not found"):
        next(CameraSource("Logi").frames())


def test_cameras_lists_video_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = [
        SimpleNamespace(name="/dev/video0", description="Cam", media_types=["video"]),
        SimpleNamespace(name="hw:0", description="Microphone", media_types=["audio"]),
        SimpleNamespace(name="/dev/video2", description="", media_types=[]),
    ]
    monkeypatch.setattr(av, "enumerate_input_devices", lambda name: listed)
    assert cameras() == [Camera(0, "Cam", "/dev/video0"), Camera(1, "/dev/video2", "/dev/video2")]


def test_camera_options_are_reduced_until_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver is replaced by a video; the options that it is opened with are checked."""
    asked: list[dict[str, str]] = []
    opened = av.open

    def agreeing_late(address: str, mode: str, *, format: str, options: dict[str, str]) -> object:
        assert (address, mode) == ("/dev/video0", "r")
        asked.append(options)
        if "video_size" in options:
            raise av.error.ArgumentError(22, "Invalid argument")
        return opened(str(SAMPLES / "bunny.mp4"))

    monkeypatch.setattr(camera_module, "cameras", lambda: [BUILT_IN])
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(av, "open", agreeing_late)
    source = CameraSource("integrated", size="640x480")
    frames = source.frames()
    assert next(frames).width == 1280
    frames.close()
    assert asked[0] == {"video_size": "640x480", "framerate": "30", "input_format": "mjpeg"}
    assert asked[-1] == {"framerate": "30"} and source.frame_rate == 25


def test_opencv_is_the_fallback(monkeypatch: pytest.MonkeyPatch) -> None:
    blue = np.zeros((48, 64, 3), np.uint8)
    blue[..., 0] = 255  # BGR
    reads = iter([(True, blue), (False, None)])
    capture = SimpleNamespace(
        isOpened=lambda: True, set=lambda *_: True, get=lambda _: 30.0, read=lambda: next(reads), release=bool
    )
    monkeypatch.setattr(camera_module, "cameras", list)
    monkeypatch.setattr(cv2, "VideoCapture", lambda number: capture)
    source = CameraSource("3")
    frames = source.frames()
    assert next(frames).to_ndarray(format="rgb24")[0, 0].tolist() == [0, 0, 255]
    with pytest.raises(InputError, match="camera 3: broke off"):
        next(frames)
    assert source.frame_rate == 30
