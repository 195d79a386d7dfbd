"""The page in a real browser, against a real server."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.live.web.browser import browser, colors, distance, missing, served, until
from tests.live.web.videos import count_frames, write_video
from tests.support.commands import SAMPLES
from tests.support.images import decode_pixels
from tests.support.signed_videos import FACTS, make, sign
from vidgan.provenance.signing_identity import own_identity

pytestmark = pytest.mark.skipif(missing() is not None, reason=str(missing()))


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def url(identity: str) -> Iterator[str]:
    """The page of a video with the identity style."""
    video = SAMPLES / "bunny.mp4"
    with served(video, "--loop", "--size", "160x96", "--fps", "10", "--style", identity) as (address, _):
        yield address


class Visit:
    """A browser context of its own, and the messages of its console."""

    def __init__(self, chromium: Any, url: str, **options: Any) -> None:
        self.context = chromium.new_context(**options)
        self.page = self.context.new_page()
        self.console: list[str] = []
        self.page.on("console", lambda message: self.console.append(message.text))
        self.page.on("pageerror", lambda error: self.console.append(str(error)))
        self.page.goto(url)

    def pixels(self) -> list[int]:
        return until(lambda: colors(self.page))

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
    assert not visit.console, visit.console


def test_video_moves_and_changes_with_the_style(visit: Visit) -> None:
    first = visit.pixels()
    until(lambda: distance(first, visit.pixels()) > 1)
    visit.page.get_by_role("radio", name="starry").check(force=True)

    def blue() -> bool:
        pixels = visit.pixels()
        return sum(pixels[2::4]) > 1.15 * sum(pixels[0::4])

    # The video is mostly green and yellow, the style mostly blue.
    until(blue)
    until(lambda: "fps" in visit.page.inner_text("#stats"))
    visit.page.get_by_role("radio", name="identity").check(force=True)
    until(lambda: not blue())
    until(
        lambda: visit.page.evaluate(
            "[...document.querySelectorAll('#styles img')].every(i => i.naturalWidth)"
        )
    )


def test_snapshot_and_recording_are_saved(visit: Visit, tmp_path: Path) -> None:
    visit.pixels()
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
    assert count_frames(tmp_path / "b.mp4", recorded) >= 2


def test_upload_by_keyboard_is_private(visit: Visit, chromium: Any, url: str, tmp_path: Path) -> None:
    content = write_video(tmp_path / "mine.mp4", frames=9)
    page = visit.page
    visit.pixels()

    def tab_to(name: str) -> None:
        for _ in range(40):
            page.keyboard.press("Tab")
            values = page.evaluate(
                "(() => { const at = document.activeElement;"
                " return at.id || at.getAttribute('aria-label') || at.value || ''; })()"
            )
            if name in values:
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
    until(lambda: page.inner_text("#strength-value") == "95 %")
    tab_to("stroke")
    page.keyboard.press("ArrowRight")
    until(lambda: page.inner_text("#stroke-value") == "125 %")
    tab_to("file")
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Space")
    chooser.value.set_files({"name": "mine.mp4", "mimeType": "video/mp4", "buffer": content})
    until(lambda: "done, 9 frames" in page.inner_text("#uploads"))
    other = Visit(chromium, url)
    other.pixels()
    assert "mine" not in other.page.inner_text("body") and not other.console
    other.context.close()
    tab_to("Play input and output of mine")
    page.keyboard.press("Enter")
    until(
        lambda: page.evaluate(
            "[...document.querySelectorAll('#uploads video')].every(v => v.currentTime > 0)"
        )
    )
    tab_to("Download mine")
    output = visit.saved(tmp_path / "a.mp4", lambda: page.keyboard.press("Enter"))
    assert count_frames(tmp_path / "b.mp4", output) == 9
    tab_to("Remove mine.mp4")
    page.keyboard.press("Enter")
    until(lambda: "mine" not in page.inner_text("#uploads"))


def test_invalid_file_shows_an_error(visit: Visit) -> None:
    visit.page.set_input_files("#file", {"name": "../a.mp4", "mimeType": "video/mp4", "buffer": b"nothing"})
    until(lambda: "a.mp4: not a video" in visit.page.inner_text("#uploads"))
    visit.page.get_by_role("button", name="Remove a.mp4").click()
    until(lambda: not visit.page.inner_text("#uploads"))


def test_checked_file_is_quoted_and_never_run(visit: Visit, tmp_path: Path) -> None:
    markup = '<img src=x onerror="document.title = 1"><script>document.title = 1</script>'
    path, page = make(tmp_path / "a.png", size="36"), visit.page
    sign(path, own_identity(), replace(FACTS, description=markup))
    page.set_input_files(
        "#check-file", {"name": "<b>a.png", "mimeType": "image/png", "buffer": path.read_bytes()}
    )
    until(lambda: "valid, signed by this machine" in page.inner_text("#uploads"))
    assert markup in page.inner_text("#uploads") and "<b>a.png" in page.inner_text("#uploads")
    assert page.locator("#uploads :is(img, script, b, video)").count() == 0 and page.title() == "vidgan live"
    assert page.get_by_role("link", name="Download").count() == 0
    page.get_by_role("button", name="Remove <b>a.png").click()
    until(lambda: not page.inner_text("#uploads"))


def test_own_camera_is_private_on_a_phone(chromium: Any, url: str) -> None:
    phone = Visit(chromium, url, viewport={"width": 390, "height": 844}, has_touch=True)
    other = Visit(chromium, url)
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= 390
    phone.pixels()
    # The camera starts with the current style.
    phone.page.get_by_role("radio", name="identity").check(force=True)
    phone.page.get_by_role("button", name="Use my camera").click()
    phone.page.get_by_role("button", name="Stop my camera").wait_for(timeout=60_000)

    def green() -> bool:
        """Whether the frame is mostly green, as Chromium's synthetic camera is."""
        values = phone.pixels()
        return sum(values[1::4]) > 1.5 * sum(values[0::4])

    until(green)
    assert "Use my camera" in other.page.inner_text("#camera")
    values = other.pixels()
    assert sum(values[1::4]) < 1.5 * sum(values[0::4])
    phone.page.get_by_role("button", name="Stop my camera").click()
    until(lambda: not green())
    for each in (phone, other):
        assert not each.console, each.console
        each.context.close()


