"""Detail of the source, carried to where a generator shows it.

A generator's images are smaller than most photos of people. Where it says from which place of the source a place comes,
what the reduction of the source has lost is warped there at full size and added: the high band of a Laplacian
pyramid (Burt, Adelson 1983, "The Laplacian Pyramid as a Compact Image Code") along the warp of Liu et al. 2019.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgan.media.body_parts import Floats
from vidgan.media.image import Pixels
from vidgan.tasks.people.source_person import SourcePerson

_LEAST_SURE = 0.6
"""How surely the source has to show a place whose detail is added; halfway surely is a seam."""
_RIM = 0.012
"""Sides by which the source's mask is eroded: edges against its background do not belong to the person."""
LEAST_RATIO = 1.1
"""Ratio of sides from which on detail is lost at all."""


class SourceDetail:
    """The detail that a source has beyond its reduction to the size of a generator.

    Args:
        image: the source's square in full size, ``(S, S, 3)`` uint8 RGB.
        mask: opacity of the person in it, ``(S, S)`` uint8.
        side: of the generator's images.

    Attributes:
        side: S.
    """

    def __init__(self, image: Pixels, mask: NDArray[np.uint8], side: int) -> None:
        self.side = image.shape[0]
        small = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)
        rim = 2 * round(_RIM * self.side) + 1
        inner = cv2.erode(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (rim, rim)))
        inner = cv2.GaussianBlur(inner, (0, 0), max(0.5, rim / 6))
        share = inner.astype(np.float32)[:, :, np.newaxis] / 255
        self._detail = (image.astype(np.float32) - self.enlarged(small)) * share

    def enlarged(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """An image of the generator in full size, ``(S, S, C)`` float32."""
        size = self.side, self.side
        return np.asarray(
            cv2.resize(image.astype(np.float32), size, interpolation=cv2.INTER_CUBIC), np.float32
        )

    def added(self, generated: Pixels, correspondence: Floats) -> Pixels:
        """A generated image in full size with detail.

        Args:
            generated: ``(s, s, 3)`` uint8 RGB.
            correspondence: ``(h, w, 3)``, see :data:`vidgan.session.loading.CORRESPONDENCE`.

        Returns:
            ``(S, S, 3)`` uint8 RGB.
        """
        size = self.side, self.side
        full = cv2.resize(correspondence, size, interpolation=cv2.INTER_LINEAR)
        places = full[:, :, :2] * np.float32(self.side) - np.float32(0.5)
        warped = cv2.remap(self._detail, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        sure = ((full[:, :, 2] - _LEAST_SURE) / (1 - _LEAST_SURE)).clip(0, 1)
        made = self.enlarged(generated) + sure[:, :, np.newaxis] * warped
        return np.asarray(np.rint(made).clip(0, 255), np.uint8)


def detail_of(person: SourcePerson, side: int) -> SourceDetail | None:
    """The detail of a person's square beyond images of that side; None where it is hardly larger."""
    full = round(person.square.side)
    if full < LEAST_RATIO * side:
        return None
    return SourceDetail(person.crop(full), person.mask_crop(full), side)
