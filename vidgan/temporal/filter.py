"""What a smoother is."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from vidgan.media.frame import Frame
from vidgan.temporal.motion import Relation

State = tuple[NDArray[np.float32], ...]
"""What a smoother remembers, in arrays that it says more of itself."""


class Smoother(Protocol):
    """Steadies painted frames.

    Attributes:
        state: what it remembers; None at the start and after a cut. A smoother that is given the
            state of another continues exactly as that one would.
    """

    state: State | None

    def smooth(self, painted: Frame, relation: Relation | None) -> Frame:
        """The painted frame, steadied.

        Args:
            relation: of its source frame to the one before; None for the first, or after a seek.
        """
        ...
