"""Places that are given for inputs and outputs: folders, addresses, and names of what is not there."""

from pathlib import Path

import onnx
import pytest

import vidgan
from tests.support.clips import make_clip
from tests.support.commands import SAMPLES, assert_one_clear_error
from tests.support.commands import vidgan as run
from tests.support.images import read_pixels

STREAM = "rtmp://example.org/live"


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return make_clip(tmp_path / "clip.mp4", times=range(4))


def test_an_output_may_be_a_folder(tmp_path: Path, clip: Path, identity: str) -> None:
    there, new = tmp_path / "there", tmp_path / "new"
    there.mkdir()
    done = run("stylize", clip, "-s", identity, "-o", there)
    assert done.returncode == 0 and f"{there / 'clip.identity.mp4'}: 4 frames" in done.stdout
    again = run("stylize", clip, "-s", identity, "-o", f"{there}/")
    assert_one_clear_error(again, "clip.identity.mp4: exists already")
    assert run("stylize", SAMPLES / "bunny.jpg", "-s", identity, "-o", f"{new}/").returncode == 0
    assert [each.name for each in new.iterdir()] == ["bunny.identity.jpg"]
    assert read_pixels(new / "bunny.identity.jpg").shape == read_pixels(SAMPLES / "bunny.jpg").shape
    result = vidgan.stylize(clip, tmp_path / "python", style=identity)
    assert result.output == str(tmp_path / "python" / "clip.identity.mp4") and Path(result.output).is_file()


def test_an_output_is_named_after_the_model_in_a_file(tmp_path: Path, clip: Path, identity: str) -> None:
    """Exports are all called int8.onnx, and have the name of their run."""
    model = onnx.load(identity)
    onnx.helper.set_model_props(model, {"vidgan.task": "style", "vidgan.name": "mine"})
    exported = tmp_path / "runs" / "mine" / "onnx" / "int8.onnx"
    exported.parent.mkdir(parents=True)
    onnx.save(model, exported)
    assert run("stylize", clip, "--style", exported).returncode == 0
    assert run("batch", clip, "--style", exported, "-o", tmp_path / "out").returncode == 0
    assert clip.with_name("clip.mine.mp4").is_file() and (tmp_path / "out" / "clip.mine.mp4").is_file()


def test_frames_go_into_a_folder_as_frames(tmp_path: Path, identity: str) -> None:
    frames, out = tmp_path / "frames", tmp_path / "out"
    frames.mkdir()
    for number in (1, 2):
        (frames / f"{number}.jpg").write_bytes((SAMPLES / "person.jpg").read_bytes())
    assert run("stylize", frames, "-s", identity, "-o", out).returncode == 0
    assert sorted(each.name for each in out.iterdir() if not each.name.startswith(".")) == [
        "000001.png",
        "000002.png",
    ]


def test_a_folder_that_nothing_came_into_is_not_left(tmp_path: Path, identity: str) -> None:
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    done = run("stylize", tmp_path / "broken.mp4", "-s", identity, "-o", tmp_path / "new")
    assert_one_clear_error(done, "broken.mp4")
    assert not (tmp_path / "new").exists()


def test_a_missing_folder_is_the_ones_that_it_is_of(tmp_path: Path, clip: Path) -> None:
    """The folder of the input is not blamed on the output, nor the other way round."""
    missing = tmp_path / "nowhere"
    for output in ([], ["-o", tmp_path / "out.mp4"], ["-o", missing / "out.mp4"]):
        done = run("stylize", missing / "clip.mp4", "-s", "starry", *output)
        assert_one_clear_error(done, f"{missing / 'clip.mp4'}: no such file or folder")
    done = run("stylize", clip, "-s", "starry", "-o", missing / "out.mp4")
    assert_one_clear_error(done, f"{missing / 'out.mp4'}: the folder {missing} does not exist")


@pytest.mark.parametrize(
    "arguments",
    [
        ("stylize", STREAM, "-s", "starry"),
        ("batch", STREAM, "-s", "starry", "-o", "out"),
        ("measure", "flicker", STREAM, "--source", STREAM),
        ("check", STREAM),
        ("jobs", "list", STREAM),
        ("models", "--try", STREAM),
    ],
    ids=lambda arguments: arguments[0],
)
def test_an_address_as_input_is_called_one(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = run(*arguments, cwd=tmp_path)
    assert_one_clear_error(done, f"{STREAM}: is an address; 'vidgan live' takes streams")


def test_an_address_as_output_is_called_one(tmp_path: Path, clip: Path) -> None:
    done = run("stylize", clip, "-s", "starry", "-o", STREAM, cwd=tmp_path)
    assert_one_clear_error(done, f"{STREAM}: is an address; 'vidgan live' sends to one with --stream")
