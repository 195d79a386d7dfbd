"""Weights that the universal style model gives a painting, for training to start from."""

from pathlib import Path

from vidgan.errors import VidganError
from vidgan.models.universal.installation import universal_folder

_STROKES = 0.25, 2.0


def universal_weights(image: Path, image_size: int) -> Path | None:
    """A model file of the painting's style, made and kept as ``vidgan refine`` does.

    Args:
        image: the painting.
        image_size: its long side in training, which decides the size of strokes.

    Returns:
        A ``float32.onnx``; None where the universal style model is not installed.

    Raises:
        ValueError: the painting cannot be read, or the universal style model is damaged.
    """
    if universal_folder() is None:
        return None
    # Loads onnxruntime, which training has no other use for.
    from vidgan.tasks.style.refinement import LONG_SIDE, folded_weights

    smallest, largest = _STROKES
    try:
        return folded_weights(image, min(largest, max(smallest, image_size / LONG_SIDE)))
    except VidganError as exc:
        raise ValueError(str(exc)) from exc
