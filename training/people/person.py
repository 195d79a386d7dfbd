"""One dressed person, in images of any pose: colors, part map, key points and places on the surface."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from training.people.body import BodyShape, Floats, Ints, Rig, skinned
from training.people.pose import Pose
from training.people.rasterizer import NOTHING, interpolated, rasterize
from training.people.wardrobe import Outfit, Texture
from vidgan.media.body_parts import LEFT_HIP, PARTS, RIGHT_HIP

Singles = NDArray[np.float32]
Bytes = NDArray[np.uint8]
_CUTOUT = 100
"""Alpha of a texture from which on it is there."""
_TALL = 0.74
"""A person's height in an image's side: with raised arms a quarter more."""
_GROUND = 0.94
_HAIR = 2
"""Garments are suit, shoes and hair."""


@dataclass(frozen=True)
class Camera:
    """Perspective onto a square image.

    Attributes:
        side: of the image, pixels.
        scale: pixels per meter where the person stands.
        distance: meters.
        light: direction to it, a unit vector.
        ambient: share of the light that comes from everywhere.
    """

    side: int
    scale: float
    distance: float
    light: Floats
    ambient: float

    @classmethod
    def drawn(cls, random: np.random.Generator, height: float, side: int) -> "Camera":
        """One that has a person of that height, in meters, in the image."""
        light = np.array([random.uniform(-0.8, 0.8), -0.7, random.uniform(0.1, 0.9)])
        return cls(
            side=side,
            scale=_TALL * random.uniform(0.92, 1.04) * side / height,
            distance=random.uniform(2.5, 7),
            light=light / np.linalg.norm(light),
            ambient=random.uniform(0.45, 0.75),
        )

    def project(self, points: Floats) -> Singles:
        """Meters → column, row and depth in pixels; row 0 is the upper edge, the ground is at z = 0."""
        near = self.distance / (self.distance + points[:, 1])
        columns = self.side / 2 + points[:, 0] * self.scale * near
        rows = _GROUND * self.side - points[:, 2] * self.scale * near
        return np.stack([columns, rows, points[:, 1] * self.scale], 1).astype(np.float32)


@dataclass(frozen=True)
class View:
    """A person in an image.

    Attributes:
        image: ``(S, S, 4)`` RGBA; colors are not multiplied by alpha.
        parts: ``(S, S)``, labels of :mod:`vidgan.media.body_parts`.
        points: key points ``(19, 3)``, depth from the middle of the hips.
        triangle, weights: what of the surface a pixel shows, ``(S, S)`` and ``(S, S, 2)``.
        vertices: all of them, ``(V, 3)`` in pixels.
    """

    image: Bytes
    parts: Bytes
    points: Singles
    triangle: Ints
    weights: Singles
    vertices: Singles


class Person:
    """Somebody with a shape and clothes.

    Args:
        rig: that all share.
        shape: of the body.
        outfit: worn.

    Attributes:
        faces: of body and garments together, ``(F, 3)``.
        height: meters.
    """

    def __init__(self, rig: Rig, shape: BodyShape, outfit: Outfit) -> None:
        self._rig, self._shape = rig, shape
        hidden = np.zeros(len(shape.vertices), bool)
        for garment, _ in outfit.garments:
            hidden[rig.vertex_of[garment.hidden]] = True
        bare = ~hidden[rig.mesh.faces].all(1)
        meshes = [replace(rig.mesh, faces=rig.mesh.faces[bare], face_uv=rig.mesh.face_uv[bare])]
        meshes += [garment.mesh for garment, _ in outfit.garments]
        self._rest = np.concatenate(
            [shape.vertices, *(garment.fitted(rig, shape) for garment, _ in outfit.garments)]
        )
        skinning = [rig.weights, *(garment.skinning(rig) for garment, _ in outfit.garments)]
        counts = [len(each) for each in skinning]
        self._weights = np.concatenate(skinning).astype(np.float32)
        starts = np.cumsum([0, *counts[:-1]])
        self.faces: Ints = np.concatenate(
            [mesh.faces + start for mesh, start in zip(meshes, starts, strict=True)]
        ).astype(np.int32)
        self._worn = np.unique(self.faces)
        self._used = np.union1d(self._worn, rig.key_vertices)
        textures = [outfit.skin, *(texture for _, texture in outfit.garments)]
        self._atlas, self._texels = _atlas(textures, [(mesh.uv, mesh.face_uv) for mesh in meshes])
        self._mesh_of = np.repeat(np.arange(len(meshes)), [len(mesh.faces) for mesh in meshes])
        self._has_holes = np.array([texture[:, :, 3].min() < _CUTOUT for texture in textures])
        self._part_of = self._parts(starts[_HAIR + 1])
        self.height = float(np.ptp(shape.vertices[rig.mesh.faces.ravel(), 2]))

    def view(self, pose: Pose, camera: Camera, *, supersampling: int = 2) -> View:
        """An image, on nothing."""
        transforms = self._rig.transforms(self._shape, pose)
        vertices = np.zeros_like(self._rest)
        vertices[self._used] = skinned(self._rest[self._used], self._weights[self._used], transforms)
        points = self._rig.key_points(self._shape, vertices, transforms)
        pelvis = points[[LEFT_HIP, RIGHT_HIP]].mean(0)
        origin = np.array([pelvis[0], pelvis[1], vertices[self._worn, 2].min() - pose.lift])
        vertices, points = vertices - origin, points - origin
        placed = camera.project(vertices)
        projected = camera.project(points)
        projected[:, 2] -= projected[[LEFT_HIP, RIGHT_HIP], 2].mean()
        fragments = rasterize(
            placed * np.array([supersampling, supersampling, 1], np.float32),
            self.faces,
            (camera.side * supersampling,) * 2,
            self._is_opaque,
        )
        shades = self._shades(vertices, camera)
        image = self._colored(fragments.triangle, fragments.weights, shades, supersampling)
        half = supersampling // 2
        triangle = fragments.triangle[half::supersampling, half::supersampling]
        parts = np.where(triangle == NOTHING, 0, 1 + self._part_of[triangle]).astype(np.uint8)
        weights = fragments.weights[half::supersampling, half::supersampling]
        projected[:, :2] -= 0.5
        placed[:, :2] -= 0.5
        return View(image, parts, projected, triangle, weights, placed)

    def _parts(self, hair_from: int) -> NDArray[np.uint8]:
        """Part of each triangle."""
        of_vertex = self._rig.part_of[self._weights.argmax(1)]
        of_vertex[hair_from:] = PARTS.index("head")
        return of_vertex[self.faces[:, 0]].astype(np.uint8)

    def _is_opaque(self, triangle: Ints, weights: Singles) -> NDArray[np.bool_]:
        opaque = np.ones(len(triangle), bool)
        doubtful = np.flatnonzero(self._has_holes[self._mesh_of[triangle]])
        opaque[doubtful] = self._sampled(triangle[doubtful], weights[doubtful])[:, 3] >= _CUTOUT
        return opaque

    def _sampled(self, triangle: Ints, weights: Singles) -> Bytes:
        """Texels, RGBA, ``(n, 4)``."""
        place = interpolated(self._texels, triangle, weights).astype(np.int32)
        return self._atlas[
            place[:, 1].clip(0, self._atlas.shape[0] - 1), place[:, 0].clip(0, self._atlas.shape[1] - 1)
        ]

    def _shades(self, vertices: Floats, camera: Camera) -> Singles:
        """Light on each vertex, from both sides of the surface."""
        corners = vertices[self.faces]
        of_face = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        normals: Floats = np.stack(
            [
                np.bincount(self.faces.ravel(), np.repeat(of_face[:, axis], 3), len(vertices))
                for axis in range(3)
            ],
            1,
        )
        normals /= np.linalg.norm(normals, axis=1, keepdims=True) + 1e-12
        return (camera.ambient + 0.5 * np.abs(normals @ camera.light)).astype(np.float32)

    def _colored(self, triangle: Ints, weights: Singles, shades: Singles, supersampling: int) -> Bytes:
        there = triangle != NOTHING
        which, places = triangle[there], weights[there]
        light = interpolated(shades[self.faces][:, :, None], which, places)
        colors = np.zeros((*triangle.shape, 4), np.float32)
        colors[there, :3] = self._sampled(which, places)[:, :3] * light
        colors[there, 3] = 255
        side = triangle.shape[0] // supersampling
        small: NDArray[Any] = cv2.resize(colors.clip(0, 255), (side, side), interpolation=cv2.INTER_AREA)
        small[:, :, :3] /= np.maximum(small[:, :, 3:] / 255, 1e-3)
        return small.clip(0, 255).round().astype(np.uint8)


def correspondences(source: View, target: View, faces: Ints) -> tuple[Singles, NDArray[np.bool_]]:
    """Where each pixel of the target is in the source.

    Args:
        source, target: of the same person.
        faces: the person's.

    Returns:
        Columns and rows in the source ``(S, S, 2)``, and where that place is seen there, ``(S, S)``.
    """
    return surface_flow(
        (source.triangle, source.weights, source.vertices), (target.triangle, target.weights), faces
    )


def surface_flow(
    source: tuple[Ints, Singles, Singles], target: tuple[Ints, Singles], faces: Ints
) -> tuple[Singles, NDArray[np.bool_]]:
    """As :func:`correspondences`, of triangles, weights and, for the source, vertices."""
    triangle, weights = target
    side = triangle.shape[0]
    rows, columns = np.nonzero(triangle != NOTHING)
    corners = source[2][faces]
    found = interpolated(corners, triangle[rows, columns], weights[rows, columns])
    place = np.zeros((side, side, 2), np.float32)
    place[rows, columns] = found[:, :2]
    nearest = found[:, :2].round().astype(np.int32)
    within = ((nearest >= 0) & (nearest < side)).all(1)
    x, y = nearest.clip(0, side - 1).T
    shown = source[0][y, x]
    there = interpolated(corners, np.maximum(shown, 0), source[1][y, x])[:, 2]
    # As deep as what the source shows there, but for a surface that slopes within a pixel.
    same = within & (shown != NOTHING) & (np.abs(there - found[:, 2]) < 0.02 * side)
    visible = np.zeros((side, side), bool)
    visible[rows, columns] = same
    return place, visible


def _atlas(
    textures: Sequence[Texture], coordinates: Sequence[tuple[Singles, Ints]]
) -> tuple[Texture, Singles]:
    """All textures one above the other, and the texels of the triangles' corners, ``(F, 3, 2)``."""
    width = max(texture.shape[1] for texture in textures)
    atlas = np.zeros((sum(texture.shape[0] for texture in textures), width, 4), np.uint8)
    top, texels = 0, []
    for texture, (uv, faces) in zip(textures, coordinates, strict=True):
        height = texture.shape[0]
        atlas[top : top + height, : texture.shape[1]] = texture
        place = np.stack([uv[:, 0] % 1.0001 * texture.shape[1], top + (1 - uv[:, 1] % 1.0001) * height], 1)
        texels.append(place[faces])
        top += height
    return atlas, np.concatenate(texels).astype(np.float32)
