"""Warping error and detail of reused frames, against every frame generated.

::

    python -m benchmarks.reuse --clips FOLDER --style starry --frames 30 --json FILE

For each clip of benchmarks/flicker.py and each interval it prints the warping error (:mod:`vidgan.temporal.flicker`)
and the gradient energy of ``vidgan stylize --reuse N`` over those of ``--reuse off``, the PSNR between both, and the
share of the frames that the generator ran for. Both are smoothed as by default.
"""

import json
import tempfile
from pathlib import Path
from statistics import fmean

import click

from benchmarks.flicker import CLIPS, remembered, trimmed
from benchmarks.stylize import describe_machine
from vidgan import stylize
from vidgan.media.optical_flow import estimate_flow
from vidgan.temporal.flicker import measure_flicker

Figures = dict[str, float]


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--clips", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--style", default="starry", show_default=True)
@click.option("--interval", "intervals", type=click.IntRange(2, 4), multiple=True, default=(2, 3))
@click.option("--frames", default=30, show_default=True, help="Of each clip.")
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Also write the figures here.")
def cli(clips: Path, style: str, intervals: tuple[int, ...], frames: int, json_path: Path | None) -> None:
    """Measure what temporal reuse costs in steadiness and detail."""
    rows: dict[int, dict[str, Figures]] = {interval: {} for interval in intervals}
    for clip in CLIPS:
        for interval, figures in _measured(clips / clip, style, intervals, frames).items():
            rows[interval][clip] = figures
            click.echo(f"{clip:34}" + _line(interval, figures))
    for interval, by_clip in rows.items():
        by_clip["mean"] = {
            key: fmean(each[key] for each in by_clip.values()) for key in next(iter(by_clip.values()))
        }
        click.echo(f"{'mean':34}" + _line(interval, by_clip["mean"]))
    if json_path is not None:
        found = {"machine": describe_machine(None), "style": style, "frames": frames, "intervals": rows}
        json_path.write_text(json.dumps(found, indent=2) + "\n")


def _measured(clip: Path, style: str, intervals: tuple[int, ...], frames: int) -> dict[int, Figures]:
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        source = trimmed(clip, Path(folder) / clip.name, frames)
        whole = source.with_name("every.mp4")
        stylize(source, whole, style=style, reuse="off", device="cpu")
        estimate = remembered(estimate_flow)
        every = measure_flicker(whole, source, estimate=estimate)
        for interval in intervals:
            path = source.with_name(f"reuse{interval}.mp4")
            result = stylize(source, path, style=style, reuse=interval, device="cpu")
            reused = measure_flicker(path, source, frame_by_frame=whole, estimate=estimate)
            found[interval] = {
                "warping_error_ratio": reused.warping_error / every.warping_error,
                "gradient_energy_ratio": reused.sharpness or 1.0,
                "psnr_db": reused.fidelity_db or 99.0,
                "generated_share": (result.generated_frames or 0) / result.frames,
            }
    return found


def _line(interval: int, figures: Figures) -> str:
    return (
        f"every {interval}: warping error {figures['warping_error_ratio']:.2f}, gradient energy "
        f"{figures['gradient_energy_ratio']:.2f}, {figures['psnr_db']:.1f} dB, "
        f"generated {figures['generated_share']:.0%}"
    )


if __name__ == "__main__":
    cli()
