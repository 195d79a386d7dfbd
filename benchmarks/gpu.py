"""How fast a GPU processes: what a plain call, buffers, CUDA graphs and TensorRT give, and whole videos.

::

    python -m benchmarks.gpu [--style NAME] [--seconds S] [--json FILE]

The first table has no video in it: frames lie in the machine's memory and come back to it, uint8 RGB both
ways. The second is ``vidgan.stylize`` from H.264 to H.264 with its default smoothing. The JSON file is
written anew after each line, so that a run that is cut short leaves what it had. Needs neither PyAV, without
which the videos are left out, nor more than what ``vidgan.session`` imports.
"""

import argparse
import json
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidgan.errors import VidganError
from vidgan.models.registry import ModelSpec, find_model
from vidgan.session import ONNXRUNTIME_VERSION, Session, missing_for_cuda, missing_for_tensorrt
from vidgan.session.binding import IN_FLIGHT, FixedShapeSession, Shapes, bind, on_device
from vidgan.session.inference import NoMemoryError, call
from vidgan.session.loading import load

Images = NDArray[np.uint8]
Run = Callable[[Images], object]

SAMPLE = Path(__file__).resolve().parent.parent / "samples" / "bunny.mp4"
SIZES = {(1280, 720): 72, (1920, 1080): 48, (3840, 2160): 24}
"""Width and height, and frames of a video."""


def main() -> None:
    """Prints both tables; ends with 1 where there is no CUDA."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--style", default="starry")
    parser.add_argument("--seconds", type=float, default=0.8, help="of a measurement, at most")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    if missing := missing_for_cuda():
        sys.exit(f"no CUDA here: {missing}")
    report = Report(options.json)
    print(f"{'':26}{'':12}{'fps':>9}{'ms':>9}   tensors only, {options.style} float16")
    spec = find_model(options.style, precision="float16")
    for width, height in SIZES:
        for way, opened in ways(spec).items():
            report.line(way, f"{width}x{height}", lambda: speed(opened, width, height, options.seconds))  # noqa: B023
    print(f"{'':26}{'':12}{'fps':>9}{'ms':>9}   videos")
    for (width, height), frames in SIZES.items():
        report.line("video", f"{width}x{height}", lambda: video(options.style, width, height, frames))  # noqa: B023
    if missing := missing_for_tensorrt():
        print(f"TensorRT left out: {missing}")
        return
    for width, height in SIZES:  # Last, since building may take minutes.
        report.line(
            "TensorRT",
            f"{width}x{height}",
            lambda: speed(tensorrt(spec), width, height, options.seconds),  # noqa: B023
        )


class Report:
    """Lines on the screen and in a file."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._machine = machine()
        self._lines: list[dict[str, Any]] = []
        print(", ".join(self._machine.values()))

    def line(self, way: str, size: str, measure: Callable[[], float]) -> None:
        """One measurement, in frames a second, or why there is none."""
        try:
            fps = measure()
        except (VidganError, NoMemoryError, ImportError) as exc:
            found: dict[str, Any] = {"left out": str(exc) or type(exc).__name__}
            print(f"{way:26}{size:12}left out: {found['left out']}", flush=True)
        else:
            found = {"fps": round(fps, 2)}
            print(f"{way:26}{size:12}{fps:9.1f}{1000 / fps:9.2f}", flush=True)
        self._lines.append({"way": way, "size": size, **found})
        if self._path is not None:
            self._path.write_text(json.dumps({"machine": self._machine, "lines": self._lines}, indent=2))


def machine() -> dict[str, str]:
    """What was measured on."""
    query = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader", "--id=0"]
    try:
        gpu = subprocess.run(query, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        gpu = "a GPU that nvidia-smi does not tell"
    return {
        "gpu": gpu,
        "onnxruntime": f"onnxruntime {ONNXRUNTIME_VERSION}",
        "python": f"Python {platform.python_version()}",
        "numpy": f"NumPy {np.__version__}",
        "system": platform.platform(),
    }


Opened = Callable[[int, int], tuple[Run, int]]
"""For a height and a width, what runs such an image, and how many at a time."""


def ways(spec: ModelSpec) -> dict[str, Opened]:
    """From the simplest to what vidgan does."""

    def plain(height: int, width: int) -> tuple[Run, int]:
        model = on_device(lambda: load(spec, "cuda", 1))
        return lambda image: on_device(lambda: call(model, [image])), 1

    def buffers(height: int, width: int) -> tuple[Run, int]:
        searched = {"cudnn_conv_algo_search": "EXHAUSTIVE"}
        shapes: Shapes = [(1, height, width, 3)]
        bound = on_device(
            lambda: FixedShapeSession(load(spec, "cuda", 1, provider_options=searched), shapes, device="cuda")
        )
        return lambda image: bound.run([image]), 1

    def graphs(height: int, width: int) -> tuple[Run, int]:
        bound, said = on_device(lambda: bind(spec, "cuda", 1, [(1, height, width, 3)]))
        print(*(f"note: {each}" for each in said), sep="\n", end="\n" if said else "")
        return lambda image: bound.run([image]), 1

    def whole(height: int, width: int) -> tuple[Run, int]:
        session = Session(spec, device="cuda")
        return session.run, session.workers

    return {
        "plain": plain,
        "buffers": buffers,
        f"buffers, {IN_FLIGHT} at a time": lambda *size: (buffers(*size)[0], IN_FLIGHT),
        "CUDA graph": graphs,
        "session": whole,
    }


def tensorrt(spec: ModelSpec) -> Opened:
    """The same session with an engine."""

    def opened(height: int, width: int) -> tuple[Run, int]:
        session = Session(spec, device="tensorrt")
        return session.run, session.workers

    return opened


def speed(opened: Opened, width: int, height: int, seconds: float) -> float:
    """Frames a second, of a camera that moves."""
    run, at_a_time = opened(height, width)
    rng = np.random.default_rng(0)
    first = rng.integers(0, 256, (1, height, width, 3), np.uint8)
    images = [np.ascontiguousarray(np.roll(first, 16 * index, 2)) for index in range(4)]
    for image in images:
        run(image)
    with ThreadPoolExecutor(at_a_time) as pool, stopwatch() as elapsed:
        numbers = count()

        def worker() -> int:
            done = 0
            while elapsed() < seconds:
                run(images[next(numbers) % len(images)])
                done += 1
            return done

        done = sum(each.result() for each in [pool.submit(worker) for _ in range(at_a_time)])
        return done / elapsed()


@contextmanager
def stopwatch() -> Iterator[Callable[[], float]]:
    """Seconds since it began."""
    started = time.perf_counter()
    yield lambda: time.perf_counter() - started


def video(style: str, width: int, height: int, frames: int) -> float:
    """Frames a second of the sample, enlarged."""
    import vidgan
    from vidgan.media.trim import Trim

    with tempfile.TemporaryDirectory() as folder:
        result = vidgan.stylize(
            SAMPLE,
            Path(folder) / "out.mp4",
            style=style,
            size=f"{width}x{height}",
            trim=Trim(frames=frames),
            device="cuda",
        )
    assert result.device == "cuda"
    return result.fps


if __name__ == "__main__":
    main()
