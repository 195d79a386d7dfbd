"""Poses of a video: found in people, or read from drawn skeletons."""

from dataclasses import fields

from vidgan.errors import InputError
from vidgan.media.body_parts import Floats
from vidgan.media.frame import Frame
from vidgan.media.pose_file import completed
from vidgan.media.posed_frame import UNREAD, PosedFrame
from vidgan.media.skeleton_reading import is_line_drawing, read_skeleton
from vidgan.tasks.people.pose_finder import PoseFinder


class PoseSearch:
    """An effect that keeps frames as they are, and finds the person in those whose pose is not known.

    The joints of a drawn skeleton are read from its colors.
    """

    def __init__(self, finder: PoseFinder) -> None:
        self._finder = finder

    def apply(self, frame: Frame) -> PosedFrame:
        if isinstance(frame, PosedFrame):
            return frame
        facts = {each.name: getattr(frame, each.name) for each in fields(Frame)}
        if is_line_drawing(frame.pixels):
            drawn = read_skeleton(frame.pixels)
            if drawn is None:
                return PosedFrame(**facts, drawing=UNREAD)
            return PosedFrame(**facts, points=drawn.points, known=drawn.known, drawing=drawn.style)
        found = self._finder.find(frame.image)
        return PosedFrame(**facts, points=None if found is None else found.points)


class PoseReading:
    """Whole poses of the frames of one video, in order.

    Args:
        name: of the video, for messages.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._drawings: set[str] = set()

    def points_of(self, frame: PosedFrame, before: Floats | None) -> Floats | None:
        """Key points ``(19, 3)`` of a frame; those that a drawing does not show stay where they were.

        Args:
            before: those of the frame before; None where there are none yet.

        Returns:
            None where nobody is found, and where a drawing does not show shoulders and hips.

        Raises:
            InputError: the video begins with a drawing whose colors are not known.
        """
        if frame.drawing == UNREAD and before is None and not self._drawings:
            raise InputError(
                f"{self._name}: the frame at {frame.pts_seconds:.2f} s is a drawing of lines on black whose colors "
                "are not those of a known skeleton (OpenPose's 18 or 25 points, ControlNet's, or vidgan's own); "
                "give its poses as JSON"
            )
        if frame.drawing:
            self._drawings.add(frame.drawing)
        if frame.points is None or frame.known is None:
            return frame.points
        return completed(frame.points, frame.known, before)

    def remarks(self) -> list[str]:
        """A line on drawn skeletons, where there were some."""
        if not self._drawings:
            return []
        styles = " and ".join(sorted(self._drawings))
        return [
            f"{self._name}: shows drawn skeletons ({styles}), whose joints were read from their colors, "
            "without depth"
        ]
