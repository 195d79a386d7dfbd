"""``python -m export RUN``: a training run becomes model files."""

import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto

from export.graph import describe, halve_weights, onnx_graph, pad_floats, planar_graph
from export.parity import ParityError, check_parity, feed_of
from export.quantize import prepare_cells, quantized, round_patterns
from export.translators import facts_of, samples_for, write_translator
from export.universal import write_universal
from training.data.bicubic import shrink
from training.data.domains import split_domain
from training.data.photos import list_photos, read_picture, split_held_out
from training.networks import UPSCALERS, Generator, Upscaler, build_generator, build_upscaler
from training.networks.cost import largest_activations
from training.networks.swift import Swift
from training.recipes.cyclegan import A_TO_B, DIRECTIONS
from training.runs import TRANSLATORS, load_translator, read_run
from training.weights import part_of
from vidgan.model import Layout

PRECISIONS = ("float32", "float16", "int8")
_PATHS = (
    "photos", "paintings", "init_paintings", "weights", "image", "a", "b", "eyes",
    "inputs", "targets", "labels", "classes", "target_classes",
    "drive_labels", "drive_photos", "still_labels", "still_photos",
)  # fmt: skip
"""Of a recipe's configuration, what is a path, or several."""
_CALIBRATION_PHOTOS = 64
_ERRORS = 3


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Folder for the files; default RUN/onnx.")
@click.option("--name", help="Name of the model; default: the run's folder.")
@click.option("--title", default="", help="One line about it, for lists.")
@click.option("--license", default="CC-BY-4.0", show_default=True, help="Terms of the weights.")
@click.option(
    "--precision", "precisions", type=click.Choice(PRECISIONS), multiple=True, default=PRECISIONS,
    show_default=True, help="Variants to write; repeatable.",
)  # fmt: skip
@click.option(
    "--compact",
    is_flag=True,
    help="Keep large weights of float32 as float16: half the file, known to 11 bits; of translators as int8.",
)
@click.option(
    "--direction",
    type=click.Choice(DIRECTIONS),
    default=A_TO_B,
    show_default=True,
    help="Of a CycleGAN, which has a generator for each.",
)
@click.option("--photos", type=click.Path(exists=True, path_type=Path), multiple=True,
              help="Photos to calibrate and check with; default: those of the run.")  # fmt: skip
def cli(
    run: Path, out: Path | None, name: str | None, title: str, license: str,
    precisions: tuple[str, ...], compact: bool, direction: str, photos: tuple[Path, ...],
) -> None:  # fmt: skip
    """Write RUN's generator as self-describing .onnx files, one a precision, and check each."""
    config, saved = read_run(run)
    if config.get("recipe") in TRANSLATORS:
        _export_translator(run, out or run / "onnx", name or run.name, title, license, compact=compact)
        return
    if config.get("recipe") == "any-style":
        out = out or run / "onnx"
        write_universal(run, photos, _facts(config, saved, name or run.name, title, license, "float32"), out)
        click.echo(f"{out}: {sum(each.stat().st_size for each in out.iterdir()) / 1e6:.2f} MB")
        return
    training, held_out = _photos(config, direction, photos)
    out = out or run / ("onnx" if direction == A_TO_B else f"onnx-{direction}")
    out.mkdir(parents=True, exist_ok=True)
    part = direction if config.get("recipe") == "cyclegan" else ""
    trained = load_generator(config, saved, part)
    pictures = [picture_for(trained, path) for path in [*held_out, *training][:6]]
    # Odd sizes take paths that multiples of the stride do not.
    pictures[1], pictures[2] = pictures[1][:255, :253], pictures[2][:17, :31]
    for precision in sorted(precisions, key=PRECISIONS.index):
        for model, layout in _variants(lambda: load_generator(config, saved, part), precision, training):
            if compact and precision == "float32":
                halve_weights(model)
            worst = check_parity(model, trained, pictures, precision)
            facts = _facts(config, saved, name or run.name, title, license, precision)
            describe(model, facts | _facts_of_task(config, trained, direction) | {"layout": layout})
            path = out / f"{precision}{'' if layout == 'rgb' else f'-{layout}'}.onnx"
            path.write_bytes(model.SerializeToString())
            size = path.stat().st_size / 1e6
            click.echo(f"{path}: {size:.2f} MB, at least {worst:.1f} dB from the trained network")


def _export_translator(run: Path, out: Path, name: str, title: str, license: str, *, compact: bool) -> None:
    """In float32, the one precision that translators come in."""
    config, saved = read_run(run)
    translator = load_translator(run)
    out.mkdir(parents=True, exist_ok=True)
    path = out / "float32.onnx"
    model, worst = write_translator(translator, path, samples_for(translator, config), compact=compact)
    facts = _facts(config, saved, name, title, license, "float32")
    describe(model, facts | facts_of(translator, config))
    path.write_bytes(model.SerializeToString())
    likeness = f"{worst:.2%} of labels as by" if worst <= 1 else f"at least {worst:.1f} dB from"
    click.echo(f"{path}: {path.stat().st_size / 1e6:.2f} MB, {likeness} the trained network")


