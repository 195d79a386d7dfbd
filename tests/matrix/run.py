"""Runs a case: makes the input, stylizes it, and compares both sides.

Pixels are compared by a run with ``strength=0`` and without temporal filter, which changes nothing by itself;
times and streams also by a run at full strength.
"""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av

import vidgan
from vidgan.media.ffmpeg import ColorMatrix
from vidgan.session import Session

from .case import Case
from .comparison import differences, worst_psnr, wrong_stylization, wrong_warnings
from .ffmpeg_cli import by_ffmpeg
from .media import encoders_of
from .probing import disagreements
from .sides import Side, decode


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The result of a case.

    Attributes:
        wrong: sentences; none, if all is as it should be.
        result: in a few words.
        probed: whether FFprobe gave a second opinion.
    """

    wrong: list[str]
    result: str
    probed: bool = False


def run(case: Case, folder: Path, style: Session) -> Outcome:
    """Makes the input of a case in an empty folder, stylizes it, and compares."""
    source = case.make(folder)
    if case.refused is not None:
        return _refused(case, source, folder, style)
    before = decode(source)
    plain, warnings = _stylized(case, source, folder / "plain", style, strength=0.0, smooth="off")
    # YUV4MPEG has no tag of the matrix; its reader has to know.
    after = decode(plain, matrix=before.color[2] if plain.suffix == ".y4m" else ColorMatrix.UNSPECIFIED)
    wrong = [*differences(case, before, after, plain), *wrong_warnings(case, warnings)]
    if case.also is not None:
        wrong += case.also(source, plain)
    if not case.output.startswith("-"):  # That would be another process, with a model to load.
        wrong += wrong_stylization(after, decode(_stylized(case, source, folder / "stylized", style)[0]))
    probed = [disagreements(path, side) for path, side in ((source, before), (plain, after))]
    wrong += [each for found in probed for each in found or ()]
    return Outcome(
        wrong=wrong,
        result="; ".join([_frames_in_words(case, before, after), *map(_in_words, warnings)]),
        probed=probed[1] is not None,
    )


def skip_reason(case: Case) -> str | None:
    """Why a case cannot be run here, if it cannot."""
    if getattr(case.make, "func", None) is by_ffmpeg and shutil.which("ffmpeg") is None:
        return "its input is made by the command ffmpeg, which is not here"
    missing = sorted(encoders_of(case.make) - av.codecs_available)
    return f"PyAV has no encoder {', '.join(missing)} here" if missing else None


def _refused(case: Case, source: Path, folder: Path, style: Session) -> Outcome:
    assert case.refused is not None
    kind, words = case.refused
    there = set(folder.rglob("*"))
    wrong = []
    try:
        vidgan.stylize(source, folder / case.output, style=style, **case.options)
    except kind as exc:
        result = str(exc).replace(f"{folder}/", "")
        if words not in result:
            wrong.append(f"refused, but not for {words!r}: {result}")
    else:
        return Outcome(wrong=["was not refused"], result="")
    if left := set(folder.rglob("*")) - there:
        wrong.append(f"left {', '.join(sorted(each.name for each in left))}")
    return Outcome(wrong=wrong, result=f"refused: {result}")


def _stylized(
    case: Case, source: Path, folder: Path, style: Session, **changes: Any
) -> tuple[Path, list[str]]:
    """The output, and the warnings."""
    folder.mkdir()
    options = {**case.options, **changes}
    if case.output.startswith("-"):
        return _piped(source, folder, case.output, style, options), []
    output = folder / case.output
    result = vidgan.stylize(source, output, style=style, **options)
    assert not list(folder.glob(".*")), "nothing hidden is left"
    return (output.parent if "%" in output.name else output), [
        each.replace(f"{folder}/", "").replace(f"{source.parent}/", "") for each in result.warnings
    ]


def _piped(source: Path, folder: Path, output: str, style: Session, options: dict[str, Any]) -> Path:
    """Standard output, written to a file."""
    path = folder / f"piped.{output[1:]}"
    arguments = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    with path.open("wb") as piped:
        subprocess.run(
            [sys.executable, "-m", "vidgan", "stylize", str(source), "-o", "-", "--style", style.spec.name,
             "--device", "cpu", "--pipe-format", output[1:], *arguments],
            stdout=piped, stderr=subprocess.PIPE, check=True, timeout=120,
        )  # fmt: skip
    return path


def _frames_in_words(case: Case, before: Side, after: Side) -> str:
    count, worst = len(after.images), worst_psnr(case, before, after)
    return f"{count} frame{'s' if count > 1 else ''}" + ("" if worst is None else f", {worst:.0f} dB")


def _in_words(warning: str) -> str:
    return f"warns “{warning.split(': ', 1)[-1]}”"