def test_fallback_to_images_without_webrtc(url: str, chromium: Any) -> None:
    context = chromium.new_context()
    # As behind a tunnel, where ICE candidates are not reachable.
    context.add_init_script(
        "RTCPeerConnection.prototype.addIceCandidate = RTCPeerConnection.prototype"
        ".setRemoteDescription = async function () {};"
    )
    page = context.new_page()
    page.goto(url)
    values = {until(lambda: page.get_attribute("#still", "src"))}

    def has_several_values() -> bool:
        values.add(page.get_attribute("#still", "src"))
        return len(values) > 3

    until(has_several_values)
    assert page.is_visible("#still")
    # An image may still be loading.
    until(lambda: page.evaluate("document.querySelector('#still').naturalWidth") == 160)
    context.close()


def test_page_without_a_stream(chromium: Any, identity: str) -> None:
    from vidgan.live.sources.camera import cameras

    if cameras():
        pytest.skip("there is a camera here")
    with served("--style", identity) as (address, process):
        visit = Visit(chromium, address)
        until(lambda: "There is no stream" in visit.page.inner_text("#status"))
        visit.page.get_by_role("button", name="Use my camera").click()
        visit.pixels()
        assert not visit.console, visit.console
        visit.context.close()
        process.terminate()
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0 and "Traceback" not in err


def test_photo_is_upscaled_and_shown(visit: Visit, tmp_path: Path) -> None:
    photo = np.full((24, 32, 3), 120, np.uint8)
    content = cv2.imencode(".png", photo)[1].tobytes()
    page = visit.page
    until(lambda: page.locator("#task option").count() == 7)
    page.get_by_label("Task").select_option(label="Upscale")
    page.get_by_label("Model").select_option("swift")
    page.set_input_files("#file", {"name": "a.png", "mimeType": "image/png", "buffer": content})
    until(lambda: page.locator("#uploads img").count() == 2)
    until(
        lambda: (
            page.evaluate("[...document.querySelectorAll('#uploads img')].map(i => i.naturalWidth)")
            == [32, 64]
        )
    )
    saved = visit.saved(tmp_path / "b.png", page.get_by_role("link", name="Download a.swift.png").click)
    assert decode_pixels(saved).shape == (48, 64, 3)
    page.get_by_role("button", name="Remove a.png").click()
    until(lambda: not page.inner_text("#uploads"))
