"""Copies or converts every stream of an input but its video into an output."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import Stream

from vidgan.media.ffmpeg import reading
from vidgan.media.stream_modes import DEFAULT_STREAM_MODES, StreamModes
from vidgan.media.timeline import Timeline
from vidgan.sinks.copy.audio import AudioConversion, add_audio
from vidgan.sinks.copy.matroska_acm import AcmTrack, rewrite_all
from vidgan.sinks.copy.plan import Planner, StreamPlan, described
from vidgan.sinks.copy.route import Route, encoder_words
from vidgan.sinks.copy.side_data import lost_side_data
from vidgan.sinks.copy.subtitles import SubtitleConversion
from vidgan.sinks.copy.tags import file_tags, output_chapters, stream_tags, tag_options, text_tags
from vidgan.sinks.copy.times import StreamTimes, decode_time, packets_of, read_times
from vidgan.sinks.copy.trial import codec_name
from vidgan.sinks.copy.written_stream import WrittenStream
from vidgan.sources.container import main_video, open_container

_COVER_NAMES = {"png": ("cover.png", "image/png"), "mjpeg": ("cover.jpg", "image/jpeg")}


class StreamCopy:
    """The streams of a file beside its video, with chapters and tags, on their way into an output.

    Streams keep their order, tags and dispositions. What becomes of each is planned beforehand, see
    :class:`vidgan.sinks.copy.plan.Planner`; what is not copied is named in ``warnings``.

    Attributes:
        warnings: sentences for the user.
        plans: of all streams.
        tracks: what was written, by kind and number of that kind, such as ``"audio 1"``.
        chapters: how many.
        options: of the output's muxer, to open the container with.

    Args:
        path: the file to copy from.
        output_path: the output, for messages.
        muxer: FFmpeg's name of the output's container.
        options: of the muxer.
        timeline: from the input's times to the output's; it may grow until :meth:`copy_until` is called.
        trimmed: whether the wanted part begins after the start of the file; what comes before it is left out.
        modes: what the user wants.
    """

    def __init__(
        self,
        path: Path,
        output_path: Path,
        *,
        muxer: str,
        options: Mapping[str, str],
        timeline: Timeline,
        trimmed: bool = False,
        modes: StreamModes = DEFAULT_STREAM_MODES,
    ) -> None:
        self._trimmed, self._images = trimmed, modes.images
        self._path, self._output_path, self._muxer = path, output_path, muxer
        self._timeline = timeline
        with open_container(path) as source:
            self._video = main_video(source, path).index
            with reading(path):
                planner = Planner(source, self._video, muxer, options, modes)
                self.plans = planner.plans()
                self._fallbacks = {
                    each.index: planner.converted(source.streams[each.index], "")
                    for each in self.plans
                    if each.action.startswith("copy")
                }
            self._names = {each.index: described(each) for each in source.streams}
            self.options = {**options, **_merged(options, tag_options(source.metadata, muxer))}
        self._source: InputContainer | None = None
        self._subtitle_source: InputContainer | None = None
        self._begin()

    def _begin(self) -> None:
        self.warnings: list[str] = []
        self.tracks: dict[str, WrittenStream] = {}
        self.chapters = 0
        self._routes: dict[int, Route] = {}
        self._acm: list[AcmTrack] = []
        self._packets: Iterator[tuple[Fraction, Packet[Any]]] | None = None
        self._waiting: tuple[Fraction, Packet[Any]] | None = None
        self._times: dict[int, StreamTimes] = {}

    def add_to(self, output: OutputContainer) -> None:
        """Adds the streams, chapters and tags to a container whose video stream has been added."""
        self.close()
        self._begin()
        self._output = output
        self._source = open_container(self._path)
        self._copy_tags()
        for plan in self.plans:
            self._add(plan, self._source.streams[plan.index])

    def copy_until(self, seconds: Fraction | None) -> None:
        """Writes what begins before ``seconds`` of the output; all that remains if None."""
        if self._packets is None:
            self._packets = self._mapped()
        while True:
            entry = self._waiting or next(self._packets, None)
            self._waiting = None
            if entry is None:
                return
            if seconds is not None and entry[0] >= seconds:
                self._waiting = entry
                return
            self._write(self._routes[entry[1].stream.index], entry[1])

    def finish(self, end: Fraction | None) -> None:
        """Writes what begins before ``end``, and what conversions still hold."""
        self.copy_until(end)
        # It decodes the input, so it waits until the frames are done.
        self.warnings += [f"{self._output_path}: {each}" for each in lost_side_data(self._path)]
        for route in self._routes.values():
            if route.conversion is not None:
                for packet in route.conversion.flush():
                    self._mux(route, packet)
        self._report()

    def finish_file(self, path: Path) -> None:
        """After the container was closed: completes its header."""
        rewrite_all(path, self._acm)

    def give_up(self, failing: set[int], reason: str) -> bool:
        """Plans anew without copying some streams; False where nothing is left to change.

        Args:
            failing: indices of the input's streams; empty for all that are copied or converted.
            reason: for the user.
        """
        changed = False
        for place, plan in enumerate(self.plans):
            if plan.action in ("drop", "attach") or (failing and plan.index not in failing):
                continue
            fallback = self._fallbacks.pop(plan.index, None)
            if fallback is None or fallback.action == "drop":
                fallback = StreamPlan(index=plan.index, kind=plan.kind, action="drop", reason=reason)
            self.plans[place] = StreamPlan(
                index=plan.index,
                kind=plan.kind,
                action=fallback.action,
                encoder=fallback.encoder,
                reason=reason,
            )
            changed = True
        return changed

    def close(self) -> None:
        """Closes the input."""
        for source in (self._source, self._subtitle_source):
            if source is not None:
                source.close()
        self._source = self._subtitle_source = None

    @property
    def timeline(self) -> Timeline:
        """From the input's times to the output's."""
        return self._timeline

    def indices(self, keys: set[str]) -> set[int]:
        """Indices of the input's streams that became those tracks."""
        return {route.plan.index for route in self._routes.values() if route.track.key in keys}

    # -------------------------------------------------------------- adding

    def _copy_tags(self) -> None:
        assert self._source is not None
        self._output.metadata.update(self._kept(file_tags(self._source.metadata)))
        if chapters := output_chapters(self._source, self._timeline):
            self._output.set_chapters(chapters)
            self.chapters = len(chapters)
        source, target = self._source.streams[self._video], self._output.streams.video[0]
        target.metadata.update(self._kept(stream_tags(source.metadata)))
        target.disposition = source.disposition

    def _kept(self, tags: dict[str, str]) -> dict[str, str]:
        return tags if self._images else text_tags(tags)

    def _add(self, plan: StreamPlan, stream: Stream) -> None:
        name = self._names[plan.index]
        if plan.action == "drop":
            if plan.reason:
                self.warnings.append(f"{self._output_path}: without {name}: {plan.reason}")
            return
        if plan.action == "attach":
            self._attach(plan, stream)
            return
        if plan.action == "convert":
            self.warnings.append(
                f"{self._output_path}: {name} was converted to {encoder_words(plan.encoder)}: {plan.reason}"
            )
        self._routes[plan.index] = self._route(plan, stream)

    def _attach(self, plan: StreamPlan, stream: Stream) -> None:
        if plan.kind == "attachment":
            self._output.add_stream_from_template(stream).metadata.update(stream.metadata)
            return
        name, kind = _COVER_NAMES[codec_name(stream)]
        with open_container(self._path) as container:
            data = bytes(next(container.demux(container.streams[stream.index])))
        self._output.add_attachment(stream.metadata.get("filename", name), kind, data)

    def _route(self, plan: StreamPlan, stream: Stream) -> Route:
        conversion: AudioConversion | SubtitleConversion | None = None
        if plan.action == "copy as ACM":
            assert isinstance(stream, AudioStream)
            acm = AcmTrack(stream, plan.wave_format, len(self._output.streams))
            self._acm.append(acm)
            target: Stream = acm.add_to(self._output)
        elif plan.action == "convert" and isinstance(stream, AudioStream):
            target = add_audio(self._output, plan.encoder, stream)
            conversion = AudioConversion(stream, target)
        elif plan.action == "convert":
            conversion = SubtitleConversion(self._output, plan.encoder, stream)
            target = conversion.target
        else:
            target = self._output.add_stream_from_template(stream)
        tags = self._kept(stream_tags(stream.metadata))
        if plan.action == "copy as ACM":
            tags.pop("title", None)  # It is room for the header until the file is complete.
        target.metadata.update(tags)
        target.disposition = stream.disposition
        number = 1 + sum(each.kind == plan.kind for each in self.tracks.values())
        key = f"{plan.kind} {number}"
        is_pcm = codec_name(stream).startswith("pcm_")
        track = WrittenStream(
            kind=plan.kind,
            key=key,
            source_index=plan.index,
            copied=plan.action.startswith("copy"),
            is_pcm=is_pcm,
        )
        self.tracks[key] = track
        return Route(plan=plan, target=target, track=track, conversion=conversion)

    # -------------------------------------------------------------- packets

    def _mapped(self) -> Iterator[tuple[Fraction, Packet[Any]]]:
        """Packets of the wanted part with the output's times, by which they are ordered."""
        assert self._source is not None
        if not self._routes:
            return
        self._times = read_times(self._path, list(self._routes), self._timeline, trimmed=self._trimmed)
        subtitles = self._subtitles()
        in_order = self._demuxed(self._source, ("audio", "video", "data"))
        yield from heapq.merge(in_order, subtitles, key=lambda entry: entry[0])

    def _subtitles(self) -> list[tuple[Fraction, Packet[Any]]]:
        """All subtitles, sorted: one that is out of line keeps its time."""
        if not any(route.plan.kind == "subtitle" for route in self._routes.values()):
            return []
        # Packets refer to their container, so it stays open until they are written.
        self._subtitle_source = open_container(self._path)
        return sorted(self._demuxed(self._subtitle_source, ("subtitle",)), key=lambda entry: entry[0])

    def _demuxed(
        self, source: InputContainer, kinds: tuple[str, ...]
    ) -> Iterator[tuple[Fraction, Packet[Any]]]:
        places, end = Counter[int](), self._timeline.end
        streams = [source.streams[index] for index in self._routes if source.streams[index].type in kinds]
        with reading(self._path):
            for packet in packets_of(source, streams, self._timeline, trimmed=self._trimmed):
                index = packet.stream.index
                if self._routes[index].plan.kind == "cover":
                    yield Fraction(0), packet
                    continue
                times = self._times[index]
                place, places[index] = places[index], places[index] + 1
                if place >= len(times.repaired):
                    continue  # The file grew meanwhile.
                time = times.repaired[place]
                seconds = time * times.time_base
                if seconds < 0 and self._trimmed:
                    continue
                if end is not None and seconds >= end:
                    continue
                _set_time(packet, time)
                if not packet.duration and packet.stream.type == "audio":
                    packet.duration = times.step_after(place)
                yield seconds, packet

    def _write(self, route: Route, packet: Packet[Any]) -> None:
        if route.conversion is None:
            self._mux(route, packet)
            return
        for made in route.conversion.packets(packet):
            self._mux(route, made)

    def _mux(self, route: Route, packet: Packet[Any]) -> None:
        route.keep_order(packet, self._muxer)
        packet.stream = route.target
        try:
            self._output.mux(packet)
        except av.error.InvalidDataError:
            # A damaged packet costs itself, not the video.
            route.track.damaged += 1
            return
        route.track.count(packet)

    def _report(self) -> None:
        for route in self._routes.values():
            name = self._names[route.plan.index]
            times = self._times.get(route.plan.index)
            if times is not None and times.odd:
                route.track.odd = times.odd
                self.warnings.append(
                    f"{self._output_path}: {times.odd} packets of {name} had times out of line, "
                    "and were put between their neighbors"
                )
            if route.nudged:
                route.track.odd += route.nudged
                self.warnings.append(
                    f"{self._output_path}: {route.nudged} packets of {name} had the time of the one before, "
                    "and were moved by one tick"
                )
            if route.damaged:
                self.warnings.append(
                    f"{self._output_path}: without {route.damaged} damaged packets of {name}"
                )


def _set_time(packet: Packet[Any], time: int) -> None:
    """Gives the packet another decoding time; it is presented as long after that as before."""
    order = decode_time(packet)
    delay = 0 if order is None or packet.pts is None else packet.pts - order
    packet.dts, packet.pts = time, time + delay


def has_other_streams(path: Path) -> bool:
    """Whether a media file has more than one video stream."""
    with open_container(path) as container:
        return len(container.streams) > 1 or bool(container.chapters())


def _merged(options: Mapping[str, str], more: Mapping[str, str]) -> dict[str, str]:
    """Flags of both."""
    return {key: options.get(key, "") + flags for key, flags in more.items()}
