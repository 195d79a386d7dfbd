"""Cards of upscalers say what was measured."""

import json
import tomllib
from typing import Any

import pytest

from export.cards.upscaler import card
from tests.support.places import ROOT
from training.cli.bundled import UPSCALERS as RECIPES
from training.core.compatibility import upgrade_config
from vidgan.models.registry import bundled_models, card_of, find_model

FIGURES = ROOT / "docs" / "upscaling.json"


@pytest.mark.parametrize("name", bundled_models("upscale"))
def test_cards_are_what_facts_and_figures_make_of_them(name: str) -> None:
    recipe = tomllib.loads(RECIPES.read_text(encoding="utf-8"))[name]
    measured = json.loads(FIGURES.read_text())
    assert card(name, recipe, measured) == card_of(name)


@pytest.mark.parametrize("name", bundled_models("upscale"))
def test_shipped_files_were_trained_by_the_recipe(name: str) -> None:
    recipe = tomllib.loads(RECIPES.read_text(encoding="utf-8"))[name]
    facts = find_model(name, precision="int8", task="upscale").facts
    trained: Any = facts["recipe"]
    trained = upgrade_config(trained)
    assert facts["steps"] == recipe["steps"]
    for key in ("batch", "degradation", "network", "pixel_loss", "scale", "size"):
        assert trained[key] == recipe.get(key, trained[key])
