"""A foreign model from the file to the folder of a finished one. Runs in a process of its own."""

import hashlib
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto

from vidgan.errors import ModelError
from vidgan.importer import measuring
from vidgan.importer.card import Findings, card
from vidgan.importer.convention import Convention, Hints
from vidgan.importer.geometry import Geometry, Probe, examine_geometry, laid_out
from vidgan.importer.graph import ForeignGraph, bind_settings, forget_shapes, read_graph, relaxed
from vidgan.importer.photos import load_photos
from vidgan.importer.precision import is_half, to_float32
from vidgan.importer.probing import conventions_of, resized, timed_pixel
from vidgan.importer.sheet import contact_sheet
from vidgan.importer.wrapping import Wrapping, fixed_size, takes_yuv420, upgraded, wrapped, wrapped_yuv420
from vidgan.models.onnx_file import read_onnx
from vidgan.session.graph_runner import GraphRunner

SHEET = "sheet.png"

_RUN_SECONDS = 10.0
_LEAST_PARITY = 30.0
"""dB between a wrapped graph and the untouched file; a float16 graph differs from itself in float32."""

_RUNS_ALL_FROM = 7
"""Opset from which on onnxruntime runs all operators."""


@dataclass(frozen=True)
class Request:
    """A file to add, and what the user says of it.

    Attributes:
        file: the model.
        name, task, title, license: of the model to be; the task is found where it is None.
        hints: of its convention.
        settings: values of inputs other than the image, by name.
        choose: which of the conventions that come into question, from 1; None to ask.
        best: whether to take the likeliest instead of asking.
        look: whether to keep a contact sheet of what the model makes of the photos.
        origin: name and sha256 of the file that the user gave, where that is another one.
    """

    file: str
    name: str
    task: str | None = None
    title: str | None = None
    license: str | None = None
    hints: Hints = field(default_factory=Hints)
    settings: dict[str, str] = field(default_factory=dict)
    choose: int | None = None
    best: bool = False
    look: bool = False
    origin: tuple[str, str] | None = None


def examine(request: Request, folder: Path, tell: Callable[[str], None]) -> dict[str, Any]:
    """Fills ``folder`` with ``float32.onnx`` and its like and ``card.md``.

    Args:
        request: see there.
        folder: an empty one.
        tell: called with each step, before it begins.

    Returns:
        ``{"findings": …}``, or ``{"ask": […]}`` with the conventions that come into question, their images in
        ``folder / SHEET``.

    Raises:
        ModelError: the model cannot be used, with the reason; it does not name the file.
    """
    tell("reading")
    file = read_onnx(Path(request.file))
    if "vidgan.task" in file.metadata:
        raise ModelError(
            f"is a vidgan model already, for {file.metadata['vidgan.task'][:20]!r}; use the file as it is"
        )
    original = read_graph(file.data, request.settings)
    tell("running")
    graph, half = _as_float32(_in_a_newer_opset(original))
    geometry, probe = examine_geometry(graph, seconds=_RUN_SECONDS)
    tell("probing")
    seconds_per_pixel = timed_pixel(probe, geometry)
    trials = conventions_of(original, request.hints, geometry, probe, seconds_per_pixel)
    if len(trials) > 1 and request.choose is None and not request.best:
        contact_sheet(trials, folder / SHEET)
        return {"ask": [str(each.convention) for each in trials]}
    chosen = trials[(request.choose or 1) - 1 if len(trials) >= (request.choose or 1) else 0]
    if request.look:
        contact_sheet(trials, folder / SHEET)
    tell("wrapping")
    task = request.task or ("upscale" if geometry.scale > 1 else "restore" if chosen.faithful else "style")
    _check_task(task, geometry.scale)
    made = _Making(request, file.data, original, graph, half, geometry, chosen.convention, task, probe, tell)
    return {"findings": asdict(made.write(folder, seconds_per_pixel))}


def _check_task(task: str, scale: int) -> None:
    if (task == "upscale") != (scale > 1):
        raise ModelError(f"returns images {scale} times as large, which does not go with `task={task!r}`")


