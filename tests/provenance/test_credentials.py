"""Manifests: what is signed reads back valid, says what is true, and notices changes."""

import io
import json
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import av
import c2pa
import cv2
import pytest

from tests.support.signed_videos import BESIDE, EMBEDDED, FACTS, VIDEO, made_of, make, sign
from vidgan.errors import CredentialsError
from vidgan.provenance.check import check_file
from vidgan.provenance.credentials import Credentials
from vidgan.provenance.manifest import Consent, MarkFacts
from vidgan.provenance.sidecar import place_sidecar
from vidgan.provenance.signing_identity import SigningIdentity


def images(path: Path) -> list[bytes]:
    if path.suffix == ".webp":  # FFmpeg does not read those that move.
        _, animation = cv2.imreadanimation(str(path))
        return [each.tobytes() for each in animation.frames]
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24").tobytes() for frame in container.decode(video=0)]


@pytest.mark.parametrize("kind", EMBEDDED)
def test_what_is_signed_is_valid_also_to_the_library_itself(
    kind: str, tmp_path: Path, own_key: SigningIdentity
) -> None:
    path = make(tmp_path / f"a.{kind}")
    before = images(path)
    assert sign(path, own_key) == []
    assert images(path) == before and before
    assert check_file(path, search=False).credentials == "trusted"
    with c2pa.Reader(path) as reader:  # Which knows no certificate of ours, and finds the format by itself.
        store = json.loads(reader.json())
    assert store["validation_state"] == "Valid"
    assert [each["code"] for each in store["validation_status"]] == ["signingCredential.untrusted"]
    assert sorted(each.name for each in tmp_path.iterdir()) == [f"a.{kind}", "data"]


@pytest.mark.parametrize("kind", BESIDE)
def test_what_cannot_hold_a_manifest_has_it_beside(
    kind: str, tmp_path: Path, own_key: SigningIdentity
) -> None:
    path = make(tmp_path / f"a.{kind}")
    content = path.read_bytes()
    sign(path, own_key)
    assert path.read_bytes() == content
    found = check_file(path, search=False)
    assert found.credentials == "trusted" and found.sidecar == tmp_path / f"a.{kind}.c2pa"
    with path.open("rb") as video, c2pa.Reader(None, video, found.sidecar.read_bytes()) as reader:
        assert json.loads(reader.json())["validation_state"] == "Valid"


def test_a_part_file_needs_no_suffix(tmp_path: Path, own_key: SigningIdentity) -> None:
    part = make(tmp_path / "a.mp4").rename(tmp_path / ".a.mp4.7.part")
    assert Credentials(FACTS, own_key).sign(part, tmp_path / "a.mp4") is None
    part.rename(tmp_path / "a.mp4")
    assert check_file(tmp_path / "a.mp4", search=False).credentials == "trusted"


