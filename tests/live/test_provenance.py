"""What the outputs of a live session say of themselves: the mark in all frames, and credentials of all files."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.live.fakes import CollectingSink, ScriptedSource, controls, forever, gray_pair, times_of
from tests.support.certificates import certificate
from tests.support.commands import SAMPLES, assert_one_clear_error, vidgan
from tests.support.signed_videos import make, sign
from vidgan.errors import CredentialsError, InputError
from vidgan.jobs.provenance import ProvenanceSettings
from vidgan.live.controls import Controls
from vidgan.live.frame_pair import FramePair
from vidgan.live.pipeline.live_pipeline import LivePipeline
from vidgan.live.provenance import LiveProvenance, LiveSigner, RecordedSettings, open_provenance
from vidgan.live.settings import LiveSettings
from vidgan.live.sinks.recording import RecordingSink
from vidgan.live.sinks.snapshot import SnapshotSink
from vidgan.media.image import RgbImage
from vidgan.models.registry import find_model
from vidgan.provenance.check import Provenance, check_file
from vidgan.provenance.mark_reading import bit_scores
from vidgan.provenance.signing_identity import SigningIdentity
from vidgan.tasks.deidentify import DeidentifySettings


def opened(
    *,
    mark: bool = False,
    input: Path | None = None,
    faces: DeidentifySettings | None = None,
    **settings: object,
) -> LiveProvenance:
    given = ProvenanceSettings(**settings)  # type: ignore[arg-type]
    return open_provenance(given, mark=mark, input=input, faces=faces)


def signer_of(provenance: LiveProvenance) -> LiveSigner:
    signer = provenance.signer(lambda style: find_model(style, precision="int8", task="style"))
    assert signer is not None
    return signer


def bunny(pts: int = 0, **settings: object) -> FramePair:
    """An image of a video at 640x360, as if it had been processed."""
    whole = cv2.cvtColor(cv2.imread(str(SAMPLES / "bunny.jpg")), cv2.COLOR_BGR2RGB)
    image = RgbImage(np.asarray(cv2.resize(whole, (640, 360), interpolation=cv2.INTER_AREA), np.uint8))
    frame = gray_pair(0, pts).output.with_image(image)
    return FramePair(frame, frame, LiveSettings(style="starry", **settings))  # type: ignore[arg-type]


def trusted(path: Path, *, search: bool = False) -> Provenance:
    found = check_file(path, search=search)
    assert (found.credentials, found.problems) == ("trusted", []) and found.manifest is not None, found
    return found


def test_all_frames_and_sinks_get_the_mark_of_the_session_once(identity: str) -> None:
    """The output with a mark is that without one, marked; the input beside it is not."""
    outputs: list[FramePair] = []
    provenance = opened(mark=True)
    for mark in (None, provenance.pixel_mark):
        sinks = CollectingSink(), CollectingSink("other")
        source = ScriptedSource(forever(90))
        with LivePipeline(source, controls(identity), size="320x180", mark=mark) as pipeline:
            for sink in sinks:
                pipeline.attach(sink)
            for sink in sinks:
                sink.wait_for(lambda pairs: len(pairs) > 1)
        assert len({each.output.pixels.tobytes() for sink in sinks for each in sink.pairs}) == 1
        outputs.append(sinks[0].pairs[0])
    plain, marked = outputs
    assert provenance.pixel_mark is not None
    expected = plain.output.with_image(provenance.pixel_mark.apply(plain.output.image))
    assert np.array_equal(expected.pixels, marked.output.pixels)
    assert np.array_equal(plain.input.pixels, marked.input.pixels)
    signs = provenance.pixel_mark.payload.signs()
    assert np.all(bit_scores([marked.output.image.yuv().luma]) * signs > 0)


def test_sessions_have_marks_of_their_own_and_faces_of_nobody_always() -> None:
    assert opened().mark is None
    one, other = opened(mark=True).mark, opened(mark=True).mark
    assert one is not None and other is not None and one.kind == "style" and one.id != other.id
    nobody = opened(faces=DeidentifySettings(model="nobody.onnx")).mark
    assert nobody is not None and nobody.kind == "deidentify"
    with pytest.raises(InputError, match="cannot be left out"):
        opened(credentials=False, faces=DeidentifySettings(model="nobody.onnx"))
    assert opened(credentials=False, faces=DeidentifySettings(pixelate=True)).mark is None


def test_hidden_faces_are_a_step_of_the_credentials(tmp_path: Path, own_key: SigningIdentity) -> None:
    signer = signer_of(opened(faces=DeidentifySettings(pixelate=True, look_ahead=0)))
    live_controls = controls("starry")
    live_controls.request_snapshot()
    sink = SnapshotSink(live_controls, tmp_path, lambda message: None, signer=signer)
    sink.write(bunny(hide_faces="pixelate"))
    (path,) = tmp_path.glob("*.png")
    found = trusted(path).manifest
    assert found is not None
    assert [each["task"] for each in found.generation["steps"]] == ["deidentify", "style"]
    assert "hide_faces" not in found.generation["steps"][1]["settings"]


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_recording_of_a_video_says_what_it_is(
    tmp_path: Path, identity: str, own_key: SigningIdentity, suffix: str
) -> None:
    """By the command, from a file that has credentials itself; the mark agrees with them."""
    video, path = make(tmp_path / "in.mp4", frames=8, size="360"), tmp_path / f"a.{suffix}"
    sign(video, own_key)
    options = [
        "--no-window",
        "-s",
        identity,
        "--size",
        "640x360",
        "--mark",
        "on",
        "--consent",
        "who: Ada\nMe.",
    ]
    done = vidgan("live", video, *options, "--record", path)
    assert done.returncode == 0 and f"note: {path}: recorded" in done.stderr, done.stderr
    assert len(times_of(path)) >= 1
    found = trusted(path)
    assert found.manifest is not None and found.mark_agrees
    assert found.manifest.consent is not None and found.manifest.consent.who == "Ada"
    (step,) = found.manifest.generation["steps"]
    assert step["task"] == "style" and [each["name"] for each in step["models"]] == ["identity"]
    (parent,) = found.manifest.ingredients
    assert parent.title == "in.mp4" and parent.manifest is not None and not parent.problems
    left = {"in.mp4", "data", path.name} | ({"a.mkv.c2pa"} if suffix == "mkv" else set())
    assert {each.name for each in tmp_path.iterdir()} == left
    if suffix == "mkv":
        assert "style by identity" in found.tags["provenance"]


def test_each_recording_is_signed_with_what_was_used_in_it(tmp_path: Path, own_key: SigningIdentity) -> None:
    live_controls = Controls(LiveSettings(style="starry"), styles=["starry"], recording=True)
    signer, messages = signer_of(opened()), list[str]()
    sink = RecordingSink(live_controls, tmp_path / "a.mov", fps=30, notify=messages.append, signer=signer)
    sink.write(bunny(0, strength=1.0))
    sink.write(bunny(40_000, strength=0.5, second_style="wave", mix=0.25))
    live_controls.set_recording(False)
    sink.write(bunny(80_000))
    first = trusted(tmp_path / "a.mov")
    live_controls.set_recording(True)
    sink.write(bunny(120_000, strength=0.5))
    sink.close()
    second = trusted(tmp_path / "a-2.mov")
    (one,), (other,) = (found.manifest.generation["steps"] for found in (first, second) if found.manifest)
    assert [each["name"] for each in one["models"]] == ["starry", "wave"]
    assert one["settings"] == {
        "stroke": 1.0, "preserve_color": False, "smooth": "flow", "reuse": "auto", "mirror": False,
        "changed_while_recording": "mix, strength",
    }  # fmt: skip
    assert [each["name"] for each in other["models"]] == ["starry"] and other["settings"]["strength"] == 0.5
    assert [message.rpartition(": ")[2] for message in messages] == ["recorded 0.0 s"] * 2
    assert [len(times_of(tmp_path / name)) for name in ("a.mov", "a-2.mov")] == [2, 1]


def test_recorded_settings_do_not_grow_with_the_recording() -> None:
    used = RecordedSettings()
    for index in range(1000):
        used.add(LiveSettings(style="starry", strength=index / 1000))
    assert used.styles == ["starry"] and used.as_facts()["changed_while_recording"] == ["strength"]


def test_certificate_of_ones_own_signs_recordings(tmp_path: Path, own_key: SigningIdentity) -> None:
    chain, key = certificate()
    (tmp_path / "cert.pem").write_bytes(chain)
    (tmp_path / "key.pem").write_bytes(key)
    live_controls = Controls(LiveSettings(style="starry"), styles=["starry"], recording=True)
    signer = signer_of(opened(sign_cert=tmp_path / "cert.pem", sign_key=tmp_path / "key.pem"))
    sink = RecordingSink(live_controls, tmp_path / "a.webm", fps=30, notify=lambda _: None, signer=signer)
    sink.write(bunny())
    sink.close()
    assert check_file(tmp_path / "a.webm", search=False).credentials == "valid"
    assert check_file(tmp_path / "a.webm", trust=tmp_path / "cert.pem", search=False).credentials == "trusted"


def test_no_credentials_leaves_recordings_and_snapshots_as_they_are(tmp_path: Path) -> None:
    assert opened(credentials=False).signer(lambda _: pytest.fail("not asked for")) is None
    live_controls = Controls(LiveSettings(style="starry"), styles=["starry"], recording=True)
    sink = RecordingSink(live_controls, tmp_path / "a.mkv", fps=30, notify=lambda _: None)
    sink.write(bunny())
    sink.close()
    found = check_file(tmp_path / "a.mkv", search=False)
    assert found.credentials == "none" and not found.tags and not (tmp_path / "a.mkv.c2pa").exists()


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_recording_that_cannot_be_signed_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    """Where a file is in the place of the data folder, and the key can be neither read nor made."""
    path, messages = tmp_path / f"a.{suffix}", list[str]()
    live_controls = Controls(LiveSettings(style="starry"), styles=["starry"], recording=True)
    signer = signer_of(opened())
    sink = RecordingSink(live_controls, path, fps=30, notify=messages.append, signer=signer)
    sink.write(bunny(0))
    sink.write(bunny(40_000))
    (tmp_path / "data").write_bytes(b"")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    live_controls.request_snapshot()
    snapshots = SnapshotSink(live_controls, tmp_path, messages.append, signer=signer)
    snapshots.write(bunny())
    sink.close()
    assert len(times_of(path)) == 2 and check_file(path, search=False).credentials == "none"
    snapshot, recording = messages
    assert "snapshot, kept without credentials: " in snapshot and len(list(tmp_path.glob("*.png"))) == 1
    assert recording.startswith(f"{path}: recorded 0.0 s; it was kept without credentials: ")
    assert "the key that signs outputs cannot be kept there" in recording
    assert {each.suffix for each in tmp_path.iterdir()} == {"", ".png", f".{suffix}"}


def test_input_that_is_gone_leaves_the_recording(tmp_path: Path, own_key: SigningIdentity) -> None:
    video = make(tmp_path / "in.mp4", frames=1)
    provenance = opened(input=video)
    signer, path = signer_of(provenance), make(tmp_path / "a.mp4", frames=2)
    content = path.read_bytes()
    video.unlink()
    with pytest.raises(CredentialsError, match=r"a\.mp4: cannot be signed: No such file"):
        signer.sign(path, RecordedSettings())
    assert path.read_bytes() == content


def test_what_cannot_sign_is_one_clear_error_before_a_recording(tmp_path: Path, identity: str) -> None:
    (tmp_path / "cert.pem").write_text("nothing")
    path = tmp_path / "a.mp4"
    words = ["live", SAMPLES / "bunny.mp4", "--no-window", "-s", identity, "--record", path]
    done = vidgan(*words, "--sign-cert", tmp_path / "cert.pem", "--sign-key", tmp_path / "cert.pem")
    assert_one_clear_error(done, "cert.pem")
    assert not path.exists()
    done = vidgan(*words, "--consent", " ")
    assert_one_clear_error(done, "--consent", "says nothing")
    assert vidgan(*words, "--no-credentials", "--consent", "me").returncode == 2


def test_overwriting_removes_the_sidecar_of_the_old_file(tmp_path: Path) -> None:
    """It would accuse a recording that is killed of having been changed."""
    path, live_controls = make(tmp_path / "a.mkv"), controls("starry")
    (tmp_path / "a.mkv.c2pa").write_bytes(b"of the old one")
    live_controls.set_recording(True)
    sink = RecordingSink(live_controls, path, fps=30, notify=lambda _: None, overwrite=True)
    assert (tmp_path / "a.mkv.c2pa").exists()
    sink.write(bunny())
    assert not (tmp_path / "a.mkv.c2pa").exists()
    sink.close()


def test_snapshot_is_signed(tmp_path: Path, own_key: SigningIdentity) -> None:
    live_controls, messages = controls("starry"), list[str]()
    live_controls.request_snapshot()
    pair = bunny()
    SnapshotSink(live_controls, tmp_path, messages.append, signer=signer_of(opened())).write(pair)
    (path,) = tmp_path.glob("*.png")
    assert trusted(path).manifest is not None and messages == [f"{path}: snapshot"]
    pixels = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
    assert np.array_equal(pixels, pair.output.pixels)


def test_clients_have_neither_the_consent_nor_the_input_of_the_user(own_key: SigningIdentity) -> None:
    provenance = opened(mark=True, input=SAMPLES / "bunny.mp4", consent="It is me.")
    clients = provenance.of_clients()
    assert clients == replace(provenance, settings=ProvenanceSettings(), consent=None, input=None)
    assert provenance.consent is not None and clients.mark == provenance.mark
