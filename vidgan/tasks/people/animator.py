"""The second half of animation: poses are smoothed, retargeted and drawn, frame by frame in order.

The first half, which finds them in each frame apart, is :mod:`vidgan.tasks.people.pose_search`.
"""

from collections.abc import Callable

import numpy as np

from vidgan.media.body_parts import Floats, body_unit
from vidgan.media.frame import Frame
from vidgan.media.image import Pixels, RgbImage
from vidgan.media.one_euro import smoothed
from vidgan.media.posed_frame import PosedFrame
from vidgan.media.skeleton import draw_skeleton
from vidgan.tasks.faces.deidentification import stretches
from vidgan.tasks.people.badge import with_badge
from vidgan.tasks.people.generator import PoseGenerator
from vidgan.tasks.people.pose_search import PoseReading
from vidgan.tasks.people.pose_sheet import PoseSheet
from vidgan.tasks.people.retargeting import Driver, retargeted, seen_from_aside
from vidgan.tasks.people.source_person import SourcePerson
from vidgan.temporal.filter import State
from vidgan.temporal.motion import MotionEstimate

FARTHEST_DEGREES = 45
"""Degrees from the nearest image to which turning a person holds, by ``python -m benchmarks.animate turntable``."""
_CUTOFF = 2.0
"""Hz, of a person who stands still."""


class Animator:
    """A temporal filter whose frames show the source's person as the driver moves.

    Its state: key points of the driver and their speed, the lengths of its bones and where it stood. Where the driver
    is lost, the last pose is held.

    Args:
        open_generator: makes the generator and the source; called with the first frame.
        rate: frames per second.
        badge: put a badge into a corner.
        yaw: degrees by which poses are turned to the body's own left.
        name: of the driver, for messages.
    """

    def __init__(
        self,
        open_generator: Callable[[], tuple[PoseGenerator, SourcePerson]],
        rate: float,
        *,
        badge: bool,
        yaw: float = 0.0,
        name: str = "the driver",
    ) -> None:
        self._open, self._rate, self._badge = open_generator, rate, badge
        self._yaw, self._turned = yaw, 0.0
        self._opened: tuple[PoseGenerator, SourcePerson] | None = None
        self._points: tuple[Floats, Floats] | None = None
        self._driver: Driver | None = None
        self._held: list[float] = []
        self._is_followed = False
        self._driving = PoseReading(name)
        self._sheet: PoseSheet | None = None

    def begin_sheet(self) -> PoseSheet:
        """The sheet that the poses of the coming frames get into; skeletons take the person's place in them."""
        self._opened = self._opened or self._open()
        self._sheet = PoseSheet(self._opened[0].people)
        return self._sheet

    def apply(self, frame: Frame, motion: MotionEstimate | None) -> Frame:
        assert isinstance(frame, PosedFrame)
        if self._opened is None:
            self._opened = self._open()
        generator, person = self._opened
        before = None if self._points is None else self._points[0]
        found = self._driving.points_of(frame, before)
        if found is not None:
            self._follow(found)
        else:
            self._held.append(frame.pts_seconds)
        target = person.points
        if self._points is not None and self._driver is not None:
            target = retargeted(self._points[0], self._driver, person.lengths, person.points)
        if self._yaw:
            target = seen_from_aside(target, person.lengths, self._yaw)
            self._turned = max(self._turned, generator.degrees_from_images(target))
        pixels = self._output(generator, target, frame, found)
        return Frame(
            image=RgbImage(with_badge(pixels) if self._badge else pixels),
            pts=frame.pts,
            time_base=frame.time_base,
            duration=frame.duration,
        )

    def _output(
        self, generator: PoseGenerator, target: Floats, frame: PosedFrame, found: Floats | None
    ) -> Pixels:
        """The person in that pose; for a preview, its skeleton before the background."""
        if self._sheet is None:
            return generator.generate(target)
        pixels = generator.background.copy()
        draw_skeleton(pixels, target)
        self._sheet.add(frame, found, pixels)
        return pixels

    def _follow(self, points: Floats) -> None:
        self._is_followed = True
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
        self._is_followed = True
        points, speed, longest, start = state
        self._points, self._driver = (points, speed), Driver(longest, start)

    def warnings(self) -> list[str]:
        """Remarks on how far the person was turned, on a driver of drawn skeletons, and on frames without a driver."""
        remarks = []
        if self._turned > FARTHEST_DEGREES:
            remarks.append(
                f"the person was turned up to {self._turned:.0f} degrees away from any image of it; beyond "
                f"{FARTHEST_DEGREES} most of what is shown is invented, and further images of it help"
            )
        remarks += self._driving.remarks()
        if self._held and not self._is_followed:
            remarks.append(
                "no person was found to follow in any frame, so the person of the image stands as it is"
            )
        elif self._held:
            frames = "1 frame" if len(self._held) == 1 else f"{len(self._held)} frames"
            remarks.append(
                f"in {frames} no person was found to follow, and the last pose was held, "
                f"at {stretches(self._held)}"
            )
        return remarks
