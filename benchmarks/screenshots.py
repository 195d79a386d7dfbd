"""Screenshots for docs/live.md: ``python -m benchmarks.screenshots [docs]``.

The page needs Chromium; the window needs Xvfb, xdotool and openbox. Screenshots whose programs are missing are skipped
with a message. The video is samples/bunny.mp4.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2

from tests.live.web.browser import browser, colors, missing, served, until
from tests.live.x_server import MISSING, XServer

VIDEO = Path("samples/bunny.mp4")
SIZES = {"desktop": (1280, 800), "phone": (390, 844)}
SETTLE_SECONDS = 12.0
"""Time for WebRTC to reach its bit rate, and for all thumbnails."""

QUALITY = 66


def main(folder: Path) -> None:
    print(f"page: {missing() or _page(folder)}")
    print(f"window: needs {', '.join(MISSING)}" if MISSING else f"window: {_window(folder)}")


def _page(folder: Path) -> str:
    with tempfile.TemporaryDirectory() as temporary, served(VIDEO, "--loop", "--size", "640x360") as (url, _):
        clip = Path(temporary) / "bunny.mp4"
        _vidgan(
            "stylize", VIDEO, "-o", clip, "-s", "starry", "--strength", "0", "--size", "360", "--frames", "50"
        )
        with browser() as opened:
            page = opened.new_page()
            page.goto(url)
            until(lambda: colors(page))
            page.set_input_files("#file", clip)
            until(lambda: "done, 50 frames" in page.inner_text("#uploads"))
            page.evaluate(
                "document.querySelectorAll('#uploads video').forEach((video) => (video.currentTime = 1))"
            )
            time.sleep(SETTLE_SECONDS)
            for name, (width, height) in SIZES.items():
                page.set_viewport_size({"width": width, "height": height})
                time.sleep(1)
                path = folder / f"live-{name}.jpg"
                page.screenshot(path=path, type="jpeg", quality=QUALITY, full_page=True)
    return ", ".join(f"live-{name}.jpg" for name in SIZES)


def _window(folder: Path) -> str:
    with tempfile.TemporaryDirectory() as temporary, XServer(Path(temporary)) as server:
        words = ["live", str(VIDEO), "--loop", "--size", "640x360", "--style", "wave"]
        env = {**os.environ, "DISPLAY": server.display}
        with subprocess.Popen([sys.executable, "-m", "vidgan", *words], env=env) as process:
            server.wait_for(lambda shot: shot[:360, :640].std() > 20)
            server.press("v")
            time.sleep(1)
            shot = server.screenshot()[:360, :640]
            server.press("q")
            process.wait(timeout=60)
    path = folder / "live-window.jpg"
    cv2.imwrite(str(path), cv2.cvtColor(shot, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return path.name


def _vidgan(*words: object) -> None:
    subprocess.run([sys.executable, "-m", "vidgan", *map(str, words), "--quiet"], check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs"))
