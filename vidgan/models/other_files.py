"""Files that are given where a model is wanted."""

import mimetypes
from pathlib import Path


def what_it_is(path: Path) -> str:
    """Says what a path is that is no model file, and what to do."""
    exported = path / "onnx" / "int8.onnx"
    if exported.is_file():
        return f"is a training run; its model is {exported}"
    if path.is_dir():
        return f"is a folder, not a model; 'python -m export {path}' exports a training run"
    kind = media_type(str(path))
    if kind is None:
        return "is no model file"
    what = "an image" if kind == "image" else f"a {kind} file"
    return f"is {what}; `vidgan.jobs.contact_sheet.contact_sheet({str(path)!r})` tries models on it"


def media_type(name: str) -> str | None:
    """``"image"``, ``"video"`` or ``"audio"``, by the suffix; None for other names."""
    kind = (mimetypes.guess_type(name, strict=False)[0] or "").partition("/")[0]
    return kind if kind in ("image", "video", "audio") else None
