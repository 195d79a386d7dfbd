"""``--style 0s:starry,10s:wave``: styles that follow each other, and the text of ``--style``."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import vidgan
from tests.support.clips import make_clip, scene
from vidgan.errors import InputError
from vidgan.jobs.plan import Step
from vidgan.sources import open_source
from vidgan.tasks import step_settings
from vidgan.tasks.style import StyleSettings
from vidgan.tasks.style.names import label_of, parse_style, style_text
from vidgan.tasks.style.task import weights_over_time

LOSSLESS = {"encoder": "libx264rgb", "encoder_options": {"crf": "0"}, "smooth": "off"}


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("starry", [(0, {"starry": 1})]),
        ("a.jpg:0.5,b.jpg:1.5", [(0, {"a.jpg": 0.25, "b.jpg": 0.75})]),
        ("0s:starry,10s:wave", [(0, {"starry": 1}), (10, {"wave": 1})]),
        (
            "2s:a, b.jpg:1,c:3,4.5s:/x/y,z.onnx",
            [(0, {"a, b.jpg": 0.25, "c": 0.75}), (4.5, {"/x/y,z.onnx": 1})],
        ),
        ("starry:1,wave:0", [(0, {"starry": 1})]),
        ("C:\\a.jpg", [(0, {"C:\\a.jpg": 1})]),
        ("a:0.333,b:0.333,c:0.334", [(0, {"a": 0.333, "b": 0.333, "c": 0.334})]),
    ],
)
def test_the_text_of_styles(text: str, keys: list[tuple[float, dict[str, float]]]) -> None:
    found = parse_style(text)
    for key, (seconds, parts) in zip(found, keys, strict=True):
        assert key.seconds == seconds and dict(key.parts) == pytest.approx(parts)
    again = style_text(found)
    assert style_text(parse_style(again)) == again


@pytest.mark.parametrize("text", ["5s:starry,5s:wave", "5s:starry,1s:wave", "starry:0,wave:0"])
def test_texts_that_are_none(text: str) -> None:
    with pytest.raises(InputError):
        parse_style(text)


def test_names_of_outputs() -> None:
    assert label_of("0s:starry,2s:my/old painting.jpg,4s:starry") == "starry-old painting"
    assert Step(StyleSettings(style="starry:0.5,wave:0.5")).name == "starry-wave"


def test_weights_glide_and_are_cut_short_by_the_next_style() -> None:
    at = weights_over_time([(0, [1, 0]), (4, [0, 1]), (5, [1, 0])], glide=2)
    assert [at(each)[1] for each in (-1, 0, 4, 4.5, 5, 6, 7, 99)] == [0, 0, 0, 0.5, 1, 0.5, 0, 0]
    assert weights_over_time([(0, [1, 0]), (4, [0, 1])], glide=0)(4) == [0, 1]


def frames_of(path: Path) -> list[NDArray[np.int64]]:
    with open_source(path) as source:
        return [frame.pixels.astype(int) for frame in source]


def test_a_video_glides_from_one_style_to_another(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mkv", times=range(16))
    outputs = {}
    for name, style in {"mixed": "0s:starry,0.2s:wave", "starry": "starry", "wave": "wave"}.items():
        result = vidgan.stylize(clip, tmp_path / f"{name}.mkv", style=style, glide=0.2, **LOSSLESS)
        outputs[name] = frames_of(tmp_path / f"{name}.mkv")
        assert result.model == ("starry+wave" if name == "mixed" else name)
    for index, (mixed, starry, wave) in enumerate(zip(*outputs.values(), strict=True)):
        share = min(1.0, max(0.0, (index - 5) / 5))
        wanted = share * wave + (1 - share) * starry
        # Frames are mixed as luma and chroma, before colors are clipped.
        assert np.abs(mixed - wanted).mean() <= (0 if share in (0, 1) else 1), index


@pytest.mark.parametrize("look_ahead", [0, 2])
def test_the_temporal_filter_keeps_up_with_a_glide(look_ahead: int, tmp_path: Path) -> None:
    """Of a photo that stands still, where the filter's memory is longest."""
    clip = tmp_path / "clip"
    clip.mkdir()
    for number in range(50):
        assert cv2.imwrite(str(clip / f"{number:02}.png"), scene(7, 96, 64))
    options = LOSSLESS | {"smooth": "flow", "look_ahead": look_ahead}
    outputs = []
    for style in ("0s:starry,1.2s:wave", "starry", "wave"):
        vidgan.stylize(clip, tmp_path / "out.mkv", style=style, glide=0.4, overwrite=True, **options)
        outputs.append(frames_of(tmp_path / "out.mkv"))
    shares = []
    for mixed, starry, wave in zip(*outputs, strict=True):
        away = (wave - starry).ravel()
        shares.append(float(np.dot((mixed - starry).ravel(), away) / np.dot(away, away)))
    # The glide ends with frame 40; an undisturbed filter has got to a quarter by then.
    assert max(shares[:30]) < 0.05 and shares[40] > 0.85 and shares[45] > 0.92 and shares[49] > 0.94


def test_times_are_those_of_the_input(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mkv", times=range(16))
    options = {"style": "0s:starry,0.4s:wave", "glide": 0, **LOSSLESS}
    vidgan.stylize(clip, tmp_path / "whole.mkv", **options)
    vidgan.stylize(clip, tmp_path / "part.mkv", trim=(0.2, None), **options)
    whole, part = frames_of(tmp_path / "whole.mkv"), frames_of(tmp_path / "part.mkv")
    assert np.array_equal(part, whole[5:])


def test_a_step_of_a_chain_has_commas(tmp_path: Path) -> None:
    settings = step_settings("stylize:0s:starry,10s:wave,strength=0.5")
    assert isinstance(settings, StyleSettings)
    assert (settings.style, settings.strength) == ("0s:starry,10s:wave", 0.5)


def test_live_takes_one_style_at_a_time() -> None:
    with pytest.raises(InputError, match="several models"):
        vidgan.load_style("0s:starry,10s:wave")
