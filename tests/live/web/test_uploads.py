"""Uploads, recordings and snapshots of clients, malicious ones included."""

import json
import struct
import subprocess
import sys
import urllib.parse
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.support.commands import SAMPLES

pytest.importorskip("aiohttp", reason="needs the extra web")
pytest.importorskip("aiortc", reason="needs the extra web")

from tests.live.fakes import ScriptedSource, controls, forever
from tests.live.web.http_client import HttpClient, serve
from tests.live.web.videos import count_frames, write_video
from tests.support.images import decode_pixels
from vidgan.errors import InputError
from vidgan.importer.exports import add_export
from vidgan.live.pipeline.live_pipeline import LivePipeline
from vidgan.live.web import worker
from vidgan.live.web.server import WebServer
from vidgan.live.web.uploads import display_name
from vidgan.media.image import RgbImage
from vidgan.media.trim import Trim
from vidgan.models.registry import BUNDLED
from vidgan.sinks import open_sink
from vidgan.sources import open_source
from vidgan.tasks.faces.finder import FaceFinder
from vidgan.tasks.faces.identity import SALT_VARIABLE
from vidgan.tasks.listing import TASKS
from vidgan.tasks.style import StyleSettings

MAN = Path(__file__).parents[4] / "shared" / "data" / "clips_people" / "face_intel_male.mp4"


