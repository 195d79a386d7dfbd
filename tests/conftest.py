"""Fixtures of all tests."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from vidgan.provenance.signing_identity import SigningIdentity, credentials_folder, own_identity

# Where tests run in the background, Ctrl-C is ignored, and so it would be in what they start.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Tests start hundreds of commands, each of which would compile vidgan anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Tests marked for CUDA skip without it, or fail where VIDGAN_REQUIRE_CUDA says that it must be there."""
    marker = item.get_closest_marker("cuda")
    if marker and (missing := _missing_for_cuda(**marker.kwargs)):
        (pytest.fail if os.environ.get("VIDGAN_REQUIRE_CUDA") else pytest.skip)(f"no CUDA: {missing}")


def _missing_for_cuda(of: str = "onnxruntime") -> str | None:
    if of == "torch":
        import torch

        return None if torch.cuda.is_available() else "PyTorch finds no device"
    from vidgan.session import missing_for_cuda

    return missing_for_cuda()


@pytest.fixture(scope="session", autouse=True)
def data_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A data folder of the tests' own: the user's key signs nothing here, and none is made for them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        yield


@pytest.fixture
def own_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SigningIdentity:
    """This machine's, in a data folder that lives as long as the test."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert credentials_folder().is_relative_to(tmp_path)
    return own_identity()


@pytest.fixture(scope="session")
def identity(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A style model that changes nothing, so that whatever changes is the pipeline's doing."""
    import onnx
    import onnx.parser

    model = onnx.parser.parse_model("""
        <ir_version: 10, opset_import: ["" : 20]>
        g (uint8[N, H, W, 3] x) => (uint8[N, H, W, 3] y) { y = Identity (x) }
    """)
    onnx.helper.set_model_props(model, {"vidgan.task": "style", "vidgan.name": "identity"})
    path = tmp_path_factory.mktemp("model") / "identity.onnx"
    onnx.save(model, path)
    return str(path)
