"""Trainable systems, one module each, and the registry of them.

A recipe's module defines its configuration, the state of a run, and a :class:`training.core.recipe.RecipeEntry`.
"""

from training.core.recipe import RecipeEntry
from training.recipes.any_style import ANY_STYLE
from training.recipes.colorization import COLORIZATION
from training.recipes.cyclegan import CYCLEGAN
from training.recipes.deidentify import DEIDENTIFY
from training.recipes.pix2pix import PIX2PIX
from training.recipes.pose_transfer import POSE_TRANSFER
from training.recipes.segmentation import SEGMENTATION
from training.recipes.style import STYLE
from training.recipes.super_resolution import SUPER_RESOLUTION
from training.recipes.vid2vid import VID2VID
from training.recipes.woven import WOVEN

RECIPES: dict[str, RecipeEntry] = {
    entry.name: entry
    for entry in (
        STYLE,
        SUPER_RESOLUTION,
        PIX2PIX,
        COLORIZATION,
        SEGMENTATION,
        VID2VID,
        CYCLEGAN,
        DEIDENTIFY,
        ANY_STYLE,
        WOVEN,
        POSE_TRANSFER,
    )
}
"""All recipes by the name in their configuration."""
