"""From a training run to a model file: the only package that imports both torch and onnxruntime."""

import vidgan.session.runtime  # noqa: F401  Before any other import of onnxruntime, whose telemetry it disables.
