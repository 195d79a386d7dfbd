"""PyTorch weights to ONNX, by spandrel: ``python -m vidgan.importer.torch_weights FOLDER``.

The only module of the runtime that imports torch, in a process of its own and with the extra ``convert`` alone.
spandrel unpickles nothing but tensors. The protocol is that of :mod:`vidgan.importer.child`.
"""

import json
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from vidgan.importer.child import messages
from vidgan.session.limits import set_limits

_MEMORY = 6 << 30
_EXAMPLE = 64

_LEAST_PARITY = 60.0
"""dB between PyTorch and what was exported."""

_TASKS = {"SR": "upscale", "Restoration": "restore"}


def main() -> None:
    folder = Path(sys.argv[1])
    file = Path(json.loads(sys.stdin.readline())["file"])
    send = messages()
    set_limits(file.stat().st_size, memory=_MEMORY)
    try:
        send(_convert(file, folder, lambda step: send({"step": step})))
    except _RefusedError as exc:
        send({"error": str(exc)})
    except Exception as exc:  # Whatever a foreign file causes is said in one line.
        send({"error": f"cannot be converted: {type(exc).__name__}: {' '.join(str(exc).split())[:200]}"})


class _RefusedError(Exception):
    """Why a file cannot be converted."""


def _convert(file: Path, folder: Path, tell: Callable[[str], None]) -> dict[str, Any]:
    tell("loading PyTorch")
    try:
        import spandrel
        import torch
    except ImportError as exc:
        raise _RefusedError("PyTorch weights need an extra: pip install 'vidgan[convert]'") from exc
    torch.set_num_threads(max(1, torch.get_num_threads()))
    tell("converting")
    try:
        descriptor = spandrel.ModelLoader(device="cpu").load_from_file(file)
    except spandrel.UnsupportedModelError as exc:
        raise _RefusedError("spandrel knows no such architecture") from exc
    except Exception as exc:  # Unpickling, and whatever an architecture makes of foreign tensors.
        raise _RefusedError(f"spandrel cannot read it: {' '.join(str(exc).split())[:160]}") from exc
    if not isinstance(descriptor, spandrel.ImageModelDescriptor):
        raise _RefusedError(f"is a {descriptor.architecture.name} model, which takes more than image")
    module = descriptor.model.float().eval()
    path = folder / "model.onnx"
    sides = _sides(descriptor.size_requirements)
    example, other = (torch.rand(1, descriptor.input_channels, *each) for each in sides)
    parity = _export(module, example, other, path)
    scale = descriptor.scale
    return {
        "onnx": path.name,
        "architecture": descriptor.architecture.name,
        "task": _TASKS.get(descriptor.purpose) if (descriptor.purpose == "SR") == (scale > 1) else None,
        "parity": "equal" if parity == float("inf") else f"{parity:.1f} dB",
    }


def _sides(requirements: Any) -> tuple[tuple[int, int], tuple[int, int]]:
    """Sizes to export with and to compare with, odd multiples of what the architecture takes."""
    unit = max(1, requirements.multiple_of or 1)
    least = max(_EXAMPLE, requirements.minimum or 1)
    first = unit * (-(-least // unit) | 1)
    return (first, first), (first + 8 * unit, first + (8 if requirements.square else 4) * unit)


def _export(module: Any, example: Any, other: Any, path: Path) -> float:
    """The parity in dB, of the older exporter, or where that takes the example's size for granted, the newer one.

    The older one takes a sixth of the time.
    """
    import torch

    axes = {2: "height", 3: "width"}
    names: dict[str, Any] = {"input_names": ["input"], "output_names": ["output"]}
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")
        try:
            torch.onnx.export(
                module, (example,), path, dynamo=False, opset_version=17,
                dynamic_axes={"input": axes, "output": axes}, **names,
            )  # fmt: skip
            parity = _parity(module, other, path)
        except Exception:  # The exporter's errors share no base class.
            parity = 0.0
        if parity >= _LEAST_PARITY:
            return parity
        sides = {2: torch.export.Dim("height", min=16), 3: torch.export.Dim("width", min=16)}
        torch.onnx.export(
            module, (example,), path, dynamo=True, external_data=False, verbose=False, dynamic_shapes=(sides,), **names,
        )  # fmt: skip
    return _parity(module, other, path)


def _parity(module: Any, image: Any, path: Path) -> float:
    """PSNR between PyTorch and onnxruntime in dB."""
    import torch

    from vidgan.session.graph_runner import GraphRunner

    with torch.inference_mode():
        ours = module(image).numpy()
    runner = GraphRunner(path.read_bytes(), seconds=60)
    (theirs,) = runner.run({runner.inputs[0].name: image.numpy()}, [runner.outputs[0].name])
    error = float(((ours.astype(np.float64) - theirs) ** 2).mean())
    return float("inf") if error == 0 else float(-10 * np.log10(error))


if __name__ == "__main__":
    main()
