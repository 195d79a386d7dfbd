"""One generator for all paintings: a style vector becomes the model files of a bundled style.

Needs numpy and ``onnx``; neither torch nor onnxruntime.
"""

from vidgan.models.universal.generator import KERNELS, PREDICTOR, TEMPLATES, UniversalGenerator

__all__ = ["KERNELS", "PREDICTOR", "TEMPLATES", "UniversalGenerator"]
