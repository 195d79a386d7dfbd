"""Old names in run folders, checkpoints and exported models, and what they are called now.

Every renamed setting or weight has its line here; the rest of the code knows the new names only.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

_T = TypeVar("_T")

DEFAULT_RECIPE = "style"
"""The recipe of configurations that name none: the first version knew only this one."""

_SETTINGS = {
    "adversarial": "gan_mode",
    "colour_weight": "color_weight",
    "cycle": "cycle_loss",
    "discriminator_width": "discriminator_channels",
    "drive_labels": "video_labels",
    "drive_photos": "video_photos",
    "eyes": "feature_extractor",
    "fade": "norm_fade",
    "first_steps": "identity_warmup_steps",
    "frames": "train_frames",
    "grain": "input_noise",
    "grid_weight": "checkerboard_weight",
    "height": "image_height",
    "identity_share": "lambda_identity",
    "judge_rate": "discriminator_lr_ratio",
    "late_cycle": "cycle_weight_decay",
    "length": "image_width",
    "matching_weight": "feature_matching_weight",
    "pixel": "pixel_loss",
    "pool": "pool_size",
    "rare": "class_balance",
    "recogniser": "recognizer",
    "run": "sequence_length",
    "scales": "num_discriminators",
    "second_recogniser": "second_recognizer",
    "shrinks": "photo_scales",
    "steady_weight": "temporal_weight",
    "stretch": "lightness_stretch",
    "width": "base_channels",
}
_SETTINGS_OF_RECIPE = {
    "style": {"jitter": "crop_jitter"},
    "any-style": {"jitter": "crop_jitter"},
    "pix2pix": {"jitter": "color_jitter"},
}
_BEFORE = {"style": {"local_color_weight": 0.0, "lattice_weight": 0.0}}
"""Settings that recipes have got later, with the values that say what runs did without them."""

_CHECKPOINT_ENTRIES = {
    "judge": "discriminator",
    "judges": "discriminators",
    "motion": "video_discriminator",
    "painted": "outputs",
    "pictures": "image_discriminator",
    "scaler": "precision",
}
_POOL_ENTRIES = {"kept": "images"}
_MODULES = {"cells": "patch_features", "grain": "input_noise", "patterns": "matrix", "verdict": "score"}


def current_setting(name: str) -> str:
    """Today's name of a setting of any recipe."""
    return _SETTINGS.get(name, name)


def upgrade_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration of a run folder or of a model's metadata, with today's names of settings."""
    recipe = config.get("recipe", DEFAULT_RECIPE)
    names = _SETTINGS | _SETTINGS_OF_RECIPE.get(recipe, {})
    before = _BEFORE.get(recipe, {})
    return {"recipe": recipe, **before, **{names.get(name, name): value for name, value in config.items()}}


def upgrade_checkpoint(saved: Mapping[str, Any]) -> dict[str, Any]:
    """A checkpoint with today's names of its entries and weights."""
    renamed = {_CHECKPOINT_ENTRIES.get(name, name): value for name, value in saved.items()}
    if "pools" in renamed:
        renamed["pools"] = {
            direction: {_POOL_ENTRIES.get(name, name): value for name, value in pool.items()}
            for direction, pool in renamed["pools"].items()
        }
    return {name: _with_new_modules(value) for name, value in renamed.items()}


def upgrade_weights(weights: Mapping[str, _T]) -> dict[str, _T]:
    """Weights with today's names of the modules that they belong to."""
    return {
        ".".join(_MODULES.get(part, part) for part in name.split(".")): value
        for name, value in weights.items()
    }


def _with_new_modules(state: Any) -> Any:
    """The state with the weights of all networks in it renamed; other values as they are."""
    if not isinstance(state, dict) or not all(isinstance(key, str) for key in state):
        return state
    return upgrade_weights({key: _with_new_modules(value) for key, value in state.items()})
