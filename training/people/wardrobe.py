"""Clothes, shoes, hair and skins: meshes that are fitted to a body, and textures in colors of chance.

A garment's vertices hang on three body vertices each; the files are described in the data's ``SOURCE.md``. There
are few garments, so that their textures are tinted and printed on: a generator shall look at the image
that it is given, not learn twelve suits by heart.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from training.people.body import BodyShape, Floats, Mesh, Rig, triangles

Texture = NDArray[np.uint8]
"""``(H, W, 4)`` RGBA."""

_DECIMETER = 0.1
_PRINTED, _STRIPED = 0.25, 0.2
"""Shares of garments."""


@dataclass(frozen=True)
class Garment:
    """Something worn, from a file.

    Attributes:
        mesh: with its texture's coordinates.
        texture: as it came.
        anchors, weights: three body vertices for each vertex, and their weights, ``(V, 3)``.
        offset: from there, in decimeters: to the left, up, to the front.
        scale_ends, scale_lengths: pairs of body vertices, and how far apart they are where ``offset`` is right.
        hidden: body vertices beneath.
    """

    mesh: Mesh
    texture: Texture
    anchors: NDArray[np.int64]
    weights: Floats
    offset: Floats
    scale_ends: NDArray[np.int64]
    scale_lengths: Floats
    hidden: NDArray[np.int64]

    def fitted(self, rig: Rig, shape: BodyShape) -> Floats:
        """Its vertices on a body at rest, ``(V, 3)``."""
        anchors = rig.vertex_of[self.anchors]
        ends = shape.vertices[rig.vertex_of[self.scale_ends]]
        lengths = np.array([abs(ends[k, 0] - ends[k, 1])[axis] for k, axis in enumerate((0, 2, 1))])
        left, up, front = (self.offset * (lengths / _DECIMETER / self.scale_lengths) * _DECIMETER).T
        on_body = np.einsum("vkc,vk->vc", shape.vertices[anchors], self.weights)
        return on_body + np.stack([left, -front, up], 1)

    def skinning(self, rig: Rig) -> Floats:
        """Its weights of the bones, ``(V, B)``."""
        mixed = np.einsum("vkb,vk->vb", rig.weights[rig.vertex_of[self.anchors]], self.weights).clip(0)
        return mixed / np.maximum(mixed.sum(1, keepdims=True), 1e-9)


@lru_cache(maxsize=64)
def read_garment(path: Path) -> Garment:
    """A garment ``NAME.npz`` with its texture ``NAME.webp``."""
    with np.load(path) as file:
        return Garment(
            mesh=Mesh(triangles(file["faces"]), file["uv"].astype(np.float32), triangles(file["fuv"])),
            texture=read_texture(path.with_suffix(".webp")),
            anchors=file["idx"].astype(np.int64),
            weights=file["w"].astype(np.float64),
            offset=file["off"].astype(np.float64),
            scale_ends=file["scale_ref"].astype(np.int64),
            scale_lengths=file["scale_len"].astype(np.float64),
            hidden=file["hide"].astype(np.int64),
        )


def read_texture(path: Path) -> Texture:
    """An image file as RGBA.

    Raises:
        FileNotFoundError: there is no image.
    """
    found = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if found is None:
        raise FileNotFoundError(f"{path}: no image that can be read")
    code = cv2.COLOR_BGRA2RGBA if found.shape[2] == 4 else cv2.COLOR_BGR2RGBA
    return np.asarray(cv2.cvtColor(found, code), np.uint8)


@dataclass(frozen=True)
class Outfit:
    """The clothes of a person: garments with their textures, the skin's, and the phenotype that they suit."""

    garments: Sequence[tuple[Garment, Texture]]
    skin: Texture
    is_female: bool


