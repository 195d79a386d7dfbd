"""Faces in live video are hidden before anything else sees them."""

from pathlib import Path

import av
import numpy as np
import pytest

from tests.live.fakes import CollectingSink, ScriptedSource
from vidgan.errors import ModelNotFoundError
from vidgan.live.controls import Controls
from vidgan.live.conversion import FrameConverter
from vidgan.live.pipeline.face_hiding import FaceHiding, settings_of
from vidgan.live.pipeline.live_pipeline import LivePipeline
from vidgan.live.settings import LiveSettings
from vidgan.tasks.faces.finder import CERTAIN_SCORE, FaceFinder

CLIP = Path(__file__).parents[4] / "shared" / "data" / "clips_people" / "face_intel_male.mp4"

people = pytest.mark.skipif(not CLIP.is_file(), reason=f"needs {CLIP}")


def decoded(count: int) -> list[av.VideoFrame]:
    with av.open(str(CLIP)) as container:
        return [frame for frame, _ in zip(container.decode(video=0), range(count), strict=False)]


def changed(before: np.ndarray, after: np.ndarray, box: np.ndarray) -> float:
    """The share of the pixels in the middle of a box that have changed."""
    x, y, width, height = (int(each) for each in box)
    middle = (slice(y - height // 4, y + height // 4), slice(x - width // 4, x + width // 4))
    return float((before != after)[middle].mean())


@people
def test_no_sink_gets_a_face(identity: str) -> None:
    frames, sink = decoded(4), CollectingSink("sink")
    settings = LiveSettings(style=identity, smooth="off", hide_faces="pixelate")
    with LivePipeline(
        ScriptedSource(lambda: frames), Controls(settings, styles=[identity]), size="480x270"
    ) as live:
        live.attach(sink)
        sink.wait_for(lambda pairs: len(pairs) >= 1)
        live.wait(30)
    converter = FrameConverter()
    shown = converter.convert(frames[0], (480, 270), pts=0)
    face = next(each for each in FaceFinder(640).find(shown.image) if each.score >= CERTAIN_SCORE)
    for pair in sink.pairs:
        for frame in (pair.input, pair.output):
            assert changed(shown.image.yuv().luma, frame.image.yuv().luma, face.box) > 0.8


@people
def test_a_face_stays_hidden_when_the_size_changes_and_it_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    hiding, converter = FaceHiding("blur", 25.0, "cpu"), FrameConverter()
    large, small = (converter.convert(each, size, pts=0) for each, size in
                    zip(decoded(2), ((480, 270), (320, 180)), strict=True))  # fmt: skip
    face = next(each for each in FaceFinder(640).find(large.image) if each.score >= CERTAIN_SCORE)
    hiding.apply(large)
    monkeypatch.setattr(FaceFinder, "find", lambda self, image: ())
    hidden = hiding.apply(small)
    box = face.box * np.float32(2 / 3)
    assert changed(small.image.yuv().luma, hidden.image.yuv().luma, box) > 0.8


def test_a_generator_that_is_not_there_is_an_error_at_the_start(identity: str) -> None:
    settings = LiveSettings(style=identity, hide_faces="nosuch.onnx")
    with pytest.raises(ModelNotFoundError, match="nosuch"):
        LivePipeline(ScriptedSource(), Controls(settings, styles=[identity]))
    assert settings_of("pixelate").pixelate and settings_of("blur").blur
    assert settings_of("a.onnx").model == "a.onnx" and settings_of("a.onnx").look_ahead == 0
