"""The treatment of each stream beside the video, decided before any frame is processed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from av.container import InputContainer
from av.stream import Discard, Stream

from vidgan.media.stream_modes import StreamMode, StreamModes
from vidgan.media.vault_file import ATTACHMENT_NAME
from vidgan.sinks.copy.audio import find_audio_encoder
from vidgan.sinks.copy.matroska_acm import wave_format
from vidgan.sinks.copy.subtitles import TEXT_CODECS, find_text_encoder
from vidgan.sinks.copy.trial import PacketCopy, codec_name, holds
from vidgan.sinks.copy.written_stream import stream_kind

Action = Literal["copy", "copy as ACM", "convert", "attach", "drop"]

_FIRST_PACKETS = 24
_LOOK_PACKETS = 4000
"""How far into a file streams are looked for; subtitles may begin later, and are tried without packets then."""

_HOLDS_ATTACHMENTS = {"matroska"}
_HOLDS_COVERS = {"mp4"}
"""As a video track; where attachments are held, a cover is one."""

_FONT_SUFFIXES = (".ttf", ".otf", ".ttc", ".pfb", ".woff", ".woff2")
_COVER_CODECS = {"png", "mjpeg"}
_ALTERNATIVES = {".mkv": "matroska", ".mov": "mov", ".mp4": "mp4"}


@dataclass(frozen=True, kw_only=True)
class StreamPlan:
    """The treatment of one stream.

    Attributes:
        index: of the stream in the input.
        kind: ``"audio"``, ``"subtitle"``, ``"cover"``, ``"data"``, ``"attachment"`` or ``"video"``.
        action: what is done with it.
        encoder: FFmpeg's, where it is converted.
        wave_format: where it is copied as ACM.
        reason: why it is not copied; empty where it is.
    """

    index: int
    kind: str
    action: Action
    encoder: str = ""
    wave_format: bytes = b""
    reason: str = ""


class Planner:
    """Decides for each stream by writing its first packets into a container in memory.

    Args:
        source: the input, opened for this alone.
        video: index of the stream that is processed.
        muxer: FFmpeg's name of the output's container.
        options: of the muxer.
        modes: what the user wants.
    """

    def __init__(
        self, source: InputContainer, video: int, muxer: str, options: Mapping[str, str], modes: StreamModes
    ) -> None:
        self._source, self._video, self._muxer, self._modes = source, video, muxer, modes
        # Moving the index to the front needs a file with a name.
        self._options = {key: text for key, text in options.items() if key != "movflags"}
        self._packets = _first_packets(source)

    def plans(self) -> list[StreamPlan]:
        """One for each stream other than the video."""
        return [self._plan(each) for each in self._source.streams if each.index != self._video]

    def converted(self, stream: Stream, reason: str) -> StreamPlan:
        """The plan of a stream that cannot be copied."""
        kind = stream_kind(stream)
        encoder = None
        if kind == "audio" and stream.codec_context is not None:
            encoder = find_audio_encoder(self._muxer, stream)  # type: ignore[arg-type]
        elif kind == "subtitle" and codec_name(stream) in TEXT_CODECS:
            encoder = find_text_encoder(self._muxer)
        if encoder is None:
            return _dropped(stream, reason)
        return StreamPlan(index=stream.index, kind=kind, action="convert", encoder=encoder, reason=reason)

    def _plan(self, stream: Stream) -> StreamPlan:
        kind = stream_kind(stream)
        if not self._modes.images and _may_hold_image(stream):
            return _dropped(stream, "it may show the faces that the video does not show any more")
        if kind == "cover":
            return self._cover(stream)
        if kind == "video":
            return _dropped(stream, "only one video stream is processed")
        if kind == "attachment":
            if stream.metadata.get("filename") == ATTACHMENT_NAME:
                # A job carries the vault itself, also into other containers.
                return _dropped(stream, "")
            if self._muxer in _HOLDS_ATTACHMENTS:
                return StreamPlan(index=stream.index, kind=kind, action="attach")
            return _dropped(stream, self._not_held(stream))
        if kind == "data":
            return self._data(stream)
        return self._track(stream, self._modes.audio if kind == "audio" else self._modes.subtitles)

    def _track(self, stream: Stream, mode: StreamMode) -> StreamPlan:
        """The plan of sound or subtitles."""
        kind = stream_kind(stream)
        if mode == "drop":
            return _dropped(stream, "it was to be left out")
        if kind == "audio" and not getattr(stream.codec_context, "sample_rate", 0):
            return _dropped(stream, "it is damaged, or in a format that FFmpeg does not know")
        if mode == "convert":
            plan = self.converted(stream, "it was to be converted")
            return plan if plan.action == "convert" else self._copied(stream) or plan
        return self._copied(stream) or self.converted(stream, self._not_held(stream))

    def _copied(self, stream: Stream) -> StreamPlan | None:
        packets, kind = self._packets[stream.index], stream_kind(stream)
        if holds(self._muxer, stream, packets, self._options):
            return StreamPlan(index=stream.index, kind=kind, action="copy")
        if self._muxer == "matroska" and kind == "audio" and (found := wave_format(stream)):
            return StreamPlan(index=stream.index, kind=kind, action="copy as ACM", wave_format=found)
        return None

    def _cover(self, stream: Stream) -> StreamPlan:
        if self._muxer in _HOLDS_ATTACHMENTS and codec_name(stream) in _COVER_CODECS:
            return StreamPlan(index=stream.index, kind="cover", action="attach")
        if self._muxer in _HOLDS_COVERS and holds(self._muxer, stream, [], self._options):
            return StreamPlan(index=stream.index, kind="cover", action="copy")
        return _dropped(stream, self._not_held(stream))

    def _data(self, stream: Stream) -> StreamPlan:
        if "timecode" in stream.metadata or stream.discard == Discard.all:
            # A time code is a tag of the video too, and titles of chapters are copied as chapters.
            return _dropped(stream, "")
        if self._muxer in ("mp4", "mov") and holds(self._muxer, stream, [], self._options):
            return StreamPlan(index=stream.index, kind="data", action="copy")
        return _dropped(stream, self._not_held(stream))

    def _not_held(self, stream: Stream) -> str:
        """Why it is not copied, and which container would hold it."""
        packets = self._packets[stream.index]
        for suffix, muxer in _ALTERNATIVES.items():
            if muxer != self._muxer and self._would_hold(muxer, stream, packets):
                return f"{self._muxer} cannot hold it; a name that ends in {suffix} can"
        return f"{self._muxer} cannot hold it"

    def _would_hold(self, muxer: str, stream: Stream, packets: Sequence[PacketCopy]) -> bool:
        kind = stream_kind(stream)
        if kind == "attachment":
            return muxer in _HOLDS_ATTACHMENTS
        if kind == "cover":
            return muxer in _HOLDS_ATTACHMENTS or muxer in _HOLDS_COVERS
        acm = muxer == "matroska" and kind == "audio" and wave_format(stream) is not None
        return acm or holds(muxer, stream, packets, {})


def described(stream: Stream) -> str:
    """The stream in words, for messages."""
    name = stream.metadata.get("filename") or stream.metadata.get("handler_name", "")
    if stream_kind(stream) in ("audio", "subtitle") or not name:
        name = codec_name(stream)
    return f"stream {stream.index} of the input ({stream_kind(stream)}, {name})"


def _may_hold_image(stream: Stream) -> bool:
    """Whether it is a cover or an attachment; fonts and vaults hold none, whatever types others claim."""
    kind, name = stream_kind(stream), stream.metadata.get("filename", "")
    is_known = name == ATTACHMENT_NAME or name.lower().endswith(_FONT_SUFFIXES)
    return kind == "cover" or (kind == "attachment" and not is_known)


def _dropped(stream: Stream, reason: str) -> StreamPlan:
    return StreamPlan(index=stream.index, kind=stream_kind(stream), action="drop", reason=reason)


def _first_packets(source: InputContainer) -> dict[int, list[PacketCopy]]:
    """The first packets of each stream with sound or subtitles, read from the beginning."""
    found: dict[int, list[PacketCopy]] = defaultdict(list)
    wanted = [each for each in source.streams if stream_kind(each) in ("audio", "subtitle")]
    missing: set[Any] = {each.index for each in wanted}
    if not wanted:
        return found
    for count, packet in enumerate(source.demux(wanted)):
        if packet.size and len(found[packet.stream.index]) < _FIRST_PACKETS:
            found[packet.stream.index].append(PacketCopy.of(packet))
        if len(found[packet.stream.index]) == _FIRST_PACKETS:
            missing.discard(packet.stream.index)
        if not missing or count > _LOOK_PACKETS:
            break
    return found
