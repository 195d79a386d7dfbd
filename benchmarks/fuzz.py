"""Damaged videos, images and models, and whether vidgan does anything with them that it should not.

::

    python -m benchmarks.fuzz [--count 1000] [--seed 0] [--json FILE]
    python -m benchmarks.fuzz --timestamps [--count 500] [--seed 0]
    python -m benchmarks.fuzz --timestamps --start 250 --count 250

Makes small valid files of many kinds, damages them (flipped bits, cut off, spliced, blocks blanked,
repeated or taken out, sizes inflated) and gives each to ``vidgan stylize``: the damaged models with a good
image, the others with a good model. Each must be processed as far as it can be decoded, or refused in one
line that names it. What counts as failed: a crash, a traceback, an error that vidgan did not expect, words on
stderr that are not vidgan's, a run over the time or the memory allowed, an output after an error, none or a
damaged one after a success, and anything left behind.

The command runs in a process that takes many inputs, so that a crash costs only one, and is known to be of
it. ``--only N`` repeats number N alone. Fails if an input did.

With ``--timestamps``, files stay sound but for their timestamps, see :mod:`benchmarks.timestamp_damage`. Every
video must be written then, and nothing in it may move but the packets that were out of line.
"""

import json
import os
import random
import re
import resource
import shutil
import struct
import sys
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Literal

import av
import click
import cv2
import numpy as np
import onnx.parser
from numpy.typing import NDArray

from benchmarks import timestamp_damage
from benchmarks.stylize import describe_machine
from vidgan.models.registry import BUNDLED
from vidgan.sources import is_image

WIDTH, HEIGHT = 64, 48
FRAMES = 10
SECONDS = 60.0
"""A run may take so long; it takes a tenth of one on an idle core."""

MEMORY = 1 << 30
"""Bytes that a run may take beyond what the process had before."""

_ADDRESS_SPACE = 64 << 30
"""Keeps the machine alive; CUDA's libraries alone map several GiB."""

_POLL_SECONDS = 0.02

Outcome = Literal["refused", "decoded", "decoded with notice", "failed"]
OUTCOMES: tuple[Outcome, ...] = ("refused", "decoded", "decoded with notice", "failed")


