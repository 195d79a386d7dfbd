"""Looking ahead, where there is time for it: what is to come has a say in what is shown now.

A smoother that only remembers begins anew where something comes into sight, and shows it for a few
frames as it was first painted. So here a second smoother goes through the next frames backwards, and
the first takes what that one has made of the present frame.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from vidgan.media.frame import Frame
from vidgan.temporal.filter import Smoother
from vidgan.temporal.motion import Relation


@dataclass(frozen=True)
class LookAhead:
    """How far, and with what.

    Attributes:
        frames: how many after the present one.
        open_smoother: makes one that remembers nothing yet.
    """

    frames: int
    open_smoother: Callable[[], Smoother]

    def anticipate(self, painted: Sequence[Frame], relations: Sequence[Relation | None]) -> Frame:
        """The first of these painted frames, steadied by the others.

        Args:
            painted: the present frame and those to come, at least one.
            relations: to each of their source frames of the one before it, as if the film ran
                backwards; None where they cannot be compared. The first is not looked at.
        """
        smoother = self.open_smoother()
        steadied = smoother.smooth(painted[-1], None)
        for index in range(len(painted) - 1, 0, -1):
            steadied = smoother.smooth(painted[index - 1], relations[index])
        return steadied
