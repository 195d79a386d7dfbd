"""Cards of translators that learned without pairs say what was measured."""

import tomllib
from typing import Any

import pytest

from export.cards.cyclegan import card, recipe_of
from tests.support.places import ROOT
from training.cli.bundled import CYCLEGANS as RECIPES
from training.core.compatibility import upgrade_config
from training.recipes.cyclegan import CycleGANConfig
from vidgan.models.registry import bundled_models, card_of, find_model

FIGURES = ROOT / "docs" / "unpaired"
RECIPE_OF = tomllib.loads(RECIPES.read_text(encoding="utf-8"))
SHIPPED = [name for name in bundled_models("translate") if recipe_of(name) in RECIPE_OF]


@pytest.mark.parametrize("name", SHIPPED)
def test_cards_are_what_facts_and_figures_make_of_them(name: str) -> None:
    assert card(name, RECIPE_OF[recipe_of(name)], FIGURES) == card_of(name)


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_files_were_trained_by_the_recipe(name: str) -> None:
    recipe = RECIPE_OF[recipe_of(name)]
    facts = find_model(name, precision="int8", task="translate").facts
    trained: Any = facts["recipe"]
    trained = upgrade_config(trained)
    assert facts["steps"] == recipe.get("steps", CycleGANConfig.steps)
    for key in ("batch", "cycle_weight", "discriminator", "network", "size", "trim"):
        assert trained[key] == recipe.get(key, getattr(CycleGANConfig, key))
