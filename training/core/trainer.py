"""Runs a recipe: steps, checkpoints, exact resume, progress, loss curves and sample sheets."""

import csv
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from training.core.recipe import Trainable
from training.core.run_folder import CHECKPOINT, CURVES, LOSSES, SAMPLES, read_checkpoint, write_checkpoint
from training.data.images import write_image

_REPORT_EVERY = 25


def train(
    recipe: Trainable,
    folder: Path,
    *,
    checkpoint_every: int = 25,
    checkpoint_pause: float = 60.0,
    report: Callable[[str], None] = print,
    tensorboard: bool = False,
) -> None:
    """Trains to the last step, from the folder's checkpoint if there is one.

    An interruption loses at most the steps since the last checkpoint. A resumed run computes exactly what an
    uninterrupted one does.

    Args:
        checkpoint_every: steps between possible checkpoints; with each, samples and curves are drawn.
        checkpoint_pause: least seconds between checkpoints: a GPU takes a hundred steps in a minute.
        report: called with lines of progress.
        tensorboard: also write TensorBoard events.
    """
    done = _resume(recipe, folder)
    if done:
        report(f"continuing after step {done}")
    writer = _tensorboard(folder) if tensorboard else None
    started, first = time.monotonic(), done
    saved = started
    for index in range(done, recipe.steps):
        losses = recipe.step(index)
        done = index + 1
        _record(folder / LOSSES, done, losses)
        if writer is not None:
            for name, value in losses.items():
                writer.add_scalar(name, value, done)
        if done % _REPORT_EVERY == 0 or done == recipe.steps:
            step_seconds = (time.monotonic() - started) / (done - first)
            report(_progress(done, recipe.steps, losses, step_seconds))
        due = done % checkpoint_every == 0 and time.monotonic() - saved >= checkpoint_pause
        if due or done == recipe.steps:
            write_checkpoint(folder, {**recipe.state_dict(), "step": done})
            write_image(folder / SAMPLES, recipe.sample_sheet())
            plot_losses(folder / LOSSES, folder / CURVES)
            saved = time.monotonic()


def plot_losses(table: Path, image: Path) -> None:
    """Plots every loss of a run over its steps, smoothed, on a logarithmic axis."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    curves: dict[str, list[tuple[int, float]]] = {}
    with table.open() as lines:
        for step, name, value in csv.reader(lines):
            curves.setdefault(name, []).append((int(step), float(value)))
    figure, axes = plt.subplots(figsize=(8, 4.5))
    for name, points in curves.items():
        steps, values = np.array(points).T
        width = max(1, min(25, len(values)))
        axes.plot(steps[width - 1 :], np.convolve(values, np.ones(width) / width, "valid"), label=name)
    axes.set(xlabel="step", ylabel="loss (running mean)", yscale="log")
    axes.legend()
    figure.tight_layout()
    figure.savefig(image, dpi=100)
    plt.close(figure)


def _resume(recipe: Trainable, folder: Path) -> int:
    """Restores the recipe from the folder's checkpoint; returns the number of steps that are done."""
    if not (folder / CHECKPOINT).exists():
        (folder / LOSSES).unlink(missing_ok=True)
        return 0
    saved = read_checkpoint(folder)
    recipe.load_state_dict(saved)
    _truncate(folder / LOSSES, saved["step"])
    return int(saved["step"])


def _progress(done: int, steps: int, losses: Mapping[str, float], step_seconds: float) -> str:
    """One line of progress; ``step_seconds`` is the time of a step."""
    values = "  ".join(f"{name} {value:.3f}" for name, value in losses.items())
    return f"step {done}/{steps}  {values}  {step_seconds:.2f} s/step  {_as_time(step_seconds * (steps - done))} left"


def _record(table: Path, step: int, losses: Mapping[str, float]) -> None:
    with table.open("a", newline="") as lines:
        csv.writer(lines).writerows((step, name, f"{value:.6g}") for name, value in losses.items())


def _truncate(table: Path, step: int) -> None:
    """Drops the losses of steps after the checkpoint, which are computed again."""
    rows = [row for row in table.read_text().splitlines() if int(row.partition(",")[0]) <= step]
    table.write_text("".join(f"{row}\n" for row in rows))


def _tensorboard(folder: Path) -> Any:
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(folder))


def _as_time(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
