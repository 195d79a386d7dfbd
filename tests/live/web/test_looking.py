"""What a client of the page decodes, which is what ``vidgan bench live --web`` measures."""

import asyncio
import threading

import pytest

pytest.importorskip("aiohttp", reason="needs the extra web")
pytest.importorskip("aiortc", reason="needs the extra web")

from live.pictures import controls
from live.test_recording import shot
from live.web.asking import page

from vidgan.live.latency import StampedSource
from vidgan.live.live import Live
from vidgan.live.looking import Looker
from vidgan.live.stamp import read_stamp
from vidgan.live.web.peer_connection import PaintedTrack
from vidgan.live.web.streams import Screen


def test_pictures_arrive_at_a_client_in_their_order_and_new(identity: str) -> None:
    """Each as it was made: the numbers in them survive being encoded."""
    source = StampedSource((320, 192), 15)
    numbers: list[int] = []
    enough = threading.Event()

    def seen(luma: object) -> None:
        number = read_stamp(luma)  # type: ignore[arg-type]
        if number in source.made:
            numbers.append(number)
        if len(numbers) >= 20:
            enough.set()

    with Live(source, controls(identity), size="320x192") as live, page(identity, live) as opened:
        looker = Looker(opened, seen)
        assert enough.wait(120), numbers
        looker.close()
    assert numbers == sorted(set(numbers))


def test_a_client_that_is_not_let_in_says_so(identity: str) -> None:
    with page(identity) as opened:
        looker = Looker(opened, lambda luma: None)
        looker._thread.join()
        with pytest.raises(Exception, match="400"):
            looker.close()


def test_nothing_waits_in_line_for_who_is_slow() -> None:
    """Whoever asks late is given the newest, and then waits for a newer one."""

    async def asked() -> list[int]:
        screen = Screen(asyncio.get_running_loop())
        track = PaintedTrack(screen)
        for value in (10, 20, 30):
            screen.write(shot(value, value))
        times = [(await track.recv()).pts]
        waiting = asyncio.ensure_future(track.recv())
        await asyncio.sleep(0)
        assert not waiting.done()
        screen.write(shot(40, 40))
        return [*times, (await waiting).pts]

    assert asyncio.run(asked()) == [30, 40]
