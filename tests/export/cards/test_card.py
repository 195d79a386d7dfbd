"""Cards: every figure that was measured, and where the model comes from."""

import json
from pathlib import Path

import pytest

from export.cards.style import card
from vidgan.models.registry import find_model

FIGURES = {
    "photos": 20, "photo": 9.871, "int8": 2.341, "float32": 2.327, "int8-psnr-db": 33.34, "johnson": 1.981,
    "lbfgs-0": 30.123, "lbfgs-50": 2.512, "lbfgs-500": 1.111,
}  # fmt: skip
STYLE = {"title": "Somebody, Something (1900)", "failures": "Faces turn blue."}


def test_every_figure_is_there_once_and_labeled() -> None:
    text = card("starry", STYLE, FIGURES, "two cores")
    rows = {
        cells[0].strip(): cells[1].strip()
        for cells in (line.strip("|").split("|") for line in text.splitlines() if line.startswith("|"))
        if len(cells) == 2
    }
    assert rows["the photo, left as it is"] == "9.87"
    assert rows["this model, int8"] == "2.34" and rows["this model, float32"] == "2.33"
    assert rows["`johnson`, same recipe"] == "1.98"
    assert rows["direct optimization from noise, 50 iterations of L-BFGS"] == "2.51"
    assert rows["direct optimization from noise, 500 iterations of L-BFGS"] == "1.11"
    assert "33.3 dB" in text and "two cores" in text and "Faces turn blue." in text


def test_facts_are_those_of_the_model_file() -> None:
    text, facts = card("starry", STYLE, FIGURES, "two cores"), find_model("starry", precision="int8").facts
    recipe = facts["recipe"]
    assert isinstance(recipe, dict)
    assert f"{facts['steps']} steps of {recipe['batch']} crops of {recipe['size']} px" in text
    assert f"seed {recipe['seed']}" in text and str(facts["license"]) in text
    for layer in (*recipe["content_layers"], *recipe["style_layers"]):
        assert layer in text


def test_command_writes_a_card_a_style(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from click.testing import CliRunner

    import export.cards.style
    from vidgan.models.registry import BUNDLED, bundled_models

    for name in bundled_models("style"):
        (tmp_path / "models" / name).mkdir(parents=True)
        for model in (BUNDLED / name).glob("*.onnx"):
            (tmp_path / "models" / name / model.name).write_bytes(model.read_bytes())
    monkeypatch.setattr(export.cards.style, "BUNDLED", tmp_path / "models")
    (tmp_path / "figures.json").write_text(json.dumps(dict.fromkeys(bundled_models("style"), FIGURES)))
    done = CliRunner().invoke(
        export.cards.style.cli, ["--figures", str(tmp_path / "figures.json"), "--hardware", "two cores"]
    )
    assert done.exit_code == 0, done.output
    for name in bundled_models("style"):
        assert (tmp_path / "models" / name / "card.md").read_text(encoding="utf-8").startswith(f"# {name}\n")
