"""Runs every case and writes the table to docs/fidelity.md; fails if something is not as it should be."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import av

# Where pytest finds what tests share.
sys.path.insert(0, str(Path(__file__).parents[1]))

import vidgan
from matrix.cases import CASES, Case
from matrix.check import Outcome, left_out, run
from matrix.reading import READING

TABLE = Path(__file__).parents[2] / "docs" / "fidelity.md"

HEADER = """# Fidelity

What goes in and what comes out, written by `python -m tests.matrix`, which makes each input, stylizes it,
and decodes and probes both sides. What is checked is what a case is there for; of each the same is asked
besides: every frame is there once, at its time, of its size, with its colour tags; every other stream is
there, packet for packet and in step, with chapters and tags; what cannot be is said. Pixels (dB is the PSNR
of the worst frame) are compared with `strength=0`, times and streams also with all painting. A ✓ in the last
column: FFprobe sees the same of the output as PyAV.

{versions}

| case | in | out | what is checked | result | FFprobe |
|---|---|---|---|---|---|
"""


def main() -> int:
    style = vidgan.load_style("starry", device="cpu")
    cases, rows, failed = [*CASES, *READING], [], []
    for case in cases:
        outcome = _outcome(case, style)
        rows.append(_row(case, outcome))
        if outcome.wrong:
            failed.append(case.name)
        print(f"{case.name}: {'; '.join(outcome.wrong) or outcome.result}")
    TABLE.write_text(HEADER.format(versions=_versions()) + "\n".join(rows) + "\n", encoding="utf-8")
    print(f"{len(cases)} cases, {len(failed)} not as they should be {failed or ''}")
    return 1 if failed else 0


def _outcome(case: Case, style: vidgan.Session) -> Outcome:
    if why := left_out(case):
        return Outcome(wrong=[], result=f"not run: {why}")
    with tempfile.TemporaryDirectory() as folder:
        return run(case, Path(folder), style)


def _row(case: Case, outcome: Outcome) -> str:
    result = "**wrong**: " + "; ".join(outcome.wrong) if outcome.wrong else outcome.result
    cells = [case.name, case.input, case.output_in_words, case.covers, result, "✓" if outcome.probed else ""]
    return "| " + " | ".join(each.replace("|", "\\|") for each in cells) + " |"


def _versions() -> str:
    library = ".".join(map(str, av.library_versions["libavcodec"]))
    found = shutil.which("ffprobe")
    if found is None:
        return f"PyAV {av.__version__} with libavcodec {library}; without FFprobe's second opinion."
    probe = subprocess.run([found, "-version"], capture_output=True, text=True, check=True).stdout.split()[2]
    return (
        f"PyAV {av.__version__} with FFmpeg {av.ffmpeg_version_info} (libavcodec {library}), FFprobe {probe}."
    )


if __name__ == "__main__":
    sys.exit(main())
