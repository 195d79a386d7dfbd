"""Code and documents use the field's words (docs/glossary.md), not the ones that they replaced."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = (
    "vidgan/*.py",
    "training/*.py",
    "export/*.py",
    "benchmarks/*.py",
    "docs/*.md",
    "vidgan/*.js",
    "README.md",
)

# Old word: the one that took its place. Words of style transfer's prose ("paint") are not on the list.
REPLACED = {
    "Painter": "ImageModel",
    "run_planes": "run_yuv",
    "run_next": "step",
    "takes_planes": "takes_yuv",
    "next_past": "next_state",
    "Relation": "MotionEstimate",
    "open_steadier": "temporal filter",
    "FlowSmoother": "FlowFilter",
    "unsteadiness": "temporal consistency loss",
    "steady_weight": "temporal_weight",
    "known_light": "given_stats",
    "even_lightness": "local contrast normalization",
    "fold_pixels": "pixel_unshuffle",
    "take_over": "load_folded_weights",
    "fooled": "generator_loss",
    "late_cycle": "cycle_weight_decay",
    "identity_share": "lambda_identity",
    "drawn_in": "output_palette",
    "palette_of": "input_palette",
    "misfit": "out_of_palette_fraction",
    "overheard": "stderr capture",
    "outlet": "SinkThread",
    "visitor": "client",
    "visitors": "clients",
    "wishes": "updates",
    "Shot": "FramePair",
    "Brush": "LiveStylizer",
    "EncodedPart": "EncodedSegment",
    "PartWriter": "SegmentEncoder",
    "PartFile": "AtomicFile",
    "PlanarFrame": "Frame(image=YuvImage)",
}
# Where the words may stand: this list, names of metadata in old files, the history.
ALLOWED = {
    "docs/glossary.md",
    "training/core/compatibility.py",
    "vidgan/media/tiling.py",
}


@pytest.mark.parametrize("word", sorted(REPLACED))
def test_a_replaced_word_is_gone(word: str) -> None:
    found = subprocess.run(
        ["git", "grep", "-nIw", word, "--", *FILES], cwd=ROOT, capture_output=True, text=True
    )
    if found.returncode > 1:
        pytest.skip("not a git checkout")
    lines = [line for line in found.stdout.splitlines() if line.partition(":")[0] not in ALLOWED]
    assert not lines, f"{REPLACED[word]} is the word: {lines[:3]}"


def test_docstrings_are_sentences() -> None:
    """No docstring begins with a fragment such as "Of …" or "What …"."""
    fragment = re.compile(r'^\s*"""(Of|What)\b')
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for top in ("vidgan", "training", "export")
        for path in (ROOT / top).rglob("*.py")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if fragment.match(line)
    ]
    assert not found, found


def test_lines_are_short() -> None:
    """At most 120 characters in code and prose, apart from tables and addresses."""
    found = []
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if len(line) > 120 and not line.startswith(("|", "    ")) and "](" not in line:
                found.append(f"{path.relative_to(ROOT)}:{number}")
    assert not found, found
