"""The registry: what a recipe has to have, and that one module and one line are enough to add one."""

from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from torch import Tensor, nn

from training.cli.train import train_command
from training.core.recipe import RecipeConfig, RecipeEntry, setting
from training.core.run_folder import CHECKPOINT
from training.data.photos import list_photos
from training.networks.image_generator import ImageGenerator
from training.recipes import RECIPES
from training.recipes.runs import load_network, read_run


class Brighten(ImageGenerator):
    stride = 1

    def __init__(self) -> None:
        super().__init__()
        self.offset = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.offset


@dataclass(frozen=True, kw_only=True)
class ToyConfig(RecipeConfig):
    recipe: str = "toy"
    photos: list[str] = setting("Folder of photos; repeatable.", kind="folders")
    strength: float = setting("How much brighter.", 0.5)
    steps: int = setting("Training steps.", 3)


class ToyRecipe:
    def __init__(self, config: ToyConfig, device: torch.device) -> None:
        self.config, self.device = config, device
        self.photos, self.held_out = list_photos([Path(each) for each in config.photos]), list[Path]()
        self.network = Brighten().to(device)

    @property
    def steps(self) -> int:
        return self.config.steps

    def step(self, index: int) -> dict[str, float]:
        self.network.offset.data += self.config.strength / self.config.steps
        return {"distance": float(self.config.strength - self.network.offset.detach())}

    def sample_sheet(self) -> Tensor:
        return torch.full((3, 8, 8), 0.5)

    def state_dict(self) -> dict[str, object]:
        return {"generator": self.network.state_dict()}

    def load_state_dict(self, state: dict[str, dict[str, Tensor]]) -> None:
        self.network.load_state_dict(state["generator"])


TOY = RecipeEntry(
    name="toy",
    config=ToyConfig,
    recipe=ToyRecipe,
    network=lambda config: Brighten(),
    examples=lambda config, direction: (list_photos([Path(each) for each in config.photos]), []),
    command=("toy", "Brighten photos."),
)


def test_a_new_recipe_is_trained_and_loaded(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(RECIPES, "toy", TOY)
    options = ["--photos", str(photos), "--strength", "0.3", "--out", str(tmp_path), "--device", "cpu"]
    done = CliRunner().invoke(train_command(TOY), options)
    assert done.exit_code == 0, done.output
    assert (tmp_path / CHECKPOINT).is_file()
    run = read_run(tmp_path)
    network = load_network(run)
    assert isinstance(network, Brighten) and float(network.offset.detach()) == pytest.approx(0.3)
    assert run.config.without_paths()["photos"] == [photos.name]
    image = torch.full((5, 7, 3), 100, dtype=torch.uint8)
    assert ((network.reference(image) - 100).float() - 0.3 * 255).abs().max() <= 1


@pytest.mark.parametrize("name", RECIPES)
def test_every_setting_has_a_help_of_one_phrase(name: str) -> None:
    entry = RECIPES[name]
    assert entry.config.recipe == name and entry.config.data()
    for each in entry.config.settings():
        words = each.metadata["help"]
        assert words.endswith(".") and " and said" not in words and not words.startswith(("Of ", "What "))


def test_entries_that_users_cannot_set_are_no_options() -> None:
    names = {each.name for each in RECIPES["style"].config.settings()}
    assert "image_size" in names and not {"recipe", "precision"} & names
