"""The mark: in the image, not to be seen, and there after what happens to videos."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tests.support.commands import SAMPLES
from vidgan.media.image import RgbImage, YuvImage
from vidgan.media.yuv import Plane
from vidgan.provenance import mark_reading
from vidgan.provenance.mark_reading import ALARM_ODDS, bit_scores, detect
from vidgan.provenance.pixel_mark import KINDS, MAGIC_BITS, Payload, PixelMark
from vidgan.provenance.spread_pattern import BLOCK, Grid, bits_of_blocks
from vidgan.sources import open_source

MARK = PixelMark("face", 0x5EED1234)


def lumas(path: Path, count: int, size: str | None = None) -> list[Plane]:
    with open_source(path, size=size, yuv=True) as source:
        return [frame.image.yuv().luma for frame in islice(source, count)]


@pytest.fixture(scope="module")
def video() -> list[Plane]:
    return lumas(SAMPLES / "bunny.mp4", 8)


@pytest.fixture(scope="module")
def marked(video: list[Plane]) -> list[Plane]:
    return [MARK.embed(each) for each in video]


def encoded(planes: Sequence[Plane], path: Path, crf: int, *, scale: int = 1) -> list[Plane]:
    height, width = (each // scale for each in planes[0].shape)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(25), options={"crf": str(crf)})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for plane in planes:
            frame = av.VideoFrame.from_ndarray(plane, "gray")
            container.mux(stream.encode(frame.reformat(width=width, height=height, format="yuv420p")))
        container.mux(stream.encode(None))
    return lumas(path, len(planes))


def right(planes: Sequence[Plane]) -> float:
    return float((np.sign(bit_scores(planes)) == MARK.payload.signs()).mean())


def is_read(planes: Sequence[Plane]) -> bool:
    found = detect(planes)
    return found is not None and (found.kind, found.id) == ("face", 0x5EED1234) and found.odds < ALARM_ODDS


def test_payload_reads_back_and_notices_a_wrong_bit() -> None:
    for kind in KINDS:
        for number in (0, 1, 0xFFFFFFFF, 0x12345678):
            assert Payload.of_signs(Payload(kind, number).signs()) == Payload(kind, number)
    for place in range(64):
        signs = MARK.payload.signs()
        signs[place] *= -1
        assert Payload.of_signs(signs) is None


@pytest.mark.parametrize(
    ("wrong", "is_read"), [((), True), ((1, 8, 30, 62), True), ((1, 8, 20, 30, 62), False)]
)
def test_up_to_four_wrong_bits_are_corrected(wrong: tuple[int, ...], is_read: bool) -> None:
    """In magic number, kind, identifier and CRC; the more attempts it takes, the less it proves."""
    mark = PixelMark("upscale", 0xC0FFEE)
    scores = mark.payload.signs() * np.random.default_rng(0).uniform(1, 3, 64)
    scores[list(wrong)] *= -0.5
    payload, attempts = mark_reading._corrected(scores)
    assert payload == (mark.payload if is_read else None)
    assert attempts == 1 if not wrong else attempts > 1 or not is_read


def test_it_is_too_faint_to_be_seen(video: list[Plane], marked: list[Plane]) -> None:
    for before, after in zip(video, marked, strict=True):
        difference = after.astype(float) - before
        assert 42 <= 10 * np.log10(255**2 / np.square(difference).mean()) < 48
        assert np.abs(difference).max() <= 8 and abs(difference.mean()) < 0.1


def test_it_can_be_fainter(video: list[Plane]) -> None:
    faint = PixelMark("face", 0x5EED1234, psnr=50)
    for before in video[:2]:
        difference = faint.embed(before).astype(float) - before
        assert 49 <= 10 * np.log10(255**2 / np.square(difference).mean()) < 51


def test_it_is_the_same_each_time(video: list[Plane], marked: list[Plane]) -> None:
    again = PixelMark("face", 0x5EED1234)
    assert np.array_equal(again.embed(video[3]), marked[3])
    assert not np.array_equal(PixelMark("face", 0x5EED1235).embed(video[3]), marked[3])


@pytest.mark.parametrize(("crf", "scale"), [(23, 1), (28, 1), (23, 2)], ids=["crf 23", "crf 28", "half size"])
def test_it_survives_h264_and_half_size(crf: int, scale: int, marked: list[Plane], tmp_path: Path) -> None:
    coded = encoded(marked, tmp_path / "a.mkv", crf, scale=scale)
    assert right(coded) >= 0.99 and is_read(coded)


def test_it_survives_h264_at_360p(tmp_path: Path) -> None:
    small = [MARK.embed(each) for each in lumas(SAMPLES / "bunny.mp4", 8, "360")]
    coded = encoded(small, tmp_path / "a.mkv", 23)
    assert right(coded) >= 0.95 and is_read(coded)


def test_one_frame_suffices(marked: list[Plane], tmp_path: Path) -> None:
    assert is_read(encoded(marked, tmp_path / "a.mkv", 23)[4:5])


def test_it_is_found_in_what_was_cut_out(marked: list[Plane], tmp_path: Path) -> None:
    height, width = marked[0].shape
    cut = [
        each[height // 10 : height - height // 10, width // 10 : width - width // 10]
        for each in encoded(marked, tmp_path / "a.mkv", 23)
    ]
    assert is_read(cut)
    found = detect(cut)
    assert found is not None and found.size == pytest.approx(1.25, rel=0.01)
    assert detect(cut, search=False) is None


@pytest.mark.parametrize("degrees", [0.86, -1.5])
def test_it_is_found_in_what_was_turned(degrees: float, marked: list[Plane], tmp_path: Path) -> None:
    height, width = marked[0].shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    turned = [cv2.warpAffine(each, turn, (width, height)) for each in encoded(marked, tmp_path / "a.mkv", 23)]
    assert is_read(turned)


def test_no_false_alarm_in_real_videos_and_noise(video: list[Plane]) -> None:
    noise = [np.random.default_rng(seed).integers(0, 256, (360, 640), np.uint8) for seed in range(3)]
    flat = [np.full((360, 640), 128, np.uint8)]
    street = lumas(SAMPLES / "street.mkv", 6)
    for planes in (video, street, noise, flat):
        assert detect(planes) is None
        assert float(np.square(bit_scores(planes)).mean()) < 2


def test_another_pattern_is_no_mark(video: list[Plane]) -> None:
    """A grid as strong as the mark, such as JPEG's."""
    grid = (np.indices(video[0].shape).sum(0) // 8 % 2 * 4 - 2).astype(np.int16)
    planes = [cv2.add(each, grid, dtype=cv2.CV_8U) for each in video]
    assert detect(planes) is None


def test_a_search_proves_nothing_by_the_bits_that_it_looked_for(video: list[Plane]) -> None:
    """A magic number alone, in a frame that was cropped: only the search finds it, and the other bits are not there."""
    height, width = video[0].shape
    grid = Grid.of(height, width)
    bits = bits_of_blocks()[: grid.rows, : grid.columns]
    magic = np.kron(bits < MAGIC_BITS, np.ones((BLOCK, BLOCK))).astype(np.uint8)
    magic = np.asarray(cv2.resize(magic, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)
    planes = [np.where(magic == 1, MARK.embed(each), each) for each in video]
    cut = [each[36 : height - 36, 64 : width - 64] for each in planes]
    mean = np.mean([mark_reading._made_small(each) for each in cut], axis=0).astype(np.float32)
    scores = [score for score, _ in mark_reading._candidates(mean, [0.0], np.array([1 / 0.9]))]
    assert max(scores) > 8  # Without a mark the best of all places has 5 to 6.
    assert detect(cut) is None


@pytest.mark.parametrize(
    "shape", [(720, 1280), (1280, 720), (361, 641), (2160, 3840), (300, 300), (90, 1000)]
)
def test_any_shape_can_be_marked(shape: tuple[int, int]) -> None:
    y, x = np.indices(shape)
    luma = np.asarray(128 + 60 * np.sin(x / 37) * np.cos(y / 23), np.uint8)
    after = MARK.embed(luma)
    assert after.shape == shape and is_read([after])


def test_frames_too_small_for_it_are_left_alone_by_the_reader() -> None:
    assert detect([np.zeros((16, 16), np.uint8)]) is None and detect([]) is None
    assert MARK.embed(np.zeros((16, 16), np.uint8)).shape == (16, 16)


def test_black_and_white_stay_in_range() -> None:
    for level in (0, 255):
        after = MARK.embed(np.full((360, 640), level, np.uint8)).astype(int)
        assert np.abs(after - level).max() < 8


def test_luma_and_chroma_stay_luma_and_chroma(video: list[Plane]) -> None:
    chroma = np.random.default_rng(0).integers(0, 256, (360, 640, 2), np.uint8)
    image = MARK.apply(YuvImage(video[0], chroma, "left"))
    assert isinstance(image, YuvImage) and image.chroma_location == "left"
    assert np.array_equal(image.chroma, chroma) and is_read([image.luma])


def test_rgb_changes_in_luma_alone() -> None:
    with open_source(SAMPLES / "bunny.jpg") as source:
        pixels = next(iter(source)).pixels
    image = MARK.apply(RgbImage(pixels))
    change = image.pixels.astype(int) - pixels
    inside = (pixels > 10).all(2) & (pixels < 245).all(2)
    assert np.ptp(change[inside], axis=1).max() == 0
    assert is_read([image.yuv().luma])


@pytest.mark.parametrize(("kind", "number"), [("nonsense", 1), ("face", -1), ("face", 1 << 32)])
def test_what_cannot_be_said_is_refused(kind: str, number: int) -> None:
    with pytest.raises(ValueError, match="must"):
        PixelMark(kind, number)