@pytest.mark.parametrize("kind", ["mp4", "png", "mkv"])
def test_every_single_byte_counts(kind: str, tmp_path: Path, own_key: SigningIdentity) -> None:
    path = make(tmp_path / f"a.{kind}")
    whole = path.read_bytes()
    chance = random.Random(3)
    sign(path, own_key)
    signed = path.read_bytes()
    # Where the content lies in the signed file: what follows the manifest is at the same distance from the end.
    tail = min(len(whole) - 1024, len(whole) * 3 // 4)
    for _ in range(20):
        changed = bytearray(signed)
        changed[-chance.randrange(1, tail)] ^= 1 << chance.randrange(8)
        path.write_bytes(changed)
        assert check_file(path, search=False).credentials == "tampered"


def test_manifest_says_who_made_it_with_what_and_from_what(tmp_path: Path, own_key: SigningIdentity) -> None:
    path = make(tmp_path / "a.mp4")
    facts = replace(
        FACTS,
        mark=MarkFacts(kind="style", id=0xBEEF),
        consent=Consent.parse("who: Ada\nwhen: 2026-11-01\nIt is me."),
    )
    sign(path, own_key, facts)
    manifest = check_file(path, search=False).manifest
    assert manifest is not None
    assert manifest.software.startswith("vidgan ") and manifest.title == "a.mp4"
    assert manifest.source_types == ["compositeWithTrainedAlgorithmicMedia"]
    (step,) = manifest.generation["steps"]
    assert step == {
        "task": "style",
        "settings": {"strength": 0.5, "palette": "palette.txt"},
        "models": [{"name": "starry", "sha256": "ab" * 32, "license": "CC-BY-4.0", "precision": "int8"}],
    }
    assert manifest.mark == MarkFacts(kind="style", id=0xBEEF)
    assert manifest.consent == Consent(statement="It is me.", who="Ada", when="2026-11-01")
    (ingredient,) = manifest.ingredients
    assert (ingredient.title, ingredient.relationship, ingredient.manifest) == ("bunny.mp4", "parentOf", None)
    assert manifest.generation["input"]["bytes"] == VIDEO.stat().st_size


def test_no_private_path_gets_out(tmp_path: Path, own_key: SigningIdentity) -> None:
    path = make(tmp_path / "a.mkv")
    sign(path, own_key)
    said = (tmp_path / "a.mkv.c2pa").read_bytes()
    assert b"palette.txt" in said
    for private in (b"/home", b"secret", str(tmp_path).encode(), str(VIDEO.parent).encode()):
        assert private not in said


@pytest.mark.parametrize("kind", ["mp4", "mkv"])
def test_manifest_of_the_input_is_carried(kind: str, tmp_path: Path, own_key: SigningIdentity) -> None:
    first, second = make(tmp_path / f"first.{kind}"), make(tmp_path / "second.mp4")
    sign(first, own_key)
    assert sign(second, own_key, made_of(first)) == []
    manifest = check_file(second, search=False).manifest
    assert manifest is not None
    (ingredient,) = manifest.ingredients
    assert ingredient.title == first.name and ingredient.problems == [] and ingredient.manifest is not None
    assert ingredient.manifest.title == first.name
    assert [each.title for each in ingredient.manifest.ingredients] == ["bunny.mp4"]


def test_input_that_was_changed_is_carried_as_such(tmp_path: Path, own_key: SigningIdentity) -> None:
    first, second = make(tmp_path / "first.mp4"), make(tmp_path / "second.mp4")
    sign(first, own_key)
    changed = bytearray(first.read_bytes())
    changed[-100] ^= 1
    first.write_bytes(changed)
    (warning,) = sign(second, own_key, made_of(first))
    assert "first.mp4: was changed after it was signed" in warning
    found = check_file(second, search=False)
    assert found.credentials == "trusted" and found.manifest is not None
    assert found.manifest.ingredients[0].problems == ["its content was changed after it was signed"]


def test_damaged_manifest_of_the_input_is_said_and_costs_nothing(
    tmp_path: Path, own_key: SigningIdentity
) -> None:
    first, second = make(tmp_path / "first.mp4"), make(tmp_path / "second.mp4")
    sign(first, own_key)
    damaged = bytearray(first.read_bytes())
    begin = damaged.index(b"jumdc2pa")
    damaged[begin + 200 : begin + 260] = bytes(60)
    first.write_bytes(damaged)
    (warning,) = sign(second, own_key, made_of(first))
    assert "first.mp4: its credentials are damaged and could not be carried over" in warning
    found = check_file(second, search=False)
    assert found.credentials == "trusted" and found.manifest is not None
    assert found.manifest.generation["input"]["damaged_credentials"] is True
    assert check_file(first, search=False).credentials == "damaged"


def test_folder_of_images_is_an_ingredient(tmp_path: Path, own_key: SigningIdentity) -> None:
    folder = tmp_path / "frames"
    folder.mkdir()
    for number in (1, 2):
        make(folder / f"{number}.png")
    sign(folder / "1.png", own_key)
    path = make(tmp_path / "a.mp4")
    (warning,) = sign(path, own_key, made_of(folder))
    assert "1 of its 2 images have credentials" in warning
    manifest = check_file(path, search=False).manifest
    assert manifest is not None and manifest.ingredients[0].title == "frames"
    assert manifest.generation["input"]["images"] == 2


def test_an_older_sidecar_does_not_stay_beside_an_unsigned_file(
    tmp_path: Path, own_key: SigningIdentity
) -> None:
    path = make(tmp_path / "a.mkv")
    sign(path, own_key)
    place_sidecar(None, path)
    assert not (tmp_path / "a.mkv.c2pa").exists()
    assert check_file(path, search=False).credentials == "none"


def test_file_is_as_it_was_when_it_cannot_be_signed(tmp_path: Path, own_key: SigningIdentity) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"this is no video" * 100)
    with pytest.raises(CredentialsError, match=r"a\.mp4: cannot be signed: .*`credentials=False`"):
        Credentials(FACTS, own_key).sign(path, path)
    assert path.read_bytes() == b"this is no video" * 100
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.mp4", "data"]


