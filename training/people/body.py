"""Bodies of any age and build, posed by linear blend skinning; meshes and rig are those of `anny`.

Coordinates are meters: x to the body's left, y backwards, z up; a body at rest looks along -y.
"""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from training.people.pose import Pose
from vidgan.media.body_parts import PARTS

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]

SKIN_VERTICES = 13_380
"""Vertices of the visible body in MakeHuman's base mesh; what follows are helpers that clothes are fitted to."""
_KEY_POINTS = (
    "nose", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow", "right_elbow",
    "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle",
    "right_ankle", "left_big_toe", "right_big_toe",
)  # fmt: skip
_HAND_AT = 9
"""Where the hands stand among the key points of :mod:`vidgan.media.body_parts`."""
_BONES_OF = {
    "upperarm": "upper arm", "lowerarm": "forearm", "wrist": "hand", "finger": "hand", "metacarpal": "hand",
    "upperleg": "thigh", "lowerleg": "shin", "foot": "foot", "toe": "foot",
}  # fmt: skip
_TRUNK = "root", "pelvis", "spine", "breast", "clavicle", "shoulder"


@dataclass(frozen=True)
class Mesh:
    """Triangles with a texture.

    Attributes:
        faces: ``(F, 3)``, vertices.
        uv: ``(T, 2)`` in [0, 1], from the texture's lower left.
        face_uv: ``(F, 3)``, rows of ``uv``.
    """

    faces: Ints
    uv: NDArray[np.float32]
    face_uv: Ints


@dataclass(frozen=True)
class BodyShape:
    """A body at rest.

    Attributes:
        vertices: ``(V, 3)``.
        heads: of the bones, ``(B, 3)``.
    """

    vertices: Floats
    heads: Floats


class Rig:
    """The mesh, bones and skinning weights that all bodies share.

    Attributes:
        bones: names.
        weights: ``(V, B)``, rows sum to 1.
        mesh: the visible body.
        vertex_of: vertex by its number in MakeHuman's base mesh.
        key_vertices: those that key points are computed from.
        part_of: part of each bone, an index of :data:`vidgan.media.body_parts.PARTS`.
    """

    def __init__(self) -> None:
        self._model, regressor = _anny()
        self.bones: list[str] = list(self._model.bone_labels)
        self._parents: list[int] = [int(each) for each in self._model.bone_parents]
        self.weights: Floats = self._model.dense_vertex_bone_weights.numpy()
        base = self._model.base_mesh_vertex_indices.numpy()
        self.vertex_of = np.zeros(int(base.max()) + 1, np.int64)
        self.vertex_of[base] = np.arange(len(base))
        faces = triangles(self._model.faces.numpy())
        visible = (base[faces] < SKIN_VERTICES).all(1)
        face_uv = triangles(self._model.face_texture_coordinate_indices.numpy())
        uv = self._model.texture_coordinates.numpy().astype(np.float32)
        self.mesh = Mesh(faces[visible], uv, face_uv[visible])
        self.part_of = np.array([_part(bone) for bone in self.bones])
        self.key_vertices = np.flatnonzero(regressor.any(0))
        self._points = regressor[:, self.key_vertices]
        self._knuckles = [
            [self.bones.index(f"finger{finger}-1.{side}") for finger in (2, 5)] for side in ("L", "R")
        ]

    @property
    def phenotypes(self) -> list[str]:
        """Names of the numbers in [0, 1] that :meth:`shape` takes."""
        return list(self._model.phenotype_labels)

    @torch.no_grad()
    def shape(self, phenotype: Mapping[str, float]) -> BodyShape:
        """The body with those numbers."""
        dtype = self._model.template_vertices.dtype
        numbers = {name: torch.tensor([phenotype[name]], dtype=dtype) for name in self.phenotypes}
        still = torch.eye(4, dtype=dtype).repeat(1, len(self.bones), 1, 1)
        body = self._model(pose_parameters=still, phenotype_kwargs=numbers)
        return BodyShape(body["rest_vertices"][0].numpy(), body["rest_bone_heads"][0].numpy())

    def transforms(self, shape: BodyShape, pose: Pose) -> Floats:
        """From rest to the pose, ``(B, 3, 4)``, the root's head staying where it is."""
        rotations = np.zeros((len(self.bones), 3, 3))
        matrices = np.zeros((len(self.bones), 3, 4))
        for bone, name in enumerate(self.bones):
            parent = self._parents[bone]
            before = rotations[parent] if parent >= 0 else np.eye(3)
            rotation = pose.rotation(name, before, self._direction(shape, name))
            head = shape.heads[bone]
            place = matrices[parent, :, :3] @ head + matrices[parent, :, 3] if parent >= 0 else head
            rotations[bone] = rotation
            matrices[bone] = np.column_stack([rotation, place - rotation @ head])
        return matrices

    def key_points(self, shape: BodyShape, vertices: Floats, transforms: Floats) -> Floats:
        """Key points of a posed body in the order of :mod:`vidgan.media.body_parts`, ``(19, 3)``.

        Args:
            vertices: posed, of which :attr:`key_vertices` are looked at.
        """
        points = self._points @ vertices[self.key_vertices]
        hands = []
        for bones in self._knuckles:
            ends = [transforms[bone, :, :3] @ shape.heads[bone] + transforms[bone, :, 3] for bone in bones]
            hands.append(np.mean(ends, 0))
        return np.concatenate([points[:_HAND_AT], hands, points[_HAND_AT:]])

    def _direction(self, shape: BodyShape, bone: str) -> Floats:
        """At rest, from the bone's joint to the next one of :class:`Pose`."""
        end = Pose.end_of(bone)
        if end is None:
            return np.zeros(3)
        along = shape.heads[self.bones.index(end)] - shape.heads[self.bones.index(bone)]
        return along / np.linalg.norm(along)


def skinned(vertices: Floats, weights: NDArray[np.float32], transforms: Floats) -> Floats:
    """Vertices ``(V, 3)`` at rest → in the pose of the transforms."""
    blended = (weights @ transforms.reshape(-1, 12).astype(np.float32)).reshape(-1, 3, 4)
    return np.einsum("vij,vj->vi", blended[:, :, :3], vertices) + blended[:, :, 3]


def triangles(quads: NDArray[Any]) -> Ints:
    """``(F, 4)`` → ``(2 · F, 3)``."""
    return np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]).astype(np.int32)


def _part(bone: str) -> int:
    name, _, side = bone.partition(".")
    stem = name.rstrip("0123456789-")
    if stem in _BONES_OF:
        return PARTS.index(f"{'left' if side == 'L' else 'right'} {_BONES_OF[stem]}")
    return PARTS.index("torso" if stem in _TRUNK else "head")


@cache
def _anny() -> tuple[Any, Floats]:
    """The model, and the matrix of key points from vertices. The first start builds a file for minutes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import anny
        from anny.keypoints import KeypointsRegressor

        model = anny.create_fullbody_model(
            rig="default",
            remove_unattached_vertices=False,
            all_phenotypes=True,
            skinning_method="lbs",
        )
        regressor = KeypointsRegressor.coco(model, list(_KEY_POINTS))
    return model, regressor.regression_weights.numpy()
