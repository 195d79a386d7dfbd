"""Super-resolution: a generator enlarges each frame, and makes up the detail that belongs there."""

import cv2
import numpy as np

from vidgan.media.frame import Frame
from vidgan.media.image import Pixels, RgbImage, YuvImage
from vidgan.session.output_check import Painter


class UpscaleEffect:
    """Enlarges frames.

    What the model makes larger than wanted is brought to its size by means of whole areas, which is
    antialiased. Opacity is enlarged by bicubic interpolation.

    Args:
        painter: a model of the task ``upscale``, such as :meth:`vidgan.Upscaler.session` gives.
        size: width and height of the frames that come out; at most what the model makes.
    """

    def __init__(self, painter: Painter, *, size: tuple[int, int]) -> None:
        self._painter = painter
        self._size = size

    def apply(self, frame: Frame) -> Frame:
        if isinstance(frame.image, YuvImage) and self._painter.takes_planes:
            return frame.with_image(self._fitted_planes(self._painter.run_planes(frame.image)))
        pixels = self._painter.run(frame.pixels[np.newaxis])[0]
        alpha = None if frame.alpha is None else self._resized(frame.alpha, cv2.INTER_CUBIC)
        return Frame(
            image=RgbImage(self._resized(pixels, cv2.INTER_AREA)),
            pts=frame.pts,
            time_base=frame.time_base,
            duration=frame.duration,
            alpha=alpha,
        )

    def _fitted_planes(self, image: YuvImage) -> YuvImage:
        width, height = self._size
        half = (width + 1) // 2, (height + 1) // 2
        if image.luma.shape == (height, width):
            return image
        luma = cv2.resize(image.luma, self._size, interpolation=cv2.INTER_AREA)
        chroma = cv2.resize(image.yuv().chroma, half, interpolation=cv2.INTER_AREA)
        return YuvImage(np.asarray(luma, np.uint8), np.asarray(chroma, np.uint8))

    def _resized(self, picture: Pixels, how: int) -> Pixels:
        if picture.shape[1::-1] == self._size:
            return picture
        return np.asarray(cv2.resize(picture, self._size, interpolation=how), np.uint8)
