"""What vidgan's wrapper costs beside the graph that it wraps: ``python -m benchmarks.wrapping FILE...``.

Adds each file, then runs the bare graph and its wrapped forms by turns, on one thread and one image of the same
size. Compares the least CPU times: those of the graph alone, for images that are floats already, of the form for RGB,
and of the form for luma and chroma where there is one, which videos use. Files in half precision are compared
in float32, as the CPU runs them.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from vidgan.importer.adding import WEIGHTS, Options, add_model
from vidgan.importer.geometry import examine_geometry, laid_out
from vidgan.importer.graph import read_graph, relaxed
from vidgan.importer.precision import is_half, to_float32
from vidgan.importer.wrapping import upgraded
from vidgan.session.runtime import ort

_ROUNDS = 20


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE.onnx")
    files = parser.parse_args().files
    if any(each.suffix in WEIGHTS for each in files):
        parser.error("weights of PyTorch have no bare graph; convert them to ONNX")
    print("| file | image | bare graph ms | RGB | luma and chroma |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as place:
        os.environ["VIDGAN_MODELS"] = f"{place}/models"
        for file in files:
            added = add_model(file, Options(name="measured", best=True, overwrite=True))
            sides = added.findings.fixed or (224, 224)
            runs = [bare_run(file, sides), *wrapped_runs(added.folder, sides)]
            bare, *wrapped = least_seconds(runs)
            cells = [f"{each / bare - 1:+.1%}" for each in wrapped]
            cells = [
                file.name,
                f"{sides[1]}x{sides[0]}",
                f"{1000 * bare:.1f}",
                *cells,
                *[""] * (2 - len(cells)),
            ]
            print(f"| {' | '.join(cells)} |", flush=True)


def bare_run(file: Path, sides: tuple[int, int]) -> Callable[[], object]:
    """The file itself, which may need margins and multiples that the wrapper adds."""
    model = upgraded(read_graph(file.read_bytes(), {}).model)
    graph = read_graph((to_float32(model) if is_half(model) else model).SerializeToString(), {})
    geometry, _ = examine_geometry(graph, seconds=60)
    margins = (-(-each // (2 * geometry.scale)) for each in geometry.border)
    taken = geometry.taken((sides[0] + 2 * next(margins), sides[1] + 2 * next(margins)))
    image = np.random.default_rng(0).random((*taken, geometry.channels_in), np.float32)
    session = _session(relaxed(graph, geometry.layout_in).SerializeToString())
    feeds = {graph.image.name: laid_out(image, geometry.layout_in)}
    return lambda: session.run([geometry.output], feeds)


def wrapped_runs(folder: Path, sides: tuple[int, int]) -> list[Callable[[], object]]:
    """The form for RGB, and that for luma and chroma if there is one."""
    rng = np.random.default_rng(0)
    halves = sides[0] // 2, sides[1] // 2
    image = {"image": rng.integers(0, 256, (1, *sides, 3), np.uint8)}
    rgb = _session((folder / "float32.onnx").read_bytes())
    planar = folder / "float32-yuv420.onnx"
    if not planar.exists():
        return [lambda: rgb.run(None, image)]
    planes = {
        "luma": rng.integers(0, 256, (1, *sides), np.uint8),
        "chroma": rng.integers(0, 256, (1, *halves, 2), np.uint8),
    }
    yuv = _session(planar.read_bytes())
    return [lambda: rgb.run(None, image), lambda: yuv.run(None, planes)]


def least_seconds(runs: list[Callable[[], object]]) -> list[float]:
    """CPU time of the calling thread, the least of several rounds."""
    least = [float("inf")] * len(runs)
    for _ in range(_ROUNDS):
        for place, run in enumerate(runs):
            started = time.thread_time()
            run()
            least[place] = min(least[place], time.thread_time() - started)
    return least


def _session(data: bytes) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    return ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])


if __name__ == "__main__":
    main()
