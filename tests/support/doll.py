"""The key points of a paper doll."""

import numpy as np

DOLL = np.array(
    [
        [32, 12, -1], [34, 12, 0], [30, 12, 0], [39, 20, 0], [25, 20, 0], [43, 28, 0], [21, 28, 0], [45, 36, 0],
        [19, 36, 0], [46, 39, 0], [18, 39, 0], [36, 37, 0], [28, 37, 0], [37, 47, 0], [27, 47, 0], [37, 57, 0],
        [27, 57, 0], [39, 60, -2], [25, 60, -2],
    ],
    np.float32,
)  # fmt: skip
"""Key points of a doll that faces the camera, in 64 pixels."""
