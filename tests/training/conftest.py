"""Small images and random loss networks, so that nothing is downloaded and nothing takes long."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torchvision.models import squeezenet1_0, squeezenet1_1

from tests.support.images import write_noise
from training.recipes.style import StyleConfig


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 24 photos, of which 20 are held out."""
    folder = tmp_path_factory.mktemp("photos")
    for number in range(24):
        write_noise(folder / f"{number:02}.png", 64, 72, number)
    return folder


@pytest.fixture(scope="session")
def squeezenet_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights in torchvision's layout."""
    path = tmp_path_factory.mktemp("weights") / "squeezenet.safetensors"
    with torch.random.fork_rng():
        torch.manual_seed(0)
        save_file(squeezenet1_0(weights=None).features.state_dict(prefix="features."), path)
    return path


@pytest.fixture(scope="session")
def feature_extractor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights for projected discriminators, without biases: twice the contrast is seen as twice."""
    path = tmp_path_factory.mktemp("weights") / "feature_extractor.safetensors"
    with torch.random.fork_rng():
        torch.manual_seed(0)
        state = squeezenet1_1(weights=None).features.state_dict(prefix="features.")
    save_file({name: 0 * each if name.endswith("bias") else each for name, each in state.items()}, path)
    return path


@pytest.fixture
def config(tmp_path: Path, photos: Path, squeezenet_weights: Path) -> StyleConfig:
    """A run of ten tiny steps that goes through all phases: palette, instance, fading, fixed."""
    return replace(
        StyleConfig(image=str(write_noise(tmp_path / "painting.png", 48, 64, 99)), photos=[str(photos)]),
        weights={"squeezenet": str(squeezenet_weights)},
        image_size=64,
        size=48,
        batch=1,
        palette_steps=2,
        steps=8,
    )


@pytest.fixture(autouse=True)
def no_download(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that would fetch weights fails at once."""

    def refuse(url: str, **_: object) -> None:
        raise AssertionError(f"a test wants to download {url}")

    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", refuse)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Sums in one order, so that equal computations are equal bit for bit.

    Tiny tensors are also fastest so, above all on a busy machine.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
