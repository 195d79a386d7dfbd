"""The folder of an unfinished output: states of several steps, journals of other versions, long names."""

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from vidgan.errors import OutputError
from vidgan.media.encoding import lossless
from vidgan.media.frame import Frame, VideoInfo
from vidgan.media.image import RgbImage
from vidgan.segments.journal import JOURNAL, folder_of, hidden_name, read_journal
from vidgan.segments.state import JobState
from vidgan.segments.store import SEGMENT_FRAMES, SegmentStore, SegmentWriter

INFO = VideoInfo(width=16, height=16, time_base=Fraction(1, 25), frame_rate=Fraction(25))
FINGERPRINT = {"input": "a", "versions": {"vidgan": "1"}}
STATE = JobState(
    arrays={
        "temporal": (np.arange(12, dtype=np.float32).reshape(3, 4), np.ones((1, 1), np.float32)),
        "tracker": (np.array([[1, 2, 3, 4]], np.int64),),
    },
    data={"tracker": {"next": 7, "names": ["a", "b"]}},
)


class KilledError(Exception):
    pass


def write_segments(store: SegmentStore, count: int, state: JobState) -> None:
    """Whole segments, the last of which leaves a state."""
    writer = SegmentWriter(store, lossless(INFO), INFO)
    frames = count * SEGMENT_FRAMES
    for index in range(frames):
        if index + 1 == frames:
            store.save_state(frames, state)
        pixels = np.full((16, 16, 3), index % 256, np.uint8)
        writer.write(Frame(image=RgbImage(pixels), pts=index, time_base=INFO.time_base, duration=1))
    writer.finish()


def interrupted(output: Path, state: JobState = STATE, segments: int = 1) -> None:
    with pytest.raises(KilledError), SegmentStore(output, FINGERPRINT) as store:
        write_segments(store, segments, state)
        raise KilledError


def test_states_of_several_steps_are_kept_by_name(tmp_path: Path) -> None:
    interrupted(tmp_path / "out.mkv")
    with SegmentStore(tmp_path / "out.mkv", FINGERPRINT) as store:
        found = store.saved_state()
        assert store.frames == SEGMENT_FRAMES and found.data == STATE.data
        assert found.arrays.keys() == STATE.arrays.keys()
        for name, arrays in STATE.arrays.items():
            for a, b in zip(arrays, found.arrays[name], strict=True):
                assert a.dtype == b.dtype and np.array_equal(a, b)


def test_a_step_may_have_data_alone_or_nothing(tmp_path: Path) -> None:
    interrupted(tmp_path / "out.mkv", JobState(data={"tracker": [1, 2]}))
    with SegmentStore(tmp_path / "out.mkv", FINGERPRINT) as store:
        assert store.saved_state() == JobState(data={"tracker": [1, 2]})
    with SegmentStore(tmp_path / "other.mkv", FINGERPRINT) as store:
        assert not store.saved_state()


def test_what_is_too_large_for_a_line_belongs_into_arrays(tmp_path: Path) -> None:
    with (
        SegmentStore(tmp_path / "out.mkv", FINGERPRINT) as store,
        pytest.raises(OutputError, match="use arrays"),
    ):
        store.save_state(SEGMENT_FRAMES, JobState(data={"tracker": "x" * 100_000}))


def test_a_segment_whose_state_is_damaged_is_made_again(tmp_path: Path) -> None:
    interrupted(tmp_path / "out.mkv", segments=1)
    (state,) = folder_of(tmp_path / "out.mkv").glob("*.npz")
    state.write_bytes(state.read_bytes()[:-1])
    with SegmentStore(tmp_path / "out.mkv", FINGERPRINT) as store:
        assert store.frames == 0


def test_a_journal_of_the_former_format_is_another_job(tmp_path: Path) -> None:
    output = tmp_path / "out.mkv"
    folder_of(output).mkdir()
    (folder_of(output) / "00000.nut").write_bytes(b"segment")
    line = {"times": [0], "end": 1, "reordered": 0, "sha256": "0", "state_sha256": None}
    lines = [json.dumps({"facts": FINGERPRINT}), json.dumps(line)]
    (folder_of(output) / JOURNAL).write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert read_journal(folder_of(output) / JOURNAL) == ({**FINGERPRINT, "versions": None}, [])
    with SegmentStore(output, FINGERPRINT) as store:
        assert store.frames == 0 and store.discarded


def test_hidden_names_are_never_longer_than_file_systems_allow() -> None:
    assert hidden_name("video.mkv", ".vidgan") == ".video.mkv.vidgan"
    long = [
        hidden_name(letter * 120 + tail, ".vidgan")
        for letter in ("x", "ü", "字")
        for tail in ("1.mkv", "2.mkv")
    ]
    assert len(set(long)) == 6 and all(len(each.encode()) <= 255 for each in long)


def test_a_long_name_is_continued_too(tmp_path: Path) -> None:
    output = tmp_path / f"{'x' * 250}.mkv"
    interrupted(output)
    with SegmentStore(output, FINGERPRINT) as store:
        assert store.frames == SEGMENT_FRAMES