@dataclass(frozen=True, kw_only=True)
class Case:
    """A damaged file.

    Attributes:
        number: with the seed, all that is needed to make it again.
        kind: of file, a key of :func:`make_seeds`.
        damage: a key of :data:`DAMAGES`.
    """

    number: int
    kind: str
    damage: str
    data: bytes


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a run did.

    Attributes:
        code: the exit code; None if the process died or was ended.
        errors: what it wrote to stderr, or how the process ended.
        memory: bytes at its peak beyond those before; None where the system does not say.
        left: names in the folder afterwards, other than the input's.
        complaint: what is wrong with the output, if there is one.
    """

    code: int | None
    errors: str
    memory: int | None = None
    left: tuple[str, ...] = ()
    complaint: str | None = None


@dataclass(frozen=True, kw_only=True)
class Result:
    """What became of a case."""

    number: int
    kind: str
    damage: str
    outcome: Outcome
    seconds: float
    memory: int | None
    said: str
    complaint: str | None


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--count", type=click.IntRange(1), default=1000, show_default=True, help="Of inputs.")
@click.option(
    "--start", type=click.IntRange(0), default=0, show_default=True, help="First number of --count."
)
@click.option("--seed", default=0, show_default=True, help="Of the damage.")
@click.option("--timestamps", is_flag=True, help="Damage timestamps of sound files instead.")
@click.option("--only", type=click.IntRange(0), metavar="N", help="Run only number N.")
@click.option("--keep", type=click.Path(path_type=Path), metavar="FOLDER", help="Put inputs that fail here.")
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Also write the results here.")
def cli(
    count: int,
    start: int,
    seed: int,
    timestamps: bool,
    only: int | None,
    keep: Path | None,
    json_path: Path | None,
) -> None:
    """Give vidgan damaged inputs, and look whether it copes."""
    numbers = range(start, start + count) if only is None else [only]
    if timestamps:
        count_failed = sum(_say_timestamps(each, keep) for each in run_timestamps(numbers, seed))
        click.echo(f"{len(numbers)} videos with damaged timestamps of seed {seed}: {count_failed} failed")
        sys.exit(1 if count_failed else 0)
    machine = describe_machine(None)
    click.echo("\n".join(f"{key:20} {value}" for key, value in machine.items()))
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        seeds = make_seeds(Path(folder))
        cases = {number: make_case(seeds, seed, number) for number in numbers}
        results = []
        for result in run_cases(cases.values(), Path(folder)):
            results.append(result)
            if result.outcome == "failed" or only is not None:
                click.echo(f"{result.number:5} {result.kind}, {result.damage}: {_first(result)}", err=True)
            if result.outcome == "failed" and keep is not None:
                keep.mkdir(exist_ok=True)
                (keep / f"{seed}-{result.number}{_suffix(result.kind)}").write_bytes(
                    cases[result.number].data
                )
    seconds = time.monotonic() - started
    click.echo("\n" + table_of(results))
    failed = [each for each in results if each.outcome == "failed"]
    click.echo(f"\n{len(results)} inputs of seed {seed} in {seconds:.0f} s; {len(failed)} failed")
    for result in failed:
        click.echo(f"--seed {seed} --only {result.number}: {result.kind}, {result.damage}: {_first(result)}")
    if json_path is not None:
        facts = {"machine": machine, "seed": seed, "seconds": round(seconds, 1)}
        json_path.write_text(json.dumps({**facts, "results": [asdict(each) for each in results]}, indent=2))
    if failed:
        sys.exit(1)


# ------------------------------------------------------------------ what is damaged


def make_seeds(folder: Path) -> dict[str, bytes]:
    """Small valid files by kind, ``"CONTENT.SUFFIX"``."""
    seeds = {}
    for name, codec, sound in (
        ("h264+aac.mp4", "libx264", "aac"),
        ("vp9.mkv", "libvpx-vp9", None),
        ("ffv1.mkv", "ffv1", None),
        ("vp9+opus.webm", "libvpx-vp9", "libopus"),
        ("mpeg4.avi", "mpeg4", None),
        ("h264+aac.ts", "libx264", "aac"),
        ("gif.gif", "gif", None),
    ):
        path = folder / name
        _make_video(path, codec, sound)
        seeds[name] = path.read_bytes()
        path.unlink()
    for suffix in ("png", "jpg", "webp", "tiff", "bmp"):
        seeds[f"image.{suffix}"] = cv2.imencode(f".{suffix}", _image(0))[1].tobytes()
    seeds["int8.onnx"] = (BUNDLED / "starry" / "int8.onnx").read_bytes()
    seeds["tiny.onnx"] = tiny_model()
    return seeds


def tiny_model() -> bytes:
    """A style model that changes nothing."""
    model = onnx.parser.parse_model("""
        <ir_version: 10, opset_import: ["" : 20]>
        g (uint8[N, H, W, 3] x) => (uint8[N, H, W, 3] y) { y = Identity (x) }
    """)
    onnx.helper.set_model_props(model, {"vidgan.task": "style", "vidgan.name": "tiny"})
    return bytes(model.SerializeToString())


def _make_video(path: Path, codec: str, sound: str | None) -> None:
    with av.open(str(path), "w") as container:
        video = container.add_stream(codec, rate=25)
        assert isinstance(video, av.VideoStream)
        video.width, video.height = WIDTH, HEIGHT
        video.pix_fmt = "rgb8" if codec == "gif" else "yuv420p"
        # One of each kind of image that there is, and more than one to begin with.
        video.codec_context.gop_size = 4
        track = None if sound is None else container.add_stream(sound, rate=48000)
        for index in range(FRAMES):
            frame = av.VideoFrame.from_ndarray(_image(index), "bgr24").reformat(format=video.pix_fmt)
            frame.pts, frame.time_base = index, Fraction(1, 25)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if track is not None:
            assert isinstance(track, av.AudioStream)
            beat = av.AudioFrame.from_ndarray(np.zeros((1, 48000 * FRAMES // 25), np.float32), "fltp", "mono")
            beat.sample_rate, beat.pts, beat.time_base = 48000, 0, Fraction(1, 48000)
            resampler = av.AudioResampler(track.format, track.layout, track.rate, track.frame_size or 960)
            for piece in (*resampler.resample(beat), *resampler.resample(None)):
                container.mux(track.encode(piece))
            container.mux(track.encode(None))


def _image(index: int) -> NDArray[np.uint8]:
    """A slope with noise that drifts."""
    noise = np.random.default_rng(0).normal(0, 20, (HEIGHT, WIDTH + FRAMES, 3))[:, index : index + WIDTH]
    slope = np.linspace(40, 200, WIDTH)[np.newaxis, :, np.newaxis]
    return np.clip(slope + noise, 0, 255).astype(np.uint8)


# ------------------------------------------------------------------ how it is damaged


def make_case(seeds: Mapping[str, bytes], seed: int, number: int) -> Case:
    """Each kind meets each damage once in so many numbers."""
    chance = random.Random(f"{seed}/{number}")
    kinds, damages = list(seeds), list(DAMAGES)
    kind = kinds[number % len(kinds)]
    damage = damages[number // len(kinds) % len(damages)]
    data = DAMAGES[damage](bytearray(seeds[kind]), chance, seeds)
    return Case(number=number, kind=kind, damage=damage, data=bytes(data))


def _flipped(data: bytearray, chance: random.Random, seeds: Mapping[str, bytes]) -> bytearray:
    """Bits, from one to a tenth of a per cent of them, anywhere or only in the head."""
    bits = 8 * (len(data) if chance.random() < 0.6 else min(len(data), 512))
    share = chance.choice([0, 1e-5, 1e-4, 1e-3])
    for _ in range(max(1, round(bits * share))):
        where = chance.randrange(bits)
        data[where // 8] ^= 1 << where % 8
    return data


def _cut(data: bytearray, chance: random.Random, seeds: Mapping[str, bytes]) -> bytearray:
    # The first kilobyte is where the most different things end.
    whole = chance.random() < 0.6
    return data[: chance.randrange(1, len(data) if whole else min(len(data), 1024))]


def _spliced(data: bytearray, chance: random.Random, seeds: Mapping[str, bytes]) -> bytearray:
    """The head of one file and the rest of another, or of itself."""
    other = seeds[chance.choice(list(seeds))]
    head = chance.randrange(1, len(data)) if chance.random() < 0.5 else chance.randrange(1, 256)
    return data[:head] + other[min(head, len(other) // 2) if chance.random() < 0.5 else 0 :]


def _blocks(data: bytearray, chance: random.Random, seeds: Mapping[str, bytes]) -> bytearray:
    """Some of it blanked, repeated or taken out."""
    for _ in range(chance.choice([1, 1, 4])):
        if len(data) < 2:
            break
        size = min(len(data) - 1, chance.choice([4, 64, 512, 4096]))
        start = chance.randrange(len(data) - size)
        block = data[start : start + size]
        data[start : start + size] = chance.choice([bytes(size), b"\xff" * size, block * 2, b""])
    return data


_HUGE = (0, 1, 16385, 0x7FFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0xFFFFFFFF)
_BOX = re.compile(
    rb"....(?:moov|trak|mdia|minf|stbl|st[a-z]{2}|avc1|avcC|mdat|ftyp|tkhd|mdhd|LIST|RIFF|VP8.)", re.S
)


def _inflated(data: bytearray, chance: random.Random, seeds: Mapping[str, bytes]) -> bytearray:
    """Sizes, where there are some or may be, become huge or nothing."""
    for _ in range(chance.choice([1, 1, 3])):
        value = chance.choice(_HUGE)
        where, code = chance.choice(list(_likely_sizes(data)) or [(0, "<I")])
        if chance.random() < 0.3:
            where = chance.randrange(max(1, min(len(data), chance.choice([256, len(data)])) - 8))
            code = chance.choice(["<H", ">H", "<I", ">I", "varint"])
        # A number of more than its bytes is as many ones as fit; as a varint, one that does not end.
        size = 9 if code == "varint" else struct.calcsize(code)
        packed = b"\xff" * size if code == "varint" else struct.pack(code, value & (256**size - 1))
        data[where : where + size] = packed
    return _with_checksums(data) if data.startswith(b"\x89PNG") else data


def _likely_sizes(data: bytearray) -> Iterator[tuple[int, str]]:
    """Where width or height may be written, or the size of a box; with the form of the number."""
    for number in (WIDTH, HEIGHT):
        for code in ("<I", ">I", "<H", ">H"):
            for found in re.finditer(re.escape(struct.pack(code, number)), bytes(data[:4096])):
                yield found.start(), code
    for found in _BOX.finditer(bytes(data)):
        yield found.start(), ">I"


def _with_checksums(data: bytearray) -> bytearray:
    """A PNG whose chunks have the right ones, so that what is wrong is not found out by them."""
    position = 8
    while position + 12 <= len(data):
        end = position + 8 + int.from_bytes(data[position : position + 4], "big")
        if end + 4 > len(data):
            break
        data[end : end + 4] = zlib.crc32(data[position + 4 : end]).to_bytes(4, "big")
        position = end + 4
    return data


DAMAGES: dict[str, Callable[[bytearray, random.Random, Mapping[str, bytes]], bytearray]] = {
    "bits": _flipped,
    "cut": _cut,
    "splice": _spliced,
    "blocks": _blocks,
    "sizes": _inflated,
}


# ------------------------------------------------------------------ what vidgan does with it


def run_cases(cases: Iterable[Case], folder: Path, *, seconds: float = SECONDS) -> Iterator[Result]:
    """Gives each to vidgan, in a process that is started anew only when one has ended it.

    Args:
        folder: to work in.
        seconds: that a run may take.
    """
    good = folder / "good"
    good.mkdir()
    (good / "tiny.onnx").write_bytes(tiny_model())
    cv2.imwrite(str(good / "image.png"), _image(0))
    work = folder / "work"
    worker = Worker()
    try:
        for case in cases:
            work.mkdir()
            damaged = work / f"damaged{_suffix(case.kind)}"
            damaged.write_bytes(case.data)
            started = time.monotonic()
            answer = worker.run(*_command(damaged, good), seconds=seconds)
            yield _judged(case, damaged, answer, time.monotonic() - started)
            shutil.rmtree(work)
    finally:
        worker.end()


def _command(damaged: Path, good: Path) -> tuple[Path, Path, Path]:
    """Input, output and model."""
    if damaged.suffix == ".onnx":
        return good / "image.png", damaged.with_name("out.png"), damaged
    suffix = damaged.suffix if is_image(damaged) or damaged.suffix == ".gif" else ".mkv"
    return damaged, damaged.with_name(f"out{suffix}"), good / "tiny.onnx"


class Worker:
    """A process that runs ``vidgan stylize`` for one input after the other."""

    def __init__(self) -> None:
        self._start()

    def _start(self) -> None:
        context = get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()
        self._connection.recv()

    def run(self, input: Path, output: Path, style: Path, *, seconds: float) -> Answer:
        """What became of it; of the process too."""
        self._connection.send((input, output, style))
        ends = time.monotonic() + seconds
        before = _resident(self._process.pid)
        peak = 0
        try:
            while not self._connection.poll(_POLL_SECONDS):
                peak = max(peak, _resident(self._process.pid) - before)
                if peak > MEMORY:
                    return self._ended(f"took more than {MEMORY >> 20} MiB")
                if time.monotonic() > ends:
                    return self._ended(f"not done after {seconds:.0f} s")
            answer: Answer = self._connection.recv()
            return answer
        except EOFError:
            self._process.join()
            return self._ended(f"the process ended with {self._process.exitcode}")

    def _ended(self, why: str) -> Answer:
        self.end()
        self._start()
        return Answer(code=None, errors=why)

    def end(self) -> None:
        self._process.kill()
        self._process.join()
        self._connection.close()


def _serve(connection: Connection) -> None:
    from vidgan.cli import main

    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_SPACE, _ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    connection.send("ready")
    with tempfile.TemporaryFile() as said:
        os.dup2(said.fileno(), 1)
        os.dup2(said.fileno(), 2)
        while True:
            try:
                input, output, style = connection.recv()
            except EOFError:
                return
            said.seek(0)
            said.truncate()
            before = _reset_peak()
            sys.argv = ["vidgan", "stylize", str(input), "-o", str(output), "--style", str(style), "--quiet"]
            code: int | None = None
            try:
                main()
            except SystemExit as exc:
                code = exc.code if isinstance(exc.code, int) else None
            sys.stdout.flush()
            sys.stderr.flush()
            said.seek(0)
            connection.send(
                Answer(
                    code=code,
                    errors=said.read().decode(errors="replace"),
                    memory=None if before is None else (_peak() or 0) - before,
                    left=tuple(sorted(p.name for p in output.parent.iterdir() if p.stem != "damaged")),
                    complaint=complaint_about(output) if output.exists() else None,
                )
            )


def complaint_about(output: Path) -> str | None:
    """What is wrong with an output; None if all of it can be decoded."""
    if is_image(output):
        return None if cv2.imread(str(output)) is not None else "the output cannot be decoded"
    try:
        with av.open(str(output)) as container:
            frames = sum(1 for _ in container.decode(video=0))
    except av.error.FFmpegError as exc:
        return f"the output cannot be decoded: {exc}"
    return None if frames else "the output has no frames"


def _judged(case: Case, damaged: Path, answer: Answer, seconds: float) -> Result:
    complaint = "; ".join(_wrong(damaged, answer)) or None
    outcome: Outcome = "decoded"
    if complaint is not None:
        outcome = "failed"
    elif answer.code == 1:
        outcome = "refused"
    elif "note:" in answer.errors:
        outcome = "decoded with notice"
    return Result(
        number=case.number,
        kind=case.kind,
        damage=case.damage,
        outcome=outcome,
        seconds=round(seconds, 3),
        memory=answer.memory,
        said=answer.errors.strip(),
        complaint=complaint,
    )


def _wrong(damaged: Path, answer: Answer) -> Iterator[str]:
    """What vidgan should not have done."""
    if answer.code not in (0, 1):
        yield answer.errors if answer.code is None else f"exit code {answer.code}: {answer.errors}"
        return
    lines = answer.errors.splitlines()
    errors = [line for line in lines if line.startswith(("error:", "Error:"))]
    if len(errors) != answer.code:
        yield f"{len(errors)} errors said with exit code {answer.code}: {answer.errors}"
    if "Traceback" in answer.errors or any(line.startswith("error: unexpected") for line in errors):
        yield f"not expected: {answer.errors}"
    elif errors and damaged.name not in errors[0]:
        yield f"the input is not named: {errors[0]}"
    usual = ("error:", "note:", str(damaged.parent))
    if strange := [line for line in lines if line and not line.startswith(usual)]:
        yield f"said by others: {strange[0]}"
    wanted = {0: ("out.",), 1: ()}[answer.code]
    left = [name for name in answer.left if not name.endswith(".c2pa")]
    if len(left) != len(wanted) or not all(name.startswith(wanted) for name in answer.left):
        yield f"in the folder: {', '.join(answer.left) or 'nothing'}"
    if answer.complaint:
        yield answer.complaint
    if answer.memory is not None and answer.memory > MEMORY:
        yield f"took {answer.memory >> 20} MiB"


# ------------------------------------------------------------------ timestamps


@dataclass(frozen=True, kw_only=True)
class TimestampResult:
    """What became of a video with damaged timestamps.

    Attributes:
        number: with the seed, all that is needed to make it again.
        case: container, damage and stream.
        data: the damaged file.
        complaint: what is wrong with the output; None if nothing is.
    """

    number: int
    case: str
    data: bytes
    complaint: str | None


def run_timestamps(numbers: Iterable[int], seed: int) -> Iterator[TimestampResult]:
    """Damages timestamps, one video a number, and compares the outputs with the undamaged inputs."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "tiny.onnx").write_bytes(tiny_model())
        seeds: dict[tuple[str, bool], tuple[bytes, timestamp_damage.Times]] = {}
        worker = Worker()
        try:
            for number in numbers:
                yield _damaged_timestamp(number, seed, folder, seeds, worker)
        finally:
            worker.end()


