"""Runs: exact resume, refusals, and what they leave in their folder."""

import csv
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import pytest
import torch

from tests.support.state_dicts import differences
from training.core.randomness import restore
from training.core.run_folder import CHECKPOINT, CONFIG, CURVES, LOSSES, SAMPLES, prepare_run
from training.core.trainer import train
from training.data.images import center_crop, read_image
from training.recipes.style import TERMS, StyleConfig, StyleRecipe
from vidgan.models.registry import BUNDLED

CPU = torch.device("cpu")


class Interrupted(StyleRecipe):
    """A run whose power fails at the beginning of step ``at``."""

    at = 5

    def step(self, index: int) -> dict[str, float]:
        if index == self.at:
            raise KeyboardInterrupt
        return super().step(index)


def run(recipe: StyleRecipe, folder: Path, every: int = 4) -> list[str]:
    said: list[str] = []
    prepare_run(folder, recipe.config.as_dict())
    train(recipe, folder, checkpoint_every=every, checkpoint_pause=0, report=said.append)
    return said


def test_random_numbers_go_on_and_on_another_device_begin_from_what_was_saved() -> None:
    random = torch.Generator().manual_seed(1)
    torch.rand(3, generator=random)
    own = random.get_state()
    following = torch.rand(4, generator=random)
    restore(random, own)
    assert torch.equal(torch.rand(4, generator=random), following)
    # A GPU keeps its seed and its place, eight bytes each.
    drawn = []
    for saved in ([1, 0], [1, 0], [1, 4]):
        restore(random, torch.tensor(saved).view(torch.uint8))
        drawn.append(torch.rand(4, generator=random))
    assert torch.equal(drawn[0], drawn[1]) and not torch.equal(drawn[0], drawn[2])


def test_a_resumed_run_computes_what_an_uninterrupted_one_does(config: StyleConfig, tmp_path: Path) -> None:
    straight = StyleRecipe(config, CPU)
    run(straight, tmp_path / "straight")
    with pytest.raises(KeyboardInterrupt):
        run(Interrupted(config, CPU), tmp_path / "resumed")
    # Step 5 was done and recorded, but after the last checkpoint.
    assert (tmp_path / "resumed" / LOSSES).read_text().splitlines()[-1].startswith("5,")
    torch.manual_seed(999)
    resumed = StyleRecipe(config, CPU)
    said = run(resumed, tmp_path / "resumed")
    assert said[0] == "continuing after step 4" and said[-1].startswith("step 10/10")
    assert differences(resumed.state_dict(), straight.state_dict()) == []
    assert (tmp_path / "resumed" / LOSSES).read_text() == (tmp_path / "straight" / LOSSES).read_text()
    saved = [torch.load(tmp_path / name / CHECKPOINT, weights_only=True) for name in ("straight", "resumed")]
    assert saved[0]["step"] == 10 and differences(*saved) == []


def test_training_changes_all_weights_and_ends_with_fixed_statistics(
    config: StyleConfig, tmp_path: Path
) -> None:
    recipe = StyleRecipe(config, CPU)
    before = {name: value.clone() for name, value in recipe.generator.named_parameters()}
    run(recipe, tmp_path / "run")
    assert [
        name for name, value in recipe.generator.named_parameters() if torch.equal(value, before[name])
    ] == []
    shares = [v for k, v in recipe.generator.state_dict().items() if k.endswith("instance_share")]
    assert shares and not any(shares)


def test_a_finished_run_is_left_as_it_is(config: StyleConfig, tmp_path: Path) -> None:
    short = replace(config, palette_steps=1, steps=1)
    run(StyleRecipe(short, CPU), tmp_path / "run")
    before = (tmp_path / "run" / CHECKPOINT).read_bytes()
    assert run(StyleRecipe(short, CPU), tmp_path / "run") == ["continuing after step 2"]
    assert (tmp_path / "run" / CHECKPOINT).read_bytes() == before


def test_another_configuration_is_refused_by_name(config: StyleConfig, tmp_path: Path) -> None:
    other = replace(config, seed=7, style_weight=2.0)
    prepare_run(tmp_path / "run", other.as_dict())
    prepare_run(tmp_path / "run", config.as_dict())
    assert json.loads((tmp_path / "run" / CONFIG).read_text()) == config.as_dict(), "nothing was learned yet"
    (tmp_path / "run" / CHECKPOINT).touch()
    prepare_run(tmp_path / "run", config.as_dict())
    with pytest.raises(ValueError, match="differs in seed, style_weight; choose another"):
        prepare_run(tmp_path / "run", other.as_dict())


