"""A real browser that nobody looks at, and a real server that it looks at."""

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
    # A camera that shows a test picture, lent without asking anybody.
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]

_COLORS = """() => {
    const video = document.querySelector("#picture"), canvas = document.createElement("canvas");
    if (!video.videoWidth) return null;
    canvas.width = 8;
    canvas.height = 6;
    const context = canvas.getContext("2d");
    context.drawImage(video, 0, 0, 8, 6);
    return [...context.getImageData(0, 0, 8, 6).data];
}"""


def missing() -> str | None:
    """Why there is no browser to be had; None if there is."""
    try:
        import aiohttp  # noqa: F401
        import aiortc  # noqa: F401
        import playwright  # noqa: F401
    except ImportError as exc:
        return f"needs {exc.name}"
    return None if CHROMIUM else "needs chromium"


@contextmanager
def served(*arguments: object) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """``vidgan live --web`` with these arguments: where its page is, and the process."""
    command = [sys.executable, "-m", "vidgan", "live", *map(str, arguments), "--web", "127.0.0.1:0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            said = iter(process.stderr.readline, "")
            line = next((line for line in said if line.startswith("page: ")), None)
            assert line is not None, "the server ended before it began"
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


def until(found: Callable[[], Any]) -> Any:
    """What is found, once it is something."""
    end = time.monotonic() + 120
    while not (it := found()):
        assert time.monotonic() < end, "it never came"
        time.sleep(0.1)
    return it


def colors(page: Any) -> list[int] | None:
    """The live picture as 8 by 6 pixels, RGBA one after the other; None while there is none."""
    return page.evaluate(_COLORS)


def distance(one: list[int], other: list[int]) -> float:
    return sum(abs(a - b) for a, b in zip(one, other, strict=True)) / len(one)
