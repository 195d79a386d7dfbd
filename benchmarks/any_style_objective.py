"""The training objective of styles that a universal generator makes at once, beside styles of the full recipe."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory

from benchmarks.any_style_video import kept_styles
from export.evaluate import config_of, crops_of, measure_style
from training.cli.options import pick_device
from training.recipes.style import build_objective
from vidgan.models.registry import bundled_models, find_model

BOUND = 1.35
_PRECISION = "float32"


def compare_objectives(
    folder: Path, paintings: Sequence[Path], photos: Sequence[Path], weights: Mapping[str, str]
) -> dict[str, float]:
    """The objective of folded styles over that of the bundled styles, by their names.

    Args:
        folder: of the universal style model.
        paintings: folders that have the paintings of bundled styles.
        photos: held-out ones, of which the middle is stylized.
        weights: of the loss networks.
    """
    ratios = {}
    images = crops_of(photos)
    with TemporaryDirectory(prefix="vidgan-any-style-") as place:
        for style in bundled_models("style"):
            spec = find_model(style, precision="int8")
            config = next(
                (each for each in (config_of(spec, at, dict(weights)) for at in paintings)
                 if Path(each.image).is_file()),
                None,
            )  # fmt: skip
            if config is None:
                continue
            folded = kept_styles(folder, [Path(config.image)], Path(place))[Path(config.image).stem]
            reference = folded / f"{_PRECISION}.onnx"
            objective = build_objective(config, pick_device("cpu"))
            figures = measure_style(spec, style, objective, images, [reference])
            ratios[style] = figures[folded.name] / figures[_PRECISION]
    return ratios


def objective_line(ratios: Mapping[str, float]) -> str:
    """The figures in words."""
    mean = fmean(ratios.values())
    each = ", ".join(f"{name} {ratio:.2f}" for name, ratio in ratios.items())
    held = "yes" if mean <= BOUND else "NO"
    return f"objective: {mean:.3f} of the trained styles' (at most {BOUND:g}: {held}): {each}"
