"""Videos whose faces a passcode brings back: from the source to the revealed video, through files."""

import json
import os
import subprocess
from fractions import Fraction
from itertools import combinations, islice
from pathlib import Path

import av
import numpy as np
import pytest
from click.testing import CliRunner, Result

import vidgan
from tests.support.commands import SAMPLES
from tests.support.tiny_models import face_model
from vidgan.cli import cli
from vidgan.errors import InputError, OutputError
from vidgan.media.frame import Frame
from vidgan.provenance.check import check_file
from vidgan.provenance.description import describe
from vidgan.segments.journal import folder_of
from vidgan.sources import open_source
from vidgan.sources.vault import find_vault
from vidgan.tasks.faces.finder import CERTAIN_SCORE, FaceFinder
from vidgan.tasks.faces.vault import cipher
from vidgan.tasks.faces.vault.opened import OpenedVault
from vidgan.tasks.faces.vault.passcode import Passcode

CLIPS = Path(__file__).parents[3] / "shared" / "data" / "clips_people"
MAN, TALKER = CLIPS / "face_intel_male.mp4", CLIPS / "face_lp_d3.mp4"
CODE, OTHER = "correct horse", "wrong battery"

pytestmark = pytest.mark.skipif(not CLIPS.is_dir(), reason=f"needs the clips in {CLIPS}")


def read(path: Path, count: int = 1000) -> list[Frame]:
    with open_source(path, yuv=True) as source:
        return list(islice(source, count))


def psnr(one: Frame, other: Frame, part: tuple[slice, slice]) -> float:
    error = (one.image.yuv().luma[part].astype(float) - other.image.yuv().luma[part]) ** 2
    return float(10 * np.log10(255**2 / max(error.mean(), 1e-6)))


@pytest.fixture(autouse=True)
def cheap_guesses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cipher, "_SCRYPT_COST", 1 << 10)


@pytest.fixture(scope="module")
def finder() -> FaceFinder:
    return FaceFinder(640)


def face_of(finder: FaceFinder, frame: Frame) -> tuple[slice, slice]:
    """Rows and columns of the face."""
    box = next(each.box for each in finder.find(frame.image) if each.score >= CERTAIN_SCORE)
    left, top = (int(max(0, each)) for each in box[:2] - box[2:] / 2)
    return slice(top, top + int(box[3])), slice(left, left + int(box[2]))


def hidden(output: Path, **options: object) -> Path:
    given = {"pixelate": True, "passcode": CODE, "trim": (0, 0.5), "look_ahead": 3} | options
    vidgan.deidentify(MAN, output, **given)
    return output


def faces_psnr(source: list[Frame], video: Path, finder: FaceFinder) -> float:
    frames = read(video)
    assert len(frames) == len(source)
    pairs = zip(source, frames, strict=True)
    return float(np.mean([psnr(one, other, face_of(finder, one)) for one, other in pairs]))


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".gif"])
def test_the_passcode_brings_the_faces_back(suffix: str, tmp_path: Path, finder: FaceFinder) -> None:
    video = hidden(tmp_path / f"video{suffix}")
    assert (tmp_path / f"video{suffix}.vault").exists() == (suffix == ".gif")
    source = read(MAN, len(read(video)))
    assert faces_psnr(source, video, finder) < 25
    results = {}
    for code in (CODE, OTHER):
        output = tmp_path / f"{code.split()[0]}{suffix}"
        done = vidgan.reveal(video, output, passcode=code)
        assert done.frames == len(source) and find_vault(output) is None
        results[code] = faces_psnr(source, output, finder)
    assert results[CODE] > (28 if suffix == ".gif" else 32)
    assert results[OTHER] < 25


def test_outputs_of_right_and_wrong_passcodes_look_alike_from_outside(tmp_path: Path) -> None:
    video = hidden(tmp_path / "video.mp4")
    sizes, warnings, words = [], [], []
    for number, code in enumerate((CODE, OTHER)):
        output = tmp_path / str(number) / "shown.mp4"
        output.parent.mkdir()
        done = vidgan.reveal(video, output, passcode=code)
        sizes.append(output.stat().st_size)
        warnings.append(done.warnings)
        found = check_file(output, search=False)
        # How sure a mark is varies with what it is in.
        lines = [(name, text.split(" (score")[0]) for name, text in describe(found)]
        words.append([line for line in lines if line[0] != "signed by"])
    assert max(sizes) <= 1.05 * min(sizes)
    assert warnings[0] == warnings[1] and words[0] == words[1]
    assert "Faces restored with a passcode" in str(words[0])