class Wardrobe:
    """A folder with ``clothes``, ``hair`` and ``skins``.

    Args:
        folder: of them.
        prints: photos that are printed on garments.

    Raises:
        FileNotFoundError: something is missing.
    """

    def __init__(self, folder: Path, prints: Sequence[Path] = ()) -> None:
        self._folder, self._prints = folder, prints
        for kind in ("clothes", "hair", "skins"):
            if not (folder / kind).is_dir():
                raise FileNotFoundError(f"{folder}: has no folder {kind}")

    def outfit(self, random: np.random.Generator) -> Outfit:
        """Draws an outfit."""
        is_female = bool(random.random() < 0.5)
        gender = "female" if is_female else "male"
        short = [f"short0{number}" for number in range(1, 5)]
        styles = ["bob01", "bob02", "long01", "ponytail01", "braid01", "afro01"]
        if not is_female:
            styles = [*short, "afro01"]
        suit = self._pick(random, "clothes", f"{gender}_*.npz")
        shoes = self._pick(random, "clothes", "shoes*.npz")
        hair = self._folder / "hair" / f"{random.choice(styles)}.npz"
        skin = self._pick(random, "skins", f"*_{gender}.webp")
        worn = [(read_garment(path), path) for path in (suit, shoes, hair)]
        textures = [
            self._dyed(worn[0][0].texture, random),
            _tinted(worn[1][0].texture, random, strength=0.6),
            _tinted(worn[2][0].texture, random, strength=0.25),
        ]
        garments = [(garment, texture) for (garment, _), texture in zip(worn, textures, strict=True)]
        return Outfit(garments, _tinted(read_texture(skin), random, strength=0.05), is_female)

    def _pick(self, random: np.random.Generator, kind: str, pattern: str) -> Path:
        found = sorted((self._folder / kind).glob(pattern))
        if not found:
            raise FileNotFoundError(f"{self._folder / kind}: has no {pattern}")
        return found[int(random.integers(len(found)))]

    def _dyed(self, texture: Texture, random: np.random.Generator) -> Texture:
        texture = _tinted(texture, random, strength=1.0)
        chance = random.random()
        if chance < _PRINTED and self._prints:
            path = self._prints[int(random.integers(len(self._prints)))]
            return _printed(texture, read_texture(path)[:, :, :3], random)
        return _striped(texture, random) if chance < _PRINTED + _STRIPED else texture


def _tinted(texture: Texture, random: np.random.Generator, *, strength: float) -> Texture:
    """Another hue, saturation and lightness."""
    hsv = cv2.cvtColor(texture[:, :, :3], cv2.COLOR_RGB2HSV).astype(np.float32)
    hsv[:, :, 0] = (hsv[:, :, 0] + 180 * strength * (random.random() - 0.5)) % 180
    saturation = hsv[:, :, 1] * np.exp(0.5 * strength * random.standard_normal())
    hsv[:, :, 1] = np.clip(saturation + 90 * strength * max(0.0, random.random() - 0.4), 0, 255)
    hsv[:, :, 2] = np.clip(hsv[:, :, 2] * np.exp(0.35 * strength * random.standard_normal()), 0, 255)
    tinted = cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2RGB)
    return np.dstack([tinted, texture[:, :, 3]])


def _printed(texture: Texture, photo: NDArray[np.uint8], random: np.random.Generator) -> Texture:
    """A photo on the cloth, its folds kept."""
    height, width = texture.shape[:2]
    side = int(random.uniform(0.3, 1) * min(photo.shape[:2]))
    top, left = (int(random.integers(length - side + 1)) for length in photo.shape[:2])
    part = cv2.resize(
        photo[top : top + side, left : left + side], (width, height), interpolation=cv2.INTER_AREA
    )
    return _over(texture, part.astype(np.float32), random.uniform(0.5, 1))


def _striped(texture: Texture, random: np.random.Generator) -> Texture:
    """Stripes or checks of two colors on the cloth."""
    height, width = texture.shape[:2]
    colors = random.uniform(20, 250, (2, 3))
    period = random.uniform(10, 60)
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    waves = [np.sin(rows * (2 * np.pi / period)) > 0, np.sin(columns * (2 * np.pi / period)) > 0]
    chosen = [waves[0], waves[1], waves[0] ^ waves[1]][int(random.integers(3))]
    return _over(texture, colors[chosen.astype(int)].astype(np.float32), random.uniform(0.5, 1))


def _over(texture: Texture, cloth: NDArray[np.float32], share: float) -> Texture:
    light = texture[:, :, :3].astype(np.float32).mean(2, keepdims=True)
    folds = np.clip(light / max(float(light.mean()), 1.0), 0.3, 1.6)
    mixed = (1 - share) * texture[:, :, :3] + share * cloth * folds
    return np.dstack([np.clip(mixed, 0, 255).astype(np.uint8), texture[:, :, 3]])
