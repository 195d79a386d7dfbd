"""Findings about a foreign model: its metadata and its card."""

import json
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Findings:
    """All that the examination of a model found.

    Attributes:
        name, task, title, license: of the model.
        convention, layout: of its images, in words.
        scale, multiple, residue, border: see :class:`vidgan.importer.geometry.Geometry`.
        fixed: rows and columns of the one size that it takes; None for any.
        receptive_field: pixels round one that it depends on; None for the whole image.
        bytes_per_input_pixel: memory that it takes; None where the system does not tell.
        ms_per_megapixel: on all cores of this machine.
        wrapping_cost: CPU time that the wrapper adds to the bare graph's, as a share of it.
        parity: of the wrapped graph with the untouched file, in words.
        opset: of the file.
        half: whether the file computes in float16.
        settings: values of inputs beside the image.
        source, sha256: name and checksum of the file.
    """

    name: str
    task: str
    title: str
    license: str
    convention: str
    layout: str
    scale: int
    multiple: tuple[int, int]
    residue: tuple[int, int]
    border: tuple[int, int]
    fixed: tuple[int, int] | None
    receptive_field: int | None
    bytes_per_input_pixel: int | None
    ms_per_megapixel: float
    wrapping_cost: float
    parity: str
    opset: int
    half: bool
    settings: dict[str, str]
    source: str
    sha256: str

    def metadata(self, precision: str, *, layout: str = "rgb") -> dict[str, str]:
        """For the model's file: vidgan's own, and ONNX's of images."""
        facts: dict[str, object] = {
            "name": self.name,
            "task": self.task,
            "title": self.title,
            "license": self.license,
            "precision": precision,
            "layout": layout,
            "convention": self.convention,
            "parity": self.parity,
            "source": json.dumps({"file": self.source, "sha256": self.sha256}),
        }
        if self.task == "upscale":
            facts["scale"] = self.scale
        if self.receptive_field is not None:
            facts["receptive_field"] = self.receptive_field
        if self.bytes_per_input_pixel:
            facts["bytes_per_input_pixel"] = self.bytes_per_input_pixel
        if self.fixed is not None:
            facts["fixed_size"] = json.dumps(self.fixed)
        elif max(self.multiple) > 1:
            facts["multiple"] = json.dumps(self.multiple)
        own = {f"vidgan.{key}": str(value) for key, value in facts.items()}
        if layout != "rgb":
            return own
        return own | {
            "Image.BitmapPixelFormat": "Rgb8",
            "Image.ColorSpaceGamma": "SRGB",
            "Image.NominalPixelRange": "NominalRange_0_255",
        }

    def commands(self) -> list[str]:
        """Commands that use the model."""
        if self.task == "upscale":
            return [f"vidgan upscale in.mp4 --model {self.name}"]
        if self.task == "restore":
            return [f"vidgan restore in.mp4 --model {self.name}"]
        return [f"vidgan stylize in.mp4 --style {self.name}"]


def card(findings: Findings) -> str:
    """The card, Markdown."""
    rows = {
        "task": findings.task,
        "scale": str(findings.scale),
        "images": f"{findings.convention}; {findings.layout}",
        "sizes": _sizes(findings),
        "border": "none"
        if findings.border == (0, 0)
        else f"{findings.border[0]}×{findings.border[1]} pixels, mirrored",
        "receptive field": "the whole image"
        if findings.receptive_field is None
        else f"{findings.receptive_field} pixels",
        "memory": "unknown"
        if not findings.bytes_per_input_pixel
        else f"{findings.bytes_per_input_pixel} bytes per input pixel",
        "speed": f"{findings.ms_per_megapixel:g} ms per megapixel on the CPU it was added on; "
        f"the wrapper's share {findings.wrapping_cost:+.1%}",
        "parity with the file": findings.parity,
        "precision": "float16, kept; float32 made of it for CPUs" if findings.half else "float32",
        "opset": str(findings.opset),
        "license": findings.license,
        "file": f"`{findings.source}`, sha256 `{findings.sha256}`",
    }
    if findings.settings:
        rows["settings"] = ", ".join(f"{key} = {value}" for key, value in findings.settings.items())
    table = "\n".join(f"| {key} | {value} |" for key, value in rows.items())
    commands = "\n".join(f"    {each}" for each in findings.commands())
    return f"# {findings.name}\n\n{findings.title}\n\n| | |\n|---|---|\n{table}\n\n{commands}\n"


def _sizes(findings: Findings) -> str:
    if findings.fixed is not None:
        rows, columns = findings.fixed
        return f"{columns}×{rows} alone; larger images in tiles of that size"
    if findings.multiple == (1, 1):
        return "any"
    parts = [
        f"{name} ≡ {residue} mod {multiple}" if residue else f"{name} a multiple of {multiple}"
        for name, multiple, residue in zip(
            ("height", "width"), findings.multiple, findings.residue, strict=True
        )
        if multiple > 1
    ]
    return f"{', '.join(parts)}; others are mirrored up to it and cut back"
