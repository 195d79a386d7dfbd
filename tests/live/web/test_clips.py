"""What visitors bring and take away, the hostile ones among them."""

import json
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("aiohttp", reason="needs the extra web")
pytest.importorskip("aiortc", reason="needs the extra web")

from live.pictures import Scripted, controls, forever
from live.web.asking import Asker, page
from live.web.films import film, frames_in

from vidgan.errors import InputError
from vidgan.live.live import Live
from vidgan.live.web import painter
from vidgan.live.web.clips import shown_name
from vidgan.live.web.page import Page


@pytest.fixture(scope="module")
def alone(identity: str) -> Iterator[Page]:
    """A page without a picture of its own."""
    with page(identity) as opened:
        yield opened


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A film that is not painted before somebody has done something else."""
    folder = tmp_path_factory.mktemp("long")
    return film(folder / "long.mp4", frames=3000, size=(320, 192), codec="mpeg4")


@pytest.fixture
def asker(alone: Page) -> Iterator[Asker]:
    opened = Asker(alone.url)
    yield opened
    for clip in opened.state()["clips"]:
        assert opened.ask("DELETE", f"/clips/{clip['id']}").status == 204


def ended(state: object) -> bool:
    return all(clip["state"] in ("done", "failed") for clip in state["clips"])  # type: ignore[index]


def test_a_clip_is_painted_and_comes_back_whole_to_its_sender_alone(
    alone: Page, asker: Asker, tmp_path: Path
) -> None:
    content = film(tmp_path / "a.mp4", frames=12)
    sent = asker.send(content, '../../etc/ho"li\nday ü.mp4')
    assert sent.status == 201 and sent.json["name"] == 'ho"liday ü.mp4'
    (clip,) = asker.wait_for(ended)["clips"]
    assert (clip["state"], clip["done"], clip["total"]) == ("done", 12, 12), clip
    painted = asker.ask("GET", f"/clips/{clip['id']}/painted?save")
    assert painted.status == 200 and frames_in(tmp_path / "b.mp4", painted.body) == 12
    disposition = painted.headers["Content-Disposition"]
    assert disposition == "attachment; filename*=UTF-8''ho%22liday%20%C3%BC.identity.mp4"
    original = asker.ask("GET", f"/clips/{clip['id']}/original", Range="bytes=4-7")
    assert (
        original.status == 206
        and original.body == b"ftyp"
        and original.headers["Content-Type"] == "video/mp4"
    )
    other = Asker(alone.url)
    for method, path in (("GET", "original"), ("GET", "painted"), ("DELETE", "")):
        answer = other.ask(method, f"/clips/{clip['id']}/{path}".rstrip("/"))
        assert answer.status == 404 and other.state()["clips"] == []
    assert asker.state()["clips"] == [clip]


def bomb(width: int, height: int) -> bytes:
    """An IVF file that declares frames of that size in a few bytes."""
    head = struct.pack("<4sHH4sHHIIIi", b"DKIF", 0, 32, b"VP80", width, height, 25, 1, 1, 0)
    frame = b"\x10\x02\x00\x9d\x01\x2a" + struct.pack("<HH", width & 0x3FFF, height & 0x3FFF) + bytes(64)
    return head + struct.pack("<Iq", len(frame), 0) + frame


HOSTILE = {
    "no film at all": (b"<script>alert(1)</script>" * 100, "not a video or image"),
    "a list of other files": (b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n", "a.mp4"),
    "frames of 268 megapixels": (bomb(16384, 16384), "more than 67108864 pixels"),
    "cut off": (b"\0\0\0\x20ftypisom" + bytes(20), "a.mp4"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_is_no_film_fails_with_a_line_that_names_it(alone: Page, asker: Asker, kind: str) -> None:
    content, words = HOSTILE[kind]
    assert asker.send(content, "/tmp/a.mp4").status == 201
    (clip,) = asker.wait_for(ended)["clips"]
    assert clip["state"] == "failed" and clip["error"].startswith("a.mp4: ") and words in clip["error"]
    assert "/" not in clip["error"].replace("and/or", "") and "\n" not in clip["error"]
    assert asker.ask("GET", f"/clips/{clip['id']}/painted").status == 409
    original = asker.ask("GET", f"/clips/{clip['id']}/original")
    if "Content-Disposition" not in original.headers:
        assert original.headers["Content-Type"] == "video/mp4"


def test_frames_that_are_too_large_for_here_are_refused(asker: Asker, tmp_path: Path) -> None:
    asker.send(film(tmp_path / "a.mp4", frames=1, size=(4352, 2448), codec="mpeg4"))
    (clip,) = asker.wait_for(ended)["clips"]
    assert clip["error"] == "clip.mp4: has frames of 4352x2448; 4096x2304 is the most here"


@pytest.mark.parametrize("declared", [True, False])
def test_a_film_that_is_too_long_for_here_is_refused(
    identity: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, declared: bool
) -> None:
    """Whether it says so, as an mp4 does, or not."""
    monkeypatch.setattr(painter, "_MOST_FRAMES", 5)
    path = tmp_path / ("a.mp4" if declared else "a.y4m")
    film(path, codec="libx264" if declared else "wrapped_avframe")
    with pytest.raises(InputError, match="more than 5 frames"):
        painter._paint(path, tmp_path / "b.mp4", {"style": identity, "smooth": "off"})
    assert not (tmp_path / "b.mp4").exists()


def test_more_than_is_taken_is_refused_whether_it_is_said_beforehand_or_not(
    alone: Page, asker: Asker
) -> None:
    said = asker.ask("POST", "/clips?name=big.mp4", b"", Content_Length=str(10_000_000_000))
    assert said.status == 413 and said.text.startswith("big.mp4: is larger than 1 MB")
    blocks = (bytes(1 << 16) for _ in range(40))
    unsaid = asker.send(blocks, "big.mp4")
    assert unsaid.status == 400 and unsaid.text.startswith("big.mp4: is larger than 1 MB")
    empty = asker.send(b"", "none.mp4")
    assert empty.status == 400 and empty.text == "none.mp4: is empty"
    assert asker.state()["clips"] == []


def test_more_clips_than_are_kept_are_refused(alone: Page, asker: Asker) -> None:
    assert [asker.send(b"x").status for _ in range(4)] == [201] * 4
    refused = asker.send(b"x")
    assert refused.status == 400 and "4 clips of yours are here already" in refused.text
    other = Asker(alone.url)
    assert [other.send(b"x").status for _ in range(3)] == [201, 201, 400]
    for each in other.state()["clips"]:
        other.ask("DELETE", f"/clips/{each['id']}")


def test_a_clip_is_cancelled_while_it_is_painted_and_the_next_one_begins(
    asker: Asker, long: bytes, tmp_path: Path
) -> None:
    asker.send(long, "long.mp4")
    asker.send(film(tmp_path / "a.mp4", frames=3), "short.mp4")
    state = asker.wait_for(lambda state: state["clips"][0]["done"] > 0)
    assert [clip["state"] for clip in state["clips"]] == ["painting", "waiting"]
    assert state["clips"][1]["ahead"] == 1
    assert asker.ask("DELETE", f"/clips/{state['clips'][0]['id']}").status == 204
    (clip,) = asker.wait_for(ended)["clips"]
    assert (clip["name"], clip["state"]) == ("short.mp4", "done")


def test_nothing_is_left_behind(
    identity: str, long: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    with page(identity) as opened:
        one = Asker(opened.url)
        one.send(long)
        one.wait_for(lambda state: state["clips"][0]["state"] == "painting")
        assert list((tmp_path / "tmp").iterdir())
    assert not list((tmp_path / "tmp").iterdir())


def test_the_painter_ends_with_who_asked_for_it(identity: str, long: bytes, tmp_path: Path) -> None:
    (tmp_path / "long.mp4").write_bytes(long)
    wanted = {
        "input": str(tmp_path / "long.mp4"),
        "output": str(tmp_path / "b.mp4"),
        "settings": {"style": identity},
    }
    with subprocess.Popen(
        [sys.executable, "-m", "vidgan.live.web.worker"], stdin=-1, stdout=-1, text=True
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(json.dumps(wanted) + "\n")
        process.stdin.flush()
        assert "total" in json.loads(process.stdout.readline())
        process.stdin.close()
        assert process.wait(timeout=60) == 1


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("a.mp4", "a.mp4"),
        ("C:\\films\\a.mp4", "a.mp4"),
        ("../../x/.bashrc", "bashrc"),
        ("\x00\n\r\u202e.mp4", "mp4"),
        ("", "clip"),
        ("/", "clip"),
        ("a" * 500 + ".mp4", "a" * 76 + ".mp4"),
    ],
)
def test_names_are_only_names(given: str, name: str) -> None:
    assert shown_name(given) == name


@pytest.fixture(scope="module")
def house(identity: str) -> Iterator[Page]:
    with Live(Scripted(forever(60, 90)), controls(identity)) as live, page(identity, live) as opened:
        yield opened


def test_a_recording_is_the_visitors_own_and_can_be_played(house: Page, tmp_path: Path) -> None:
    asker, other = Asker(house.url), Asker(house.url)
    assert asker.ask("POST", "/recordings", {"on": True}).status == 204
    (take,) = asker.wait_for(lambda state: state["recordings"][0]["seconds"] > 0.5)["recordings"]
    assert asker.ask("GET", f"/recordings/{take['id']}").status == 409
    assert other.state()["recording"] is False and other.state()["recordings"] == []
    assert asker.ask("POST", "/recordings", {"on": False}).status == 204
    answer = asker.ask("GET", f"/recordings/{take['id']}")
    assert answer.status == 200 and frames_in(tmp_path / "a.mp4", answer.body) >= 2
    assert "attachment" in answer.headers["Content-Disposition"]
    assert other.ask("GET", f"/recordings/{take['id']}").status == 404
    assert other.ask("DELETE", f"/recordings/{take['id']}").status == 404
    assert asker.ask("DELETE", f"/recordings/{take['id']}").status == 204
    assert asker.ask("GET", f"/recordings/{take['id']}").status == 404


def test_a_snapshot_is_what_is_shown(house: Page) -> None:
    asker = Asker(house.url)
    asker.wait_for(lambda state: state["live"]["width"] > 0)
    answer = asker.ask("GET", "/snapshot")
    while answer.status == 409:
        answer = asker.ask("GET", "/snapshot")
    assert answer.status == 200 and answer.body.startswith(b"\x89PNG")


def test_where_there_is_no_picture_that_is_said(alone: Page, asker: Asker) -> None:
    assert asker.state()["live"] is None
    assert asker.ask("GET", "/snapshot").status == 409
    assert asker.ask("POST", "/recordings", {"on": True}).text == "there is no picture to record"


def test_stills_come_of_every_style(house: Page) -> None:
    asker = Asker(house.url)
    state = asker.wait_for(lambda state: all(style["still"] for style in state["styles"]))
    answer = asker.ask("GET", f"/stills/{state['styles'][0]['name']}")
    assert answer.headers["Content-Type"] == "image/jpeg" and answer.body.startswith(b"\xff\xd8")
