"""Images that clients send to the page become styles of it."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("aiohttp", reason="needs the extra web")
pytest.importorskip("aiortc", reason="needs the extra web")

from tests.live.web.http_client import LOCAL, HttpClient, Response, serve
from tests.support.images import decode_pixels
from tests.support.universal import name_styles, write_universal_model
from vidgan.cli.live import offered_styles
from vidgan.live.settings import LiveSettings
from vidgan.live.web import image_styles, style_worker
from vidgan.live.web.server import WebServer
from vidgan.models.registry import bundled_models


@pytest.fixture
def own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr("vidgan.models.universal.installation.BUNDLED", tmp_path / "bundled")
    return tmp_path / "data" / "vidgan"


@pytest.fixture
def server(own_data: Path, identity: str) -> Iterator[WebServer]:
    write_universal_model(own_data / "models" / "any")
    with serve(identity) as opened:
        yield opened


def image(suffix: str = ".png", *, blue: int = 210) -> bytes:
    strokes = np.random.default_rng(0).integers(0, 40, (90, 120, 3), np.uint8)
    strokes[..., 0] += np.uint8(blue)
    return cv2.imencode(suffix, strokes)[1].tobytes()


def send(client: HttpClient, content: bytes, name: str) -> Response:
    return client.request("POST", f"/styles?name={name}", content)


def test_a_image_becomes_a_style_of_the_page(server: WebServer, own_data: Path) -> None:
    client, other = HttpClient(server.url), HttpClient(server.url)
    assert client.state()["images"] is True
    sent = send(client, image(), "..%2Fblue%20sea.png")
    assert (sent.status, sent.json["name"]) == (201, "blue sea"), sent.text
    assert sent.json["warnings"] == [
        "blue sea.png: has only 120x90 pixels and was enlarged; its strokes will be soft"
    ]
    assert (
        client.state()["settings"]["style"] == "blue sea" and other.state()["settings"]["style"] == "identity"
    )
    assert [each["name"] for each in other.state()["styles"]] == ["identity", "blue sea"]
    client.wait_for(lambda state: all(each["thumbnail"] for each in state["styles"]))
    gray = cv2.imencode(".png", np.full((64, 96, 3), 128, np.uint8))[1].tobytes()
    assert client.upload(gray, "photo.png").status == 201
    (upload,) = client.wait_for(lambda state: state["uploads"][0]["state"] in ("done", "failed"))["uploads"]
    assert (upload["state"], upload["output_name"]) == ("done", "photo.blue sea.png"), upload
    blue, _, red = decode_pixels(client.request("GET", f"/uploads/{upload['id']}/output").body).mean((0, 1))
    assert blue > red + 30
    assert send(other, image(), "blue%20sea.jpg").json["name"] == "blue sea 2"
    # Nothing of it stays: it was made in the page's own folder.
    assert not (own_data / "styles").exists()


def test_named_styles_are_chosen_and_mixed_like_others(own_data: Path, identity: str, tmp_path: Path) -> None:
    universal = write_universal_model(own_data / "models" / "any")
    (tmp_path / "blue.png").write_bytes(image())
    name_styles(universal, {"sea": tmp_path / "blue.png"})
    settings = LiveSettings(style=identity, smooth="off")
    with WebServer(None, settings, styles=offered_styles([identity]), device="cpu", address=LOCAL) as server:
        client = HttpClient(server.url)
        names = [each["name"] for each in client.state()["styles"]]
        assert names == ["identity", *bundled_models("style"), "sea"]
        changes = {"style": "sea", "second_style": "identity", "mix": 0.5}
        assert client.request("PATCH", "/settings", changes).status == 204
        chosen = client.state()["settings"]
        assert {name: chosen[name] for name in changes} == changes
        gray = cv2.imencode(".png", np.full((64, 96, 3), 128, np.uint8))[1].tobytes()
        assert client.upload(gray, "photo.png").status == 201
        (upload,) = client.wait_for(lambda state: state["uploads"][0]["state"] in ("done", "failed"))[
            "uploads"
        ]
        assert (upload["state"], upload["output_name"]) == ("done", "photo.sea.png"), upload
        client.wait_for(lambda state: all(each["thumbnail"] for each in state["styles"]))


def test_images_that_are_none_are_refused_with_one_line(server: WebServer) -> None:
    client = HttpClient(server.url)
    refused = {
        b"<svg/>": "a.png: is no image",
        image()[:200]: "a.png: not an image",
        cv2.imencode(".png", np.zeros((40, 40, 3), np.uint8))[1].tobytes(): "a.png: shows a single color",
    }
    for content, words in refused.items():
        answer = send(client, content, "a.png")
        assert answer.status == 400 and answer.text.startswith(words) and "\n" not in answer.text
        assert "/" not in answer.text
    assert [each["name"] for each in client.state()["styles"]] == ["identity"]


def test_sizes_and_numbers_are_limited(server: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    client = HttpClient(server.url)
    monkeypatch.setattr(image_styles, "MAX_BYTES", 1000)
    answer = client.request("POST", "/styles?name=a.png", iter([image()]))
    assert answer.status == 400 and answer.text.startswith("a.png: is larger than 0.001 MB")
    monkeypatch.setattr(image_styles, "_MAX_STYLES", 0)
    assert "the limit" in send(client, image(), "a.png").text


def test_large_images_are_refused_before_they_are_decoded(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(cv2.imencode(".png", np.zeros((8, 8), np.uint8))[1].tobytes())
    data = bytearray(path.read_bytes())
    data[16:24] = (30_000).to_bytes(4, "big") * 2
    path.write_bytes(data)
    with pytest.raises(Exception, match="30000x30000 pixels are too many"):
        style_worker._made(path, tmp_path)


def test_without_the_universal_model_the_page_takes_no_images(own_data: Path, identity: str) -> None:
    with serve(identity) as server:
        client = HttpClient(server.url)
        assert client.state()["images"] is False
        answer = send(client, image(), "a.png")
        assert answer.status == 400 and "for want of its universal model" in answer.text
