"""``python -m training``: a run from the command line, and errors as one line."""

import json
import shutil
from pathlib import Path

import pytest

from tests.support.streets import classes_file, street
from tests.support.training_command import training
from tests.support.universal import write_universal_model
from training.cli.bundled import listed_config
from training.core.run_folder import CHECKPOINT, CONFIG, read_checkpoint
from training.core.weights import load_weights
from training.networks import build_generator
from training.recipes.style import StyleConfig
from vidgan.models.registry import BUNDLED
from vidgan.tasks.style.images import style_of


def tiny(config: StyleConfig, out: Path, **changed: object) -> list[object]:
    """``style`` with the options of a tiny run."""
    options = {
        "image": config.image,
        "photos": config.photos[0],
        "weights": f"squeezenet={config.weights['squeezenet']}",
        "out": out,
        "size": 48,
        "image-size": 64,
        "batch": 1,
        "palette-steps": 1,
        "steps": 2,
        "device": "cpu",
        **changed,
    }
    return ["style", *(part for name, value in options.items() for part in (f"--{name}", value))]


@pytest.fixture(autouse=True)
def own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of the test alone; no universal style model comes with vidgan."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr("vidgan.models.universal.installation.BUNDLED", tmp_path / "bundled")
    return tmp_path / "data" / "vidgan"


