"""The poses of a video in a file."""

from collections.abc import Callable
from pathlib import Path

from vidgan.errors import InputError
from vidgan.media.body_parts import Floats
from vidgan.media.pose_file import DEFAULT_RATE, Poses, write_poses
from vidgan.sources import open_source
from vidgan.tasks.people.pose_finder import PoseFinder


def write_poses_of(
    video: Path, output: Path, on_start: Callable[[int | None], None], on_frame: Callable[[int], None]
) -> tuple[int, int]:
    """Writes the poses of a video as :func:`vidgan.media.pose_file.write_poses` does.

    Args:
        on_start: called once with the number of frames, where that is known.
        on_frame: called with the number of frames so far.

    Returns:
        The number of frames, and of those in which nobody was found.

    Raises:
        InputError: the video cannot be read, or shows nobody.
        OutputError: the file cannot be written.
    """
    finder = PoseFinder()
    found: list[Floats | None] = []
    with open_source(video) as source:
        info = source.info
        on_start(info.frame_count)
        for frame in source:
            pose = finder.find(frame.image)
            found.append(None if pose is None else pose.points)
            on_frame(len(found))
    lost = sum(each is None for each in found)
    if lost == len(found):
        raise InputError(f"{video}: no person was found in it")
    write_poses(output, Poses(info.width, info.height, info.frame_rate or DEFAULT_RATE, found))
    return len(found), lost
