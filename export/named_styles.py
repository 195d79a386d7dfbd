"""Style vectors that come with the universal style model, predicted from a committed list of paintings.

::

    python -m export.named_styles vidgan/models/any --paintings FOLDER…

writes ``styles.npz`` and ``styles.json`` beside the universal style model in that folder: vectors of the paintings in
``export/named_styles.toml``, which ``--style`` takes by name. With ``--bundled`` it adds those of the bundled styles'
paintings, so that blends of these are folded once: faster than mixing their outputs, and only as good as the universal
style model. The command is run again whenever that model has changed.
"""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

import training.recipes
from training.cli.options import Folder
from training.cli.program import run_program
from vidgan.models.registry import bundled_models
from vidgan.models.universal.generator import PREDICTOR
from vidgan.models.universal.installation import is_universal
from vidgan.models.universal.named_styles import NamedStyle, write_named_styles
from vidgan.session.style_predictor import predict_style
from vidgan.tasks.style.images import FIDELITY
from vidgan.tasks.style.painting import read_painting

_LIST = Path(__file__).with_suffix(".toml")
_BUNDLED = Path(training.recipes.__file__).with_name("bundled.toml")


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("folder", type=Folder)
@click.option(
    "--paintings", type=Folder, multiple=True, required=True, help="Folder of paintings; repeatable."
)
@click.option("--bundled", is_flag=True, help="Also the paintings of bundled styles, for blends of these.")
def cli(folder: Path, paintings: tuple[Path, ...], bundled: bool) -> None:
    """Write the style vectors of the listed paintings beside the universal style model in FOLDER."""
    if not is_universal(folder):
        raise click.UsageError(f"{folder}: holds no universal style model; 'python -m export' writes one")
    listed = read_list()
    styles = {style: predict(folder, _found(image, paintings)) for style, image in listed.items()}
    trained = bundled_paintings() if bundled else {}
    own = {name: predict(folder, _found(image, paintings)) for name, image in trained.items()}
    for path in write_named_styles(folder, styles, own):
        click.echo(f"{path}: {len(styles)} styles, and {len(own)} of bundled ones")


def read_list(path: Path = _LIST) -> dict[NamedStyle, str]:
    """The styles of a list, and the names of their images."""
    listed: Mapping[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    styles = {}
    for name, entry in listed["styles"].items():
        facts = {key: entry[key] for key in ("title", "artist", "year")}
        source = listed["sources"][entry["source"]]
        style = NamedStyle(
            name=name, source=source, terms=listed["terms"], license=listed["license"], **facts
        )
        styles[style] = str(entry["image"])
    return styles


def bundled_paintings() -> dict[str, str]:
    """The images that bundled styles were trained with, by their names."""
    recipes = tomllib.loads(_BUNDLED.read_text(encoding="utf-8"))
    return {name: recipes[name]["image"] for name in bundled_models("style")}


def predict(folder: Path, image: Path) -> NDArray[np.float32]:
    """The style vector of an image, as ``--style IMAGE`` has it."""
    painting, _ = read_painting(image, stroke=1.0)
    return predict_style(folder / PREDICTOR, painting, fidelity=FIDELITY)


def _found(name: str, folders: Sequence[Path]) -> Path:
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    raise FileNotFoundError(f"{name}: is in none of {', '.join(map(str, folders))}")


def main() -> None:
    """Runs the command line; expected errors become one line and exit code 1."""
    run_program(cli, expected=(OSError, ValueError))


if __name__ == "__main__":
    main()
