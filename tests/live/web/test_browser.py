"""The page in a real browser, against a real server."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from live.web.browsing import browser, colors, distance, missing, served, until
from live.web.films import film, frames_in
from support.commands import SAMPLES

pytestmark = pytest.mark.skipif(missing() is not None, reason=str(missing()))


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def url(identity: str) -> Iterator[str]:
    """A film as it is, until another style than the first is chosen."""
    film = SAMPLES / "bunny.mp4"
    with served(film, "--loop", "--size", "160x96", "--fps", "10", "--style", identity) as (place, _):
        yield place


class Visit:
    """A browser of its own, and what its console said."""

    def __init__(self, chromium: Any, url: str, **options: Any) -> None:
        self.context = chromium.new_context(**options)
        self.page = self.context.new_page()
        self.said: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.goto(url)

    def picture(self) -> list[int]:
        return until(lambda: colors(self.page))  # type: ignore[no-any-return]

    def saved(self, path: Path, act: Any) -> bytes:
        with self.page.expect_download(timeout=60_000) as download:
            act()
        download.value.save_as(path)
        return path.read_bytes()


@pytest.fixture
def visit(chromium: Any, url: str) -> Iterator[Visit]:
    visit = Visit(chromium, url)
    yield visit
    visit.context.close()
    assert not visit.said, visit.said


def test_the_picture_moves_and_changes_with_the_style(visit: Visit) -> None:
    first = visit.picture()
    until(lambda: distance(first, visit.picture()) > 1)
    visit.page.get_by_role("radio", name="starry").check(force=True)

    def blue() -> bool:
        seen = visit.picture()
        return sum(seen[2::4]) > 1.15 * sum(seen[0::4])

    # In the film itself green and yellow prevail; in this style it is night.
    until(blue)
    until(lambda: "fps" in visit.page.inner_text("#figures"))
    visit.page.get_by_role("radio", name="identity").check(force=True)
    until(lambda: not blue())
    until(
        lambda: visit.page.evaluate(
            "[...document.querySelectorAll('#styles img')].every(i => i.naturalWidth)"
        )
    )


def test_a_snapshot_and_a_recording_are_saved(visit: Visit, tmp_path: Path) -> None:
    visit.picture()
    shot = visit.saved(tmp_path / "a.png", lambda: visit.page.get_by_role("button", name="Snapshot").click())
    assert shot.startswith(b"\x89PNG")
    visit.page.get_by_role("button", name="Record").click()
    until(
        lambda: (
            " s" in visit.page.inner_text("#recordings")
            and "0.0 s" not in visit.page.inner_text("#recordings")
        )
    )
    visit.page.get_by_role("button", name="Stop recording").click()
    link = visit.page.get_by_role("link", name="Download vidgan-")
    recorded = visit.saved(tmp_path / "a.mp4", link.click)
    assert frames_in(tmp_path / "b.mp4", recorded) >= 2


def test_with_the_keyboard_alone_a_clip_is_sent_painted_and_saved_which_nobody_else_sees(
    visit: Visit, chromium: Any, url: str, tmp_path: Path
) -> None:
    content = film(tmp_path / "mine.mp4", frames=9)
    page = visit.page
    visit.picture()

    def tab_to(name: str) -> None:
        for _ in range(40):
            page.keyboard.press("Tab")
            seen = page.evaluate(
                "(() => { const at = document.activeElement;"
                " return at.id || at.getAttribute('aria-label') || at.value || ''; })()"
            )
            if name in seen:
                return
        pytest.fail(f"{name} is not reached by the keyboard")

    tab_to("identity")
    page.keyboard.press("ArrowDown")
    until(lambda: not page.get_by_role("radio", name="identity").is_checked())
    outline = page.evaluate(
        "getComputedStyle(document.querySelector('#styles :checked + span')).outlineStyle"
    )
    assert outline == "solid"
    tab_to("strength")
    page.keyboard.press("ArrowLeft")
    until(lambda: page.inner_text("#strength-said") == "95 %")
    tab_to("file")
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Space")
    chooser.value.set_files({"name": "mine.mp4", "mimeType": "video/mp4", "buffer": content})
    until(lambda: "9 frames painted" in page.inner_text("#clips"))
    other = Visit(chromium, url)
    other.picture()
    assert "mine" not in other.page.inner_text("body") and not other.said
    other.context.close()
    tab_to("Play mine.mp4")
    page.keyboard.press("Enter")
    until(
        lambda: page.evaluate("[...document.querySelectorAll('#clips video')].every(v => v.currentTime > 0)")
    )
    tab_to("Download mine")
    painted = visit.saved(tmp_path / "a.mp4", lambda: page.keyboard.press("Enter"))
    assert frames_in(tmp_path / "b.mp4", painted) == 9
    tab_to("Remove mine.mp4")
    page.keyboard.press("Enter")
    until(lambda: "mine" not in page.inner_text("#clips"))


def test_what_is_no_film_is_said_where_it_was_sent(visit: Visit) -> None:
    visit.page.set_input_files("#file", {"name": "../a.mp4", "mimeType": "video/mp4", "buffer": b"nothing"})
    until(lambda: "a.mp4: not a video" in visit.page.inner_text("#clips"))
    visit.page.get_by_role("button", name="Remove a.mp4").click()
    until(lambda: not visit.page.inner_text("#clips"))


def test_the_visitors_own_camera_is_painted_for_that_visitor_alone_on_a_phone(
    chromium: Any, url: str
) -> None:
    phone = Visit(chromium, url, viewport={"width": 390, "height": 844}, has_touch=True)
    other = Visit(chromium, url)
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= 390
    phone.picture()
    # Whoever turns to the own camera goes on in the same style.
    phone.page.get_by_role("radio", name="identity").check(force=True)
    phone.page.get_by_role("button", name="Use my camera").click()
    phone.page.get_by_role("button", name="Stop my camera").wait_for(timeout=60_000)

    def green() -> bool:
        """As Chromium's test picture is."""
        seen = phone.picture()
        return sum(seen[1::4]) > 1.5 * sum(seen[0::4])

    until(green)
    assert "Use my camera" in other.page.inner_text("#camera")
    seen = other.picture()
    assert sum(seen[1::4]) < 1.5 * sum(seen[0::4])
    phone.page.get_by_role("button", name="Stop my camera").click()
    until(lambda: not green())
    for each in (phone, other):
        assert not each.said, each.said
        each.context.close()


