"""``python -m export RUN``: writes a training run's network as model files."""

import logging
import shlex
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto

from export.faces import export_faces
from export.graph import onnx_graph, yuv420_graph
from export.model_file import describe
from export.parity import ParityError, check_parity, feed_of, likeness_text
from export.people import export_person
from export.quantize import quantized
from export.rewriting import pad_as_floats, store_as_float16, store_as_int8
from export.universal import write_universal
from training.cli.program import run_program
from training.core.recipe import Split
from training.data.photos import list_photos, split_held_out
from training.networks.exportable import ExportableNetwork
from training.recipes.any_style import ANY_STYLE
from training.recipes.cyclegan import A_TO_B, DIRECTIONS
from training.recipes.deidentify import DEIDENTIFY
from training.recipes.pose_transfer import POSE_TRANSFER
from training.recipes.runs import Run, load_network, read_run
from vidgan.models.registry import TensorLayout, read_model
from vidgan.models.universal.rounding import LARGEST
from vidgan.session.runtime import ort
from vidgan.tasks import task_named
from vidgan.tasks.task import GENERATOR

PRECISIONS = ("float32", "float16", "int8")
_FASTEST = "int8", "float32", "float16"
"""Precisions in the order of their speed on processors."""

_CALIBRATION_PHOTOS = 64
_PARITY_INPUTS = 6
_ERRORS = 3

Variant = tuple[onnx.ModelProto, TensorLayout]


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Folder for the files; default RUN/onnx.")
@click.option("--name", help="Name of the model; default: the run's folder.")
@click.option("--title", default="", help="Description in one line, for lists.")
@click.option("--license", default="CC-BY-4.0", show_default=True, help="License of the weights.")
@click.option(
    "--precision", "precisions", type=click.Choice(PRECISIONS), multiple=True, default=PRECISIONS,
    show_default=True, help="Variants to write; repeatable. Translators of pix2pix and its kind have float32 only.",
)  # fmt: skip
@click.option(
    "--compact",
    is_flag=True,
    help="Store large weights of float32 as float16, half the file; those of image translators as int8.",
)
@click.option(
    "--direction",
    type=click.Choice(DIRECTIONS),
    default=A_TO_B,
    show_default=True,
    help="Generator of a CycleGAN, which has one for each direction.",
)
@click.option("--photos", type=click.Path(exists=True, path_type=Path), multiple=True,
              help="Photos to calibrate and to compare with; default: those of the run.")  # fmt: skip
def cli(
    run: Path, out: Path | None, name: str | None, title: str, license: str,
    precisions: tuple[str, ...], compact: bool, direction: str, photos: tuple[Path, ...],
) -> None:  # fmt: skip
    """Write RUN's generator as self-describing .onnx files, one per precision, and check each of them."""
    facts = {"name": name or run.name, "title": title, "license": license}
    found = read_run(run)
    if found.entry is DEIDENTIFY:
        # Of three inputs, and a fixed size: no ExportSpec says that.
        wanted = [each for each in PRECISIONS if each in precisions]
        for path, worst in export_faces(found, out or run / "onnx", facts, wanted, compact=compact):
            click.echo(_written(path, f"{worst:.1f} dB"))
        return
    if found.entry is POSE_TRANSFER:
        for path, worst in export_person(found, out or run / "onnx", facts, precisions, compact=compact):
            click.echo(_written(path, f"{worst:.1f} dB"))
        return
    written = export_run(found, out, facts, precisions, compact=compact, direction=direction, photos=photos)
    if written:
        file = next(each for name in _FASTEST for each in written if each.stem == name)
        click.echo(f"use it: {use_command(file)}")


