"""The two halves of animation: poses are found in frames apart, smoothed, retargeted and drawn in order."""

from collections.abc import Callable
from dataclasses import dataclass, fields

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgan.media.body_parts import Floats, body_unit, part_affines, part_guides
from vidgan.media.frame import Frame
from vidgan.media.image import Pixels, RgbImage
from vidgan.media.one_euro import smoothed
from vidgan.session import Session
from vidgan.session.loading import AFFINES, CORRESPONDENCE, GUIDES
from vidgan.tasks.faces.deidentification import stretches
from vidgan.tasks.people.badge import with_badge
from vidgan.tasks.people.detail import LEAST_RATIO, detail_of
from vidgan.tasks.people.pose_finder import FoundPose, PoseFinder
from vidgan.tasks.people.retargeting import Driver, retargeted
from vidgan.tasks.people.source_person import SourcePerson, Square
from vidgan.temporal.filter import State
from vidgan.temporal.motion import MotionEstimate

GUIDE_SCALE = 2
"""Pixels along a side of a cell of the guides."""
_CUTOFF = 2.0
"""Hz, of a person who stands still."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PosedFrame(Frame):
    """A frame in which a person was looked for.

    Attributes:
        pose: None where there is none.
    """

    pose: FoundPose | None = None


class PoseSearch:
    """An effect that keeps frames as they are, and finds the person in them."""

    def __init__(self, finder: PoseFinder) -> None:
        self._finder = finder

    def apply(self, frame: Frame) -> PosedFrame:
        return PosedFrame(
            **{each.name: getattr(frame, each.name) for each in fields(Frame)},
            pose=self._finder.find(frame.image),
        )


class PoseGenerator:
    """Generates the person of an image in other poses.

    Args:
        session: a model of the task ``animate``.
        person: the source.
        side: of the model's images.
        background: behind the person; None for the image's own.
    """

    def __init__(
        self, session: Session, person: SourcePerson, side: int, background: Pixels | None = None
    ) -> None:
        self._session, self._person, self._side = session, person, side
        self._background = person.background if background is None else background
        self._image = person.crop(side)
        self._detail = detail_of(person, side) if CORRESPONDENCE in session.conditions else None
        self._points = person.square.inside(person.points, side)
        self._guides, _ = part_guides(self._points, side, side // GUIDE_SCALE)

    def generate(self, points: Floats) -> Pixels:
        """The person with these key points before the background, ``(H, W, 3)`` uint8."""
        square, side = self._person.target_square(points), self._side
        target = square.inside(points, side)
        guides, shares = part_guides(target, side, side // GUIDE_SCALE)
        given = {
            GUIDES: np.concatenate([self._guides, guides, shares])[np.newaxis],
            AFFINES: part_affines(self._points, target)[np.newaxis],
        }
        (output,), extra = self._session.run_conditioned(self._image[np.newaxis], given)
        colors, mask = np.ascontiguousarray(output[:, :, :3]), np.ascontiguousarray(output[:, :, 3])
        if self._detail is not None:
            colors = self._detail.added(colors, extra[CORRESPONDENCE][0])
        share = self._placed(mask, square)[:, :, np.newaxis].astype(np.float32) / 255
        placed = self._placed(colors, square, border=cv2.BORDER_REPLICATE).astype(np.float32)
        made = self._background + share * (placed - self._background)
        return np.asarray(np.rint(made).clip(0, 255), np.uint8)

    def _placed(
        self, image: NDArray[np.uint8], square: Square, *, border: int = cv2.BORDER_CONSTANT
    ) -> NDArray[np.uint8]:
        """A square image where the square is in the background."""
        height, width = self._background.shape[:2]
        side = image.shape[0]
        flags = (
            cv2.INTER_CUBIC if square.side > LEAST_RATIO * side else cv2.INTER_LINEAR
        ) | cv2.WARP_INVERSE_MAP
        placed = cv2.warpAffine(
            image, np.asarray(square.placed(side)), (width, height), flags=flags, borderMode=border
        )
        return np.asarray(placed, np.uint8)


class Animator:
    """A temporal filter whose frames show the source's person as the driver moves.

    Its state: key points of the driver and their speed, the lengths of its bones and where it stood. Where the driver
    is lost, the last pose is held.

    Args:
        open_generator: makes the generator and the source; called with the first frame.
        rate: frames per second.
        badge: put a badge into a corner.
    """

    def __init__(
        self, open_generator: Callable[[], tuple[PoseGenerator, SourcePerson]], rate: float, *, badge: bool
    ) -> None:
        self._open, self._rate, self._badge = open_generator, rate, badge
        self._opened: tuple[PoseGenerator, SourcePerson] | None = None
        self._points: tuple[Floats, Floats] | None = None
        self._driver: Driver | None = None
        self._held: list[float] = []

    def apply(self, frame: Frame, motion: MotionEstimate | None) -> Frame:
        assert isinstance(frame, PosedFrame)
        if self._opened is None:
            self._opened = self._open()
        generator, person = self._opened
        if frame.pose is not None:
            self._follow(frame.pose.points)
        else:
            self._held.append(frame.pts_seconds)
        target = person.points
        if self._points is not None and self._driver is not None:
            target = retargeted(self._points[0], self._driver, person.lengths, person.points)
        pixels = generator.generate(target)
        return Frame(
            image=RgbImage(with_badge(pixels) if self._badge else pixels),
            pts=frame.pts,
            time_base=frame.time_base,
            duration=frame.duration,
        )

    def _follow(self, points: Floats) -> None:
        if self._points is None or self._driver is None:
            self._points = points, np.zeros_like(points)
            self._driver = Driver.first_seen(points)
            return
        before, speed = self._points
        unit = body_unit(before)
        self._points = smoothed(points, before, speed, rate=self._rate, unit=unit, cutoff=_CUTOFF)
        self._driver = self._driver.seen(self._points[0])

    @property
    def state(self) -> State | None:
        if self._points is None or self._driver is None:
            return None
        return (*self._points, self._driver.longest, self._driver.start)

    @state.setter
    def state(self, state: State | None) -> None:
        if state is None:
            # After a cut it is the same person still, perhaps elsewhere.
            self._points = self._driver = None
            return
        points, speed, longest, start = state
        self._points, self._driver = (points, speed), Driver(longest, start)

    def warnings(self) -> list[str]:
        """Remarks on frames in which the driver was not found."""
        if not self._held:
            return []
        frames = "1 frame" if len(self._held) == 1 else f"{len(self._held)} frames"
        return [
            f"in {frames} no person was found to follow, and the last pose was held, at {stretches(self._held)}"
        ]