def load_generator(
    config: dict[str, Any], saved: dict[str, Any], direction: str = ""
) -> Generator | Upscaler:
    """The trained network of a run, in evaluation mode, with what can be folded into its kernels folded.

    Args:
        direction: of a CycleGAN's run.
    """
    network = config["network"]
    upscaling = network in UPSCALERS
    generator = build_upscaler(network, config["scale"]) if upscaling else build_generator(network)
    generator.load_state_dict(part_of(saved["generator"], direction))
    generator.eval()
    if isinstance(generator, Swift):
        generator.set_instance_share(0.0)
    if isinstance(generator, Swift | Upscaler):
        generator.fold()
    return generator


def picture_for(generator: Generator | Upscaler, path: Path) -> NDArray[np.uint8]:
    """A photo as the generator is given them, RGB ``(H, W, 3)``: for an upscaler, made small."""
    picture = read_picture(path)
    if isinstance(generator, Upscaler):
        height, width = (side // generator.scale * generator.scale for side in picture.shape[1:])
        picture = shrink(picture[:, :height, :width], generator.scale).clamp(0, 1)
    return np.asarray((picture * 255).round().byte().permute(1, 2, 0).numpy())


def _variants(
    load: Callable[[], Generator | Upscaler], precision: str, training: list[Path]
) -> Iterator[tuple[onnx.ModelProto, Layout]]:
    """The models of one precision, by the layout of their pictures."""
    if precision != "int8":
        model = onnx_graph(load().half() if precision == "float16" else load())
        pad_floats(model, TensorProto.FLOAT16 if precision == "float16" else TensorProto.FLOAT)
        yield model, "rgb"
        return
    step = max(1, len(training) // _CALIBRATION_PHOTOS)
    generator = load()
    photos = [picture_for(generator, path) for path in training[::step]]
    if isinstance(generator, Swift):
        round_patterns(prepare_cells(generator, photos))
    graph = onnx_graph(generator)
    on_cells = isinstance(generator, Swift)
    yield quantized(graph, [feed_of(graph, each) for each in photos], on_cells=on_cells), "rgb"
    planar = load()
    if isinstance(planar, Swift):
        prepare_cells(planar, photos)
        graph = planar_graph(planar)
        yield quantized(graph, [feed_of(graph, each) for each in photos], on_cells=True), "yuv420"


def _facts(
    config: dict[str, Any], saved: dict[str, Any], name: str, title: str, license: str, precision: str
) -> dict[str, Any]:
    # Paths say more about a machine than about a model: only names go in.
    recipe = {**config, **{key: _name_of(config[key]) for key in _PATHS if config.get(key)}}
    if init := config.get("init"):
        recipe["init"] = (
            [_run_of(Path(each)) for each in init] if isinstance(init, list) else _run_of(Path(init))
        )
    return {
        "name": name,
        "title": title,
        "license": license,
        "precision": precision,
        "steps": saved["step"],
        "recipe": recipe,
    }


def _name_of(paths: Any) -> Any:
    """Of a path, or of each in a list or a dictionary of them."""
    if isinstance(paths, dict) and all(isinstance(each, float) for each in paths.values()):
        return {Path(path).name: share for path, share in paths.items()}
    if isinstance(paths, dict):
        return {key: Path(path).name for key, path in paths.items()}
    return [Path(each).name for each in paths] if isinstance(paths, list) else Path(paths).name


def _photos(
    config: dict[str, Any], direction: str, photos: tuple[Path, ...]
) -> tuple[list[Path], list[Path]]:
    """What to calibrate and what to check with."""
    if photos or config.get("recipe") != "cyclegan":
        return split_held_out(list_photos(photos or [Path(each) for each in config["photos"]]))
    return split_domain(Path(config["a" if direction == A_TO_B else "b"]))


def _facts_of_task(config: dict[str, Any], generator: Generator | Upscaler, direction: str) -> dict[str, Any]:
    if config.get("recipe") == "cyclegan":
        return {"task": "translate", "direction": direction}
    if not isinstance(generator, Upscaler):
        return {"task": "style"}
    # Floats, and as much again for what onnxruntime makes of them.
    memory = round(2 * 4 * largest_activations(generator))
    return {"task": "upscale", "scale": generator.scale, "reach": generator.reach, "memory": memory}


def _run_of(weights: Path) -> str:
    """The name in ``NAME/checkpoint.pt``, ``NAME/onnx/float32.onnx`` and ``NAME/float32.onnx``."""
    return weights.parent.parent.name if weights.parent.name == "onnx" else weights.parent.name


def main() -> None:
    """Runs the command line; expected errors become one line and exit code 1."""
    logging.getLogger().setLevel(logging.ERROR)
    # It warns of inputs that may be left out.
    onnxruntime.set_default_logger_severity(_ERRORS)
    try:
        cli(standalone_mode=False)
    except click.ClickException as exc:
        exc.show()
        sys.exit(exc.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except (OSError, ValueError, ParityError) as exc:
        click.echo(f"error: {exc}", err=True)
        sys.exit(1)
