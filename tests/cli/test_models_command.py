"""``vidgan models``, and that what is bundled is what it should be."""

import json
import tomllib
from pathlib import Path
from typing import Any, get_args

import cv2
import numpy as np
import onnx
import pytest

from export.cards.common import trained_config
from tests.support.commands import SAMPLES, assert_one_clear_error, vidgan
from tests.support.images import read_pixels
from vidgan.errors import VidganError
from vidgan.jobs.contact_sheet import contact_sheet
from vidgan.models.registry import BUNDLED, Precision, bundled_models, card_of, find_model
from vidgan.tasks import all_tasks, names_to_try, shipped_names
from vidgan.tasks.style import TASK as STYLE
from vidgan.tasks.task import Task

RECIPES = Path(__file__).parents[2] / "training" / "recipes" / "bundled.toml"
PHOTO = SAMPLES / "bunny.jpg"


def test_list_has_every_bundled_model_by_task_with_its_title() -> None:
    done = vidgan("models")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    titles = {}
    for task in all_tasks():
        for name in bundled_models(task.name):
            titles[name] = (find_model(name, precision="int8").title, task.name)
        # Styles by name, where the universal style model is installed.
        titles |= {each.name: (each.title, task.name) for each in task.made_models()}
    assert [line.split()[0] for line in lines] == list(titles)
    for line, words in zip(lines, titles.values(), strict=True):
        assert all(word in line for word in words)


def test_json_says_where_models_come_from() -> None:
    models = json.loads(vidgan("models", "--json").stdout)
    recipes = tomllib.loads(RECIPES.read_text(encoding="utf-8"))
    styles = [each for each in models if each["task"] == "style"]
    assert [each["name"] for each in styles] == shipped_names(STYLE)
    assert all(each["artist"] for each in styles[len(bundled_models("style")) :])
    # Labels and photos of CamVid are not for commercial use.
    others = {each["name"]: each["license"] for each in models if each["license"] != "CC-BY-4.0"}
    assert others == dict.fromkeys(("camvid", "camvid-film", "camvid-segment"), "CC-BY-NC-4.0")
    for each in styles[: len(bundled_models("style"))]:
        assert each["recipe"]["image"] and each["steps"] > 0
        assert each["recipe"]["seed"] == recipes[each["name"]].get("seed", 0)


def test_a_card_is_shown() -> None:
    done = vidgan("models", "starry")
    assert done.returncode == 0
    assert done.stdout.rstrip() == card_of("starry").rstrip()


def test_an_unknown_name_gets_the_nearest() -> None:
    assert_one_clear_error(vidgan("models", "wav"), "'wav'", "did you mean 'wave'")


