"""Style transfer: a generator repaints each frame as a painting is painted.

Johnson et al. 2016, "Perceptual Losses for Real-Time Style Transfer and Super-Resolution".
"""

from vidgan.tasks.style.effect import StyleEffect
from vidgan.tasks.style.images import is_image, is_made
from vidgan.tasks.style.task import TASK, StyleSettings, StyleTask

__all__ = ["TASK", "StyleEffect", "StyleSettings", "StyleTask", "is_image", "is_made"]
