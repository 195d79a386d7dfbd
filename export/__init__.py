"""From a training run to a model file: the only place that knows both torch and onnxruntime."""

import vidgan.session.runtime  # noqa: F401  Before any other import of onnxruntime, which reports home otherwise.
