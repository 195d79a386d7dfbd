"""Training of vidgan's generators in PyTorch.

The runtime imports nothing from here, and nothing here imports onnxruntime: the ``.onnx`` file that
:mod:`export` writes is all that travels from training to the runtime.
"""