@pytest.mark.timeout(1200)
def test_contact_sheet_shows_every_style_on_the_image(tmp_path: Path) -> None:
    # A dozen named styles are folded, where the universal style model is installed.
    done = vidgan("models", "--try", PHOTO, "-o", tmp_path / "sheet.png", timeout=1000)
    assert done.returncode == 0, done.stderr
    sheet = read_pixels(tmp_path / "sheet.png")
    photo = cv2.resize(cv2.imread(str(PHOTO)), (640, 360), interpolation=cv2.INTER_AREA)
    rows = -(-len(shipped_names(STYLE)) // 3)
    assert sheet.shape == (rows * (360 + 28) + (rows - 1) * 4, 3 * 640 + 2 * 4, 3)
    tiles = [
        sheet[row * 392 : row * 392 + 360, column * 644 : column * 644 + 640].astype(float)
        for row in range(2)
        for column in range(3)
    ]
    for index, tile in enumerate(tiles):
        assert np.abs(tile - photo).mean() > 15
        assert all(np.abs(tile - other).mean() > 10 for other in tiles[:index])
    before = (tmp_path / "sheet.png").read_bytes()
    assert_one_clear_error(
        vidgan("models", "--try", PHOTO, "-o", tmp_path / "sheet.png"), "sheet.png", "exists already"
    )
    assert (tmp_path / "sheet.png").read_bytes() == before
    assert vidgan("models", "wave", "--try", PHOTO, "-o", tmp_path / "sheet.png", "-f").returncode == 0
    assert read_pixels(tmp_path / "sheet.png").shape == (388, 640, 3)


def test_contact_sheet_of_every_task(tmp_path: Path) -> None:
    """Models that take label maps are named, as the photo is none; what enlarges comes out at the same size."""
    sheet = tmp_path / "sheet.png"
    names = ["starry", "swift", "monet", "camvid", "camvid-segment", "colorize"]
    left_out = contact_sheet(PHOTO, sheet, names, device="cpu")
    assert [each.partition(":")[0] for each in left_out] == ["camvid"]
    pixels = read_pixels(sheet)
    assert pixels.shape == (2 * (360 + 28) + 4, 3 * 640 + 2 * 4, 3)
    tiles = [pixels[row : row + 360, x : x + 640].astype(float) for row in (0, 392) for x in (0, 644, 1288)]
    photo = cv2.resize(cv2.imread(str(PHOTO)), (640, 360), interpolation=cv2.INTER_AREA)
    assert np.abs(tiles[0] - photo).mean() < 1
    assert np.abs(tiles[2] - photo).mean() < 8 < np.abs(tiles[1] - photo).mean()
    with pytest.raises(VidganError, match="label"):
        contact_sheet(PHOTO, tmp_path / "none.png", ["camvid"], device="cpu")


def test_models_of_a_command() -> None:
    listed = vidgan("models", "--task", "colorize").stdout
    assert listed.startswith("colorize") and "starry" not in listed
    refused = vidgan("models", "--task", "paint")
    assert refused.returncode == 2 and "there are stylize, upscale" in refused.stderr


@pytest.mark.parametrize("task", all_tasks(), ids=lambda task: task.verb)
def test_every_task_can_be_tried_or_says_why_not(task: Task[Any], tmp_path: Path) -> None:
    sheet, face = tmp_path / "sheet.png", SAMPLES / "person.jpg"
    done = vidgan("models", "--try", face, "--task", task.verb, "-o", sheet)
    tried = names_to_try(task)
    if not tried:
        assert done.returncode == 2 and f"{task.verb}: not tried: {task.untried}" in done.stderr
        return
    assert done.returncode == 0, done.stderr
    named = done.stdout.strip().removeprefix(f"{sheet}: ").split(", ")
    left_out = {line.split(": ")[1] for line in done.stderr.splitlines() if "not tried" in line}
    assert {*named, *left_out} == set(tried) and named
    tiles = len(named) + (task.name != "style")
    assert read_pixels(sheet).shape[0] == -(-tiles // 3) * (360 + 28 + 4) - 4


@pytest.mark.parametrize("name", ["missing.jpg", "notes.jpg"])
def test_contact_sheet_of_no_image_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "notes.jpg").write_text("these are notes")
    done = vidgan("models", "--try", tmp_path / name, "-o", tmp_path / "sheet.png")
    assert_one_clear_error(done, name)
    assert not list(tmp_path.glob("*sheet*"))


def test_six_styles_in_all_precisions_within_15_megabytes() -> None:
    assert {"starry", "wave", "scream"} <= set(bundled_models("style")) and len(bundled_models("style")) >= 6
    files = [path for style in bundled_models("style") for path in (BUNDLED / style).glob("*.onnx")]
    assert sum(path.stat().st_size for path in files) < 15e6
    for name in bundled_models("style"):
        precisions = {path.stem for path in (BUNDLED / name).glob("*.onnx")}
        assert precisions == {*get_args(Precision), "int8-yuv420"}


@pytest.mark.parametrize("name", bundled_models("style"))
def test_variants_are_of_the_same_training_and_of_the_committed_recipe(name: str) -> None:
    specs = [find_model(name, precision=precision) for precision in get_args(Precision)]
    assert [spec.precision for spec in specs] == list(get_args(Precision))
    (planar,) = [spec.planar for spec in specs if spec.planar is not None]
    assert (planar.precision, planar.layout) == ("int8", "yuv420")
    facts = [
        {key: value for key, value in spec.facts.items() if key not in ("precision", "layout")}
        for spec in (*specs, planar)
    ]
    assert all(each == facts[0] for each in facts)
    style = tomllib.loads(RECIPES.read_text(encoding="utf-8"))[name]
    recipe = trained_config(specs[0])
    settings = {key: value for key, value in style.items() if key not in ("title", "failures")}
    assert facts[0]["name"] == name and facts[0]["title"] == style["title"]
    assert recipe["init"] == style.get("init")
    assert {key: recipe[key] for key in settings} == settings and len(settings) > 3


@pytest.mark.parametrize(
    "path", sorted(BUNDLED.rglob("*.onnx")), ids=lambda path: f"{path.parent.name}-{path.stem}"
)
def test_no_folder_of_a_machine_is_in_a_model(path: Path) -> None:
    model = onnx.load(path)
    for tensor in model.graph.initializer:
        tensor.ClearField("raw_data")  # Numbers: any three letters are among so many.
    data = model.SerializeToString()
    for place in (b"site-packages", b"/home/", b"/root/", b"/usr/", b"/opt/", b'.py"', b"C:\\"):
        assert place not in data


@pytest.mark.parametrize("name", bundled_models("style"))
def test_card_says_what_was_stylized_from_what(name: str) -> None:
    card, spec = card_of(name), find_model(name, precision="int8")
    recipe = spec.facts["recipe"]
    assert isinstance(recipe, dict)
    for fact in (spec.title, spec.license, f"{spec.facts['steps']} steps", f"seed {recipe['seed']}"):
        assert fact in card
    for section in ("## Measured", "## Known failures"):
        assert card.count(section) == 1
        assert len(card.split(section)[1].split("\n## ")[0].split()) > 15
    assert "public domain" in card and "hardware" in card
