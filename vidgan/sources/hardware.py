"""Hardware decoders, used where they are asked for and work, and always reported."""

from collections.abc import Callable
from pathlib import Path

import av
from av.codec.hwaccel import HWAccel, hwdevices_available
from av.container import InputContainer

from vidgan.errors import InputError

OFF, AUTO = "off", "auto"

Opener = Callable[[HWAccel | None], InputContainer]


def open_decoded_by(kind: str, path: Path, opener: Opener) -> tuple[InputContainer, list[str]]:
    """Opens a container whose video that kind of hardware decodes, and returns it with warnings.

    Args:
        kind: as FFmpeg calls it, e.g. ``"cuda"``; ``"auto"`` for the first that works, or else the processor;
            ``"off"`` for the processor.
        opener: opens the file, decoded by that or, for None, by the processor.

    Raises:
        InputError: the hardware that was asked for is not there, or does not decode this video.
    """
    if kind == OFF:
        return opener(None), []
    known = hwdevices_available()
    if kind != AUTO and kind not in known:
        raise InputError(f"no decoder {kind!r}; this FFmpeg knows {', '.join(known) or 'none'}")
    failures = []
    for name in known if kind == AUTO else [kind]:
        try:
            return opener(HWAccel(device_type=name)), [f"{path}: decoded by {name}"]
        except (av.error.FFmpegError, RuntimeError, NotImplementedError) as exc:
            failures.append(f"{name}: {getattr(exc, 'strerror', None) or exc}")
    if kind != AUTO:
        raise InputError(f"{path}: cannot be decoded by {'; '.join(failures)}")
    return opener(None), [f"{path}: decoded by the processor, for want of hardware that does it"]