@pytest.fixture(scope="module")
def server(identity: str) -> Iterator[WebServer]:
    """A page without a stream."""
    with serve(identity) as opened:
        yield opened


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A video whose processing takes longer than the test."""
    folder = tmp_path_factory.mktemp("long")
    return write_video(folder / "long.mp4", frames=3000, size=(320, 192), codec="mpeg4")


@pytest.fixture
def client(server: WebServer) -> Iterator[HttpClient]:
    opened = HttpClient(server.url)
    yield opened
    for upload in opened.state()["uploads"]:
        assert opened.request("DELETE", f"/uploads/{upload['id']}").status == 204


def ended(state: object) -> bool:
    return all(upload["state"] in ("done", "failed") for upload in state["uploads"])  # type: ignore[index]


def test_video_is_processed_for_its_client_alone(
    server: WebServer, client: HttpClient, tmp_path: Path
) -> None:
    content = write_video(tmp_path / "a.mp4", frames=12)
    sent = client.upload(content, '../../etc/ho"li\nday ü.mp4')
    assert sent.status == 201 and sent.json["name"] == 'ho"liday ü.mp4'
    (upload,) = client.wait_for(ended)["uploads"]
    assert (upload["state"], upload["done"], upload["total"]) == ("done", 12, 12), upload
    output = client.request("GET", f"/uploads/{upload['id']}/output?save")
    assert output.status == 200 and count_frames(tmp_path / "b.mp4", output.body) == 12
    disposition = output.headers["Content-Disposition"]
    assert disposition == "attachment; filename*=UTF-8''ho%22liday%20%C3%BC.identity.mp4"
    input_ = client.request("GET", f"/uploads/{upload['id']}/input", Range="bytes=4-7")
    assert input_.status == 206 and input_.body == b"ftyp" and input_.headers["Content-Type"] == "video/mp4"
    other = HttpClient(server.url)
    for method, path in (("GET", "input"), ("GET", "output"), ("DELETE", "")):
        answer = other.request(method, f"/uploads/{upload['id']}/{path}".rstrip("/"))
        assert answer.status == 404 and other.state()["uploads"] == []
    assert client.state()["uploads"] == [upload]


def decompression_bomb(width: int, height: int) -> bytes:
    """An IVF file that declares frames of that size in a few bytes."""
    head = struct.pack("<4sHH4sHHIIIi", b"DKIF", 0, 32, b"VP80", width, height, 25, 1, 1, 0)
    frame = b"\x10\x02\x00\x9d\x01\x2a" + struct.pack("<HH", width & 0x3FFF, height & 0x3FFF) + bytes(64)
    return head + struct.pack("<Iq", len(frame), 0) + frame


MALICIOUS = {
    "not a video": (b"<script>alert(1)</script>" * 100, "not a video or image"),
    "playlist of local files": (b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n", "a.mp4"),
    "frames of 268 megapixels": (decompression_bomb(16384, 16384), "more than 67108864 pixels"),
    "cut off": (b"\0\0\0\x20ftypisom" + bytes(20), "a.mp4"),
}


@pytest.mark.parametrize("kind", MALICIOUS)
def test_malicious_file_fails_with_one_line(server: WebServer, client: HttpClient, kind: str) -> None:
    content, words = MALICIOUS[kind]
    assert client.upload(content, "/tmp/a.mp4").status == 201
    (upload,) = client.wait_for(ended)["uploads"]
    assert upload["state"] == "failed" and upload["error"].startswith("a.mp4: ") and words in upload["error"]
    assert "/" not in upload["error"].replace("and/or", "") and "\n" not in upload["error"]
    assert client.request("GET", f"/uploads/{upload['id']}/output").status == 409
    input_ = client.request("GET", f"/uploads/{upload['id']}/input")
    if "Content-Disposition" not in input_.headers:
        assert input_.headers["Content-Type"] == "video/mp4"


def test_too_large_frames_are_refused(client: HttpClient, tmp_path: Path) -> None:
    client.upload(write_video(tmp_path / "a.mp4", frames=1, size=(4352, 2448), codec="mpeg4"))
    (upload,) = client.wait_for(ended)["uploads"]
    assert upload["error"] == "clip.mp4: frames of 4352x2448 are too large; the limit here is 4096x2304"


@pytest.mark.parametrize("declared", [True, False])
def test_too_long_video_is_refused(
    identity: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, declared: bool
) -> None:
    """Whether it says so, as an mp4 does, or not."""
    monkeypatch.setattr(worker, "_MAX_FRAMES", 5)
    path = tmp_path / ("a.mp4" if declared else "a.y4m")
    write_video(path, codec="libx264" if declared else "wrapped_avframe")
    with pytest.raises(InputError, match="more than 5 frames"):
        worker._process(path, tmp_path / "b.mp4", StyleSettings(style=identity, smooth="off"), "cpu", {})
    assert not (tmp_path / "b.mp4").exists()


def test_too_large_file_is_refused(server: WebServer, client: HttpClient) -> None:
    declared = client.request("POST", "/uploads?name=big.mp4", b"", Content_Length=str(10_000_000_000))
    assert declared.status == 413 and declared.text.startswith("big.mp4: is larger than 1 MB")
    blocks = (bytes(1 << 16) for _ in range(40))
    undeclared = client.upload(blocks, "big.mp4")
    assert undeclared.status == 400 and undeclared.text.startswith("big.mp4: is larger than 1 MB")
    empty = client.upload(b"", "none.mp4")
    assert empty.status == 400 and empty.text == "none.mp4: is empty"
    assert client.state()["uploads"] == []


def test_too_many_uploads_are_refused(server: WebServer, client: HttpClient) -> None:
    assert [client.upload(b"x").status for _ in range(4)] == [201] * 4
    refused = client.upload(b"x")
    assert refused.status == 400 and "you have 4 files here already" in refused.text
    other = HttpClient(server.url)
    assert [other.upload(b"x").status for _ in range(3)] == [201, 201, 400]
    for each in other.state()["uploads"]:
        other.request("DELETE", f"/uploads/{each['id']}")


def test_cancelling_starts_the_next_upload(client: HttpClient, long: bytes, tmp_path: Path) -> None:
    client.upload(long, "long.mp4")
    client.upload(write_video(tmp_path / "a.mp4", frames=3), "short.mp4")
    state = client.wait_for(lambda state: state["uploads"][0]["done"] > 0)
    assert [upload["state"] for upload in state["uploads"]] == ["processing", "waiting"]
    assert state["uploads"][1]["position"] == 1
    assert client.request("DELETE", f"/uploads/{state['uploads'][0]['id']}").status == 204
    (upload,) = client.wait_for(ended)["uploads"]
    assert (upload["name"], upload["state"]) == ("short.mp4", "done")


def test_no_files_are_left(
    identity: str, long: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    with serve(identity) as opened:
        one = HttpClient(opened.url)
        one.upload(long)
        one.wait_for(lambda state: state["uploads"][0]["state"] == "processing")
        assert list((tmp_path / "tmp").iterdir())
    assert not list((tmp_path / "tmp").iterdir())


def test_worker_exits_with_its_parent(identity: str, long: bytes, tmp_path: Path) -> None:
    (tmp_path / "long.mp4").write_bytes(long)
    job = {
        "input": str(tmp_path / "long.mp4"),
        "output": str(tmp_path / "b.mp4"),
        "task": "style",
        "options": {"style": identity},
        "device": "cpu",
        "provenance": {},
    }
    with subprocess.Popen(
        [sys.executable, "-m", "vidgan.live.web.worker"], stdin=-1, stdout=-1, text=True
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(json.dumps(job) + "\n")
        process.stdin.flush()
        assert "total" in json.loads(process.stdout.readline())
        process.stdin.close()
        assert process.wait(timeout=60) == 1


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("a.mp4", "a.mp4"),
        ("C:\\videos\\a.mp4", "a.mp4"),
        ("../../x/.bashrc", "bashrc"),
        ("\x00\n\r\u202e.mp4", "mp4"),
        ("", "upload"),
        ("/", "upload"),
        ("a" * 500 + ".mp4", "a" * 76 + ".mp4"),
    ],
)
def test_display_name(given: str, name: str) -> None:
    assert display_name(given) == name


@pytest.fixture(scope="module")
def shared(identity: str) -> Iterator[WebServer]:
    with (
        LivePipeline(ScriptedSource(forever(60, 90)), controls(identity)) as live,
        serve(identity, live) as opened,
    ):
        yield opened


def test_recording_belongs_to_its_client(shared: WebServer, tmp_path: Path) -> None:
    client, other = HttpClient(shared.url), HttpClient(shared.url)
    assert client.request("POST", "/recordings", {"on": True}).status == 204
    (recording,) = client.wait_for(lambda state: state["recordings"][0]["seconds"] > 0.5)["recordings"]
    assert client.request("GET", f"/recordings/{recording['id']}").status == 409
    assert other.state()["recording"] is False and other.state()["recordings"] == []
    assert client.request("POST", "/recordings", {"on": False}).status == 204
    answer = client.request("GET", f"/recordings/{recording['id']}")
    assert answer.status == 200 and count_frames(tmp_path / "a.mp4", answer.body) >= 2
    assert "attachment" in answer.headers["Content-Disposition"]
    assert other.request("GET", f"/recordings/{recording['id']}").status == 404
    assert other.request("DELETE", f"/recordings/{recording['id']}").status == 404
    assert client.request("DELETE", f"/recordings/{recording['id']}").status == 204
    assert client.request("GET", f"/recordings/{recording['id']}").status == 404


def test_snapshot(shared: WebServer) -> None:
    client = HttpClient(shared.url)
    client.wait_for(lambda state: state["live"]["width"] > 0)
    answer = client.request("GET", "/snapshot")
    while answer.status == 409:
        answer = client.request("GET", "/snapshot")
    assert answer.status == 200 and answer.body.startswith(b"\x89PNG")


def test_without_a_stream(server: WebServer, client: HttpClient) -> None:
    assert client.state()["live"] is None
    assert client.request("GET", "/snapshot").status == 409
    assert client.request("POST", "/recordings", {"on": True}).text == "there is no stream to record"


def test_thumbnails_of_every_style(shared: WebServer) -> None:
    client = HttpClient(shared.url)
    state = client.wait_for(lambda state: all(style["thumbnail"] for style in state["styles"]))
    answer = client.request("GET", f"/thumbnails/{state['styles'][0]['name']}")
    assert answer.headers["Content-Type"] == "image/jpeg" and answer.body.startswith(b"\xff\xd8")


@pytest.mark.parametrize(("name", "kind"), [("photo.jpg", "image/jpeg"), ("photo.png", "image/png")])
def test_photo_comes_back_as_a_photo(client: HttpClient, tmp_path: Path, name: str, kind: str) -> None:
    photo = cv2.resize(cv2.imread(str(SAMPLES / "bunny.jpg")), (160, 90), interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(tmp_path / name), photo)
    client.upload((tmp_path / name).read_bytes(), name)
    (upload,) = client.wait_for(ended)["uploads"]
    assert (upload["state"], upload["kind"]) == ("done", "image"), upload
    assert upload["output_name"] == name.replace("photo", "photo.identity")
    output = client.request("GET", f"/uploads/{upload['id']}/output")
    assert output.headers["Content-Type"] == kind
    decoded = decode_pixels(output.body)
    # The identity style changes nothing but what JPEG costs.
    assert decoded.shape == photo.shape and np.abs(decoded.astype(int) - photo).mean() < 4
    input_ = client.request("GET", f"/uploads/{upload['id']}/input")
    assert input_.headers["Content-Type"] == kind


@pytest.mark.parametrize(("name", "kind"), [("photo.heic", "image/heic"), ("photo.avif", "image/avif")])
def test_a_photo_of_a_phone_comes_back_as_png(
    client: HttpClient, tmp_path: Path, name: str, kind: str
) -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    image = pytest.importorskip("PIL.Image")
    pillow_heif.register_heif_opener()
    photo = cv2.resize(cv2.imread(str(SAMPLES / "bunny.jpg")), (160, 90), interpolation=cv2.INTER_AREA)
    image.fromarray(photo[..., ::-1]).save(tmp_path / name, quality=95)
    client.upload((tmp_path / name).read_bytes(), name)
    (upload,) = client.wait_for(ended)["uploads"]
    assert (upload["state"], upload["kind"]) == ("done", "image"), upload
    assert upload["output_name"] == "photo.identity.png"
    output = client.request("GET", f"/uploads/{upload['id']}/output")
    assert output.headers["Content-Type"] == "image/png"
    decoded = decode_pixels(output.body)
    assert decoded.shape == photo.shape and np.abs(decoded.astype(int) - photo).mean() < 6
    assert client.request("GET", f"/uploads/{upload['id']}/input").headers["Content-Type"] == kind


def test_upscaling_doubles_the_size(client: HttpClient, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.full((24, 32, 3), 90, np.uint8))
    client.upload((tmp_path / "a.png").read_bytes(), "a.png", task="upscale", model="swift")
    (upload,) = client.wait_for(ended)["uploads"]
    assert upload["state"] == "done" and upload["output_name"] == "a.swift.png", upload
    output = client.request("GET", f"/uploads/{upload['id']}/output")
    assert decode_pixels(output.body).shape == (48, 64, 3)


def test_every_task_is_offered_with_its_models(client: HttpClient) -> None:
    tasks = {task["name"]: task["models"] for task in client.state()["tasks"]}
    # One needs a model of one's own, the other the image of a person beside the video.
    assert list(tasks) == [task.name for task in TASKS if task.name not in ("restore", "animate")]
    assert tasks["style"] == [] and "swift" in tasks["upscale"] and "monet" in tasks["translate"]
    # Label maps are nothing that people have at hand.
    assert "camvid" not in tasks["translate"] and tasks["segment"] == ["camvid-segment"]


def test_added_models_are_offered_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, identity: str) -> None:
    """A style and an upscaler that were added; the page is a process of its own, as tasks are looked up once."""
    monkeypatch.setenv("VIDGAN_MODELS", str(tmp_path / "models"))
    add_export(BUNDLED / "wave" / "int8.onnx", "mine")
    add_export(BUNDLED / "swift-x2" / "int8.onnx", "larger")
    command = [
        sys.executable,
        "-m",
        "vidgan",
        "live",
        SAMPLES / "street.mkv",
        "--loop",
        "--web",
        "127.0.0.1:0",
    ]
    with subprocess.Popen(
        [*map(str, command), "--style", identity, "--size", "64x36"], stderr=subprocess.PIPE, text=True
    ) as page:
        try:
            assert page.stderr is not None
            url = next(line.split()[1] for line in page.stderr if line.startswith("page: "))
            client = HttpClient(url)
            state = client.state()
            assert [style["name"] for style in state["styles"]][-1] == "mine"
            assert "larger" in next(task["models"] for task in state["tasks"] if task["name"] == "upscale")
            cv2.imwrite(str(tmp_path / "a.png"), np.full((24, 32, 3), 90, np.uint8))
            client.upload((tmp_path / "a.png").read_bytes(), "a.png", task="upscale", model="larger")
            (upload,) = client.wait_for(ended)["uploads"]
            output = client.request("GET", f"/uploads/{upload['id']}/output")
            assert upload["state"] == "done" and decode_pixels(output.body).shape == (48, 64, 3)
        finally:
            page.terminate()
            page.communicate(timeout=60)


@pytest.mark.parametrize(
    ("task", "model", "words"),
    [
        ("nothing", "", "no task called 'nothing'"),
        ("upscale", "../../etc/passwd", "no model called"),
        ("colorize", "starry", "no model called 'starry' for colorize"),
    ],
)
def test_unknown_tasks_and_models_are_refused(client: HttpClient, task: str, model: str, words: str) -> None:
    answer = client.upload(b"x", task=task, model=model)
    assert answer.status == 400 and words in answer.text


@pytest.mark.skipif(not MAN.is_file(), reason=f"needs {MAN}")
def test_faces_are_hidden_and_brought_back_by_a_passcode(
    client: HttpClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SALT_VARIABLE, "the same person in every run")
    offers = {task["name"]: task["passcode"] for task in client.state()["tasks"]}
    assert (offers["style"], offers["deidentify"], offers["reveal"]) == ("", "optional", "needed")
    with (
        open_source(MAN, trim=Trim(end=Fraction(1, 5))) as source,
        open_sink(tmp_path / "a.mp4", source.info) as sink,
    ):
        for frame in source:
            sink.write(frame)
    content = (tmp_path / "a.mp4").read_bytes()
    for passcode, words in (("", "the passcode is missing"), ("seven77", "at least 8 characters")):
        answer = client.upload(content, task="reveal", Passcode=passcode)
        assert answer.status == 400 and words in answer.text
    code = urllib.parse.quote("ein Schlüssel")
    client.upload(content, "a.mp4", task="deidentify", Passcode=code)
    (hidden,) = client.wait_for(ended)["uploads"]
    assert hidden["state"] == "done" and "Schl" not in str(client.state()), hidden
    video = client.request("GET", f"/uploads/{hidden['id']}/output").body
    client.upload(video, "b.mp4", task="reveal", Passcode=code)
    shown = next(each for each in client.wait_for(ended)["uploads"] if each["name"] == "b.mp4")
    assert shown["state"] == "done", shown
    (tmp_path / "video.mp4").write_bytes(video)
    (tmp_path / "shown.mp4").write_bytes(client.request("GET", f"/uploads/{shown['id']}/output").body)
    first = []
    for name in ("a.mp4", "video.mp4", "shown.mp4"):
        with open_source(tmp_path / name) as source:
            first.append(next(iter(source)).pixels.astype(int))
    original, covered, revealed = first
    place = FaceFinder(640).find(RgbImage(original.astype(np.uint8)))[0].box
    left, top = (int(each) for each in place[:2] - place[2:] / 2)
    face = slice(top, top + int(place[3])), slice(left, left + int(place[2]))
    error = [((each - original)[face] ** 2).mean() for each in (covered, revealed)]
    assert error[0] > 255**2 / 10**2.5 > 4 * error[1], "a face of somebody else, at less than 25 dB"
    changed = np.abs(covered - original).max(2) > 20
    assert np.abs(revealed - original)[changed].mean() < np.abs(covered - original)[changed].mean() / 4


@pytest.mark.parametrize(
    ("task", "hints", "words"),
    [("colorize", "30%,40%", "is no hint"), ("upscale", "30%,40%=#c08060", "upscale takes no hints")],
)
def test_hints_that_are_none_are_refused(client: HttpClient, task: str, hints: str, words: str) -> None:
    answer = client.upload(b"x", task=task, hints=hints)
    assert answer.status == 400 and words in answer.text


def test_hints_color_what_they_are_on(client: HttpClient, tmp_path: Path) -> None:
    gray = np.full((64, 96, 3), 90, np.uint8)
    gray[:, :48] = 160
    cv2.imwrite(str(tmp_path / "gray.png"), gray)
    hints = "25%,50%=#c06020 75%,50%=#2050b0"
    client.upload((tmp_path / "gray.png").read_bytes(), "gray.png", task="colorize", hints=hints)
    (upload,) = client.wait_for(ended)["uploads"]
    output = decode_pixels(client.request("GET", f"/uploads/{upload['id']}/output").body)
    left, right = (output[:, part].mean((0, 1)) for part in (slice(8, 40), slice(56, 88)))
    assert left[2] - left[0] > 60 and right[0] - right[2] > 60


def test_second_style_and_mix_are_settings_of_the_page(server: WebServer) -> None:
    client = HttpClient(server.url)
    changes = {"second_style": "identity", "mix": 0.25}
    assert client.request("PATCH", "/settings", changes).status == 204
    settings = client.state()["settings"]
    assert (settings["second_style"], settings["mix"]) == ("identity", 0.25)
    assert client.request("PATCH", "/settings", {"second_style": None}).status == 204
    assert client.state()["settings"]["second_style"] is None
    assert client.request("PATCH", "/settings", {"mix": 2}).status == 400
