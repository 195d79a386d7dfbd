"""The look of a face from its embedding, by linear regression over many faces.

A generator would find out by itself, from hundreds of thousands of faces; a regression knows a twelfth of the
detail of faces that it has not seen, at once, and is where a generator begins.
"""

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from training.networks.face_generator import CELLS, LOOK_SIDE
from vidgan.media.image import Pixels

_RIDGE = 5.0
"""Found on 800 of 6,203 faces: 0.086 of their detail's variance, 0.080 with a thirtieth of it."""


def regressed_looks(images: Pixels, embeddings: Tensor) -> tuple[Tensor, Tensor]:
    """The regression of a face's detail, what its cells' mean colors leave, on its embedding.

    Args:
        images: as a generator is given them when nothing is moved, ``(N, S, S, 3)`` uint8 RGB.
        embeddings: ``(N, 2, 128)``, unit vectors.

    Returns:
        The detail ``(3 · L · L,)``, in [-1, 1], of the mean embedding, less what the weights make of it, and
        the weights ``(3 · L · L, 256)``; L is :data:`training.networks.face_generator.LOOK_SIDE`.
    """
    size = (LOOK_SIDE, LOOK_SIDE)
    small = [cv2.resize(each, size, interpolation=cv2.INTER_AREA) for each in images]
    faces = torch.from_numpy(np.stack(small)).permute(0, 3, 1, 2).float() / 127.5 - 1
    cells = F.avg_pool2d(faces, LOOK_SIDE // CELLS)
    detail = faces - F.interpolate(cells, size, mode="bilinear", align_corners=False)
    targets, inputs = detail.flatten(1), embeddings.flatten(1)
    center, middle = targets.mean(0), inputs.mean(0)
    a = inputs - middle
    ridge = _RIDGE * torch.eye(inputs.shape[1])
    weights = torch.linalg.solve(a.T @ a + ridge, a.T @ (targets - center)).T
    return center - weights @ middle, weights
