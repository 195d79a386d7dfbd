"""Training of vidgan's generators in PyTorch.

Nothing here is imported by the runtime, and nothing here imports onnxruntime:
what travels from training to the runtime is the ``.onnx`` file that :mod:`export` writes.
"""