def _damaged_timestamp(
    number: int,
    seed: int,
    folder: Path,
    seeds: dict[tuple[str, bool], tuple[bytes, timestamp_damage.Times]],
    worker: "Worker",
) -> TimestampResult:
    chance = random.Random(f"{seed}/{number}")
    container = timestamp_damage.CONTAINERS[number % len(timestamp_damage.CONTAINERS)]
    kind = timestamp_damage.KINDS[number // len(timestamp_damage.CONTAINERS) % len(timestamp_damage.KINDS)]
    key = container, chance.random() < 0.5
    if key not in seeds:
        path = folder / f"seed.{container}"
        timestamp_damage.make_noise_video(path, b_frames=key[1])
        seeds[key] = path.read_bytes(), timestamp_damage.times_of(path)
    data, done = timestamp_damage.damage(seeds[key][0], container, chance, kind)
    work = folder / "work"
    work.mkdir()
    damaged, output = work / f"damaged.{container}", work / f"out.{chance.choice(['mkv', 'mp4'])}"
    damaged.write_bytes(data)
    answer = worker.run(damaged, output, folder / "tiny.onnx", seconds=SECONDS)
    found = list(_wrong(damaged, answer))
    if answer.code == 1:
        found.append(f"refused: {answer.errors.strip()}")
    elif not found:
        found = list(timestamp_damage.complaints(seeds[key][1], damaged, output, done))
    shutil.rmtree(work)
    what = "sound" if done.stream else "video"
    frames = "B-frames" if key[1] else "no B-frames"
    case = f"{container} ({frames}) to {output.suffix[1:]}, {done.kind} of {what} {float(done.seconds):+g} s"
    return TimestampResult(number=number, case=case, data=data, complaint="; ".join(found) or None)


def _say_timestamps(result: TimestampResult, keep: Path | None) -> bool:
    """Whether it failed, which is said."""
    if result.complaint is None:
        return False
    click.echo(f"{result.number:5} {result.case}: {' '.join(result.complaint.split())[:300]}")
    if keep is not None:
        keep.mkdir(exist_ok=True)
        (keep / f"{result.number}.{result.case.split()[0]}").write_bytes(result.data)
    return True


# ------------------------------------------------------------------ what is printed


def table_of(results: Iterable[Result]) -> str:
    """Kinds and damages against outcomes; the last row is their sum."""
    results = list(results)
    counts = Counter((each.kind, each.damage, each.outcome) for each in results)
    rows = [(kind, damage) for kind in dict.fromkeys(each.kind for each in results) for damage in DAMAGES]
    lines = [f"{'kind':15} {'damage':8}" + "".join(f"{outcome:>21}" for outcome in OUTCOMES)]
    for kind, damage in rows:
        if any(counts[kind, damage, outcome] for outcome in OUTCOMES):
            cells = "".join(f"{counts[kind, damage, outcome]:21}" for outcome in OUTCOMES)
            lines.append(f"{kind:15} {damage:8}{cells}")
    sums = Counter(each.outcome for each in results)
    return "\n".join([*lines, f"{'all':24}" + "".join(f"{sums[outcome]:21}" for outcome in OUTCOMES)])


def _first(result: Result) -> str:
    text = result.complaint or result.said or result.outcome
    return " ".join(text.split())[:300]


def _suffix(kind: str) -> str:
    return Path(kind).suffix


# ------------------------------------------------------------------ memory, where Linux tells it


def _resident(pid: int | None) -> int:
    return _status("VmRSS", str(pid)) or 0


def _peak() -> int | None:
    return _status("VmHWM", "self")


def _reset_peak() -> int | None:
    """Lets the peak begin anew; bytes in use now, None where that cannot be done."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return None
    return _status("VmRSS", "self")


def _status(key: str, process: str) -> int | None:
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith(f"{key}:")), None)


if __name__ == "__main__":
    cli()
