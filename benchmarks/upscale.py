"""Speed of ``vidgan upscale`` from file to file, beside Real-ESRGAN's network for video in the same pipeline.

::

    python benchmarks/upscale.py [INPUT] --peer realesr_animevideov3.safetensors --json FILE

The peer (SRVGG: 64 features, 16 convolutions, PReLU, ×4) is exported to ONNX with vidgan's metadata and run
by ``vidgan upscale`` like any other model. It enlarges by 4, swift by 2: they are compared per pixel that
comes out. What a further frame costs is a long clip's time less a short one's, so start-up cancels out.
"""

import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import click
import onnx
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from benchmarks.stylize import SAMPLE, describe_machine
from export.graph import core_graph
from export.model_file import describe
from vidgan.jobs.process_usage import run_command
from vidgan.jobs.speed import make_clip

Command = Callable[[Path, Path], list[str]]
_SHORT = 2
_PEER = "Real-ESRGAN animevideov3"
_PEER_SCALE, _PEER_REACH = 4, 18


class AnimeVideo(nn.Module):
    """Real-ESRGAN's ``SRVGGNetCompact`` for video (Wang et al. 2021), from its published weights."""

    def __init__(self, weights: Path) -> None:
        super().__init__()
        state = {name: value.float() for name, value in load_file(weights).items()}
        layers = sorted({int(name.split(".")[1]) for name in state})
        self.body = nn.ModuleList(_layer(state, f"body.{index}") for index in layers)

    def forward(self, images: Tensor) -> Tensor:
        small = images.float().permute(0, 3, 1, 2) / 255
        x = small
        for layer in self.body:
            x = layer(x)
        repeated = small.repeat_interleave(_PEER_SCALE, 2).repeat_interleave(_PEER_SCALE, 3)
        large = F.pixel_shuffle(x, _PEER_SCALE) + repeated
        return (255 * large).round().clamp(0, 255).byte().permute(0, 2, 3, 1)


def _layer(state: dict[str, Tensor], name: str) -> nn.Module:
    weight = state[f"{name}.weight"]
    if weight.ndim == 1:
        slopes = nn.PReLU(len(weight))
        slopes.load_state_dict({"weight": weight})
        return slopes
    convolution = nn.Conv2d(weight.shape[1], weight.shape[0], 3, padding=1)
    convolution.load_state_dict({"weight": weight, "bias": state[f"{name}.bias"]})
    return convolution


def export_peer(weights: Path, path: Path) -> Path:
    """The peer as a model file that ``vidgan upscale`` takes."""
    example = torch.zeros(2, 32, 48, 3, dtype=torch.uint8)
    model = core_graph(AnimeVideo(weights).eval(), {"images": (example, 1)})
    facts = {"task": "upscale", "scale": _PEER_SCALE, "receptive_field": _PEER_REACH, "name": "animevideov3"}
    describe(model, facts | {"precision": "float32", "license": "BSD-3-Clause"})
    onnx.save(model, path)
    return path


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("input", type=click.Path(exists=True, dir_okay=False, path_type=Path), default=SAMPLE)
@click.option("--size", default="640x360", show_default=True, help="Of the clip that both get.")
@click.option("--frames", type=click.IntRange(_SHORT + 1), default=200, show_default=True, help="Ours.")
@click.option("--peer-frames", type=click.IntRange(_SHORT + 1), default=8, show_default=True)
@click.option("--peer", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Its weights.")
@click.option("--json", "report", type=click.Path(dir_okay=False, path_type=Path), help="Also as JSON.")
def cli(
    input: Path, size: str, frames: int, peer_frames: int, peer: Path | None, report: Path | None
) -> None:
    """Measure swift ×2 on INPUT (default: the sample clip), and the peer ×4 beside it."""
    machine = describe_machine(None)
    click.echo("\n".join(f"{key:20} {machine[key]}" for key in ("cpu", "cores", "load before", "vidgan")))
    width, height = map(int, size.split("x"))
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        tools: dict[str, tuple[Command, int, int]] = {"swift ×2": (_command("swift", 2), 2, frames)}
        if peer is not None:
            model = export_peer(peer, place / "peer.onnx")
            tools[_PEER] = _command(str(model), _PEER_SCALE), _PEER_SCALE, peer_frames
        seconds = {
            name: _per_frame(command, input, size, n, place) for name, (command, _, n) in tools.items()
        }
        whole = _whole(tools["swift ×2"][0], input, size, frames, place)
    rates = {name: width * height * tools[name][1] ** 2 / each / 1e6 for name, each in seconds.items()}
    for name, each in seconds.items():
        click.echo(f"{name:26}{1 / each:8.2f} fps {rates[name]:8.2f} megapixels out a second")
    click.echo(f"{'swift ×2, with start-up':26}{frames / whole:8.2f} fps")
    if peer is not None:
        click.echo(f"per pixel out, swift is {rates['swift ×2'] / rates[_PEER]:.1f} times as fast")
    if report is not None:
        result = {
            "machine": machine,
            "size": size,
            "seconds_per_frame": seconds,
            "megapixels_per_second": rates,
        }
        report.write_text(json.dumps(result | {"fps_with_start_up": frames / whole}, indent=1) + "\n")


def _command(model: str, scale: int) -> Command:
    def command(clip: Path, out: Path) -> list[str]:
        options = ["--model", model, "--scale", str(scale), "--device", "cpu", "--force", "--quiet"]
        return [sys.executable, "-m", "vidgan", "upscale", str(clip), "-o", str(out), *options]

    return command


def _per_frame(command: Command, clip: Path, size: str, frames: int, folder: Path) -> float:
    """Seconds that a further frame takes."""
    long, short = (_whole(command, clip, size, count, folder) for count in (frames, _SHORT))
    return (long - short) / (frames - _SHORT)


def _whole(command: Command, clip: Path, size: str, frames: int, folder: Path) -> float:
    """Seconds of the whole process on ``clip``, looped or cut to ``frames``."""
    made = folder / "clip.mp4"
    made.unlink(missing_ok=True)
    return run_command(command(make_clip(clip, made, size=size, frames=frames), folder / "out.mp4")).wall


if __name__ == "__main__":
    cli()
