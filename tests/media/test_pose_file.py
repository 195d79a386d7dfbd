"""Files of poses: written, read, completed, and as a source of frames."""

import errno
import json
import os
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.doll import DOLL
from vidgan.errors import InputError, OutputError
from vidgan.media.pose_file import Poses, read_poses, write_poses
from vidgan.media.posed_frame import PosedFrame
from vidgan.media.trim import Trim
from vidgan.sources import open_source

COCO_OF_BODY_25 = [0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18]


def body_25(points: np.ndarray) -> np.ndarray:
    """A person as OpenPose's BODY_25 has it, ``(25, 3)``."""
    made = np.zeros((25, 3))
    ours = {0: 0, 18: 1, 17: 2, 5: 3, 2: 4, 6: 5, 3: 6, 7: 7, 4: 8, 12: 11, 9: 12, 13: 13, 10: 14, 14: 15, 11: 16,
            19: 17, 22: 18}  # fmt: skip
    for place, own in ours.items():
        made[place] = [*points[own, :2], 0.9]
    return made


def written(path: Path, frames: list[Any], **head: Any) -> Path:
    path.write_text(json.dumps({"width": 64, "height": 64, "rate": 12.5, "frames": frames} | head))
    return path


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_poses(path, Poses(64, 48, Fraction(30000, 1001), [DOLL, None, DOLL + 1]))
    read = read_poses(path)
    assert (read.width, read.height, read.rate) == (64, 48, Fraction(30000, 1001))
    first, second, third = read.frames
    assert first is not None and second is None and third is not None
    assert np.allclose(first, DOLL, atol=0.01) and np.allclose(third, DOLL + 1, atol=0.01)


@pytest.mark.parametrize("count", [18, 25])
def test_poses_of_openpose_are_read(count: int, tmp_path: Path) -> None:
    flat = body_25(DOLL)
    flat = flat if count == 25 else flat[COCO_OF_BODY_25]
    frame = {
        "people": [{"pose_keypoints_2d": flat.ravel().tolist()}],
        "canvas_width": 64,
        "canvas_height": 64,
    }
    path = tmp_path / "a.json"
    path.write_text(json.dumps([frame]))
    (points,) = read_poses(path).frames
    assert points is not None
    both = [*range(9), *range(11, 17)]
    assert np.allclose(points[both, :2], DOLL[both, :2]), "what both know is where it was"
    assert (points[:, 2] == 0).all()
    # Neither knows hands, and COCO no toes: they are near what they belong to.
    for place, parent in ((9, 7), (10, 8), (17, 15), (18, 16)):
        assert 1 < np.linalg.norm(points[place, :2] - points[parent, :2]) < 12


def test_missing_points_stay_where_they_were(tmp_path: Path) -> None:
    raised, lost, nobody = body_25(DOLL), body_25(DOLL + np.array([3, 0, 0])), body_25(DOLL)
    raised[7, :2] = 50, 5
    lost[7] = 0
    nobody[[9, 12]] = 0
    frames = [{"people": [{"pose_keypoints_2d": each.ravel().tolist()}]} for each in (raised, lost, nobody)]
    first, second, third = read_poses(written(tmp_path / "a.json", frames)).frames
    assert first is not None and second is not None and third is None, "without hips there is no pose"
    assert np.allclose(second[7, :2], [53, 5]), "the wrist goes on with the elbow"


def test_it_is_a_video_of_skeletons(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_poses(path, Poses(64, 64, Fraction(10), [DOLL, None, DOLL]))
    with open_source(path, size="128x128") as source:
        info = source.info
        assert info.width == 128 and info.frame_rate == 10 and info.frame_count == 3
        first, second, _ = source
    assert isinstance(first, PosedFrame) and first.points is not None
    assert np.allclose(first.points, 2 * DOLL, atol=0.05)
    column, row = (first.points[[3, 4, 11, 12], :2].mean(0)).astype(int)
    assert first.pixels[row, column].max() > 100, "the trunk is drawn"
    assert isinstance(second, PosedFrame) and second.points is None and not second.pixels.any()
    with open_source(path, trim=Trim(start=Fraction(1, 10), frames=1)) as source:
        assert [each.pts for each in source] == [0]
        assert source.seconds_at(0) == Fraction(1, 10)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not JSON"),
        ('{"model": 1}', "frames is missing"),
        ('{"frames": [], "width": 9, "height": 9}', "no list of frames"),
        ('{"frames": [{"people": []}], "width": 0, "height": 9}', "no size"),
        ('{"frames": [{"people": []}], "width": 8, "height": 9, "rate": -1}', "no frame rate"),
        ('{"frames": [{"people": []}], "width": 8, "height": 9, "rate": "1/0"}', "no frame rate"),
        ('{"frames": [{"people": []}], "width": 8, "height": 9, "rate": "1e999999999"}', "no frame rate"),
        ('{"frames": [{"people": []}], "width": Infinity, "height": 9}', "something else there"),
        (200_000 * "[", "nested too deeply"),
        ('{"frames": [{"people": [{"pose_keypoints_2d": [1, 2, 3]}]}], "width": 8, "height": 9}', "has 1 points"),
        ('{"frames": [{"people": [{"key_points": [[1, 2, 3, 1]]}]}], "width": 8, "height": 9}', "1 key points"),
        ('{"frames": [7], "width": 8, "height": 9}', "not a file of poses"),
    ],
)  # fmt: skip
def test_other_json_is_refused_in_one_line(text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(InputError, match=words) as raised:
        open_source(tmp_path / "a.json")
    assert "\n" not in str(raised.value) and str(raised.value).startswith(str(tmp_path / "a.json"))


def test_numbers_that_are_no_places_are_refused(tmp_path: Path) -> None:
    rows = np.concatenate([DOLL, np.ones((19, 1))], 1).tolist()
    rows[3][0] = float("nan")
    path = written(tmp_path / "a.json", [{"people": [{"key_points": rows}]}])
    with pytest.raises(InputError, match="no places"):
        read_poses(path)


def test_a_body_that_is_larger_than_any_frame_is_drawn(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_poses(path, Poses(64, 64, Fraction(10), [DOLL * 25_000]))
    with open_source(path) as source:
        assert next(iter(source)).size == (64, 64)


def test_poses_that_cannot_be_written_leave_the_old_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.json"
    write_poses(path, Poses(64, 64, Fraction(10), [DOLL]))
    before = path.read_bytes()

    def full(part: Path, text: str, encoding: str) -> int:
        part.write_bytes(text[:100].encode(encoding))
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OutputError, match=r"a\.json: cannot be written: No space left"):
        write_poses(path, Poses(64, 64, Fraction(10), [DOLL, DOLL]))
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]
