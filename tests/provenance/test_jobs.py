"""Every output of a job is signed, however the job was run."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest

import vidgan
from tests.support.certificates import certificate
from tests.support.commands import SAMPLES, assert_one_clear_error
from tests.support.commands import vidgan as command
from tests.support.signed_videos import make
from vidgan.errors import CredentialsError, InputError
from vidgan.provenance.check import Provenance, check_file
from vidgan.provenance.report import Manifest
from vidgan.segments.store import SEGMENT_FRAMES
from vidgan.sources import open_source

VIDEO = SAMPLES / "bunny.mp4"
FRAMES = SEGMENT_FRAMES + 30

pytestmark = pytest.mark.usefixtures("identity_of_machine")


@pytest.fixture
def identity_of_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").mkdir()
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video of two segments."""
    path = tmp_path_factory.mktemp("clip") / "long.mp4"
    noise = np.random.default_rng(0).integers(0, 256, (96, 600, 3), np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(30), options={"preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        for index in range(FRAMES):
            left = index % 400
            image = np.ascontiguousarray(noise[:, left : left + 128])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
        container.mux(stream.encode(None))
    return path


def trusted(path: Path) -> Manifest:
    found = check_file(path, search=False)
    assert (found.credentials, found.problems) == ("trusted", []), found
    assert found.manifest is not None and found.manifest.title == path.name
    return found.manifest


@pytest.mark.parametrize(
    "name", ["a.mp4", "a.mov", "a.m4v", "a.mkv", "a.webm", "a.gif", "a.webp", "a.apng", "a.y4m"]
)
def test_videos_of_all_formats_are_signed(name: str, tmp_path: Path, identity: str) -> None:
    video = make(tmp_path / "data" / "in.mp4", frames=5)  # Without sound, which WebM could not hold.
    result = vidgan.stylize(video, tmp_path / name, style=identity)
    manifest = trusted(tmp_path / name)
    (step,) = manifest.generation["steps"]
    assert step["task"] == "style" and step["models"][0]["name"] == "identity"
    assert manifest.ingredients[0].title == "in.mp4"
    left = {name, f"{name}.c2pa"} if name[2:] in ("mkv", "webm", "apng", "y4m") else {name}
    assert {each.name for each in tmp_path.iterdir()} == {*left, "data"}
    if name != "a.webp":
        assert result.verification is not None and result.verification.frames == 5


def test_tags_say_it_where_the_container_cannot(tmp_path: Path, identity: str) -> None:
    vidgan.stylize(VIDEO, tmp_path / "a.mkv", style=identity, size="90", trim=vidgan.Trim(frames=5))
    tags = check_file(tmp_path / "a.mkv", search=False).tags
    assert "style by identity" in tags["provenance"]


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.tiff", "a.bmp"])
def test_images_are_signed(name: str, tmp_path: Path, identity: str) -> None:
    vidgan.stylize(SAMPLES / "bunny.jpg", tmp_path / name, style=identity)
    trusted(tmp_path / name)
    with open_source(tmp_path / name) as source:
        assert len(list(source)) == 1


@pytest.mark.parametrize("suffix", ["png", "bmp"])
def test_every_image_of_a_folder_is_signed(suffix: str, tmp_path: Path, identity: str) -> None:
    vidgan.stylize(
        VIDEO, tmp_path / "f" / f"%03d.{suffix}", style=identity, size="90", trim=vidgan.Trim(frames=3)
    )
    for number in (1, 2, 3):
        trusted(tmp_path / "f" / f"{number:03}.{suffix}")
    # And such a folder is an input whose credentials are counted.
    result = vidgan.stylize(tmp_path / "f", tmp_path / "again.mp4", style=identity)
    assert any("3 of its 3 images have credentials" in each for each in result.warnings) == (suffix == "png")
    trusted(tmp_path / "again.mp4")


def test_chain_names_all_its_steps(tmp_path: Path, identity: str) -> None:
    video = make(tmp_path / "in.mp4")
    vidgan.run(video, tmp_path / "a.mp4", [f"stylize:style={identity}", "upscale:scale=2"])
    steps = trusted(tmp_path / "a.mp4").generation["steps"]
    assert [(each["task"], each["models"][0]["name"]) for each in steps] == [
        ("style", "identity"), ("upscale", "swift-x2"),
    ]  # fmt: skip


def test_label_maps_are_the_models_own(tmp_path: Path) -> None:
    vidgan.segment(SAMPLES / "bunny.jpg", tmp_path / "a.png", size="96")
    assert trusted(tmp_path / "a.png").source_types == ["trainedAlgorithmicMedia"]
    with pytest.raises(InputError, match="would change the colors of label maps"):
        vidgan.segment(SAMPLES / "bunny.jpg", tmp_path / "b.png", mark="on")


def test_output_of_an_output_carries_its_credentials(tmp_path: Path, identity: str) -> None:
    vidgan.stylize(VIDEO, tmp_path / "a.mkv", style=identity, size="90", trim=vidgan.Trim(frames=5))
    vidgan.stylize(tmp_path / "a.mkv", tmp_path / "b.mp4", style=identity)
    (ingredient,) = trusted(tmp_path / "b.mp4").ingredients
    assert ingredient.manifest is not None and ingredient.manifest.title == "a.mkv"
    assert ingredient.problems == []


def test_mark_is_in_the_pixels_and_in_the_credentials(tmp_path: Path, identity: str) -> None:
    options = {"style": identity, "size": "360", "trim": vidgan.Trim(frames=5)}
    vidgan.stylize(VIDEO, tmp_path / "a.mp4", **options, mark="on")
    found = check_file(tmp_path / "a.mp4", search=False)
    assert found.mark_agrees and found.mark is not None and found.mark.kind == "style"
    vidgan.stylize(VIDEO, tmp_path / "plain.mp4", **options)
    assert check_file(tmp_path / "plain.mp4", search=False).mark is None


def test_without_credentials_nothing_is_signed_and_nothing_is_made(tmp_path: Path, identity: str) -> None:
    options = {"style": identity, "size": "90", "trim": vidgan.Trim(frames=5)}
    vidgan.stylize(VIDEO, tmp_path / "a.mkv", **options)
    shutil.rmtree(tmp_path / "data")
    vidgan.stylize(VIDEO, tmp_path / "a.mkv", **options, credentials=False, overwrite=True)
    assert check_file(tmp_path / "a.mkv", search=False).credentials == "none"
    assert [each.name for each in tmp_path.iterdir()] == ["a.mkv"]  # Without an older sidecar, too.


def test_standard_output_is_not_signed_and_that_is_said(identity: str) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "vidgan",
            "stylize",
            VIDEO,
            "-o",
            "-",
            "--style",
            identity,
            "--size",
            "90",
            "--frames",
            "3",
        ],
        capture_output=True,
        check=True,
        timeout=240,
    )
    assert b"standard output: is not signed" in done.stderr and b"c2pa" not in done.stdout


