"""Whether ``models add`` finds the convention of three networks, each rewritten for twelve.

``python -m benchmarks.conventions`` writes the 36 files, adds each without any hint, and prints what was chosen and
the PSNR between the added model and the bundled one that the file was made of. A convention that was chosen is right
from 40 dB; one that was asked for is right where it is among the choices.
"""

import argparse
import os
import resource
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np

from tests.support.conventions import CONVENTIONS, NETWORKS
from tests.support.foreign import psnr
from tests.support.foreign_nets import rewritten
from vidgan.importer.adding import Options, UnclearConventionError, add_model
from vidgan.importer.convention import SAME_DB, Convention
from vidgan.importer.photos import load_photos
from vidgan.models.registry import find_model
from vidgan.session import Session


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--network", choices=NETWORKS, action="append", help="default: all three")
    networks = parser.parse_args().network or list(NETWORKS)
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as place:
        os.environ |= {"VIDGAN_MODELS": f"{place}/models", "XDG_CACHE_HOME": f"{place}/cache"}
        print("| network | convention of the file | outcome | taken for | CPU s |\n|---|---|---|---|---|")
        for name in networks:
            for convention in CONVENTIONS:
                outcome, words, seconds = attempt(name, convention, Path(place))
                counts[outcome] += 1
                print(f"| {name} | {convention} | {outcome} | {words} | {seconds:.1f} |", flush=True)
    print(", ".join(f"{count} {outcome}" for outcome, count in counts.items()))
    if counts["wrong"]:
        raise SystemExit("a convention was wrong without a question")


def attempt(name: str, convention: Convention, place: Path) -> tuple[str, str, float]:
    """The outcome, what it was taken for, and the CPU time of the examination in seconds."""
    file = rewritten(name, convention, place / "rewritten.onnx")
    before = _cpu_seconds()
    try:
        found = add_model(file, Options(name="rewritten", overwrite=True)).findings
    except UnclearConventionError as exc:
        among = "with it" if str(convention) in exc.choices else "WITHOUT it"
        words = f"{len(exc.choices)} choices {among}; 1: {exc.choices[0]}"
        return "asked", words, _cpu_seconds() - before
    seconds = _cpu_seconds() - before
    photo = np.rint(load_photos()[1] * 255).astype(np.uint8)[np.newaxis, :128, :128]
    ours, target = (
        Session(find_model(each, precision="float32"), device="cpu", threads=1).run(photo)[0]
        for each in ("rewritten", name)
    )
    db = psnr(ours, target)
    return "chosen" if db >= SAME_DB else "wrong", f"{found.convention} ({db:.1f} dB)", seconds


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