def test_a_checkpoint_is_written_whole_or_not_at_all(
    config: StyleConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(Interrupted(config, CPU), tmp_path / "run", every=2)
    before = (tmp_path / "run" / CHECKPOINT).read_bytes()

    def full_disk(_: object, path: Path) -> None:
        path.write_bytes(b"half a checkpoint")
        raise OSError("No space left on device")

    monkeypatch.setattr(torch, "save", full_disk)
    with pytest.raises(OSError, match="No space left"):
        run(StyleRecipe(config, CPU), tmp_path / "run", every=2)
    assert (tmp_path / "run" / CHECKPOINT).read_bytes() == before
    monkeypatch.undo()
    assert run(StyleRecipe(config, CPU), tmp_path / "run")[0] == "continuing after step 4"


def test_checkpoints_keep_their_distance(
    config: StyleConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, drawn = 0.0, []

    class Slow(StyleRecipe):
        """A run whose every step takes 25 seconds."""

        def step(self, index: int) -> dict[str, float]:
            nonlocal now
            now += 25
            return super().step(index)

        def sample_sheet(self, columns: int = 6) -> torch.Tensor:
            drawn.append(round(now / 25))
            return super().sample_sheet(columns)

    monkeypatch.setattr(time, "monotonic", lambda: now)
    train(Slow(config, CPU), tmp_path, checkpoint_every=2, checkpoint_pause=60)
    assert drawn == [4, 8, 10]


def test_curves_sheet_and_table(config: StyleConfig, tmp_path: Path) -> None:
    recipe, folder = StyleRecipe(config, CPU), tmp_path / "run"
    run(recipe, folder)
    with (folder / LOSSES).open() as lines:
        rows = [(int(step), name) for step, name, value in csv.reader(lines) if float(value) > 0]
    palette = [(step, "palette") for step in (1, 2)]
    terms = *TERMS, "local color", "lattice", "temporal", "checkerboard"
    assert rows == palette + [(step, name) for step in range(3, 11) for name in terms]

    curves = cv2.imread(str(folder / CURVES))
    assert curves is not None and curves.shape == (450, 800, 3)
    assert len(cv2.calcHist([curves], [0], None, [256], [0, 256]).nonzero()[0]) > 10

    sheet = read_image(folder / SAMPLES)
    assert sheet.shape == (3, 4 * 256, 6 * 256)
    for number, path in enumerate(recipe.held_out[:12]):
        top, left = number // 6 * 512, number % 6 * 256
        photo = center_crop(read_image(path), 256)
        torch.testing.assert_close(sheet[:, top : top + 256, left : left + 256], photo, rtol=0, atol=0.003)
    with torch.no_grad():
        output = recipe.generator.eval()(center_crop(read_image(recipe.held_out[7]), 256)[None])[0]
    torch.testing.assert_close(sheet[:, 768:, 256:512], output, rtol=0, atol=0.003)


def test_a_run_can_start_from_anothers_checkpoint(config: StyleConfig, tmp_path: Path) -> None:
    first = StyleRecipe(replace(config, steps=1), CPU)
    run(first, tmp_path / "first")
    start = replace(config, init=str(tmp_path / "first" / CHECKPOINT), seed=5)
    second = StyleRecipe(start, CPU)
    assert differences(second.generator.state_dict(), first.generator.state_dict()) == []
    assert second.steps == config.steps  # No palette phase.


@pytest.mark.cuda(of="torch")
def test_a_run_on_cuda_starts_as_the_exported_style(config: StyleConfig) -> None:
    start = replace(config, network="swift", init=str(BUNDLED / "starry" / "float32.onnx"))
    here, there = (StyleRecipe(start, torch.device(name)).generator for name in ("cpu", "cuda"))
    assert next(there.parameters()).device.type == "cuda"
    for ours, theirs in zip(here.parameters(), there.parameters(), strict=True):
        assert torch.equal(ours, theirs.cpu())


def test_held_out_photos_are_never_trained_on(
    config: StyleConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from training.data import photos

    read: set[Path] = set()

    def watched(path: Path, **how: Any) -> torch.Tensor:
        read.add(path)
        return read_image(path, **how)

    recipe = StyleRecipe(config, CPU)
    monkeypatch.setattr(photos, "read_image", watched)
    for index in range(recipe.steps):
        recipe.step(index)
    assert read and read <= set(recipe.photos) and not read & set(recipe.held_out)
