"""From a training run to a model file: the only place that knows both torch and onnxruntime."""
