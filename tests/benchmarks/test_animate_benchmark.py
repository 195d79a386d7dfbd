"""``python -m benchmarks.animate table`` and ``parts``: rows, their order, and runs that cannot be compared."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result

from benchmarks.animate import cli
from benchmarks.animate_table import AS_LEARNED, BY_DISTANCES, NETWORK, WITHOUT_BLOCKS
from tests.support.people import pose_transfer_config
from training.core.run_folder import CHECKPOINT, prepare_run
from training.recipes.pose_transfer import PoseTransferConfig, PoseTransferRecipe
from vidgan.media.body_parts import PARTS


def command(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(each) for each in arguments])


def written_run(folder: Path, config: PoseTransferConfig) -> Path:
    """A run that has the weights that it begins with."""
    recipe = PoseTransferRecipe(config, torch.device("cpu"))
    prepare_run(folder, config.as_dict())
    torch.save({**recipe.state_dict(), "step": config.steps}, folder / CHECKPOINT)
    return folder


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> PoseTransferConfig:
    return pose_transfer_config(tmp_path_factory.mktemp("dolls"))


@pytest.fixture(scope="module")
def run(config: PoseTransferConfig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written_run(tmp_path_factory.mktemp("runs") / "whole", config)


def test_the_ablation_is_one_table_in_the_paper_s_order(
    config: PoseTransferConfig, run: Path, tmp_path: Path
) -> None:
    ablated = written_run(tmp_path / "ablated", replace(config, network="by-concatenation"))
    report = tmp_path / "table.json"
    done = command("table", ablated, run, "--pairs", 3, "--json", report)
    assert done.exit_code == 0 and f"{WITHOUT_BLOCKS}: {ablated}, 4 steps" in done.output, done.output
    figures = json.loads(report.read_text())["figures"]
    assert list(figures) == [NETWORK, AS_LEARNED, BY_DISTANCES, WITHOUT_BLOCKS]
    assert all(0 < each["SSIM"] <= 1 and each["LPIPS"] >= 0 for each in figures.values())
    assert 0 <= figures[NETWORK]["part IoU"] < 0.5
    # Cut out by the true mask, dolls warped by their limbs are nearly right without learning.
    assert figures[BY_DISTANCES]["SSIM"] > figures[NETWORK]["SSIM"]
    # Both began with the same weights, and parts are found before anything is warped.
    assert figures[NETWORK]["part IoU"] == figures[WITHOUT_BLOCKS]["part IoU"]
    assert figures[NETWORK]["LPIPS"] != figures[WITHOUT_BLOCKS]["LPIPS"]
    alone = command("table", run, "--pairs", 3)
    assert alone.output.splitlines()[2:] == [
        each for each in done.output.splitlines()[3:] if not each.startswith(WITHOUT_BLOCKS)
    ]


def test_two_runs_of_one_network_are_told_apart(
    config: PoseTransferConfig, run: Path, tmp_path: Path
) -> None:
    other = written_run(tmp_path / "other", replace(config, seed=1))
    done = command("table", run, other, "--pairs", 1)
    names = [line.split("  ")[0] for line in done.output.splitlines()[3:]]
    assert done.exit_code == 0, done.output
    assert names == [
        f"{NETWORK}, {run}", f"{NETWORK}, {other}", f"{AS_LEARNED}, {run}", f"{AS_LEARNED}, {other}", BY_DISTANCES,
    ]  # fmt: skip


def test_runs_that_saw_other_people_are_not_compared(
    config: PoseTransferConfig, run: Path, tmp_path: Path
) -> None:
    other = written_run(tmp_path / "other", replace(config, held_out=2))
    done = command("table", run, other)
    assert done.exit_code == 1 and f"{other}: its held_out is 2, that of {run} is 1" in done.output


def test_parts_are_printed_one_by_one(run: Path) -> None:
    done = command("parts", run, "--pairs", 2)
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    assert [line[:32].strip() for line in lines[: len(PARTS)]] == list(PARTS)
    assert all("points as trained" in line and "true points" in line for line in lines)
