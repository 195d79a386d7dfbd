"""GIF: palettes shared by frames, colors that stay, an estimate of the size, progress while it is encoded."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.support.clips import make_clip, scene
from vidgan import stylize
from vidgan.media.encoding import choose_palettes
from vidgan.media.encoding.palettes import PaletteUse
from vidgan.media.frame import Frame, VideoInfo
from vidgan.media.image import Pixels, RgbImage
from vidgan.sinks import open_sink

SIZE = 96, 64
INFO = VideoInfo(
    width=SIZE[0], height=SIZE[1], time_base=Fraction(1, 25), frame_rate=Fraction(25), frame_count=20
)


def write(path: Path, images: list[Pixels], **options: object) -> Path:
    with open_sink(path, INFO, **options) as sink:  # type: ignore[arg-type]
        for index, pixels in enumerate(images):
            sink.write(Frame(image=RgbImage(pixels), pts=index, time_base=INFO.time_base, duration=1))
    return path


def shown(path: Path) -> list[Pixels]:
    with av.open(str(path)) as container:
        return [np.asarray(each.to_ndarray(format="rgb24")) for each in container.decode(video=0)]


def grainy(index: int) -> Pixels:
    """An image that stands still, but for a spot."""
    noise = np.random.default_rng(5).normal(0, 6, (SIZE[1], SIZE[0], 3))
    return np.clip(scene(index, *SIZE) + noise, 0, 255).astype(np.uint8)


def test_few_colors_stay_exactly(tmp_path: Path) -> None:
    colors = np.random.default_rng(1).integers(0, 256, (200, 3)).astype(np.uint8)
    images = [colors[np.random.default_rng(index).integers(0, 200, (SIZE[1], SIZE[0]))] for index in range(4)]
    found = shown(write(tmp_path / "a.gif", images))
    assert all(np.array_equal(a, b) for a, b in zip(found, images, strict=True))


def test_what_stands_still_does_not_flicker(tmp_path: Path) -> None:
    """Away from the spot, dithered pixels are the same in every frame."""
    found = shown(write(tmp_path / "a.gif", [grainy(index) for index in range(8)]))
    assert all(np.array_equal(found[0][:16], each[:16]) for each in found[1:])
    error = np.mean([np.square(a.astype(float) - grainy(i)).mean() for i, a in enumerate(found)])
    assert 10 * np.log10(255**2 / error) > 30


def test_shots_have_palettes_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vidgan.media.encoding.palettes.PALETTE_FRAMES", 2)
    red, blue = np.zeros((2, *SIZE[::-1], 4), np.uint8)
    red[..., 0] = blue[..., 2] = np.arange(SIZE[0])
    red[..., 3] = blue[..., 3] = 255
    images = [av.VideoFrame.from_ndarray(each, "rgba") for each in (red, red, blue)]
    for index, image in enumerate(images):
        image.pts, image.time_base = index, INFO.time_base
    palettes = list(choose_palettes(images, INFO))
    assert len(palettes) == 2 and all(each.exact is not None for each in palettes)
    use = PaletteUse(palettes, INFO)
    mapped = [use.apply(image).to_ndarray(format="rgba") for image in images]
    assert np.array_equal(mapped[1], red) and np.array_equal(mapped[2], blue)


def test_the_size_is_estimated(tmp_path: Path) -> None:
    sizes: list[int] = []
    path = write(tmp_path / "a.gif", [grainy(index) for index in range(20)], on_size=sizes.append)
    assert len(sizes) == 1 and sizes[0] == pytest.approx(path.stat().st_size, rel=0.35)
    write(tmp_path / "a.mp4", [grainy(index) for index in range(20)], on_size=sizes.append)
    assert len(sizes) == 1


def test_encoding_is_part_of_progress_and_time(tmp_path: Path, identity: str) -> None:
    clip = make_clip(tmp_path / "in.mp4")
    calls: list[tuple[int, int]] = []
    result = stylize(clip, tmp_path / "out.gif", style=identity, on_encode=lambda *each: calls.append(each))
    assert calls == [(count, 20) for count in range(1, 21)]
    assert result.seconds >= result.busy_seconds["finish"] > 0
    stylize(clip, tmp_path / "out.mp4", style=identity, on_encode=lambda *_: pytest.fail("is joined"))
