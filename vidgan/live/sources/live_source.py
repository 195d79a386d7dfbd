"""The contract of live sources."""

from collections.abc import Generator
from typing import Protocol

import av

from vidgan.live.audio import AudioFeed


class LiveSource(Protocol):
    """Decoded frames at the pace of the source.

    Attributes:
        name: for messages.
        reconnects: whether to reopen the source when it breaks off or ends, as for cameras and streams.
        frame_rate: frames per second; 0 if unknown. Known from the first frame on.
        audio: its sound; None if there is none. Known from the first frame on.
    """

    name: str
    reconnects: bool
    frame_rate: float

    @property
    def audio(self) -> AudioFeed | None: ...

    def frames(self) -> Generator[av.VideoFrame, None, None]:
        """Opens the source and yields frames until it ends; may be called again then.

        Raises:
            InputError: the source cannot be opened, or breaks off.
        """
        ...
