"""Files come from strangers: whatever is in one, it is processed or refused in one line, and nothing else."""

import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
import onnx
import onnx.parser
import pytest

import vidgan
from benchmarks.fuzz import DAMAGES, make_case, make_seeds, run_cases, table_of
from tests.support.commands import SAMPLES, assert_one_clear_error
from tests.support.commands import vidgan as run
from vidgan.errors import InputError, InputNotFoundError, ModelError
from vidgan.media.geometry import MAX_SIDE
from vidgan.sources import is_image, limits, open_source
from vidgan.sources.header import size_of
from vidgan.sources.stderr_capture import stderr_captured

ADTS = b"\xff\xf1\x4c"
"""Begins a packet of AAC of one channel and 48 kHz."""


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return make_seeds(tmp_path_factory.mktemp("seeds"))


def test_a_sample_of_damaged_files(seeds: dict[str, bytes], tmp_path: Path) -> None:
    # Every kind with every damage.
    cases = [make_case(seeds, 7, number) for number in range(len(seeds) * len(DAMAGES))]
    results = list(run_cases(cases, tmp_path))
    failed = [each for each in results if each.outcome == "failed"]
    assert not failed, "\n".join(f"{each.number}: {each.complaint}" for each in failed)
    assert {each.outcome for each in results} >= {"refused", "decoded"}
    assert len(table_of(results).splitlines()) == len(results) + 2


def test_the_same_number_is_the_same_damage(seeds: dict[str, bytes]) -> None:
    assert make_case(seeds, 1, 11) == make_case(seeds, 1, 11) != make_case(seeds, 2, 11)


# ------------------------------------------------------------------ what was found


def refused(path: Path, identity: str, *words: str) -> None:
    """vidgan says the words of the file, and leaves nothing."""
    before = sorted(path.parent.iterdir())
    with pytest.raises(InputError) as caught:
        vidgan.stylize(path, path.with_name("out.png" if is_image(path) else "out.mkv"), style=identity)
    assert str(path) in str(caught.value)
    for word in words:
        assert word in str(caught.value)
    assert sorted(path.parent.iterdir()) == before


def test_a_format_that_nobody_knows(seeds: dict[str, bytes], tmp_path: Path, identity: str) -> None:
    path = tmp_path / "unknown.mkv"
    path.write_bytes(seeds["ffv1.mkv"].replace(b"V_FFV1", b"V_FFVX"))
    refused(path, identity, "cannot be decoded")


def test_sound_that_nobody_can_decode_is_left_out(
    seeds: dict[str, bytes], tmp_path: Path, identity: str
) -> None:
    path = tmp_path / "deaf.webm"
    path.write_bytes(seeds["vp9+opus.webm"].replace(b"A_OPUS", b"A_OPUX"))
    result = vidgan.stylize(path, style=identity)
    assert result.frames == 10 and any(
        "or in a format that FFmpeg does not know" in each for each in result.warnings
    )


def test_damaged_packets_of_sound_are_left_out(
    seeds: dict[str, bytes], tmp_path: Path, identity: str
) -> None:
    data = bytearray(seeds["h264+aac.ts"])
    data[data.rindex(ADTS) + 2] |= 0x3C  # A sampling rate that there is not.
    path = tmp_path / "crackle.ts"
    path.write_bytes(data)
    result = vidgan.stylize(path, tmp_path / "out.mkv", style=identity)
    assert result.frames == 10 and any(
        "without 1 damaged packets of stream 1" in each for each in result.warnings
    )


def test_damage_that_is_found_when_all_is_done_costs_its_packet(
    seeds: dict[str, bytes], tmp_path: Path, identity: str
) -> None:
    data = bytearray(seeds["h264+aac.ts"])
    data[data.index(ADTS) + 1] = 0x71
    path = tmp_path / "crackle.ts"
    path.write_bytes(data)
    result = vidgan.stylize(path, tmp_path / "out.mkv", style=identity)
    assert result.frames == 10 and any(
        "without 1 damaged packets of stream 1" in each for each in result.warnings
    )
    with av.open(str(tmp_path / "out.mkv")) as container:
        assert sum(frame.samples for frame in container.decode(audio=0)) > 0.3 * 48_000


def test_damaged_frames_are_said(seeds: dict[str, bytes], tmp_path: Path, identity: str) -> None:
    data = bytearray(seeds["mpeg4.avi"])
    for at in range(data.index(b"movi") + 500, data.index(b"idx1"), 97):
        data[at] ^= 0xFF
    path = tmp_path / "scratched.avi"
    path.write_bytes(data)
    result = vidgan.stylize(path, tmp_path / "out.mkv", style=identity)
    assert any("damaged frames were processed" in each for each in result.warnings)