def _in_a_newer_opset(original: ForeignGraph) -> ForeignGraph:
    """onnxruntime runs few operators of the oldest opsets; what onnx cannot convert is tried as it is."""
    try:
        return replace(original, model=upgraded(original.model))
    except ModelError:
        return original


def _as_float32(original: ForeignGraph) -> tuple[ForeignGraph, bool]:
    """The graph that is examined, and whether it is the float32 form of a float16 one."""
    if not is_half(original.model):
        return original, False
    wide = to_float32(original.model)
    settings = {
        name: value.astype(np.float32) if value.dtype == np.float16 else value
        for name, value in original.settings.items()
    }
    image = original.image
    if image.type == TensorProto.FLOAT16:
        image = replace(image, type=TensorProto.FLOAT)
    graph = replace(original, model=wide, settings=settings, image=image)
    try:
        GraphRunner(relaxed(graph, image.layouts[0]).SerializeToString(), seconds=_RUN_SECONDS)
    except ModelError:
        return original, False
    return graph, True


@dataclass
class _Making:
    """The examined model, on its way into its folder."""

    request: Request
    data: bytes
    original: ForeignGraph
    graph: ForeignGraph
    half: bool
    geometry: Geometry
    convention: Convention
    task: str
    probe: Probe
    tell: Callable[[str], None]

    def write(self, folder: Path, seconds_per_pixel: float) -> Findings:
        batch = self._takes_batches()
        least = measuring.least_sides(self._runs, self.geometry)
        wrapping = self._wrapping(self.graph, least, batch=batch)
        model = self._core(self.graph)
        photo = self._parity_photo(wrapping)
        whole_graph = wrapped(model, wrapping, {})
        run = _wrapped_runner(whole_graph)
        self.tell("measuring")
        parity = measuring.parity(run(photo), self._reference(wrapping, photo))
        if parity.db < _LEAST_PARITY:
            raise ModelError(
                f"does not compute what it did once it is wrapped ({parity}): please report this file"
            )
        receptive_field = measuring.receptive_field(
            self.probe, self.geometry, self.convention.range_in, seconds_per_pixel
        )
        bare, whole = self._speed(run, wrapping, photo)
        pixels = photo.shape[0] * photo.shape[1]
        name, digest = self.request.origin or (
            Path(self.request.file).name,
            hashlib.sha256(self.data).hexdigest(),
        )
        findings = Findings(
            name=self.request.name,
            task=self.task,
            title=self.request.title or f"{name}, added by 'vidgan models add'",
            license=self.request.license or "unknown",
            convention=measuring.described(self.convention, self.geometry),
            layout=f"{self.geometry.layout_in} in, {self.geometry.layout_out} out",
            scale=self.geometry.scale,
            multiple=self.geometry.multiple,
            residue=self.geometry.residue,
            border=self.geometry.border,
            fixed=fixed_size(wrapping) if self.geometry.fixed else None,
            receptive_field=receptive_field,
            bytes_per_input_pixel=measuring.bytes_per_pixel(_wrapped_runner(whole_graph, arena=False), photo),
            ms_per_megapixel=round(whole.ms / pixels * 1e6, 1),
            wrapping_cost=round(whole.cpu_seconds / bare.cpu_seconds - 1, 3),
            parity=str(parity),
            opset=self.original.opset,
            half=self.half,
            settings={key: str(value) for key, value in self.request.settings.items()},
            source=name,
            sha256=digest,
        )
        self._save(folder, wrapping, model, findings)
        (folder / "card.md").write_text(card(findings), encoding="utf-8")
        return findings

    def _core(self, graph: ForeignGraph) -> onnx.ModelProto:
        """The graph to wrap: of a fixed size as it is, else with its sizes left open."""
        if self.geometry.fixed:
            model = onnx.ModelProto.FromString(graph.model.SerializeToString())
            bind_settings(model, graph.settings)
        else:
            model = relaxed(graph, self.geometry.layout_in)
        model = upgraded(model)
        forget_shapes(model)
        return model

    def _wrapping(self, graph: ForeignGraph, least: tuple[int, int], *, batch: bool) -> Wrapping:
        output = next(each for each in graph.outputs if each.name == self.geometry.output)
        widened = self.half and output.type == TensorProto.FLOAT16
        return Wrapping(
            geometry=self.geometry,
            convention=self.convention,
            input=graph.image.name,
            least=least,
            dtype_in=graph.image.type,
            dtype_out=TensorProto.FLOAT if widened else output.type,
            batch=batch,
        )

    def _takes_batches(self) -> bool:
        if "N" not in self.geometry.layout_in or "N" not in self.geometry.layout_out:
            return False
        runner = GraphRunner(self._core(self.graph).SerializeToString(), seconds=_RUN_SECONDS)
        sides = self.geometry.base
        images = np.random.default_rng(0).random((*sides, self.geometry.channels_in), np.float32)
        one = laid_out(images, self.geometry.layout_in)
        name = self.graph.image.name
        (dtype,) = [each.dtype for each in runner.inputs if each.name == name]
        both = np.concatenate([one, one[..., ::-1]]).astype(dtype or np.float32)
        try:
            (first,) = runner.run({name: both[:1]}, [self.geometry.output])
            (pair,) = runner.run({name: both}, [self.geometry.output])
        except ModelError:
            return False
        return pair.shape == (2, *first.shape[1:]) and bool(np.allclose(pair[:1], first, atol=1e-3))

    def _runs(self, sides: tuple[int, int]) -> bool:
        try:
            result = self.probe(np.full((*sides, self.geometry.channels_in), 0.5, np.float32))
        except ModelError:
            return False
        scale, border = self.geometry.scale, self.geometry.border
        return result.shape[:2] == tuple(
            scale * side - lost for side, lost in zip(sides, border, strict=True)
        )

    def _parity_photo(self, wrapping: Wrapping) -> NDArray[np.uint8]:
        size = fixed_size(wrapping) if self.geometry.fixed else (97, 171)
        photo = resized(load_photos()[1], size[::-1])
        return np.rint(photo * 255).astype(np.uint8)

    def _reference(self, wrapping: Wrapping, photo: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """By the file as it was given; by its converted form where onnxruntime does not run opsets that old."""
        geometry = self.geometry
        data = relaxed(self.original, geometry.layout_in).SerializeToString()
        try:
            runner = GraphRunner(data, seconds=6 * _RUN_SECONDS)
        except ModelError:
            if self.original.opset >= _RUNS_ALL_FROM:
                raise
            return measuring.reference(self.probe, wrapping, photo)
        probe = Probe(runner, self.original.image, geometry.layout_in, geometry.layout_out, geometry.output)
        return measuring.reference(probe, wrapping, photo)

    def _speed(
        self, run: measuring.RunModel, wrapping: Wrapping, photo: NDArray[np.uint8]
    ) -> list[measuring.Cost]:
        """The costs of the bare graph and of the wrapped one, on the same image."""
        rows, columns = (s + 2 * m for s, m in zip(photo.shape[:2], wrapping.margins, strict=True))
        sides = self.geometry.taken((rows, columns))
        image = np.full((*sides, self.geometry.channels_in), 0.5, np.float32)
        return measuring.cost_of(lambda: self.probe(image), lambda: run(photo))

    def _save(self, folder: Path, wrapping: Wrapping, model: onnx.ModelProto, findings: Findings) -> None:
        onnx.save(wrapped(model, wrapping, findings.metadata("float32")), folder / "float32.onnx")
        if takes_yuv420(wrapping):
            planar = wrapped_yuv420(model, wrapping, findings.metadata("float32", layout="yuv420"))
            onnx.save(planar, folder / "float32-yuv420.onnx")
        if self.half:
            own = self._wrapping(self.original, wrapping.least, batch=wrapping.batch)
            output = next(each for each in self.original.outputs if each.name == self.geometry.output)
            own = replace(own, dtype_out=output.type)
            onnx.save(
                wrapped(self._core(self.original), own, findings.metadata("float16")), folder / "float16.onnx"
            )


def _wrapped_runner(model: onnx.ModelProto, *, arena: bool = True) -> measuring.RunModel:
    runner = GraphRunner(model.SerializeToString(), seconds=6 * _RUN_SECONDS, arena=arena)

    def run(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        (result,) = runner.run({"image": pixels[np.newaxis]})
        return np.asarray(result[0], np.uint8)

    return run
