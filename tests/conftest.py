"""What tests of every room share."""

import signal

import onnx
import onnx.parser
import pytest

# Where tests run in the background, Ctrl-C is ignored, and so it would be in what they start.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def identity(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A style model that changes nothing, so that whatever changes is the pipeline's doing."""
    model = onnx.parser.parse_model("""
        <ir_version: 10, opset_import: ["" : 20]>
        g (uint8[N, H, W, 3] x) => (uint8[N, H, W, 3] y) { y = Identity (x) }
    """)
    onnx.helper.set_model_props(model, {"vidgan.task": "style", "vidgan.name": "identity"})
    path = tmp_path_factory.mktemp("model") / "identity.onnx"
    onnx.save(model, path)
    return str(path)
