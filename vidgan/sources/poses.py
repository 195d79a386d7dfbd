"""A file of poses as a video of drawn skeletons, each frame with its pose."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from vidgan.errors import InputError
from vidgan.media.frame import VideoInfo
from vidgan.media.geometry import target_size
from vidgan.media.image import RgbImage
from vidgan.media.pose_file import read_poses
from vidgan.media.posed_frame import PosedFrame
from vidgan.media.skeleton import draw_skeleton
from vidgan.media.trim import WHOLE, Trim
from vidgan.sources.limits import check_frame_size
from vidgan.sources.numbered_frames import NumberedFrames


class PoseSource(NumberedFrames[PosedFrame]):
    """A frame for each pose, RGB, the parts of the body drawn as lines on black.

    Args:
        path: a file as :mod:`vidgan.media.pose_file` describes it.
        size: size of the frames, see :func:`vidgan.media.geometry.target_size`.
        trim: which of them are wanted.

    Raises:
        InputError: it is no file of poses, or has none of those that are wanted.
    """

    def __init__(self, path: Path, *, size: str | None = None, trim: Trim = WHOLE) -> None:
        poses = read_poses(path)
        super().__init__()
        self._time_base = 1 / poses.rate
        self._start = trim.first(self._time_base) * self._time_base
        self._poses = trim.part_of(poses.frames, self._time_base)
        self._count = len(self._poses)
        if not self._poses:
            raise InputError(f"{path}: has no pose {trim}")
        width, height = target_size(poses.width, poses.height, size)
        check_frame_size(path, width, height)
        self._scale = width / poses.width
        self.info = VideoInfo(
            width=width,
            height=height,
            time_base=self._time_base,
            frame_rate=poses.rate,
            frame_count=len(self._poses),
        )
        self._frames = self._made()

    def __iter__(self) -> Iterator[PosedFrame]:
        yield from self._frames

    def _made(self) -> Iterator[PosedFrame]:
        for number, pose in enumerate(self._poses):
            points = None if pose is None else np.asarray(pose * np.float32(self._scale), np.float32)
            image = np.zeros((self.info.height, self.info.width, 3), np.uint8)
            if points is not None:
                draw_skeleton(image, points)
            yield PosedFrame(
                image=RgbImage(image), pts=number, time_base=self._time_base, duration=1, points=points
            )
