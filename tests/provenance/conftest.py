"""A key and certificates of the tests' own."""

from pathlib import Path

import pytest

from vidgan.provenance.signing_identity import SigningIdentity, credentials_folder, own_identity


@pytest.fixture
def own_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SigningIdentity:
    """This machine's, in a data folder that lives as long as the test."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert credentials_folder().is_relative_to(tmp_path)
    return own_identity()
