"""Headless Chromium, and a real server for it."""

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

_FLAGS = [
    "--no-sandbox",
    # A synthetic camera, without a permission prompt.
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]

_COLORS = """() => {
    const video = document.querySelector("#video"), canvas = document.createElement("canvas");
    if (!video.videoWidth) return null;
    canvas.width = 8;
    canvas.height = 6;
    const context = canvas.getContext("2d");
    context.drawImage(video, 0, 0, 8, 6);
    return [...context.getImageData(0, 0, 8, 6).data];
}"""


def missing() -> str | None:
    """What a browser test needs and is missing; None if it can run."""
    try:
        import aiohttp  # noqa: F401
        import aiortc  # noqa: F401
        import playwright  # noqa: F401
    except ImportError as exc:
        return f"needs {exc.name}"
    return None if CHROMIUM else "needs chromium"


@contextmanager
def served(*arguments: object) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Runs ``vidgan live --web`` with these arguments; yields the URL of the page and the process."""
    command = [sys.executable, "-m", "vidgan", "live", *map(str, arguments), "--web", "127.0.0.1:0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            lines = iter(process.stderr.readline, "")
            line = next((line for line in lines if line.startswith("page: ")), None)
            assert line is not None, "the server did not start"
            yield line.split()[1], process
        finally:
            if process.poll() is None:
                process.terminate()
            process.communicate(timeout=60)


@contextmanager
def browser(*flags: str) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=[*_FLAGS, *flags])
        try:
            yield opened
        finally:
            opened.close()


def until(poll: Callable[[], Any]) -> Any:
    """Polls until a value is true; returns it."""
    end = time.monotonic() + 120
    while not (value := poll()):
        assert time.monotonic() < end, "the value never became true"
        time.sleep(0.1)
    return value


def colors(page: Any) -> list[int] | None:
    """The video scaled to 8x6 pixels, as a flat list of RGBA; None before the first frame."""
    return page.evaluate(_COLORS)


def distance(one: list[int], other: list[int]) -> float:
    return sum(abs(a - b) for a, b in zip(one, other, strict=True)) / len(one)