def test_a_certificate_of_ones_own_and_consent(tmp_path: Path, identity: str) -> None:
    chain, key = certificate()
    (tmp_path / "cert.pem").write_bytes(chain)
    (tmp_path / "key.pem").write_bytes(key)
    done = command(
        "stylize", SAMPLES / "bunny.jpg", "-o", tmp_path / "a.jpg", "--style", identity,
        "--sign-cert", tmp_path / "cert.pem", "--sign-key", tmp_path / "key.pem", "--consent", "who: Ada\nIt is me.",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = check_file(tmp_path / "a.jpg", trust=tmp_path / "cert.pem", search=False)
    assert found.credentials == "trusted" and found.manifest is not None
    assert found.manifest.signer == "Studio" and found.manifest.consent is not None
    assert (found.manifest.consent.who, found.manifest.consent.statement) == ("Ada", "It is me.")


def test_what_cannot_be_signed_is_found_before_any_work(
    tmp_path: Path, identity: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "file"))
    started: list[object] = []
    with pytest.raises(CredentialsError, match="cannot be kept there"):
        vidgan.stylize(VIDEO, tmp_path / "a.mp4", style=identity, on_start=started.append)
    assert started == [] and {each.name for each in tmp_path.iterdir()} == {"file", "data"}
    done = command("stylize", VIDEO, "-o", tmp_path / "a.mp4", "--style", identity)
    assert_one_clear_error(done, "credentials", "--no-credentials")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--sign-cert", "a.pem"], "belong together"),
        (["--no-credentials", "--consent", "It is me"], "no place for"),
    ],
)
def test_options_that_do_not_go_together_are_wrong_usage(
    options: list[str], words: str, tmp_path: Path, identity: str
) -> None:
    done = command("stylize", VIDEO, "-o", tmp_path / "a.mp4", "--style", identity, *options)
    assert done.returncode == 2 and words in done.stderr, done.stderr