def test_a_wrong_passcode_shows_the_same_nobody_again_and_another_one_for_another(
    tmp_path: Path, finder: FaceFinder
) -> None:
    video = hidden(tmp_path / "video.mp4")
    codes = [OTHER, OTHER, "yet another", "one more of them", "and its sister"]
    videos = []
    for number, code in enumerate(codes):
        # The mark's number depends on the name of the output.
        output = tmp_path / str(number) / "out.mp4"
        output.parent.mkdir()
        vidgan.reveal(video, output, passcode=code)
        videos.append(read(output))
    part = face_of(finder, read(MAN, 1)[0])
    assert all(psnr(one, two, part) > 60 for one, two in zip(videos[0], videos[1], strict=True))
    # Who is shown is drawn anew with each vault: two of them may be alike, all of them are not.
    pairs = [psnr(one[0], two[0], part) for one, two in combinations(videos[1:], 2)]
    assert max(pairs) < 40 and np.mean(pairs) < 30


def test_a_changed_vault_is_no_error(tmp_path: Path, finder: FaceFinder) -> None:
    video = hidden(tmp_path / "video.mp4", credentials=False)
    vault = find_vault(video)
    assert vault is not None
    source = read(MAN, len(read(video)))
    for number, place in enumerate((3, 30, len(vault) // 2, len(vault) - 1)):
        changed = bytearray(vault)
        changed[place] ^= 4
        (tmp_path / f"{number}.vault").write_bytes(changed)
        output = tmp_path / f"{number}.mp4"
        done = vidgan.reveal(video, output, passcode=CODE, vault=tmp_path / f"{number}.vault")
        assert done.warnings == [] and faces_psnr(source, output, finder) < 25


# The generator.


@pytest.fixture(scope="module")
def generator(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return face_model(tmp_path_factory.mktemp("model") / "tiny.onnx")


def test_with_a_generator_a_wrong_passcode_makes_another_face(
    generator: Path, tmp_path: Path, finder: FaceFinder
) -> None:
    # The video shows a real face, as one of a generator does, and its vault is of it.
    video = hidden(tmp_path / "video.mp4", look_ahead=0)
    colors = []
    for number, code in enumerate((OTHER, "yet another", CODE)):
        output = tmp_path / f"{number}.mp4"
        vidgan.reveal(
            _with_vault_of(video, tmp_path / f"video{number}.mp4"),
            output,
            passcode=code,
            generator=str(generator),
        )
        frame, original = read(output)[4], read(MAN, 5)[4]
        rows, columns = face_of(finder, original)
        middle = (
            slice(rows.start + (rows.stop - rows.start) // 3, rows.stop - (rows.stop - rows.start) // 3),
            slice(columns.start + 20, columns.stop - 20),
        )
        colors.append(frame.pixels[middle].mean((0, 1)))
        assert (psnr(original, frame, (rows, columns)) > 30) == (code == CODE)
        assert "mark" not in str(check_file(output, search=False).problems)
    assert np.abs(colors[0] - colors[1]).max() > 3


def _with_vault_of(video: Path, name: Path) -> Path:
    """The source with the vault of a video, beside it."""
    found = find_vault(video)
    assert found is not None
    vidgan.deidentify(MAN, name, pixelate=True, trim=(0, 1), only_region=["0,0,1,1"])
    name.with_name(f"{name.name}.vault").write_bytes(found)
    return name


# What a vault survives.


def test_a_part_of_a_video_has_the_faces_of_that_part(tmp_path: Path, finder: FaceFinder) -> None:
    part = hidden(tmp_path / "part.mp4", trim=(0.5, 1.5))
    vidgan.reveal(part, tmp_path / "shown.mp4", passcode=CODE)
    with open_source(MAN, yuv=True, trim=vidgan.Trim(start=Fraction(1, 2), end=Fraction(3, 2))) as source:
        frames = list(source)
    assert faces_psnr(frames, tmp_path / "shown.mp4", finder) > 32
    # Of a part of the part too, by its own options or after another job.
    vidgan.reveal(part, tmp_path / "end.mp4", passcode=CODE, trim=(0.5, None))
    rest = frames[-len(read(tmp_path / "end.mp4")) :]
    assert faces_psnr(rest, tmp_path / "end.mp4", finder) > 32
    vidgan.deidentify(part, tmp_path / "cut.mkv", blur=True, only_region=["0,0,1,1"], trim=(0.5, None))
    vidgan.reveal(tmp_path / "cut.mkv", tmp_path / "shown.mkv", passcode=CODE)
    assert faces_psnr(rest, tmp_path / "shown.mkv", finder) > 32


def test_a_vault_goes_with_a_video_into_other_containers_and_sizes(
    tmp_path: Path, finder: FaceFinder
) -> None:
    video = hidden(tmp_path / "video.mp4")
    vidgan.upscale(video, tmp_path / "large.mkv", model="swift", scale=2, trim=(0, 0.3))
    vidgan.reveal(tmp_path / "large.mkv", tmp_path / "shown.mkv", passcode=CODE, trim=(0, 0.2))
    (large, *_), (small, *_) = read(tmp_path / "shown.mkv"), read(MAN, 1)
    assert large.size == (2 * small.size[0], 2 * small.size[1])
    rows, columns = face_of(finder, small)
    luma = large.image.yuv().luma[::2, ::2][rows, columns].astype(float)
    assert np.abs(luma - small.image.yuv().luma[rows, columns]).mean() < 4
    numbered = vidgan.deidentify(video, tmp_path / "frames" / "%03d.png", blur=True, trim=(0, 0.2))
    assert any("no place for the vault" in each for each in numbered.warnings)


def test_matroska_keeps_it_when_streams_are_copied(tmp_path: Path, finder: FaceFinder) -> None:
    video, copy = hidden(tmp_path / "video.mkv"), tmp_path / "copy.mkv"
    subprocess.run(
        ["ffmpeg", "-v", "error", "-i", video, "-map", "0", "-c", "copy", copy],
        check=True,
        capture_output=True,
    )
    vidgan.reveal(copy, tmp_path / "shown.mkv", passcode=CODE)
    assert faces_psnr(read(MAN, len(read(video))), tmp_path / "shown.mkv", finder) > 32


def test_a_lost_vault_is_said_and_another_file_can_have_it(tmp_path: Path, finder: FaceFinder) -> None:
    video, copy = hidden(tmp_path / "video.mp4"), tmp_path / "copy.mp4"
    with av.open(str(video)) as source, av.open(str(copy), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    with pytest.raises(InputError, match=r"copy\.mp4: has no vault, or has lost it"):
        vidgan.reveal(copy, tmp_path / "shown.mp4", passcode=CODE)
    vidgan.reveal(copy, tmp_path / "shown.mp4", passcode=CODE, vault=video)
    assert faces_psnr(read(MAN, len(read(video))), tmp_path / "shown.mp4", finder) > 32


def test_a_killed_job_goes_on_and_its_vault_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from vidgan.segments import store
    from vidgan.tasks.faces.vault import recorder

    monkeypatch.setattr(store, "SEGMENT_FRAMES", 5)
    monkeypatch.setattr(recorder, "SEGMENT_FRAMES", 5)

    class KilledError(Exception):
        pass

    def kill(count: int) -> None:
        if count == 11:
            raise KilledError

    video = tmp_path / "video.mkv"
    with pytest.raises(KilledError):
        hidden(video, trim=(0, 1.5), on_frame=kill)
    assert (folder_of(video) / recorder.VAULT_FILE).is_file()
    with pytest.raises(OutputError, match="begun with another passcode"):
        hidden(video, trim=(0, 1.5), passcode=OTHER)
    done = vidgan.deidentify(MAN, video, pixelate=True, passcode=CODE, trim=(0, 1.5), look_ahead=3)
    assert done.resumed_frames in (5, 10) and done.frames == 18
    result = vidgan.reveal(video, tmp_path / "shown.mkv", passcode=CODE)
    assert result.frames == done.frames
    finder = FaceFinder(640)
    assert faces_psnr(read(MAN, done.frames), tmp_path / "shown.mkv", finder) > 32


# Refusals, credentials and commands.


def test_what_could_not_hold_a_vault_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no place for a vault"):
        hidden(tmp_path / "frames" / "%03d.png")
    with pytest.raises(InputError, match="an image in memory has no place"):
        vidgan.deidentify(np.zeros((64, 64, 3), np.uint8), blur=True, passcode=CODE)
    with pytest.raises(InputError, match="leave out the passcode"):
        hidden(tmp_path / "video.mp4", compare=True)
    with pytest.raises(InputError, match="deidentify is the last step"):
        vidgan.run(MAN, tmp_path / "video.mp4", ["deidentify:pixelate,passcode", "deidentify:blur"])


def test_an_image_has_its_vault_beside_it(tmp_path: Path, finder: FaceFinder) -> None:
    vidgan.deidentify(MAN, tmp_path / "%02d.png", blur=True, only_region=["0,0,1,1"], trim=(0, 0.1))
    image, safe, shown = (tmp_path / name for name in ("01.png", "safe.png", "shown.png"))
    vidgan.deidentify(image, safe, blur=True, passcode=CODE)
    assert (tmp_path / "safe.png.vault").is_file()
    vidgan.reveal(safe, shown, passcode=CODE)
    source = read(image)
    part = face_of(finder, source[0])
    assert psnr(source[0], read(safe)[0], part) < 30 < 32 < psnr(source[0], read(shown)[0], part)


def test_the_credentials_survive_and_the_check_tells_of_the_vault(tmp_path: Path) -> None:
    video = hidden(tmp_path / "video.mp4")
    found = check_file(video, search=False)
    assert found.credentials in ("trusted", "valid") and found.vault and found.problems == []
    assert dict(describe(found))["vault"].startswith("encrypted faces")
    assert not check_file(SAMPLES / "bunny.jpg", search=False).vault
    text = json.dumps(found.as_dict(), default=str)
    assert CODE not in text and "passcode" in text
    # A vault that is changed afterwards is noticed by the credentials.
    data = bytearray(video.read_bytes())
    data[-40] ^= 1
    video.write_bytes(data)
    assert check_file(video, search=False).credentials == "tampered"


def run(*arguments: object, **environment: str) -> Result:
    """A command in this process, which has no terminal."""
    return CliRunner(env=environment).invoke(cli, [str(each) for each in arguments])


def test_commands_take_the_passcode_from_a_file_or_the_environment(tmp_path: Path) -> None:
    video, code = tmp_path / "video.mp4", tmp_path / "code"
    code.write_text(f"{CODE}\n")
    arguments = ("deidentify", MAN, "--pixelate", "--frames", 3, "--look-ahead", 0, "-o", video)
    with pytest.raises(InputError, match=r"no terminal to ask for the passcode on; give --passcode-file"):
        raise run(*arguments, "--passcode").exception or AssertionError
    done = run(*arguments, "--passcode-file", code)
    assert done.exit_code == 0, done.output
    assert "if either is lost, nobody can bring them back" in done.output and CODE not in done.output
    results = []
    for number, more in enumerate(((), ("--passcode-file", code))):
        output = tmp_path / f"{number}.mp4"
        result = run("reveal", video, "-o", output, "--json", "--quiet", *more, VIDGAN_PASSCODE=OTHER)
        found = json.loads(result.output)
        results.append((result.exit_code, found["warnings"], found["frames"]))
    assert results[0] == results[1] == (0, [], 3)
    short = run("reveal", video, "--passcode-file", os.devnull)
    assert short.exit_code == 2 and "at least 8 characters" in short.output


def test_a_batch_has_one_passcode(tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    for name, clip in (("a.mp4", MAN), ("b.mp4", TALKER)):
        vidgan.deidentify(clip, folder / name, blur=True, only_region=["0,0,1,1"], trim=(0, 0.2))
    step = "deidentify:pixelate,passcode,look-ahead=0"
    done = run("batch", folder, "-o", out, "--step", step, VIDGAN_PASSCODE=CODE)
    assert done.exit_code == 0, done.output
    vaults = [find_vault(each) for each in sorted(out.glob("*.mp4"))]
    assert len(vaults) == 2 and None not in vaults and vaults[0] != vaults[1]
    for data in vaults:
        assert data is not None
        faces = OpenedVault(data, Passcode(CODE)).faces_at(0, 40_000)
        assert faces and all(crop is not None for _, crop in faces)
