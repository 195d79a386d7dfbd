"""Pictures for docs/live.md: ``python -m benchmarks.screenshots [docs]``.

Takes chromium for the page; Xvfb, xdotool and openbox for the window; what is missing is left out, and said.
All that is to be seen on them is samples/bunny.mp4, painted.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2

from tests.live.screen import MISSING, Screen
from tests.live.web.browsing import browser, colors, missing, served, until

FILM = Path("samples/bunny.mp4")
SIZES = {"desktop": (1280, 800), "phone": (390, 844)}
SETTLE_SECONDS = 12.0
"""Until the picture is as sharp as the connection gives it, and all stills are painted."""

QUALITY = 66


def main(folder: Path) -> None:
    print(f"page: {missing() or _page(folder)}")
    print(f"window: needs {', '.join(MISSING)}" if MISSING else f"window: {_window(folder)}")


def _page(folder: Path) -> str:
    with tempfile.TemporaryDirectory() as place, served(FILM, "--loop", "--size", "640x360") as (url, _):
        clip = Path(place) / "bunny.mp4"
        _vidgan(
            "stylize", FILM, "-o", clip, "-s", "starry", "--strength", "0", "--size", "360", "--frames", "50"
        )
        with browser() as opened:
            page = opened.new_page()
            page.goto(url)
            until(lambda: colors(page))
            page.set_input_files("#file", clip)
            until(lambda: "50 frames painted" in page.inner_text("#clips"))
            page.evaluate(
                "document.querySelectorAll('#clips video').forEach((video) => (video.currentTime = 1))"
            )
            time.sleep(SETTLE_SECONDS)
            for name, (width, height) in SIZES.items():
                page.set_viewport_size({"width": width, "height": height})
                time.sleep(1)
                path = folder / f"live-{name}.jpg"
                page.screenshot(path=path, type="jpeg", quality=QUALITY, full_page=True)
    return ", ".join(f"live-{name}.jpg" for name in SIZES)


def _window(folder: Path) -> str:
    with tempfile.TemporaryDirectory() as place, Screen(Path(place)) as screen:
        words = ["live", str(FILM), "--loop", "--size", "640x360", "--style", "wave"]
        env = {**os.environ, "DISPLAY": screen.display}
        with subprocess.Popen([sys.executable, "-m", "vidgan", *words], env=env) as process:
            screen.wait_for(lambda seen: seen[:360, :640].std() > 20)
            screen.press("v")
            time.sleep(1)
            seen = screen.seen()[:360, :640]
            screen.press("q")
            process.wait(timeout=60)
    path = folder / "live-window.jpg"
    cv2.imwrite(str(path), cv2.cvtColor(seen, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return path.name


def _vidgan(*words: object) -> None:
    subprocess.run([sys.executable, "-m", "vidgan", *map(str, words), "--quiet"], check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs"))
