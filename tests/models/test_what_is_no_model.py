"""What is given where a model is wanted: the message says what it is, and what to do."""

from pathlib import Path

import onnx
import onnx.parser
import pytest

from tests.support.commands import SAMPLES, assert_one_clear_error, vidgan
from vidgan.models.registry import BUNDLED

CLIP, PHOTO = SAMPLES / "bunny.mp4", SAMPLES / "bunny.jpg"


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """An image model that says nothing of itself."""
    model = onnx.parser.parse_model("""
        <ir_version: 10, opset_import: ["" : 20]>
        g (float[1, 3, H, W] x) => (float[1, 3, H, W] y) { y = Identity (x) }
    """)
    path = tmp_path / "foreign.onnx"
    onnx.save(model, path)
    return path


def test_models_of_a_file(tmp_path: Path, foreign: Path) -> None:
    assert vidgan("models", BUNDLED / "wave" / "int8.onnx").stdout.startswith("# ")
    assert_one_clear_error(vidgan("models", foreign), f"'vidgan models add {foreign}'")
    assert_one_clear_error(vidgan("models", tmp_path / "none.onnx"), "none.onnx: no such model file")


def test_models_of_media_names_the_command_that_tries_them(tmp_path: Path) -> None:
    assert_one_clear_error(vidgan("models", PHOTO), f"is an image; 'vidgan models --try {PHOTO}'")
    assert_one_clear_error(vidgan("models", CLIP), f"is a video file; 'vidgan models --try {CLIP}'")
    assert_one_clear_error(vidgan("models", tmp_path / "none.jpg"), "none.jpg: no such file")


def test_a_training_run_as_a_style_says_what_is_missing(tmp_path: Path) -> None:
    run = tmp_path / "runs" / "mine"
    (run / "onnx").mkdir(parents=True)
    asked = ("stylize", CLIP, "-o", tmp_path / "out.mp4", "--style", run)
    assert_one_clear_error(vidgan(*asked), f"'python -m export {run}' exports a training run")
    (run / "onnx" / "int8.onnx").write_bytes((BUNDLED / "wave" / "int8.onnx").read_bytes())
    assert_one_clear_error(vidgan(*asked), f"is a training run; its model is {run / 'onnx' / 'int8.onnx'}")
    assert_one_clear_error(vidgan("models", run), f"its model is {run / 'onnx' / 'int8.onnx'}")


def test_an_image_as_a_style_is_missing_before_what_makes_styles_is(tmp_path: Path) -> None:
    done = vidgan("stylize", CLIP, "-o", tmp_path / "out.mp4", "--style", tmp_path / "none.jpg")
    assert_one_clear_error(done, "none.jpg: no such image")
    done = vidgan("models", "add", tmp_path / "none.jpg")
    assert_one_clear_error(done, "none.jpg: no such image")


def test_only_what_is_near_is_suggested(tmp_path: Path) -> None:
    def error_of(style: str) -> str:
        done = vidgan("stylize", CLIP, "-o", tmp_path / "out.mp4", "--style", style)
        assert done.returncode == 1
        return done.stderr

    assert "did you mean 'starry'" in error_of("stary")
    far = error_of("zzzzz")
    assert "did you mean" not in far and "there are antibes, composition" in far
    assert "'vidgan upscale --model' takes it" in error_of("swift")
    near = vidgan("stylise", CLIP)
    assert near.returncode == 2 and "Did you mean 'stylize'?" in near.stderr
    assert "Did you mean" not in vidgan("zzzzz", CLIP).stderr


def test_a_family_of_models_has_the_cards_of_all() -> None:
    shown = vidgan("models", "swift").stdout
    cards = [(BUNDLED / name / "card.md").read_text(encoding="utf-8") for name in ("swift-x2", "swift-x4")]
    assert shown.rstrip() == "\n".join(cards).rstrip()