def interrupted(long: Path, output: Path, style: str, *options: object) -> None:
    """Kills a run after its first segment."""
    arguments = ["stylize", long, "-o", output, "--style", style, "-q", *options]
    process = subprocess.Popen(
        [sys.executable, "-m", "vidgan", *map(str, arguments)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    journal = output.with_name(f".{output.name}.vidgan") / "journal.jsonl"
    while not journal.exists() or len(journal.read_text().splitlines()) < 2:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.kill()
    process.communicate()
    assert not output.exists()


def images(path: Path) -> Iterator[bytes]:
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray().tobytes()


def test_resumed_job_is_marked_and_signed_as_a_whole_one(long: Path, tmp_path: Path, identity: str) -> None:
    whole, output = tmp_path / "whole" / "a.mp4", tmp_path / "resumed" / "a.mp4"
    for path in (whole, output):
        path.parent.mkdir()
    options = ["--mark", "on", "--consent", "It is me."]
    done = command("stylize", long, "-o", whole, "--style", identity, *options)
    assert done.returncode == 0, done.stderr
    interrupted(long, output, identity, *options)
    done = command("jobs", "resume", output)
    assert done.returncode == 0 and f"{SEGMENT_FRAMES} of them from before" in done.stdout, done.stderr
    assert all(a == b for a, b in zip(images(whole), images(output), strict=True))
    one, other = trusted(whole), trusted(output)
    assert one.mark == other.mark and other.consent is not None and other.consent.statement == "It is me."


def test_resumed_job_stays_without_credentials_if_it_was(long: Path, tmp_path: Path, identity: str) -> None:
    output = tmp_path / "a.mp4"
    interrupted(long, output, identity, "--no-credentials")
    assert command("jobs", "resume", output).returncode == 0
    assert check_file(output, search=False).credentials == "none"


def test_job_goes_on_with_other_credentials(long: Path, tmp_path: Path, identity: str) -> None:
    """Such as after signing failed: the frames are as good as they were."""
    output = tmp_path / "a.mp4"
    interrupted(long, output, identity)
    done = command("stylize", long, "-o", output, "--style", identity, "--no-credentials")
    assert f"continued after frame {SEGMENT_FRAMES}" in done.stderr, done.stderr


def test_batch_signs_videos_and_images(tmp_path: Path, identity: str) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a.mp4", "b.mkv"):
        make(folder / name)
    shutil.copy(SAMPLES / "bunny.jpg", folder / "c.jpg")
    done = command("batch", folder, "-o", tmp_path / "out", "--style", identity, "--size", "90")
    assert done.returncode == 0, done.stderr
    checked = command("check", tmp_path / "out", "--no-search", "--json")
    assert checked.returncode == 0, checked.stdout
    assert {each["credentials"] for each in json.loads(checked.stdout)} == {"trusted"}
    assert len(json.loads(checked.stdout)) == 3


def test_cluster_signs_and_marks_as_this_process_does(tmp_path: Path, identity: str) -> None:
    pytest.importorskip("ray", reason="ray is not installed")
    folder = tmp_path / "in"
    folder.mkdir()
    make(folder / "a.mp4", frames=8, size="360")
    options = ["--style", identity, "--mark", "on", "--smooth", "off"]
    done = command("batch", folder, "-o", tmp_path / "out", *options, "--cluster", "local")
    assert done.returncode == 0, done.stderr
    found: Provenance = check_file(tmp_path / "out" / "a.identity.mp4", search=False)
    assert found.credentials == "trusted" and found.mark_agrees
    with open_source(tmp_path / "out" / "a.identity.mp4") as source:
        assert len(list(islice(source, 20))) == 8


def test_identity_is_that_of_the_data_folder(tmp_path: Path, identity: str) -> None:
    vidgan.stylize(SAMPLES / "bunny.jpg", tmp_path / "a.jpg", style=identity)
    assert (tmp_path / "data" / "vidgan" / "credentials" / "signer.pem").exists()
