"""The crossfade of the command holds for the cameras of the page's clients too."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from vidgan.live.provenance import LiveProvenance
from vidgan.live.settings import LiveSettings
from vidgan.live.web import sessions
from vidgan.live.web.sessions import Limits, SessionManager


class Opened(Exception):  # noqa: N818
    """Ends the test where the pipeline would begin."""


def test_the_camera_of_a_client_has_the_crossfade(
    tmp_path: Path, identity: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: dict[str, Any] = {}

    def pipeline(source: object, controls: object, **options: Any) -> None:
        found.update(options)
        raise Opened

    monkeypatch.setattr(sessions, "LivePipeline", pipeline)

    async def connect() -> None:
        settings = LiveSettings(style=identity)
        manager = SessionManager(
            None, settings, [identity], tmp_path, Limits(), LiveProvenance(), "cpu", crossfade=1.5
        )
        try:
            with pytest.raises(Opened):
                await manager.connect(manager.add_client(), {}, camera=True)
        finally:
            await manager.close()

    asyncio.run(connect())
    assert found == {"crossfade": 1.5, "mark": None, "device": "cpu"}
