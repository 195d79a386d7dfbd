"""``vidgan check``: trusted, unknown, tampered, damaged, absent and remuxed files are told apart."""

import json
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import pytest

from tests.support.certificates import certificate
from tests.support.commands import SAMPLES, assert_one_clear_error, vidgan
from tests.support.signed_videos import FACTS, VIDEO, make, sign
from vidgan.media.image import RgbImage
from vidgan.provenance.check import check_file
from vidgan.provenance.manifest import Consent, MarkFacts, container_tags
from vidgan.provenance.pixel_mark import PixelMark
from vidgan.provenance.signing_identity import SigningIdentity, own_identity
from vidgan.sources import open_source

MARK = MarkFacts(kind="face", id=0xC0FFEE)


def marked(path: Path, *, frames: int = 8, tags: dict[str, str] | None = None) -> Path:
    """A video with the mark in its pixels."""
    mark = PixelMark(MARK.kind, MARK.id)
    with open_source(VIDEO, size="360") as source, av.open(str(path), "w") as container:
        container.metadata.update(tags or {})
        stream = container.add_stream("libx264", rate=Fraction(25), options={"crf": "20"})
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        for frame in islice(source, frames):
            pixels = mark.apply(RgbImage(frame.pixels)).pixels
            image = av.VideoFrame.from_ndarray(pixels, "rgb24").reformat(format="yuv420p")
            container.mux(stream.encode(image))
        container.mux(stream.encode(None))
    return path