@pytest.mark.parametrize("suffix", [".jpg", ".tiff", ".png"])
def test_a_damaged_image_is_said_and_decoders_are_silent(
    seeds: dict[str, bytes], tmp_path: Path, identity: str, suffix: str
) -> None:
    data = bytearray(seeds[f"image{suffix}"])
    data[len(data) // 2] ^= 0xFF
    data[len(data) // 2 + 1] ^= 0xFF
    path = tmp_path / f"scratched{suffix}"
    path.write_bytes(data)
    done = run("stylize", path, "--style", identity)
    if suffix == ".png":
        assert_one_clear_error(done, path.name, "damaged")
        assert "error:" in done.stderr.splitlines()[-1]
    else:
        assert f"note: {path}: is damaged; the part that could be decoded was used\n" in done.stderr
        assert "Corrupt" not in done.stderr and "TIFF" not in done.stderr


def test_what_others_write_while_a_image_is_decoded_is_kept(capfd: pytest.CaptureFixture[str]) -> None:
    with stderr_captured() as complaints:
        os.write(2, b"10 frames\nlibpng error: CRC\nlibpng warning: iCCP\nnote: 50 %\n")
    assert complaints == ["libpng error: CRC"]
    assert capfd.readouterr().err == "10 frames\nnote: 50 %\n"


def test_a_model_that_calls_its_input_by_no_text(tmp_path: Path) -> None:
    model = onnx.parser.parse_model("""
        <ir_version: 10, opset_import: ["" : 20]>
        g (uint8[N, H, W, 3] xx) => (uint8[N, H, W, 3] y) { y = Identity (xx) }
    """)
    onnx.helper.set_model_props(model, {"vidgan.task": "style"})
    path = tmp_path / "names.onnx"
    path.write_bytes(model.SerializeToString().replace(b"xx", b"\xc8x"))
    done = run("stylize", SAMPLES / "bunny.jpg", "-o", tmp_path / "out.png", "--style", path, "--json")
    assert_one_clear_error(done, "names.onnx")
    assert not done.stdout


# ------------------------------------------------------------------ nothing but the file itself


def _playlists(target: Path) -> dict[str, str]:
    uri = target.as_uri()
    return {
        "list.m3u8": f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{uri}\n#EXT-X-ENDLIST\n",
        "near.m3u8": f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{target.name}\n#EXT-X-ENDLIST\n",
        "list.ffconcat": f"ffconcat version 1.0\nfile {target.name}\n",
        "named.mp4": f"ffconcat version 1.0\nfile {target.name}\n",
        "list.sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 96\n",
        "list.mpd": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        'profiles="urn:mpeg:dash:profile:isoff-main:2011" mediaPresentationDuration="PT1S"><Period>'
        '<AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1">'
        f"<BaseURL>{target.name}</BaseURL></Representation></AdaptationSet></Period></MPD>",
        f"{target.stem}.idx": "# VobSub index file, v7\nid: en, index: 0\n"
        "timestamp: 00:00:00:000, filepos: 000000000\n",
        "list.asx": f'<ASX version="3.0"><Entry><Ref href="{uri}"/></Entry></ASX>',
        "list.svg": '<svg xmlns="http://www.w3.org/2000/svg" width="64" height="48">'
        f'<image href="{uri}"/></svg>',
    }


def unopened(path: Path, make: Callable[[], object]) -> None:
    """Runs something that must not look into a pipe of that name: whoever opens it waits for a writer."""
    os.mkfifo(path)
    keep = os.open(path, os.O_RDWR)  # So that opening would not hang the test, and a reader would find this.
    try:
        os.write(keep, b"x" * 16)
        make()
        assert len(os.read(keep, 64)) == 16
    finally:
        os.close(keep)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
@pytest.mark.parametrize("name", list(_playlists(Path("/x/target.ts"))))
def test_what_a_list_names_is_not_opened(tmp_path: Path, name: str) -> None:
    # A pipe, since one can tell afterwards whether anybody has read from it.
    target = tmp_path / ("target.sub" if name.endswith(".idx") else "target.ts")
    (tmp_path / name).write_text(_playlists(target)[name])

    def make() -> None:
        with pytest.raises(InputError, match=name):
            open_source(tmp_path / name)

    unopened(target, make)


def test_what_a_track_of_quicktime_refers_to_is_not_opened(
    seeds: dict[str, bytes], tmp_path: Path, identity: str
) -> None:
    (tmp_path / "secret.mp4").write_bytes(seeds["h264+aac.mp4"])
    data = seeds["h264+aac.mp4"]
    # "The data are in this file" becomes an address and a name.
    for kind in (b"url ", b"alis"):
        entry = struct.pack(">I4sI", 12, b"url ", 1)
        assert entry in data
        path = tmp_path / f"outside-{kind.decode().strip()}.mp4"
        path.write_bytes(data.replace(entry, struct.pack(">I4sI", 12, kind, 0)))
        try:
            result = vidgan.stylize(path, tmp_path / "out.mkv", style=identity, overwrite=True)
        except InputError as exc:
            assert str(path) in str(exc)
        else:
            assert result.frames == 10


def test_a_name_that_stands_for_many_is_not_followed(tmp_path: Path, seeds: dict[str, bytes]) -> None:
    for name in ("0.dpx", "1.dpx", "%d.dpx"):
        (tmp_path / name).write_bytes(seeds["image.jpg"])
    with pytest.raises(InputError, match=r"%d\.dpx.*stands for several files"):
        open_source(tmp_path / "%d.dpx")


@pytest.mark.parametrize(
    "name", ["%06d.mp4", "f%d.gif", "a%%b.mp4", "a*[1]?.gif", "'\"`$x.mp4", "a\nb.mp4", "a:b.gif"]
)
def test_a_name_is_only_a_name(seeds: dict[str, bytes], tmp_path: Path, identity: str, name: str) -> None:
    kind = "gif.gif" if name.endswith("gif") else "h264+aac.mp4"
    (tmp_path / name).write_bytes(seeds[kind])
    result = vidgan.stylize(tmp_path / name, style=identity)
    assert result.frames == 10 and Path(result.output).parent == tmp_path


def test_a_name_that_begins_with_a_dash_is_one_where_it_must_be(
    seeds: dict[str, bytes], tmp_path: Path, identity: str
) -> None:
    (tmp_path / "-rf.gif").write_bytes(seeds["gif.gif"])
    done = run("stylize", "--style", identity, "--quiet", "--", "-rf.gif", cwd=tmp_path)
    assert done.returncode == 0 and (tmp_path / "-rf.identity.gif").exists(), done.stderr


@pytest.mark.parametrize(
    "address",
    [
        *(
            "http://127.0.0.1:9/a.mp4",
            "https://127.0.0.1:9/a.mp4",
            "rtsp://127.0.0.1:9/a",
            "tcp://127.0.0.1:9",
        ),
        *("concat:a.ts|b.ts", "subfile,,start,0,end,0,,:a.mp4", "pipe:0", "data:video/mp4;base64,AAAA"),
        *("file:///etc/passwd", "/dev/video0", "lavfi:testsrc"),
    ],
)
def test_addresses_are_names_of_files_that_are_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputNotFoundError, match="is an address" if "://" in address else "no such file"):
        open_source(address)


def test_the_whole_command_refuses_an_address_in_one_line(tmp_path: Path, identity: str) -> None:
    done = run("stylize", "http://127.0.0.1:9/a.mp4", "-o", tmp_path / "out.mp4", "--style", identity)
    assert_one_clear_error(done, "http://127.0.0.1:9/a.mp4: is an address")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    with pytest.raises(InputError, match="is not a file"):
        open_source(tmp_path / "pipe.mp4")


# ------------------------------------------------------------------ limits


def png(width: int, height: int, rows: int = 0) -> bytes:
    """One of 1 bit, with so many of its rows."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    pixels = zlib.compress(bytes((1 + (width + 7) // 8) * rows), 9)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def _resized(data: bytes, suffix: str, width: int, height: int) -> bytes:
    """The image with another size in its header."""
    changed = bytearray(data)
    if suffix == ".png":
        return png(width, height)
    if suffix == ".jpg":
        at = data.index(b"\xff\xc0") + 5
        changed[at : at + 4] = struct.pack(">HH", height, width)
    elif suffix == ".bmp":
        changed[18:26] = struct.pack("<ii", width, -height)
    elif suffix == ".tiff":
        start = struct.unpack_from("<I", data, 4)[0] + 2
        for entry in range(start, len(data) - 11, 12):
            tag = struct.unpack_from("<H", data, entry)[0]
            if tag in (256, 257):
                changed[entry + 2 : entry + 12] = struct.pack("<HII", 4, 1, (width, height)[tag - 256])
    elif suffix == ".webp":
        changed[12:16], changed[20:30] = (
            b"VP8X",
            bytes(4) + b"".join((side - 1).to_bytes(3, "little") for side in (width, height)),
        )
    return bytes(changed)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".tiff", ".webp"])
def test_a_tiny_file_of_a_giant_image(
    seeds: dict[str, bytes], tmp_path: Path, identity: str, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"bomb{suffix}"
    path.write_bytes(_resized(seeds[f"image{suffix}"], suffix, 65535, 65535))
    assert size_of(path.read_bytes()) == (65535, 65535)
    # Nothing may be decoded to find out.
    monkeypatch.setattr(cv2, "imdecode", None)
    refused(path.rename(tmp_path / f"giant{suffix}"), identity, "65535x65535", "268 megapixels")


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".tiff", ".webp"])
def test_the_size_in_the_header_is_that_of_the_image(suffix: str) -> None:
    image = np.full((123, 457, 3), 90, np.uint8)
    assert size_of(cv2.imencode(suffix, image)[1].tobytes()) == (457, 123)


def test_what_is_no_image_has_no_size() -> None:
    for data in (
        b"",
        b"\xff\xd8",
        b"BM",
        b"RIFF\0\0\0\0WEBP",
        b"II*\0",
        b"MM\0+",
        b"\x89PNG\r\n\x1a\n",
        b"GIF89a",
    ):
        assert size_of(data) is None


def test_a_image_too_large_to_paint_can_be_scaled(
    tmp_path: Path, identity: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_FRAME_PIXELS", 300 * 200)
    path = tmp_path / "large.png"
    path.write_bytes(png(400, 300, rows=300))
    refused(path, identity, "400x300", "`size`")
    assert vidgan.stylize(path, tmp_path / "out.png", style=identity, size="100").height == 100


@pytest.mark.parametrize("size", [(9, 40), (40, 1), (MAX_SIDE + 1, 16)])
def test_what_cannot_be_stylized_at_its_size_is_said(
    tmp_path: Path, identity: str, size: tuple[int, int]
) -> None:
    path = tmp_path / "odd.png"
    path.write_bytes(png(*size, rows=size[1]))
    refused(path, identity, f"{size[0]}x{size[1]}", "`size`")


@pytest.mark.parametrize("kind", ["gif.gif", "ffv1.mkv"])
def test_a_tiny_video_of_giant_frames(
    seeds: dict[str, bytes], tmp_path: Path, identity: str, kind: str
) -> None:
    data = bytearray(seeds[kind])
    if kind == "gif.gif":
        data[6:10] = struct.pack("<HH", 20000, 20000)
    else:
        # Width and height, of one byte each, and an element that may go.
        at = data.index(bytes([0xE0, 0x8A, 0xB0, 0x81, 64, 0xBA, 0x81, 48]))
        side = b"\x82" + struct.pack(">H", 20000)
        data[at : at + 12] = b"\xe0\x8a\xb0" + side + b"\xba" + side + b"\xec\x80"
    path = tmp_path / f"bomb{Path(kind).suffix}"
    path.write_bytes(data)
    refused(path, identity, str(limits.MAX_FRAME_PIXELS))


def test_a_video_that_says_it_is_too_large(
    seeds: dict[str, bytes], tmp_path: Path, identity: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_FRAME_PIXELS", 1000)
    path = tmp_path / "large.mp4"
    path.write_bytes(seeds["h264+aac.mp4"])
    refused(path, identity, "64x48", "reads videos of up to")


@pytest.mark.parametrize(
    "graph",
    [
        "<int64[1] s = {1000000000000}> { c = ConstantOfShape (s)  r = ReduceMax <keepdims = 0> (c)  "
        "q = Cast <to = 2> (r)  y = Add (x, q) }",
        "<int64[1] k = {10000000000}> { f = Cast <to = 1> (x)  m = ReduceMax <keepdims = 0> (f)  "
        "e = Expand (m, k)  r = ReduceMax <keepdims = 0> (e)  q = Cast <to = 2> (r)  y = Max (x, q) }",
    ],
)
def test_a_model_that_asks_for_all_memory(tmp_path: Path, graph: str) -> None:
    model = onnx.parser.parse_model(
        f'<ir_version: 10, opset_import: ["" : 20]> g (uint8[N, H, W, 3] x) => (uint8[N, H, W, 3] y) {graph}'
    )
    onnx.helper.set_model_props(model, {"vidgan.task": "style"})
    path = tmp_path / "greedy.onnx"
    onnx.save(model, path)
    session = vidgan.load_style(str(path), device="cpu")
    with pytest.raises(ModelError, match="greedy"):
        session.run(np.zeros((1, 48, 64, 3), np.uint8))


def test_a_number_that_does_not_end(tmp_path: Path) -> None:
    path = tmp_path / "endless.onnx"
    path.write_bytes(b"\x3a" + b"\xff" * 5000)
    with pytest.raises(ModelError, match=r"endless\.onnx"):
        vidgan.load_style(str(path))
