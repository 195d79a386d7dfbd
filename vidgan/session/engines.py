"""TensorRT's engines: built for one shape in minutes, then kept in the user's cache folder."""

import hashlib
import re
from pathlib import Path

from vidgan.errors import OutputError
from vidgan.models.registry import ModelSpec
from vidgan.session.cudart import device_name
from vidgan.session.devices import ONNXRUNTIME_VERSION, tensorrt_version


def engine_options(spec: ModelSpec, shapes: list[tuple[int, ...]]) -> dict[str, str]:
    """Options of the provider for images of these shapes.

    Raises:
        OutputError: the cache folder cannot be made.
    """
    folder = str(_created(engine_folder(spec, shapes, device_name())))
    return {
        "trt_engine_cache_enable": "1",
        "trt_engine_cache_path": folder,
        "trt_timing_cache_enable": "1",
        "trt_timing_cache_path": folder,
        "trt_fp16_enable": "1" if spec.precision == "float16" else "0",
    }


def engine_folder(spec: ModelSpec, shapes: list[tuple[int, ...]], device: str) -> Path:
    """Where an engine is kept: another one for whatever may make it another."""
    import platformdirs

    facts = [
        spec.name,
        hashlib.sha256(spec.file.data).hexdigest()[:16],
        *("x".join(map(str, shape)) for shape in shapes),
        spec.precision,
        f"onnxruntime-{ONNXRUNTIME_VERSION}",
        f"tensorrt-{tensorrt_version()}",
        device,
    ]
    name = re.sub(r"[^0-9A-Za-z.]+", "-", "_".join(facts))
    return platformdirs.user_cache_path("vidgan", appauthor=False) / "tensorrt" / name


def _created(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise OutputError(f"{folder}: cannot keep TensorRT's engines there: {exc.strerror}") from exc
    return folder