def test_a_run(
    config: StyleConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    assert training(monkeypatch, *tiny(config, out)) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "4 photos, 20 held out, on cpu" and said[-1].startswith(f"done: {out}; next:")
    assert (out / CHECKPOINT).is_file()
    assert json.loads((out / CONFIG).read_text())["style_layers"][0] == "squeezenet.conv1"
    assert training(monkeypatch, *tiny(config, out)) == 0
    assert "continuing after step 2" in capsys.readouterr().out


def test_a_run_can_be_lengthened_and_not_shortened(
    config: StyleConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    assert training(monkeypatch, *tiny(config, out, steps=3)) == 0
    assert "step 3/3" in capsys.readouterr().out
    assert training(monkeypatch, *tiny(config, out, steps=5)) == 0
    said = capsys.readouterr().out
    assert "lengthened by 2 steps, to 5" in said and "continuing after step 3" in said and "step 5/5" in said
    assert read_checkpoint(out)["step"] == 5
    assert training(monkeypatch, *tiny(config, out, steps=4)) == 1
    assert "longer by 1; --steps can be raised, not lowered" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("steps", "palette", "main"), [(30, 3, 27), (300, 30, 270), (2150, 150, 2000), (9, 0, 9)]
)
def test_so_many_steps_are_so_many(
    config: StyleConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps: int, palette: int, main: int
) -> None:
    trained: list[StyleConfig] = []
    monkeypatch.setattr(
        "training.cli.train.train_run", lambda entry, config, out, **options: trained.append(config)
    )
    arguments = tiny(config, tmp_path / "run", steps=steps)
    at = arguments.index("--palette-steps")
    del arguments[at : at + 2]
    assert training(monkeypatch, *arguments) == 0
    assert (trained[0].palette_steps, trained[0].steps) == (palette, main)


def test_a_run_starts_from_the_universal_style_model(
    config: StyleConfig, own_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    write_universal_model(own_data / "models" / "any")
    out = tmp_path / "run"
    assert training(monkeypatch, *tiny(config, out)) == 0
    assert "starts from the weights of the universal style model" in capsys.readouterr().out
    begun = json.loads((out / CONFIG).read_text())
    init = Path(begun["init"])
    # 64 pixels of 512 are less than the smallest strokes that there are.
    same = style_of([(config.image, 1.0)], stroke=0.25)
    assert init == same.folder / "float32.onnx" and not same.warnings and begun["norm_fade"] == [0, 0]
    swift = build_generator("swift")
    load_weights(swift, init)
    trained = read_checkpoint(out)["generator"]
    for name, before in swift.named_parameters():
        assert (trained[name] - before).abs().max() < 0.02, name
    image = Path(config.image)
    entry = {"image": image.name, "image_size": 64, "init": "any"}
    listed = listed_config(entry, recipe="style", data=image.parent, out=out, photos=config.photos)
    assert isinstance(listed, StyleConfig) and listed.init == str(init)
    assert listed.without_paths()["init"] == "any"
    # Where it began stays, whatever is installed when it is continued.
    shutil.rmtree(own_data / "models")
    assert training(monkeypatch, *tiny(config, out, steps=3)) == 0
    assert json.loads((out / CONFIG).read_text())["init"] == str(init)
    assert training(monkeypatch, *tiny(config, out, steps=3), "--from-scratch") == 1
    assert "holds a run that differs in init, norm_fade" in capsys.readouterr().err


@pytest.mark.parametrize("options", [["--from-scratch"], ["--network", "johnson"]])
def test_a_run_can_start_without_it(
    options: list[str], config: StyleConfig, own_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_universal_model(own_data / "models" / "any")
    assert training(monkeypatch, *tiny(config, tmp_path / "run"), *options) == 0
    begun = json.loads((tmp_path / "run" / CONFIG).read_text())
    assert begun["init"] is None and begun["norm_fade"] == StyleConfig(image="", photos=[]).norm_fade
    init = BUNDLED / "starry" / "float32.onnx"
    both = [*tiny(config, tmp_path / "both", init=init), "--from-scratch"]
    assert training(monkeypatch, *both) == 2


@pytest.mark.parametrize(
    ("changed", "code", "words"),
    [
        ({"image": "nowhere.jpg"}, 2, "File 'nowhere.jpg' does not exist"),
        ({"photos": "nowhere"}, 2, "Directory 'nowhere' does not exist"),
        ({"loss-networks": "vgg99"}, 2, "'vgg99' is not one of"),
        ({"network": "huge"}, 2, "'huge' is not one of 'johnson', 'swift'"),
        ({"weights": "squeezenet"}, 2, "--weights 'squeezenet': expected NETWORK=FILE"),
        ({"weights": "squeezenet=nowhere.safetensors"}, 1, "nowhere.safetensors"),
        ({"image": "broken"}, 1, "broken: not a readable image"),
        ({"photos": "empty"}, 1, "no images in empty"),
        ({"style-layers": "squeezenet.fire99"}, 1, "no layer 'squeezenet.fire99'; known: "),
    ],
    ids=lambda value: "-".join(f"{k}={v}" for k, v in value.items()) if isinstance(value, dict) else "",
)
def test_an_error_is_one_line(
    changed: dict[str, object],
    code: int,
    words: str,
    config: StyleConfig,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("broken").write_bytes(b"neither image nor weights")
    Path("empty").mkdir()
    assert training(monkeypatch, *tiny(config, tmp_path / "run", **changed)) == code
    last = capsys.readouterr().err.splitlines()
    assert last and words in last[-1] and last[-1].lower().startswith("error: ")
    if code == 1:
        assert len(last) == 1
    assert not (tmp_path / "run" / CHECKPOINT).exists()


def test_another_configuration_is_refused(
    config: StyleConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert training(monkeypatch, *tiny(config, tmp_path / "run")) == 0
    assert training(monkeypatch, *tiny(config, tmp_path / "run", seed=3)) == 1
    assert "holds a run that differs in seed" in capsys.readouterr().err


def test_an_unknown_bundled_style_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--paintings", tmp_path, "--photos", tmp_path, "--out", tmp_path / "runs"]
    assert training(monkeypatch, "bundled", "nosuch", *options) == 2
    assert "no such style: nosuch; there are starry" in capsys.readouterr().err


def test_photos_to_labels_from_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    street(tmp_path)
    classes, run = classes_file(tmp_path), tmp_path / "run"
    settings = {
        "pairs": tmp_path, "input": "photos", "target": "labels", "target-classes": classes, "out": run,
        "steps": 2, "base-channels": 8, "depth": 3, "image-height": 32, "image-width": 48, "device": "cpu",
    }  # fmt: skip
    options = [part for name, value in settings.items() for part in (f"--{name}", value)]
    assert training(monkeypatch, "pix2pix", *options) == 0
    measured = [
        "--labels",
        tmp_path / "labels",
        "--photos",
        tmp_path / "photos",
        "--json",
        tmp_path / "a.json",
    ]
    capsys.readouterr()
    assert training(monkeypatch, "evaluate", "labels", run, *measured, "--size", "48x32") == 0
    (share,) = [each["pixels"] for each in json.loads((tmp_path / "a.json").read_text()).values()]
    assert f"| run | {share:.3f} |" in capsys.readouterr().out and 0 < share < 1
    assert training(monkeypatch, "evaluate", "labels", run, *measured, "--size", "wide") == 2
    assert "'wide' is not like 256x192" in capsys.readouterr().err
    assert training(monkeypatch, "evaluate", "fcn", run, "--segmenter", run, *measured) == 1
    assert "run: does not take label maps" in capsys.readouterr().err
    both = [*options, "--classes", classes]
    assert training(monkeypatch, "pix2pix", *both) == 2
    assert "label maps are on one side alone" in capsys.readouterr().err