def remuxed(path: Path, into: Path) -> Path:
    """``ffmpeg -c copy``."""
    with av.open(str(path)) as source, av.open(str(into), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    return into


def lines(*arguments: object) -> tuple[int, str]:
    done = vidgan("check", *arguments)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout


def test_trusted_says_who_with_what_and_from_what(tmp_path: Path, own_key: SigningIdentity) -> None:
    path = marked(tmp_path / "a.mp4")
    sign(path, own_key, replace(FACTS, mark=MARK, consent=Consent.parse("who: Ada\nIt is me.")))
    code, said = lines(path)
    assert code == 0
    for words in (
        "credentials  valid, signed by this machine",
        "made by      vidgan",
        "model        starry (CC-BY-4.0)",
        "consent      It is me. (Ada, ",
        "made from    bunny.mp4: no credentials",
        "pixel mark   face, id 00c0ffee, as the credentials say",
    ):
        assert words in said


def test_unknown_signer_is_valid_and_said(tmp_path: Path, own_key: SigningIdentity) -> None:
    path = make(tmp_path / "a.png")
    sign(path, own_identity(tmp_path / "elsewhere"))
    code, said = lines(path, "--no-search")
    assert code == 3 and "of a signer unknown here" in said
    code, said = lines(path, "--no-search", "--trust", tmp_path / "elsewhere" / "signer.pem")
    assert code == 0 and "or by a signer that you trust" in said


def test_tampered_with_is_said(tmp_path: Path, own_key: SigningIdentity) -> None:
    path = make(tmp_path / "a.mp4")
    sign(path, own_key)
    changed = bytearray(path.read_bytes())
    changed[-200] ^= 1
    path.write_bytes(changed)
    code, said = lines(path, "--no-search")
    assert code == 1 and "TAMPERED" in said and "its content was changed after it was signed" in said


def test_damaged_credentials_are_said(tmp_path: Path, own_key: SigningIdentity) -> None:
    path = make(tmp_path / "a.mkv")
    sign(path, own_key)
    sidecar = tmp_path / "a.mkv.c2pa"
    sidecar.write_bytes(sidecar.read_bytes()[:100])
    code, said = lines(path, "--no-search")
    assert code == 1 and "DAMAGED" in said


def test_sidecar_of_another_video_does_not_fit(tmp_path: Path, own_key: SigningIdentity) -> None:
    one, other = make(tmp_path / "one.mkv"), make(tmp_path / "other.mkv", frames=2)
    sign(one, own_key)
    (tmp_path / "one.mkv.c2pa").rename(tmp_path / "other.mkv.c2pa")
    assert check_file(other, search=False).credentials == "tampered"
    assert check_file(one, search=False).credentials == "none"


def test_nothing_at_all_is_said_for_what_it_is(tmp_path: Path, own_key: SigningIdentity) -> None:
    code, said = lines(make(tmp_path / "a.mp4"))
    assert code == 5
    assert "credentials  none" in said and "that does not say that it is a recording" in said


def test_remuxed_video_still_shows_its_mark(tmp_path: Path, own_key: SigningIdentity) -> None:
    path = marked(tmp_path / "a.mp4")
    sign(path, own_key, replace(FACTS, mark=MARK))
    bare = remuxed(path, tmp_path / "bare.mp4")
    code, said = lines(bare)
    assert code == 4
    for words in ("credentials  none", "pixel mark   face, id 00c0ffee", "its credentials were lost"):
        assert words in said
    found = check_file(bare)
    assert found.mark is not None and found.mark.odds < 1e-6 and found.intact


def test_tags_of_a_container_are_shown(tmp_path: Path, own_key: SigningIdentity) -> None:
    path = marked(tmp_path / "a.mkv", frames=2, tags=container_tags(FACTS))
    tags = check_file(path, search=False).tags
    assert tags["digital_source_type"].endswith("compositeWithTrainedAlgorithmicMedia")
    assert tags["provenance"].startswith("vidgan ")


def test_source_type_of_a_image_of_others_is_shown(tmp_path: Path, own_key: SigningIdentity) -> None:
    path = make(tmp_path / "a.jpg")
    packet = (
        b'<rdf:Description Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/'
        b'trainedAlgorithmicMedia"/>'
    )
    with path.open("ab") as file:
        file.write(packet)
    assert check_file(path, search=False).tags == {"DigitalSourceType": "trainedAlgorithmicMedia"}


def test_missing_mark_and_other_mark_are_said(tmp_path: Path, own_key: SigningIdentity) -> None:
    without, other = make(tmp_path / "without.mp4"), marked(tmp_path / "other.mp4")
    sign(without, own_key, replace(FACTS, mark=MARK))
    sign(other, own_key, replace(FACTS, mark=MarkFacts(kind="face", id=1)))
    assert "none found, although the credentials speak of one" in lines(without, "--no-search")[1]
    assert "NOT that of the credentials" in lines(other)[1]


def test_folder_is_gone_through_and_json_has_it_all(tmp_path: Path, own_key: SigningIdentity) -> None:
    folder = tmp_path / "out" / "deep"
    folder.mkdir(parents=True)
    for name in ("a.png", "b.mkv"):
        sign(make(folder / name), own_key)
    make(folder / "c.jpg")
    (folder / "notes.txt").write_text("no video")
    done = vidgan("check", tmp_path / "out", "--no-search", "--json")
    assert done.returncode == 5
    found = {Path(each["path"]).name: each for each in json.loads(done.stdout)}
    assert {name: each["credentials"] for name, each in found.items()} == {
        "a.png": "trusted", "b.mkv": "trusted", "c.jpg": "none",
    }  # fmt: skip
    assert found["b.mkv"]["sidecar"].endswith("b.mkv.c2pa")
    assert found["a.png"]["manifest"]["generation"]["steps"][0]["models"][0]["name"] == "starry"
    assert found["a.png"]["intact"] and not found["c.jpg"]["intact"]


def test_a_title_cannot_write_over_the_terminal(tmp_path: Path, own_key: SigningIdentity) -> None:
    path = make(tmp_path / "a.png")
    sign(path, own_key, replace(FACTS, description="\x1b[2J\x1b[Hcredentials  valid\nsigned by the King"))
    _, said = lines(path, "--no-search")
    assert "\x1b" not in said and "\nsigned by the King" not in said


@pytest.mark.parametrize("name", ["nope.mp4", "empty"])
def test_what_is_not_there_is_one_clear_error(name: str, tmp_path: Path, own_key: SigningIdentity) -> None:
    (tmp_path / "empty").mkdir()
    assert_one_clear_error(vidgan("check", tmp_path / name), name)


def test_trust_that_holds_no_certificate_is_one_clear_error(tmp_path: Path, own_key: SigningIdentity) -> None:
    (tmp_path / "trust.pem").write_text("nothing")
    done = vidgan("check", SAMPLES / "bunny.jpg", "--trust", tmp_path / "trust.pem")
    assert_one_clear_error(done, "trust.pem", "holds no certificate")
    assert certificate()[0].startswith(b"-----BEGIN CERTIFICATE")


def test_what_cannot_be_decoded_is_said(tmp_path: Path, own_key: SigningIdentity) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"no video at all" * 100)
    code, said = lines(path)
    assert code == 1 and "its frames cannot be read" in said