def test_where_webrtc_does_not_get_through_there_are_single_pictures(url: str, chromium: Any) -> None:
    context = chromium.new_context()
    # As behind a tunnel: the machine's own addresses lead nowhere.
    context.add_init_script(
        "RTCPeerConnection.prototype.addIceCandidate = RTCPeerConnection.prototype"
        ".setRemoteDescription = async function () {};"
    )
    page = context.new_page()
    page.goto(url)
    seen = {until(lambda: page.get_attribute("#single", "src"))}
    until(lambda: seen.add(page.get_attribute("#single", "src")) or len(seen) > 3)
    assert page.is_visible("#single")
    # One is on its way while another is shown.
    until(lambda: page.evaluate("document.querySelector('#single').naturalWidth") == 160)
    context.close()


def test_without_a_camera_here_the_page_is_there_all_the_same(chromium: Any, identity: str) -> None:
    from vidgan.live.sources.camera import cameras

    if cameras():
        pytest.skip("there is a camera here")
    with served("--style", identity) as (place, process):
        visit = Visit(chromium, place)
        until(lambda: "Nothing is shown yet" in visit.page.inner_text("#absent"))
        visit.page.get_by_role("button", name="Use my camera").click()
        visit.picture()
        assert not visit.said, visit.said
        visit.context.close()
        process.terminate()
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0 and "Traceback" not in err
