"""What vidgan's wrapper costs beside the graph that it wraps: ``python -m benchmarks.wrapping FILE...``.

Adds each file and profiles the wrapped model on one thread. Prints the time of the file's own nodes and of the
wrapper's, by operator. The nodes that onnxruntime puts in between, to reorder channels, count as the wrapper's.
"""

import argparse
import json
import os
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np

from vidgan.importer.adding import Options, add_model
from vidgan.session.runtime import ort

_RUNS = 5


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE")
    files = parser.parse_args().files
    print(
        "| file | image | own nodes ms | wrapper ms | share | largest nodes of the wrapper |\n|---|---|---|---|---|---|"
    )
    with tempfile.TemporaryDirectory() as place:
        os.environ["VIDGAN_MODELS"] = f"{place}/models"
        for file in files:
            added = add_model(file, Options(name="profiled", best=True, overwrite=True))
            rows, columns = added.findings.fixed or (224, 224)
            own, wrapper = profile(added.folder / "float32.onnx", (rows, columns), Path(place))
            total = sum(wrapper.values())
            largest = ", ".join(f"{name} {ms:.1f}" for name, ms in wrapper.most_common(4))
            print(
                f"| {file.name} | {columns}x{rows} | {own:.1f} | {total:.1f} | {total / own:+.1%} | {largest} |"
            )


def profile(model: Path, sides: tuple[int, int], place: Path) -> tuple[float, Counter[str]]:
    """Milliseconds of the file's nodes, and of the wrapper's by operator, for one image."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.enable_profiling = True
    options.profile_file_prefix = str(place / "profile")
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    image = np.random.default_rng(0).integers(0, 256, (1, *sides, 3), np.uint8)
    for _ in range(_RUNS):
        session.run(None, {"image": image})
    own, wrapper = 0.0, Counter[str]()
    for event in json.loads(Path(session.end_profiling()).read_text()):
        if event.get("cat") != "Node" or not event["name"].endswith("_kernel_time"):
            continue
        ms = event["dur"] / 1000 / _RUNS
        if event["name"].startswith(("wrapper/", "Reorder")):
            wrapper[event["args"]["op_name"]] += ms
        else:
            own += ms
    return own, wrapper


if __name__ == "__main__":
    main()
