"""De-identification as a job: killed and resumed, in segments, over a folder, before a style, as a sheet of tracks."""

import json
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import c2pa
import cv2
import numpy as np
import pytest

from tests.support.commands import SAMPLES
from tests.support.commands import vidgan as command
from tests.support.segments import in_segments
from tests.support.tiny_models import face_model
from vidgan import deidentify
from vidgan.media.image import RgbImage
from vidgan.provenance.check import check_file
from vidgan.provenance.signing_identity import SigningIdentity
from vidgan.segments.store import SEGMENT_FRAMES
from vidgan.sources.vault import find_vault
from vidgan.tasks.deidentify import DeidentifySettings
from vidgan.tasks.faces.box import Box
from vidgan.tasks.faces.finder import CERTAIN_SCORE, FaceFinder
from vidgan.tasks.faces.vault.opened import OpenedVault
from vidgan.tasks.faces.vault.passcode import Passcode

CLIP = Path(__file__).parents[3] / "shared" / "data" / "clips_people" / "face_intel_male.mp4"
FRAMES = 2 * SEGMENT_FRAMES + 30
WIDTH, HEIGHT = 240, 136

pytestmark = pytest.mark.skipif(not CLIP.is_file(), reason=f"needs {CLIP}")


def images() -> Iterator[np.ndarray]:
    """A face that looks about, forwards and backwards, for ever."""
    with av.open(str(CLIP)) as container:
        frames = [each.to_ndarray(format="rgb24") for each in container.decode(video=0)]
    small = [cv2.resize(each, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA) for each in frames]
    while True:
        yield from small
        yield from reversed(small)


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two segments and a bit."""
    path = tmp_path_factory.mktemp("video") / "man.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast", "crf": "16"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number, image in zip(range(FRAMES), images(), strict=False):
            frame = av.VideoFrame.from_ndarray(image, "rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def decoded(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def read(path: Path) -> np.ndarray:
    return np.asarray(cv2.imread(str(path)))[..., ::-1]


def middle(box: Box) -> tuple[slice, slice]:
    x, y, width, height = (int(each) for each in box)
    return slice(y - height // 4, y + height // 4), slice(x - width // 4, x + width // 4)


def face_in(finder: FaceFinder, image: np.ndarray) -> Box:
    return next(each.box for each in finder.find(RgbImage(image)) if each.score >= CERTAIN_SCORE)


def killed_after_a_segment(arguments: list[object], output: Path) -> None:
    """Starts a run, and kills it as soon as a segment is in its journal."""
    journal = journal_of(output)
    process = subprocess.Popen(
        [sys.executable, "-m", "vidgan", *map(str, arguments)], stderr=subprocess.PIPE, text=True
    )
    while not journal.exists() or len(journal.read_text().splitlines()) < 2:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.kill()
    process.communicate()
    assert not output.exists()


def journal_of(output: Path) -> Path:
    return output.with_name(f".{output.name}.vidgan") / "journal.jsonl"


def test_a_killed_run_goes_on_with_its_tracks(video: Path, tmp_path: Path) -> None:
    whole, output = tmp_path / "whole.mp4", tmp_path / "out.mp4"
    options = ["--pixelate", "--no-credentials", "-q"]
    done = command("deidentify", video, "-o", whole, *options)
    assert done.returncode == 0, done.stderr
    arguments = ["deidentify", video, "-o", output, *options]
    killed_after_a_segment(arguments, output)
    done = command(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["resumed_frames"] >= SEGMENT_FRAMES
    one, other = decoded(whole), decoded(output)
    assert len(one) == FRAMES
    assert all((a == b).all() for a, b in zip(one, other, strict=True))


def test_a_killed_run_with_a_generator_goes_on_to_the_same_frames_and_vault(
    video: Path, tmp_path: Path
) -> None:
    whole, output, salt, code = (tmp_path / name for name in ("whole.mkv", "out.mkv", "salt", "code"))
    salt.write_text("of a test, and long enough")
    code.write_text("of a test")
    model = face_model(tmp_path / "tiny.onnx")
    given = ["--model", model, "--salt", salt, "--passcode-file", code, "--frames", SEGMENT_FRAMES + 40, "-q"]
    arguments = ["deidentify", video, "-o", output, *given]
    done = command(*arguments)
    assert done.returncode == 0, done.stderr
    # Under another name it would have another mark.
    output.rename(whole)
    killed_after_a_segment(arguments, output)
    # Whoever has the secret that is in it can tell which faces of videos are of one track.
    (state,) = journal_of(output).parent.glob("*.npz")
    assert stat.S_IMODE(state.stat().st_mode) == 0o600
    done = command(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["resumed_frames"] == SEGMENT_FRAMES
    one, other = decoded(whole), decoded(output)
    assert len(one) == SEGMENT_FRAMES + 40
    assert all((a == b).all() for a, b in zip(one, other, strict=True))
    assert not journal_of(output).parent.exists()
    vault = find_vault(output)
    assert vault is not None
    faces = OpenedVault(vault, Passcode("of a test"))
    for number in (0, SEGMENT_FRAMES - 1, SEGMENT_FRAMES, SEGMENT_FRAMES + 39):
        ((_, crop),) = faces.faces_at(number * 40_000, 40_000)
        assert crop is not None, number


def test_a_killed_run_does_not_make_another_person(video: Path, tmp_path: Path) -> None:
    """Nobody gave a salt: the secret that was drawn is in the journal."""
    model, output = face_model(tmp_path / "tiny.onnx"), tmp_path / "out.mkv"
    arguments = ["deidentify", video, "-o", output, "--model", model, "-q"]
    killed_after_a_segment(arguments, output)
    done = command(*arguments)
    assert done.returncode == 0, done.stderr
    finder, before, after = FaceFinder(WIDTH), decoded(video), decoded(output)
    some = [*range(SEGMENT_FRAMES - 40, SEGMENT_FRAMES + 40, 10), FRAMES - 5]
    colors = [after[n][middle(face_in(finder, before[n]))].mean((0, 1)) for n in some]
    assert np.ptp(colors, axis=0).max() < 8
    assert (
        np.abs(colors[0] - before[some[0]][middle(face_in(finder, before[some[0]]))].mean((0, 1))).max() > 8
    )


def test_no_face_is_left_where_segments_meet(video: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.mkv"
    in_segments(video, output, DeidentifySettings(pixelate=True))
    finder, before, after = FaceFinder(WIDTH), decoded(video), decoded(output)
    assert len(after) == FRAMES
    for n in [*range(SEGMENT_FRAMES - 6, SEGMENT_FRAMES + 6), 2 * SEGMENT_FRAMES - 1, 2 * SEGMENT_FRAMES]:
        part = middle(face_in(finder, before[n]))
        changed = np.abs(before[n].astype(int) - after[n])[part].max(2)
        assert (changed > 4).mean() > 0.6, n


def test_a_folder_of_images_and_videos(tmp_path: Path) -> None:
    inputs, outputs = tmp_path / "in", tmp_path / "out"
    inputs.mkdir()
    for number, image in zip(range(6), images(), strict=False):
        cv2.imwrite(str(inputs / f"{number}.png"), image[..., ::-1])
    (inputs / "man.mp4").write_bytes(CLIP.read_bytes())
    (inputs / "bunny.jpg").write_bytes((SAMPLES / "bunny.jpg").read_bytes())
    (inputs / "broken.png").write_bytes(b"no image")
    done = command("batch", inputs, "-o", outputs, "--step", "deidentify:blur")
    assert done.returncode == 1 and "broken.png" in done.stderr, done.stderr
    names = [
        *(f"{number}.deidentify.png" for number in range(6)),
        "bunny.deidentify.jpg",
        "man.deidentify.mp4",
    ]
    assert sorted(each.name for each in outputs.iterdir() if not each.name.startswith(".")) == names
    finder = FaceFinder(WIDTH)
    for number, image in zip(range(6), images(), strict=False):
        hidden = read(outputs / f"{number}.deidentify.png")
        part = middle(face_in(finder, image))
        assert (hidden != image).any(2)[part].mean() > 0.9
        assert (hidden == image)[:, -20:].all()


def test_covers_and_attached_pictures_are_left_out(video: Path, tmp_path: Path) -> None:
    """They were copied, faces and all."""
    clip, output = tmp_path / "in.mkv", tmp_path / "out.mkv"
    encoded = cv2.imencode(".png", next(images())[..., ::-1])[1].tobytes()
    with av.open(str(video)) as source, av.open(str(clip), "w") as container:
        stream = container.add_stream_from_template(source.streams.video[0])
        container.add_attachment("cover.png", "image/png", encoded)
        container.add_attachment("photo.webp", "image/webp", b"RIFF, of a face")
        container.add_attachment("album.zip", "application/octet-stream", b"zipped, of a face")
        container.metadata.update(title="A walk", METADATA_BLOCK_PICTURE=1000 * "cGljdHVyZQ")
        container.add_attachment("letter.ttf", "font/ttf", b"letters")
        for packet, _ in zip(source.demux(video=0), range(12), strict=False):
            packet.stream = stream
            container.mux(packet)
    done = command("deidentify", clip, "--pixelate", "-o", output)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("may show the faces") == 3
    data = output.read_bytes()
    assert encoded[-200:-100] not in data and b"of a face" not in data and b"letters" in data
    assert b"A walk" in data and b"cGljdHVyZQ" not in data


def test_thumbnails_in_the_credentials_of_the_input_are_left_out(
    own_key: SigningIdentity, tmp_path: Path
) -> None:
    """Cameras and editors put one there, and an output carries the manifests of its input."""
    image, signed, output, styled = (tmp_path / f"{name}.jpg" for name in ("image", "signed", "out", "again"))
    cv2.imwrite(str(image), next(images())[..., ::-1])
    settings = {"builder": {"thumbnail": {"enabled": True}}}
    info = c2pa.C2paSignerInfo(own_key.algorithm.encode(), own_key.chain.encode(), own_key.key, None)
    builder = c2pa.Builder(
        {"claim_generator_info": [{"name": "a camera"}]}, c2pa.Context(c2pa.Settings.from_dict(settings))
    )
    capture = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"
    builder.add_action({"action": "c2pa.created", "digitalSourceType": capture})
    with image.open("rb") as source, signed.open("w+b") as target:
        builder.sign(c2pa.Signer.from_info(info), "image/jpeg", source, target)
    assert signed.read_bytes().count(b"\xff\xd8\xff") == 2
    result = deidentify(signed, output, pixelate=True)
    assert output.read_bytes().count(b"\xff\xd8\xff") == 1
    assert any("credentials may show the faces" in each for each in result.warnings)
    manifest = check_file(output, search=False).manifest
    assert manifest is not None and manifest.ingredients[0].title == "signed.jpg"
    assert manifest.generation["input"]["credentials_left_out"] is True
    # What vidgan signs itself holds no image, and is carried.
    assert deidentify(output, styled, blur=True).warnings == []
    manifest = check_file(styled, search=False).manifest
    assert manifest is not None and manifest.ingredients[0].manifest is not None


def test_a_style_never_sees_a_face(video: Path, identity: str, tmp_path: Path) -> None:
    output = tmp_path / "out.mkv"
    done = command(
        "run", video, "deidentify:pixelate", f"stylize:{identity}", "-o", output, "--frames", 12, "-q"
    )
    assert done.returncode == 0, done.stderr
    plain = tmp_path / "plain.mkv"
    assert command("deidentify", video, "--pixelate", "-o", plain, "--frames", 12, "-q").returncode == 0
    finder = FaceFinder(WIDTH)
    for before, after, hidden in zip(decoded(video), decoded(output), decoded(plain), strict=False):
        part = middle(face_in(finder, before))
        assert np.abs(after.astype(int) - hidden)[part].mean() < 12
        assert (
            np.abs(after.astype(int) - before)[part].mean() > np.abs(after.astype(int) - hidden)[part].mean()
        )


def test_a_preview_has_a_row_for_each_track(video: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.png"
    done = command("deidentify", video, "--pixelate", "--frames", 20, "--preview", sheet)
    assert done.returncode == 0, done.stderr
    assert "1 track of a face in 20 frames" in done.stdout
    drawn = read(sheet)
    above, below = drawn[22:118].reshape(96, -1, 3), drawn[118:214].reshape(96, -1, 3)
    assert drawn.shape[1] == 8 * 100 - 4
    # Faces above, cells below: few different pixels are next to each other.
    steps = [
        (np.abs(np.diff(each.astype(int), axis=1)).max(2) > 3)[20:76, 20:76].mean() for each in (above, below)
    ]
    assert steps[0] > 2 * steps[1]
    nobody = tmp_path / "nobody.png"
    done = command("deidentify", SAMPLES / "bunny.jpg", "--pixelate", "--preview", nobody)
    assert done.returncode == 0 and "no face was found in 1 frame" in done.stdout
    assert read(nobody).shape[1] > 900