def export_run(
    run: Run,
    out: Path | None,
    facts: dict[str, Any],
    precisions: Sequence[str],
    *,
    compact: bool,
    direction: str,
    photos: Sequence[Path] = (),
) -> list[Path]:
    """Writes the network of a run in each of the precisions that it has.

    Args:
        out: folder of the files; by default in the run's.
        facts: name, title and license.
        photos: folders of photos to calibrate and to compare with, instead of the run's.

    Returns:
        The files for RGB; none of a run of any style, which is used otherwise.

    Raises:
        ParityError: a file does not compute what the network does.
    """
    out = out or run.folder / ("onnx" if direction == A_TO_B else f"onnx-{direction}")
    out.mkdir(parents=True, exist_ok=True)
    if run.entry is ANY_STYLE:
        write_universal(run, photos, facts, out)
        click.echo(f"{out}: {sum(each.stat().st_size for each in out.iterdir()) / 1e6:.2f} MB")
        return []
    network = load_network(run, run.direction(direction))
    training, held_out = _examples(run, direction, photos)
    inputs = _parity_inputs(network, training, held_out)
    written: list[Path] = []
    wanted = [each for each in PRECISIONS if each in precisions and each in _precisions(network)]
    for number, precision in enumerate(wanted, 1):
        click.echo(f"[{number}/{len(wanted)}] {precision}: {_work(precision, training)} ...")
        compacted = compact and precision == "float32"
        for model, layout in _variants(
            lambda: load_network(run, run.direction(direction)), precision, training
        ):
            if compacted:
                _compress(model, network)
            worst = check_parity(model, network, inputs, precision, compact=compacted)
            described = facts | {
                "precision": precision,
                "steps": run.steps,
                "recipe": run.config.without_paths(),
            }
            described |= network.export_metadata() | run.entry.metadata(run.config, direction)
            describe(model, described | {"layout": layout})
            path = out / f"{precision}{'' if layout == 'rgb' else f'-{layout}'}.onnx"
            path.write_bytes(model.SerializeToString())
            click.echo(_written(path, likeness_text(network, worst)))
            if layout == "rgb":
                written.append(path)
    return written


def use_command(file: Path) -> str:
    """The command that uses a model file."""
    spec = read_model(file)
    task = task_named(spec.task)
    input = "maps/" if task.input_kind({GENERATOR: spec}) == "label map" else "clip.mp4"
    return f"vidgan {task.verb} {input} --{task.model_field} {shlex.quote(str(file))}"


def _work(precision: str, training: Sequence[Path]) -> str:
    """The part of the work that takes long."""
    if precision != "int8":
        return "export, comparison with the trained network"
    count = len(training[:: max(1, len(training) // _CALIBRATION_PHOTOS)])
    return f"export, calibration with {count} images, comparison with the trained network"


def _written(path: Path, likeness: str) -> str:
    return f"{path}: {path.stat().st_size / 1e6:.2f} MB, at least {likeness} as the trained network"


def _precisions(network: ExportableNetwork) -> tuple[str, ...]:
    return network.export_spec().precisions


def _variants(
    load: Callable[[], ExportableNetwork], precision: str, training: Sequence[Path]
) -> Iterator[Variant]:
    """The models of one precision, by the layout of their images."""
    if precision == "int8":
        yield from _int8_variants(load, training)
        return
    network = load()
    model = onnx_graph(network.half() if precision == "float16" else network)
    pad_as_floats(model, TensorProto.FLOAT16 if precision == "float16" else TensorProto.FLOAT)
    yield model, "rgb"


def _int8_variants(load: Callable[[], ExportableNetwork], training: Sequence[Path]) -> Iterator[Variant]:
    network, step = load(), max(1, len(training) // _CALIBRATION_PHOTOS)
    spec = network.export_spec()
    calibration = [network.read_input(path) for path in training[::step]]
    network.prepare_int8(calibration, levels=LARGEST)
    graph = onnx_graph(network)
    images = [each.numpy() for each in calibration]
    yield (
        quantized(graph, [feed_of(graph, each) for each in images], input_range=spec.int8_input_range),
        "rgb",
    )
    if spec.yuv420:
        planar = load()
        planar.prepare_int8(calibration)
        graph = yuv420_graph(planar)
        feeds = [feed_of(graph, each) for each in images]
        yield quantized(graph, feeds, input_range=spec.int8_input_range), "yuv420"


def _compress(model: onnx.ModelProto, network: ExportableNetwork) -> None:
    if network.export_spec().compact == "int8":
        store_as_int8(model)
    else:
        store_as_float16(model)


def _examples(run: Run, direction: str, photos: Sequence[Path]) -> Split:
    """Files to calibrate with, and held-out files to compare with."""
    return split_held_out(list_photos(photos)) if photos else run.entry.examples(run.config, direction)


def _parity_inputs(
    network: ExportableNetwork, training: Sequence[Path], held_out: Sequence[Path]
) -> list[NDArray[np.uint8]]:
    """Held-out inputs, filled up with training data; one of an odd size, one smaller than most strides."""
    spread = training[:: max(1, len(training) // _PARITY_INPUTS)]
    inputs = [network.read_input(path).numpy() for path in [*held_out, *spread][:_PARITY_INPUTS]]
    inputs[1], inputs[2] = inputs[1][:255, :253], inputs[2][:17, :31]
    return [np.ascontiguousarray(each) for each in inputs]


def main() -> None:
    """Runs the command line; expected errors become one line and exit code 1."""
    logging.getLogger().setLevel(logging.ERROR)
    # Onnxruntime warns of optional inputs.
    ort.set_default_logger_severity(_ERRORS)
    run_program(cli, expected=(OSError, ValueError, ParityError))
