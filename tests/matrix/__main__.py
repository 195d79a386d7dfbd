"""Runs every case and writes docs/fidelity.md; fails if something is not as it should be."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import av

# Where pytest finds what tests share.
sys.path.insert(0, str(Path(__file__).parents[1]))

import vidgan
from tests.matrix.case import Case
from tests.matrix.cases import CASES
from tests.matrix.run import Outcome, run, skip_reason

TABLE = Path(__file__).parents[2] / "docs" / "fidelity.md"

HEADER = """# Fidelity

`python -m tests.matrix` writes this page: it makes each input, stylizes it, and decodes and probes both sides. Every
output must have each frame once, at its time, of its size, with its color tags; every other stream, packet for packet
and in step, with chapters and tags; and a warning of whatever it cannot have. The fourth column names what a row
checks besides. Pixels (dB is the PSNR of the worst frame) are compared with `strength=0`, times and streams also at
full strength. A ✓ in the last column: FFprobe finds the same in the output as PyAV.

## Streams beside the video

Each stream is tried beforehand: its first packets are written into the output's container in memory and read
again. So what can be known from the input and the output's name is decided before the first frame.

| stream | kept as it is | else |
|---|---|---|
| audio | where the container holds the codec; in Matroska also as `A_MS/ACM` (WMA, ADPCM, µ-law, Speex, AMR) \
| converted: FLAC in mkv and mp4, ALAC or PCM in mov, Opus in webm; AAC where none of these can |
| text subtitles | where the container holds them | converted among SubRip (mkv), mov_text (mp4, mov), WebVTT (webm) |
| subtitles that are images | where the container holds them | left out |
| covers, attachments | a cover as a track in mp4, as an attachment in mkv; fonts in mkv | left out |
| data, such as GPMF of action cameras | mp4 and mov | left out |
| chapters, tags | chapters; tags that the container has fields for, \
and place, date and model of phones in mp4 and mov | tags are named |

Whatever is converted or left out is reported, with the reason and a container that holds it. `--audio` and
`--subtitles` are `copy` (as above), `convert` (always) or `drop`. A stream that turns out not to fit when
segments are joined is converted, or left out at last; frames that were processed are never lost for it.
Not kept, since frames are encoded anew, but reported: marks of 360° and stereoscopic video, and closed captions
(CEA-608/708). Statistics that mkvmerge writes are dropped, as they are not true of the output.

## Times

The output starts at 0; relations between streams are those of the input. A packet that is out of line moves
between its neighbors, and no other packet moves; a subtitle keeps its own time, whatever its place in the file.
A pause stays; a jump of all streams, as in joined recordings, is closed. All of these are reported. FLV files that
stand one after the other in one file are read as one, where they have the same codecs. Animations keep the length of
every frame, the last one too, and how often they play.

The finished video is compared with the packets of the input as they are demuxed, apart from the code that wrote
it: the number, bytes and times of every stream. What a container changes by itself is taken into account: ticks,
how plain samples are cut into packets, empty subtitles between two others in mp4, and that Matroska has no times
before 0.

`python -m benchmarks.fuzz --timestamps` damages times of intact files (shifts, swaps, repeats and jumps; in
Matroska, fragmented MP4, MPEG-TS and the index of AVI) and asks that nothing but the packet out of line moves.

## Odd sides

H.264, HEVC and most encoders need even sides for chroma of half resolution. `--even pad` (the default) repeats the
right and lower border once, `crop` cuts it off, `444` keeps the size by chroma of full resolution, which many players
do not show. VP9, GIF, APNG, WebP, NUT and YUV4MPEG hold odd sides as they are.

## Cases

{versions}

| case | input | output | checks | result | FFprobe |
|---|---|---|---|---|---|
"""


def main() -> int:
    style = vidgan.load_style("starry", device="cpu")
    rows, failed = [], []
    for case in CASES:
        outcome = _outcome(case, style)
        rows.append(_row(case, outcome))
        if outcome.wrong:
            failed.append(case.name)
        print(f"{case.name}: {'; '.join(outcome.wrong) or outcome.result}")
    TABLE.write_text(HEADER.format(versions=_versions()) + "\n".join(rows) + "\n", encoding="utf-8")
    print(f"{len(CASES)} cases, {len(failed)} not as they should be {failed or ''}")
    return 1 if failed else 0


def _outcome(case: Case, style: vidgan.Session) -> Outcome:
    if why := skip_reason(case):
        return Outcome(wrong=[], result=f"not run: {why}")
    with tempfile.TemporaryDirectory() as folder:
        return run(case, Path(folder), style)


def _row(case: Case, outcome: Outcome) -> str:
    result = "**wrong**: " + "; ".join(outcome.wrong) if outcome.wrong else outcome.result
    cells = [case.name, case.input, case.output_in_words, case.covers, result, "✓" if outcome.probed else ""]
    return "| " + " | ".join(each.replace("|", "\\|") for each in cells) + " |"


def _versions() -> str:
    library = ".".join(map(str, av.library_versions["libavcodec"]))
    found = shutil.which("ffprobe")
    if found is None:
        return f"PyAV {av.__version__} with libavcodec {library}; without FFprobe's second opinion."
    probe = subprocess.run([found, "-version"], capture_output=True, text=True, check=True).stdout.split()[2]
    return (
        f"PyAV {av.__version__} with FFmpeg {av.ffmpeg_version_info} (libavcodec {library}), FFprobe {probe}."
    )


if __name__ == "__main__":
    sys.exit(main())
