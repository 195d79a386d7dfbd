"""A vault with a passcode: where faces are, and their crops if it is the right one."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator

from vidgan.media.image import YuvImage
from vidgan.tasks.faces.vault.cipher import derive_keys, unseal
from vidgan.tasks.faces.vault.crops import decoded, decoy
from vidgan.tasks.faces.vault.layout import (
    CropPlace,
    EncodedCrops,
    Header,
    Layout,
    read_layout,
    unpack_clips,
)
from vidgan.tasks.faces.vault.passcode import Passcode

_NEAREST = 15_000
"""Microseconds by which containers may round times."""


class OpenedVault:
    """A vault that was tried with a passcode. Whether that is the right one is nobody's business.

    Where it is not, decoys are decoded in place of the crops, so that both take the same time.

    Args:
        data: the vault; whatever it holds, there is no error.
        passcode: brings the faces back, if it is the one that they were stored with.

    Attributes:
        header: facts about the video.
        identity_key: decides who is shown with a wrong passcode.
        opens: whether the passcode is the right one, and nothing was changed.
    """

    def __init__(self, data: bytes, passcode: Passcode) -> None:
        layout = read_layout(data)
        keys = derive_keys(passcode, layout.header.salt)
        self.header: Header = layout.header
        self.identity_key = keys.identity
        last = len(layout.chunks) - 1
        # All of them, however many fail, so that the time says nothing.
        opened = [
            unseal(keys, number, each.sealed, layout.public + each.public, last=number == last)
            for number, each in enumerate(layout.chunks)
        ]
        self.opens = layout.complete and bool(opened) and None not in opened
        self._places, starts = _all_places(layout)
        self._times = _by_time(self._places)
        self._sorted = sorted(self._times)
        self._clips: dict[int, tuple[_Clip, int]] = {}
        for start, chunk, each in zip(starts, layout.chunks, opened, strict=True):
            clips = unpack_clips(each) if self.opens and each is not None else _without_crops(chunk.places)
            for encoded in clips:
                clip = _Clip(encoded, self._places[start + encoded.places[0]])
                self._clips.update(
                    (start + place, (clip, order)) for order, place in enumerate(encoded.places)
                )

    def faces_at(self, time: int, frame_microseconds: float) -> list[tuple[CropPlace, YuvImage | None]]:
        """The places of the faces of a frame; with their crops, unless the passcode is another one.

        Args:
            time: in microseconds of the video.
            frame_microseconds: how long a frame lasts, about.
        """
        decoded_faces = self.decoded_at(time, frame_microseconds)
        return [(place, crop if self.opens else None) for place, crop in decoded_faces]

    def decoded_at(self, time: int, frame_microseconds: float) -> list[tuple[CropPlace, YuvImage | None]]:
        """As :meth:`faces_at`, with decoys where the passcode is another one; they are not for showing."""
        time += self.header.start
        at = bisect_left(self._sorted, time)
        near = min(self._sorted[max(0, at - 1) : at + 1], key=lambda each: abs(each - time), default=None)
        if near is None or abs(near - time) > min(_NEAREST, 0.45 * frame_microseconds):
            return []
        return [(self._places[number], self._crop(number)) for number in self._times[near]]

    def _crop(self, number: int) -> YuvImage | None:
        if number not in self._clips:
            return None
        clip, order = self._clips[number]
        return clip.crop(order)


class _Clip:
    """Encoded crops, or a decoy where there are none, decoded as they are asked for; in order that is once.

    Args:
        encoded: the crops; without data for a decoy.
        place: of the first one.
    """

    def __init__(self, encoded: EncodedCrops, place: CropPlace) -> None:
        self._encoded, self._size = encoded, (place.width, place.height)
        self._frames: Iterator[YuvImage] = iter(())
        self._order = -1
        self._current: YuvImage | None = None

    def crop(self, order: int) -> YuvImage | None:
        if self._current is None or order < self._order:
            # It is made whether it is needed or not.
            made = decoy(self._size, len(self._encoded.places))
            self._frames, self._order = decoded(self._encoded.data or made), -1
        while self._order < order:
            self._current, self._order = next(self._frames, self._current), self._order + 1
        found = self._current
        if order == len(self._encoded.places) - 1:
            # Its decoder is not needed any more.
            self._frames, self._current = iter(()), None
        return found


def _without_crops(places: list[CropPlace]) -> list[EncodedCrops]:
    """The crops of a chunk as far as everybody can tell: those of one face and size were encoded together."""
    found: defaultdict[tuple[int, int, int], list[int]] = defaultdict(list)
    for number, each in enumerate(places):
        found[each.track, each.width, each.height].append(number)
    return [EncodedCrops(tuple(numbers), b"") for numbers in found.values()]


def _all_places(layout: Layout) -> tuple[list[CropPlace], list[int]]:
    """The places of all chunks, and the number of the first one of each chunk."""
    places: list[CropPlace] = []
    starts = []
    for chunk in layout.chunks:
        starts.append(len(places))
        places += chunk.places
    return places, starts


def _by_time(places: list[CropPlace]) -> dict[int, list[int]]:
    found: defaultdict[int, list[int]] = defaultdict(list)
    for number, each in enumerate(places):
        found[each.time].append(number)
    return found
