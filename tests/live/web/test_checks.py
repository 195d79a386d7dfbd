"""Checks of files on the page, malicious ones included, and what the page's own outputs say of themselves."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("aiohttp", reason="needs the extra web")
pytest.importorskip("aiortc", reason="needs the extra web")

from tests.live.fakes import ScriptedSource, controls, forever
from tests.live.web.http_client import HttpClient, serve
from tests.live.web.videos import write_video
from tests.support.signed_videos import FACTS, make, sign
from vidgan.jobs.provenance import ProvenanceSettings
from vidgan.live.pipeline.live_pipeline import LivePipeline
from vidgan.live.provenance import open_provenance
from vidgan.live.web import worker
from vidgan.live.web.file_types import media_suffix
from vidgan.live.web.server import WebServer
from vidgan.provenance.check import check_file
from vidgan.provenance.report import active_manifest
from vidgan.provenance.signing_identity import own_identity

MARKUP = '<img src=x onerror="document.title = 1"></dd><script>document.title = 1</script>'


@pytest.fixture(scope="module")
def server(identity: str) -> Iterator[WebServer]:
    """A page with a stream, whose outputs are marked and which the user has agreed to."""
    settings = ProvenanceSettings(consent="It is me.")
    provenance = open_provenance(settings, mark=True, input=None)
    source = ScriptedSource(forever(60, 90))
    with (
        LivePipeline(source, controls(identity), size="320x192", mark=provenance.pixel_mark) as live,
        serve(identity, live, provenance=provenance) as opened,
    ):
        yield opened


@pytest.fixture
def client(server: WebServer) -> Iterator[HttpClient]:
    opened = HttpClient(server.url)
    yield opened
    for upload in opened.state()["uploads"]:
        assert opened.request("DELETE", f"/uploads/{upload['id']}").status == 204


def signed(path: Path, description: str = "Repainted") -> bytes:
    # In fewer than 45 lines no mark is searched for, which takes seconds.
    sign(make(path, size="36"), own_identity(), replace(FACTS, description=description))
    return path.read_bytes()


def checked(client: HttpClient, content: bytes, name: str) -> Any:
    """The upload as the page sees it once it was checked."""
    sent = client.upload(content, name, task="check")
    assert sent.status == 201, sent.text
    state = client.wait_for(
        lambda state: all(each["state"] in ("done", "failed") for each in state["uploads"])
    )
    (upload,) = (each for each in state["uploads"] if each["id"] == sent.json["id"])
    assert "vidgan-page-" not in str(upload)
    return upload


def test_signed_file_is_told_whatever_it_is_called(client: HttpClient, tmp_path: Path) -> None:
    upload = checked(client, signed(tmp_path / "a.mp4"), "holiday")
    assert (upload["state"], upload["kind"]) == ("done", "check"), upload
    report = dict(upload["report"])
    assert report["credentials"] == "valid, signed by this machine or by a signer that you trust"
    assert report["made by"].startswith("vidgan ") and report["made from"] == "bunny.mp4: no credentials"
    assert client.request("GET", f"/uploads/{upload['id']}/output").status == 404


def stored(folder: Path, content: bytes) -> Path:
    """As the page stores an upload, by its content alone."""
    (folder / "partial").write_bytes(content)
    return (folder / "partial").rename(folder / f"input{media_suffix(folder / 'partial')}")


def without_manifest(folder: Path) -> bytes:
    return write_video(folder / "plain.mp4", frames=3, size=(64, 36))


def tampered(folder: Path) -> bytes:
    content = bytearray(signed(folder / "a.mp4"))
    content[-200] ^= 1
    return bytes(content)


def damaged(folder: Path) -> bytes:
    """Its manifest is overwritten from the middle on."""
    content = bytearray(signed(folder / "a.jpg"))
    at = content.index(b"jumb") + 400
    content[at : at + 3000] = b"\xff" * 3000
    return bytes(content)


def cut_off(folder: Path) -> bytes:
    content = signed(folder / "a.mp4")
    return content[: content.index(b"jumb") + 200]


MALICIOUS = {
    "tampered": (tampered, "credentials", "TAMPERED"),
    "damaged": (damaged, "credentials", "DAMAGED"),
    "cut off": (cut_off, "problem", "its frames cannot be read"),
    "without credentials": (without_manifest, "conclusion", "nothing says where it is from"),
    "text": (lambda _: MARKUP.encode() * 100, "problem", "its frames cannot be read"),
    "playlist": (lambda _: b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n", "problem", "its frames cannot be read"),
    "manifest of zeros": (
        lambda _: b"\0\0\0\x20ftypisom" + bytes(20),
        "problem",
        "its frames cannot be read",
    ),
}


@pytest.mark.parametrize("kind", MALICIOUS)
def test_malicious_file_is_told(tmp_path: Path, kind: str) -> None:
    make_content, label, words = MALICIOUS[kind]
    path = stored(tmp_path, make_content(tmp_path))
    report = worker._check(path)
    assert any(each == label and words in text for each, text in report), report
    assert "/etc" not in str(report)


@pytest.mark.parametrize("suffix", ["mov", "m4v", "avi", "gif", "webp", "png", "jpg"])
def test_credentials_of_every_format_are_found_by_content(tmp_path: Path, suffix: str) -> None:
    report = dict(worker._check(stored(tmp_path, signed(tmp_path / f"a.{suffix}"))))
    assert report["credentials"].startswith("valid, signed by this machine")


@pytest.mark.parametrize("kind", ["damaged", "text"])
def test_page_goes_on_after_a_malicious_file(client: HttpClient, tmp_path: Path, kind: str) -> None:
    make_content, label, words = MALICIOUS[kind]
    upload = checked(client, make_content(tmp_path), "/tmp/../a.mp4")
    assert upload["state"] == "done" and upload["name"] == "a.mp4", upload
    assert any(each == label and words in text for each, text in upload["report"]), upload
    assert client.state()["live"] is not None


def test_markup_in_a_manifest_stays_text(client: HttpClient, tmp_path: Path) -> None:
    """It is quoted in JSON, which no browser takes for HTML; the page puts it into text nodes."""
    upload = checked(client, signed(tmp_path / "a.png", MARKUP), MARKUP.replace("/", ""))
    assert any(label == "actions" and MARKUP in text for label, text in upload["report"]), upload
    answer = client.request("GET", "/state")
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_too_large_file_is_refused(client: HttpClient) -> None:
    declared = client.request("POST", "/uploads?name=a.mp4&task=check", b"", Content_Length="10000000000")
    assert declared.status == 413 and declared.text.startswith("a.mp4: is larger than 1 MB")
    undeclared = client.upload((bytes(1 << 16) for _ in range(40)), "a.mp4", task="check")
    assert undeclared.status == 400 and undeclared.text.startswith("a.mp4: is larger than 1 MB")
    assert client.state()["uploads"] == []


def test_server_itself_opens_nothing(
    client: HttpClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("check", "credentials"):
        monkeypatch.setattr(
            f"vidgan.provenance.{module}.read_manifest", lambda *_: pytest.fail("in the server")
        )
    upload = checked(client, signed(tmp_path / "a.png"), "a.png")
    assert dict(upload["report"])["credentials"].startswith("valid")


def test_report_is_short_whatever_the_file_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    signed(tmp_path / "a.png", "x" * 450)
    monkeypatch.setattr(worker, "_MAX_TEXT", 100)
    monkeypatch.setattr(worker, "_MAX_LINES", 5)
    lines = worker._check(tmp_path / "a.png")
    assert len(lines) == 5 and max(len(text) for _, text in lines) <= 100


def test_ingredients_that_name_each_other_end() -> None:
    """Eight levels of manifests, each of a hundred ingredients with the same manifest, would be 10¹⁶."""
    manifests = {
        f"m{level}": {"ingredients": [{"active_manifest": f"m{level + 1}"}] * 100} for level in range(9)
    }
    found = active_manifest({"manifests": manifests, "active_manifest": "m0"})

    def count(manifest: Any) -> int:
        return sum(1 + (count(each.manifest) if each.manifest else 0) for each in manifest.ingredients)

    assert 100 < count(found) <= 500


def test_recording_and_snapshot_of_the_page_are_signed(client: HttpClient, tmp_path: Path) -> None:
    assert client.request("POST", "/recordings", {"on": True}).status == 204
    (recording,) = client.wait_for(lambda state: state["recordings"][0]["seconds"] > 0)["recordings"]
    assert client.request("POST", "/recordings", {"on": False}).status == 204
    (ended,) = client.state()["recordings"]
    assert ended["finished"] and not ended["error"]
    (tmp_path / "a.mp4").write_bytes(client.request("GET", f"/recordings/{recording['id']}").body)
    (tmp_path / "a.png").write_bytes(client.request("GET", "/snapshot").body)
    for name, title in (("a.mp4", recording["name"]), ("a.png", "vidgan.png")):
        found = check_file(tmp_path / name, search=False)
        assert (found.credentials, found.problems) == ("trusted", []) and found.manifest is not None
        # The name on this machine is a secret.
        assert found.manifest.title == title and recording["id"] not in str(found)
        assert found.manifest.mark is not None and found.manifest.mark.kind == "style"
        assert found.manifest.consent is not None


def test_file_of_a_client_is_marked_and_signed_without_the_consent_of_the_user(
    client: HttpClient, tmp_path: Path
) -> None:
    client.upload(make(tmp_path / "in.mp4", frames=3, size="360").read_bytes(), "in.mp4")
    (upload,) = client.wait_for(lambda state: state["uploads"][0]["state"] in ("done", "failed"))["uploads"]
    assert upload["state"] == "done", upload
    (tmp_path / "a.mp4").write_bytes(client.request("GET", f"/uploads/{upload['id']}/output").body)
    found = check_file(tmp_path / "a.mp4", search=False)
    assert found.credentials == "trusted" and found.mark_agrees
    assert found.manifest is not None and found.manifest.consent is None


def test_label_maps_go_without_the_mark(client: HttpClient, tmp_path: Path) -> None:
    make(tmp_path / "a.png")
    client.upload((tmp_path / "a.png").read_bytes(), "a.png", task="segment")
    (upload,) = client.wait_for(lambda state: state["uploads"][0]["state"] in ("done", "failed"))["uploads"]
    assert upload["state"] == "done", upload
