"""A model file for each task, small enough to know by heart, and steps opened with it."""

import json
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import onnx
import onnx.helper
import onnx.parser

from tests.support.translators import translator_file
from vidgan.media.frame import VideoInfo
from vidgan.session.output_check import CheckedModel
from vidgan.tasks import load_models, task_of_settings
from vidgan.tasks.task import ChainStep, StepContext, TaskSettings

_INVERT = """
    g (uint8[N, H, W, 3] x) => (uint8[N, H, W, 3] y) <uint8[1] white = {255}> { y = Sub (white, x) }"""
_INVERT_YUV = """
    g (uint8[N, H, W] luma, uint8[N, H2, W2, 2] chroma) => (uint8[N, H, W] y, uint8[N, H2, W2, 2] c)
    <uint8[1] white = {255}> { y = Sub (white, luma)  c = Sub (white, chroma) }"""
_NEAREST = 'mode = "nearest", coordinate_transformation_mode = "asymmetric", nearest_mode = "floor"'
_DOUBLE = f"""
    g (uint8[N, H, W, 3] x) => (uint8[N, H2, W2, 3] y) <float[4] twice = {{1.0, 2.0, 2.0, 1.0}}>
    {{ y = Resize <{_NEAREST}> (x, , twice) }}"""
_DOUBLE_YUV = f"""
    g (uint8[N, H, W] luma, uint8[N, H2, W2, 2] chroma) => (uint8[N, H3, W3] y, uint8[N, H4, W4, 2] c)
    <float[3] flat = {{1.0, 2.0, 2.0}}, float[4] twice = {{1.0, 2.0, 2.0, 1.0}}> {{
        y = Resize <{_NEAREST}> (luma, , flat)
        c = Resize <{_NEAREST}> (chroma, , twice)
    }}"""


def image_model(path: Path, task: str) -> Path:
    """A model of images, with its variant for luma and chroma beside it.

    Upscalers double each pixel; others invert the image.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    graphs = (_DOUBLE, _DOUBLE_YUV) if task == "upscale" else (_INVERT, _INVERT_YUV)
    facts: dict[str, Any] = {"task": task, "name": path.stem, "scale": 2 if task == "upscale" else 1}
    _write(path, graphs[0], facts)
    _write(path.with_name(f"{path.stem}-yuv420.onnx"), graphs[1], facts | {"layout": "yuv420"})
    return path


def face_model(path: Path, *, side: int = 48, codes: int = 24) -> Path:
    """A generator of faces: what is hidden gets the color that the first numbers of the code say."""
    path.parent.mkdir(parents=True, exist_ok=True)
    graph = f"""
        g (uint8[N, {side}, {side}, 3] faces, uint8[N, {side}, {side}, 3] guides, float[N, {codes}] codes)
            => (uint8[N, {side}, {side}, 3] output)
        <int64[1] from = {{0}}, int64[1] to = {{3}}, int64[1] axis = {{1}}, int64[4] shape = {{-1, 1, 1, 3}},
         float half = {{127.0}}, float unit = {{40.0}}, float low = {{0.0}}, float high = {{255.0}}> {{
            first = Slice (codes, from, to, axis)
            scaled = Mul (first, unit)
            moved = Add (scaled, half)
            clipped = Clip (moved, low, high)
            colors = Reshape (clipped, shape)
            seen = Cast <to = 1> (faces)
            nothing = Sub (seen, seen)
            drawn = Cast <to = 1> (guides)
            blank = Sub (drawn, drawn)
            sum = Sum (nothing, blank, colors)
            output = Cast <to = 2> (sum)
        }}"""
    facts = {"task": "deidentify", "name": path.stem, "side": side, "codes": codes, "shape": 0.018}
    _write(path, graph, facts)
    return path


def person_model(path: Path, *, side: int = 64) -> Path:
    """A generator of people: the image as it is, visible where the target's limbs are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cells = side // 2
    graph = f"""
        g (uint8[N, {side}, {side}, 3] images, float[N, 70, {cells}, {cells}] guides, float[N, 14, 2, 3] affines)
            => (uint8[N, {side}, {side}, 4] output)
        <int64[1] from = {{28}}, int64[1] to = {{42}}, int64[1] axis = {{1}}, float[4] twice = {{1.0, 1.0, 2.0, 2.0}},
         float half = {{0.5}}, float white = {{255.0}}> {{
            limbs = Slice (guides, from, to, axis)
            near = ReduceMax <keepdims = 1> (limbs, axis)
            large = Resize <{_NEAREST}> (near, , twice)
            there = Greater (large, half)
            share = Cast <to = 1> (there)
            opacity = Mul (share, white)
            zeros = Sub (affines, affines)
            zero = ReduceSum <keepdims = 0> (zeros)
            seen = Add (opacity, zero)
            bytes = Cast <to = 2> (seen)
            alpha = Transpose <perm = [0, 2, 3, 1]> (bytes)
            output = Concat <axis = 3> (images, alpha)
        }}"""
    _write(path, graph, {"task": "animate", "name": path.stem, "side": side})
    return path


def model_file(path: Path, task: str) -> Path:
    """A model of the task: of label maps or lightness where that is what it takes or returns."""
    if task in ("deidentify", "reveal"):
        return face_model(path)
    if task == "animate":
        return person_model(path)
    return translator_file(path, task) if task in ("segment", "colorize") else image_model(path, task)


def _write(path: Path, graph: str, facts: dict[str, Any]) -> None:
    model = onnx.parser.parse_model(f'<ir_version: 9, opset_import: ["" : 20]>{graph}')
    described = {
        f"vidgan.{key}": each if isinstance(each, str) else json.dumps(each) for key, each in facts.items()
    }
    onnx.helper.set_model_props(model, described)
    path.write_bytes(model.SerializeToString())


@dataclass(frozen=True, kw_only=True)
class OpenedStep:
    """A step of a chain, and the frames that should come out of it."""

    step: ChainStep
    output_info: VideoInfo
    is_temporal: bool


def info_of(width: int, height: int) -> VideoInfo:
    """Of a video at 25 frames a second."""
    return VideoInfo(width=width, height=height, time_base=Fraction(1, 25), frame_rate=Fraction(25))


def open_step(settings: TaskSettings, info: VideoInfo, input: Path = Path("in.mp4")) -> OpenedStep:
    """Opens a step as a job does, on the CPU."""
    task = task_of_settings(settings)
    models = load_models(settings, device="cpu")
    specs = task.select(models.variants, settings, input, info)
    settings = task.resolve(settings, specs)
    output_info = task.output_info(settings, input, info)
    sessions = models.sessions(specs)
    context = StepContext(
        input=input,
        specs=specs,
        models={role: CheckedModel(session, lambda: None) for role, session in sessions.items()},
        sessions=sessions,
        input_info=info,
        output_info=output_info,
    )
    return OpenedStep(
        step=task.open(settings, context),
        output_info=output_info,
        is_temporal=task.is_temporal(settings, specs),
    )
