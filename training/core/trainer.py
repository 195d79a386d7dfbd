"""Runs a recipe: steps, checkpoints, exact resume, progress, curves and sample sheets."""

import csv
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
import torch
from torch import Tensor

CHECKPOINT = "checkpoint.pt"
CONFIG = "recipe.json"
LOSSES = "losses.csv"
CURVES = "losses.png"
SAMPLES = "samples.png"

_REPORT_EVERY = 25


class Recipe(Protocol):
    """What the trainer needs of a trainable system."""

    @property
    def steps(self) -> int: ...

    def step(self, index: int) -> dict[str, float]: ...

    def sample_sheet(self) -> Tensor: ...

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state: dict[str, Any]) -> None: ...


def prepare_run(folder: Path, config: dict[str, Any]) -> None:
    """Makes the run's folder, or checks that what was learned there is of the same configuration.

    Raises:
        ValueError: the folder holds a run of another configuration.
    """
    folder.mkdir(parents=True, exist_ok=True)
    saved = folder / CONFIG
    if saved.exists() and (folder / CHECKPOINT).exists():
        before = json.loads(saved.read_text())
        different = sorted(key for key in config | before if config.get(key) != before.get(key))
        if different:
            raise ValueError(f"{folder}: holds a run that differs in {', '.join(different)}; choose another")
    saved.write_text(json.dumps(config, indent=2) + "\n")


def train(
    recipe: Recipe,
    folder: Path,
    *,
    checkpoint_every: int = 25,
    checkpoint_pause: float = 60.0,
    report: Callable[[str], None] = print,
    tensorboard: bool = False,
) -> None:
    """Trains to the end, from the folder's checkpoint if there is one.

    Interrupting it loses at most what was done since the last checkpoint; a resumed run computes what an
    uninterrupted one would have.

    Args:
        checkpoint_every: steps; at multiples of it alone checkpoints are written, pictures and curves drawn.
        checkpoint_pause: seconds from one to the next at least: a GPU takes a hundred steps in that time.
        report: told how it goes.
        tensorboard: whether to write events for it, too.
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
            pace = (time.monotonic() - started) / (done - first)
            words = "  ".join(f"{name} {value:.3f}" for name, value in losses.items())
            left = _clock(pace * (recipe.steps - done))
            report(f"step {done}/{recipe.steps}  {words}  {pace:.2f} s/step  {left} left")
        due = done % checkpoint_every == 0 and time.monotonic() - saved >= checkpoint_pause
        if due or done == recipe.steps:
            _save(recipe, folder, done)
            write_picture(folder / SAMPLES, recipe.sample_sheet())
            plot_losses(folder / LOSSES, folder / CURVES)
            saved = time.monotonic()


def write_picture(path: Path, picture: Tensor) -> None:
    """Writes RGB in [0, 1], ``(3, H, W)``."""
    pixels = (picture.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
    cv2.imwrite(str(path), cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))


def plot_losses(table: Path, picture: Path) -> None:
    """Draws every loss of a run over its steps, smoothed, on a logarithmic axis."""
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
    figure.savefig(picture, dpi=100)
    plt.close(figure)


def _resume(recipe: Recipe, folder: Path) -> int:
    path = folder / CHECKPOINT
    if not path.exists():
        (folder / LOSSES).unlink(missing_ok=True)
        return 0
    saved = torch.load(path, map_location="cpu", weights_only=True)
    recipe.load_state_dict(saved)
    _cut(folder / LOSSES, saved["step"])
    return int(saved["step"])


def _save(recipe: Recipe, folder: Path, step: int) -> None:
    part = folder / f"{CHECKPOINT}.part"
    torch.save({**recipe.state_dict(), "step": step}, part)
    part.replace(folder / CHECKPOINT)


def _record(table: Path, step: int, losses: dict[str, float]) -> None:
    with table.open("a", newline="") as lines:
        csv.writer(lines).writerows((step, name, f"{value:.6g}") for name, value in losses.items())


def _cut(table: Path, step: int) -> None:
    """Drops what was recorded after the checkpoint and will be computed again."""
    rows = [row for row in table.read_text().splitlines() if int(row.partition(",")[0]) <= step]
    table.write_text("".join(f"{row}\n" for row in rows))


def _tensorboard(folder: Path) -> Any:
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(folder))


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
