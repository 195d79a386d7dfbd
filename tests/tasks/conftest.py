"""What tests of tasks share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.universal import write_universal_model


@pytest.fixture
def own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A data folder of this test alone, without the universal style model."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr("vidgan.models.universal.installation.BUNDLED", tmp_path / "bundled")
    yield tmp_path / "data" / "vidgan"


@pytest.fixture
def universal(own_data: Path) -> Path:
    """The folder of a small universal style model that the user has added."""
    return write_universal_model(own_data / "models" / "any")
