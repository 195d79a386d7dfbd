"""A style made of an image, trained further on that image, by the training package in processes of its own."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

from vidgan.errors import InputNotFoundError, ModelError
from vidgan.models.names import check_new_name
from vidgan.models.store import install, name_for, user_data
from vidgan.models.universal.generator import PREDICTOR
from vidgan.models.universal.installation import find_universal
from vidgan.tasks.style.images import style_of

_NEEDED = "training.cli.refine", "export.cli", "torch"
LONG_SIDE = 512
"""Long side of the image in training, in pixels, for strokes of the usual size."""

OnLine = Callable[[str], None]
"""Called with each line of progress."""


def refine(
    image: Path,
    photos: Sequence[Path],
    *,
    minutes: float = 20.0,
    name: str | None = None,
    stroke: float = 1.0,
    overwrite: bool = False,
    on_line: OnLine | None = None,
) -> Path:
    """Trains the style of an image for some minutes and makes the result one of the user's models.

    The training begins with the weights that the universal style model gives the image; its loss network is that
    model's too, so nothing is downloaded. An interrupted training is continued by the same call.

    Args:
        image: any that can be a style.
        photos: folders of photos to train with, 24 in all at least.
        minutes: time to train for.
        name: what to call the model; the image's by default.
        stroke: size of strokes, 1 for the usual.
        overwrite: replace a model of that name.

    Returns:
        The model's folder.

    Raises:
        InputError: the image or a folder cannot be read.
        ModelError: the training package, PyTorch or the universal style model is not installed, the name is taken, or
            the training failed.
        OutputError: the user's data folder cannot be written.
    """
    _check_installed(image)
    name = check_new_name(name or name_for(image), overwrite=overwrite)
    for folder in photos:
        if not folder.is_dir():
            raise InputNotFoundError(f"{folder}: no such folder of photos")
    predictor = find_universal(str(image)) / PREDICTOR
    init = folded_weights(image, stroke)
    run = user_data() / "refined" / init.parent.name
    notify = on_line or (lambda line: None)
    side = str(round(LONG_SIDE * stroke))

    def steps_only(line: str) -> None:
        # What else it prints is about files that are moved afterwards.
        if line.startswith("["):
            notify(line)

    folders = [part for folder in photos for part in ("--photos", str(folder))]
    training = [str(image), "--init", str(init), *folders, "--image-size", side]
    training += ["--weights", f"squeezenet={predictor}", "--minutes", f"{minutes:g}", "--out", str(run)]
    _run("training", ["refine", *training], lambda line: None if line.startswith("done: ") else notify(line))
    with tempfile.TemporaryDirectory(prefix="vidgan-refine-") as place:
        title = f"Style of {image.name}, refined"
        _run("export", [str(run), "--out", place, "--name", name, "--title", title, "--compact"], steps_only)
        (Path(place) / "card.md").write_text(_card(name, image, minutes), encoding="utf-8")
        folder = install(Path(place), name, overwrite=overwrite)
    shutil.rmtree(run, ignore_errors=True)
    return folder


def folded_weights(image: Path, stroke: float) -> Path:
    """The model file that training starts from: the weights that the universal style model gives an image.

    Raises:
        InputError, ModelError, OutputError: as of :func:`vidgan.tasks.style.images.style_of`.
    """
    return style_of([(str(image), 1.0)], stroke=stroke).folder / "float32.onnx"


def _check_installed(image: Path) -> None:
    for module in _NEEDED:
        try:
            found = find_spec(module)
        except ModuleNotFoundError:
            found = None
        if found is None:
            raise ModelError(
                f"{image}: refining needs PyTorch and vidgan's training package: in a copy of its source, "
                "pip install -e '.[train]'"
            )


def _run(module: str, arguments: Sequence[str], on_line: OnLine) -> None:
    """Runs a module of the training side and passes its lines on.

    Raises:
        ModelError: it failed; with its last line.
    """
    command = [sys.executable, "-u", "-m", module, *arguments]
    last = ""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8", errors="replace"
    ) as process:  # fmt: skip
        assert process.stdout is not None
        try:
            for line in process.stdout:
                last = line.strip() or last
                on_line(line.rstrip("\n"))
        except KeyboardInterrupt as exc:
            process.terminate()
            exc.add_note("the training continues from its last checkpoint when the same command is run again")
            raise
    if process.returncode:
        raise ModelError(
            last.removeprefix("error: ") or f"{module}: ended with exit code {process.returncode}"
        )


def _card(name: str, image: Path, minutes: float) -> str:
    return (
        f"# {name}\n\nStyle of {image.name}: the universal style model's, trained further on the image for about "
        f"{minutes:g} minutes. The terms of the image hold for it too.\n"
    )
