"""Frames of the page as a WebRTC client decodes them, which is what ``vidgan bench live --web`` measures."""

import asyncio
import threading

import pytest

pytest.importorskip("aiohttp", reason="needs the extra web")
pytest.importorskip("aiortc", reason="needs the extra web")

from tests.live.fakes import controls, gray_pair
from tests.live.web.http_client import serve
from vidgan.live.benchmark.frame_number import read_frame_number
from vidgan.live.benchmark.latency import NumberedSource
from vidgan.live.benchmark.page_client import PageClient
from vidgan.live.pipeline.live_pipeline import LivePipeline
from vidgan.live.web.peer_connection import OutputTrack
from vidgan.live.web.streams import LatestFrameSink


def test_frames_arrive_in_order(identity: str) -> None:
    """Each frame is new, and its number survives the encoding."""
    source = NumberedSource((320, 192), 15)
    numbers: list[int] = []
    enough = threading.Event()

    def on_frame(luma: object) -> None:
        number = read_frame_number(luma)  # type: ignore[arg-type]
        if number in source.captured:
            numbers.append(number)
        if len(numbers) >= 20:
            enough.set()

    with (
        LivePipeline(source, controls(identity), size="320x192") as pipeline,
        serve(identity, pipeline) as server,
    ):
        client = PageClient(server, on_frame)
        assert enough.wait(120), numbers
        client.close()
    assert numbers == sorted(set(numbers))


def test_refused_client_raises(identity: str) -> None:
    with serve(identity) as server:
        client = PageClient(server, lambda luma: None)
        client._thread.join()
        with pytest.raises(Exception, match="400"):
            client.close()


def test_slow_client_receives_the_newest_frame() -> None:
    """No frames are queued: a late request gets the newest frame, and the next one waits."""

    async def receive() -> list[int | None]:
        frames = LatestFrameSink(asyncio.get_running_loop())
        track = OutputTrack(frames)
        for value in (10, 20, 30):
            frames.write(gray_pair(value, value))
        times = [(await track.recv()).pts]
        waiting = asyncio.ensure_future(track.recv())
        await asyncio.sleep(0)
        assert not waiting.done()
        frames.write(gray_pair(40, 40))
        return [*times, (await waiting).pts]

    assert asyncio.run(receive()) == [30, 40]