def test_without_the_package_there_is_one_clear_line() -> None:
    code = """
import sys
sys.modules["c2pa"] = None
from vidgan.errors import CredentialsError
from vidgan.provenance.c2pa_sdk import c2pa
import cv2
try:
    c2pa()
except CredentialsError as exc:
    print(exc)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == (
        "Content Credentials need the package c2pa-python: pip install c2pa-python, or `credentials=False`\n"
    )


def test_nothing_is_signed_with_a_certificate_that_c2pa_refuses(
    tmp_path: Path, own_key: SigningIdentity
) -> None:
    """One for web servers, say: asked before any work is done, not after hours of it."""
    from tests.support.certificates import certificate

    chain, key = certificate(for_mail=False)
    with pytest.raises(CredentialsError, match="key and certificate: cannot be signed"):
        Credentials(FACTS, SigningIdentity(chain.decode(), key, "es256"))


def test_consent_is_text_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "consent.txt").write_text(
        "when: 2026-01-02\nI have leave of all who are seen.\n", encoding="utf-8"
    )
    read = Consent.read(str(tmp_path / "consent.txt"))
    assert read == Consent(statement="I have leave of all who are seen.", who=None, when="2026-01-02")
    assert Consent.read("It is me").statement == "It is me"
    (tmp_path / "consent.bin").write_bytes(b"\xff\xfe\x00")
    for wrong in ("", "who: Ada", "x" * 5000, str(tmp_path / "consent.bin")):
        with pytest.raises(CredentialsError):
            Consent.read(wrong)


def test_lists_of_numbers_survive(tmp_path: Path, own_key: SigningIdentity) -> None:
    """c2pa takes them for bytes."""
    path = make(tmp_path / "a.jpg")
    sign(path, own_key, replace(FACTS, settings={"size": [1280, 720], "rate": "30000/1001"}))
    manifest = check_file(path, search=False).manifest
    assert manifest is not None
    assert manifest.generation["settings"] == {"size": "1280, 720", "rate": "30000/1001"}


def test_streams_of_memory_are_the_same_to_the_library(tmp_path: Path, own_key: SigningIdentity) -> None:
    path = make(tmp_path / "a.png")
    sign(path, own_key)
    with c2pa.Reader("image/png", io.BytesIO(path.read_bytes())) as reader:
        assert reader.get_validation_state() == "Valid"


@pytest.mark.parametrize(
    ("kind", "name"), [("mp4", "a.avi"), ("jpg", "a.png"), ("mkv", "a.mp4"), ("png", "a.jpg")]
)
def test_a_wrong_suffix_is_no_damage(kind: str, name: str, tmp_path: Path, own_key: SigningIdentity) -> None:
    source, output = make(tmp_path / f"a.{kind}"), make(tmp_path / "out.mp4")
    sign(source, own_key)
    wrong = source.rename(tmp_path / name)
    assert sign(output, own_key, made_of(wrong)) == []
    assert check_file(output, search=False).credentials == "trusted"
    # That of Matroska lies beside it, under the former name.
    assert check_file(wrong, search=False).credentials == ("none" if kind == "mkv" else "trusted")
