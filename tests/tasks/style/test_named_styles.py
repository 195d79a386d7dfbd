"""Styles that come with the universal style model by name: listed, shown, completed, applied and blended."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.shell_completion import BashComplete
from numpy.typing import NDArray

import vidgan
from tests.support.commands import SAMPLES, assert_one_clear_error
from tests.support.commands import vidgan as command
from tests.support.universal import name_styles, write_universal_model
from vidgan.cli import cli
from vidgan.cli.live import offered_styles
from vidgan.errors import InputError, ModelError, ModelNotFoundError
from vidgan.jobs.plan import Step
from vidgan.models.registry import bundled_models, model_in
from vidgan.models.universal.installation import FACTS, add_universal
from vidgan.sources.image import read_image
from vidgan.tasks import step_settings
from vidgan.tasks.style import StyleSettings
from vidgan.tasks.style.images import add_image, style_of

PHOTO = np.ascontiguousarray(read_image(SAMPLES / "bunny.jpg").pixels[:180, :320])


def painting(path: Path, color: tuple[int, int, int]) -> Path:
    shades = np.random.default_rng(3).uniform(0.6, 1.15, (90, 120, 1))
    image = cv2.GaussianBlur(shades * np.array(color), (7, 3), 0).clip(0, 255).astype(np.uint8)
    assert cv2.imwrite(str(path), image[..., ::-1])
    return path


@pytest.fixture
def blue(tmp_path: Path) -> Path:
    return painting(tmp_path / "blue.png", (40, 60, 220))


@pytest.fixture
def red(tmp_path: Path) -> Path:
    return painting(tmp_path / "red.png", (220, 50, 40))


@pytest.fixture
def named(universal: Path, blue: Path, red: Path) -> Path:
    """A universal style model with the styles sea and clay."""
    name_styles(universal, {"sea": blue, "clay": red})
    return universal


def stylized(style: Path | str) -> NDArray[np.uint8]:
    return vidgan.stylize(PHOTO, style=str(style))


def test_a_name_paints_as_its_painting_does(named: Path, blue: Path) -> None:
    assert np.array_equal(stylized("sea"), stylized(blue))
    step = Step(StyleSettings(style="sea"))
    (spec,) = step.loaded(device="cpu").specs
    assert (step.name, spec.name, spec.title) == ("sea", "sea", "Nobody, A Sea (1900)")
    assert spec.planar is not None and not style_of([("sea", 1.0)]).warnings
    assert step_settings("clay") == StyleSettings(style="clay")


def test_blends_take_names_and_are_folded_once(named: Path, red: Path) -> None:
    wanted = stylized(f"sea:0.4,{red}:0.6")
    assert np.array_equal(stylized("sea:0.4,clay:0.6"), wanted)
    for text in ("sea:0.4,clay:0.6", "0s:sea,1s:clay"):
        specs = Step(StyleSettings(style=text)).loaded(device="cpu").specs
        assert len(specs) == (2 if "s:" in text else 1)


def test_blends_of_bundled_styles_use_the_vectors_of_their_paintings(
    universal: Path, blue: Path, red: Path
) -> None:
    name_styles(universal, {}, {"starry": blue, "wave": red})
    assert np.array_equal(stylized("starry:0.5,wave:0.5"), stylized(f"{blue}:0.5,{red}:0.5"))
    assert len(Step(StyleSettings(style="0s:starry,1s:wave")).loaded(device="cpu").specs) == 2
    assert "starry" not in [each.name for each in vidgan.tasks.style.TASK.made_models()]


def test_names_are_listed_and_their_cards_shown(named: Path) -> None:
    lines = command("models").stdout.splitlines()
    at = [line.split()[0] for line in lines].index("sea")
    assert [line.split()[0] for line in lines[: at + 2]] == [*bundled_models("style"), "sea", "clay"]
    assert lines[at].split(maxsplit=2)[1:] == ["style", "Nobody, A Sea (1900)"]
    (entry,) = json.loads(command("models", "sea", "--json").stdout)
    assert {key: entry[key] for key in ("name", "task", "artist", "year", "license")} == {
        "name": "sea", "task": "style", "artist": "Nobody", "year": "1900", "license": "CC-BY-4.0"
    }  # fmt: skip
    card = command("models", "sea").stdout
    for words in ("# sea", "A Sea", "Nobody", "1900", "public domain", "drawn"):
        assert words in card


def test_a_shell_completes_names_and_files(named: Path) -> None:
    completing = BashComplete(cli, {}, "vidgan", "_VIDGAN_COMPLETE")
    for words in (["stylize", "a.mp4", "--style"], ["live", "--style"], ["batch", "in", "-s"]):
        found = completing.get_completions(words, "s")
        assert {each.value for each in found if each.type == "plain"} == {"starry", "scream", "sea"}
        assert [each.type for each in found][-1] == "file"
    upscalers = completing.get_completions(["upscale", "a.mp4", "--model"], "")
    assert "swift" in [each.value for each in upscalers] and "sea" not in [each.value for each in upscalers]


def test_live_offers_names(named: Path) -> None:
    assert offered_styles(["wave"])[0] == "wave" and offered_styles(["wave"])[-2:] == ["sea", "clay"]
    assert offered_styles(["clay"])[0] == "clay" and offered_styles(["clay"]).count("clay") == 1


def test_a_name_that_is_nearly_one_is_suggested(named: Path) -> None:
    with pytest.raises(ModelNotFoundError, match="did you mean 'clay'"):
        stylized("clai")
    with pytest.raises(InputError, match="`stroke`: below 1 is for an image as style, and sea is none"):
        vidgan.stylize(PHOTO, style="sea", stroke=0.5)
    done = command("stylize", SAMPLES / "bunny.jpg")
    assert done.returncode == 2 and "sea, clay" in done.stderr


def test_models_are_not_added_under_these_names_but_one_that_is_there_counts(
    universal: Path, blue: Path, red: Path
) -> None:
    add_image(red, "sea")
    name_styles(universal, {"sea": blue, "clay": red})
    assert np.array_equal(stylized("sea"), stylized(red))
    with pytest.raises(ModelError, match="'clay' is a model that comes with vidgan"):
        add_image(blue, "clay")


def test_names_come_and_go_with_the_universal_model(own_data: Path, tmp_path: Path, blue: Path) -> None:
    with pytest.raises(ModelNotFoundError, match="no style called 'sea'"):
        stylized("sea")
    exported = write_universal_model(tmp_path / "exported")
    name_styles(exported, {"sea": blue})
    add_universal(exported, overwrite=False)
    assert np.array_equal(stylized("sea"), stylized(blue))


def test_vectors_of_another_universal_model_are_refused(named: Path) -> None:
    facts = json.loads((named / FACTS).read_text())
    (named / FACTS).write_text(json.dumps(facts | {"universal": "0" * 16}))
    done = command("stylize", SAMPLES / "bunny.jpg", "-s", "sea")
    assert_one_clear_error(done, "styles.npz", "another universal style model", "export.named_styles")
    (named / FACTS).write_text("[")
    assert_one_clear_error(command("models"), "styles.json", "is damaged")


def test_a_kept_style_says_what_it_is(named: Path) -> None:
    facts = model_in(style_of([("sea", 1.0)]).folder, "int8").facts
    assert (facts["name"], facts["title"]) == ("sea", "Nobody, A Sea (1900)")
