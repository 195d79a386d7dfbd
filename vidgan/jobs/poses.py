"""The poses of a video in a file."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vidgan.errors import InputError
from vidgan.media.body_parts import Floats
from vidgan.media.pose_file import DEFAULT_RATE, Poses, write_poses
from vidgan.sources import open_source
from vidgan.tasks.people.pose_finder import PoseFinder
from vidgan.tasks.people.pose_search import PoseReading, PoseSearch


@dataclass(frozen=True)
class WrittenPoses:
    """The outcome of writing the poses of a video.

    Attributes:
        frames: of the video.
        lost: of these without a pose.
        warnings: remarks in sentences.
    """

    frames: int
    lost: int
    warnings: list[str]


def write_poses_of(
    video: Path, output: Path, on_start: Callable[[int | None], None], on_frame: Callable[[int], None]
) -> WrittenPoses:
    """Writes the poses of a video, of people or of drawn skeletons, for :func:`vidgan.media.pose_file.read_poses`.

    Args:
        on_start: called once with the number of frames, where that is known.
        on_frame: called with the number of frames so far.

    Raises:
        InputError: the video cannot be read, shows nobody, or begins with a drawing whose colors are not known.
        OutputError: the file cannot be written.
    """
    search, reading = PoseSearch(PoseFinder()), PoseReading(str(video))
    found: list[Floats | None] = []
    before: Floats | None = None
    with open_source(video) as source:
        info = source.info
        on_start(info.frame_count)
        for frame in source:
            points = reading.points_of(search.apply(frame), before)
            before = before if points is None else points
            found.append(points)
            on_frame(len(found))
    lost = sum(each is None for each in found)
    if lost == len(found):
        raise InputError(f"{video}: no person and no drawn skeleton was found in it")
    write_poses(output, Poses(info.width, info.height, info.frame_rate or DEFAULT_RATE, found))
    return WrittenPoses(len(found), lost, reading.remarks())
