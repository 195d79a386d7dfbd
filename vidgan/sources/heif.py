"""HEIC and AVIF, the still images of phones: grids of tiles in a container of their own.

FFmpeg decodes the tiles but PyAV cannot put them together, so these files are read by Pillow, which is an
optional dependency.
"""

from pathlib import Path

import numpy as np

from vidgan.errors import InputError
from vidgan.media.frame import Alpha
from vidgan.media.image import Pixels


def read_heif(path: Path) -> tuple[Pixels, Alpha | None, bytes]:
    """Decodes the primary image, upright, and returns RGB, alpha and its ICC profile.

    Raises:
        InputError: Pillow or its plugin is not installed, or the file is damaged.
    """
    try:
        from PIL import Image, ImageOps, UnidentifiedImageError
        from pillow_heif import register_heif_opener
    except ImportError as exc:
        raise InputError(
            f"{path}: HEIC and AVIF images need Pillow and its plugin; pip install 'vidgan[images]', "
            "or convert it to JPEG first"
        ) from exc
    register_heif_opener()
    try:
        with Image.open(path) as opened:
            profile = opened.info.get("icc_profile") or b""
            upright = ImageOps.exif_transpose(opened)
            has_alpha = "A" in upright.getbands()
            pixels = np.array(upright.convert("RGBA" if has_alpha else "RGB"), np.uint8)
    except (UnidentifiedImageError, OSError, ValueError, EOFError, SyntaxError) as exc:
        raise InputError(f"{path}: the image cannot be decoded, or is damaged or cut off: {exc}") from exc
    alpha = np.ascontiguousarray(pixels[..., 3]) if has_alpha else None
    return np.ascontiguousarray(pixels[..., :3]), alpha, bytes(profile)
