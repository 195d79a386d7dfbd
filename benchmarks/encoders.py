"""What x264's settings cost and give on a stylized video.

::

    python -m benchmarks.encoders [PAINTED]

STYLIZED is a video that vidgan stylized with ``--crf 10`` or so, by default the sample. Each line: processor
time a frame, bytes a frame, and how far luma is from the video, as peak signal-to-noise ratio.
"""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import av
import click
import numpy as np
from av.packet import Packet
from av.video.stream import VideoStream

import vidgan
from vidgan.media.encoding import Encoder, EncoderChoice, Encoding, add_video, format_of
from vidgan.media.frame import Frame, VideoInfo
from vidgan.media.image import YuvImage
from vidgan.sources import open_source

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "samples" / "bunny.mp4"
_PRESETS = "ultrafast", "superfast", "veryfast", "faster"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("stylized", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False)
@click.option("--frames", default=120, show_default=True)
def cli(stylized: Path | None, frames: int) -> None:
    """Compare the default encoder with x264's own presets."""
    with tempfile.TemporaryDirectory() as folder:
        if stylized is None:
            stylized = Path(folder) / "stylized.mp4"
            vidgan.stylize(
                SAMPLE, stylized, style="starry", size="640x360", encoder_options={"crf": "10"}, device="cpu"
            )
        with open_source(stylized, yuv=True) as source:
            info, images = source.info, list(islice(source, frames))
        out = Path(folder) / "out.mp4"
        usual = format_of(out, info).encoding
        choices = {"default": usual} | {
            name: format_of(out, info, EncoderChoice(options={"preset": name})).encoding for name in _PRESETS
        }
        click.echo(f"{'':12}{'CPU ms':>8}{'kB':>8}{'dB':>8}   a frame, {info.width}x{info.height}, crf 20")
        for name, encoding in choices.items():
            cpu, size = encode(out, encoding, info, images)
            click.echo(f"{name:12}{cpu:8.2f}{size / 1000:8.2f}{distance_db(out, images):8.2f}")


def encode(out: Path, encoding: Encoding, info: VideoInfo, images: Sequence[Frame]) -> tuple[float, float]:
    """Processor milliseconds and bytes a frame."""
    with av.open(str(out), "w") as container:
        encoder = Encoder(add_video(container, replace(encoding), info), encoding, info)
        converted = [encoder.convert(each) for each in images]
        packets: list[Packet[VideoStream]] = []
        started = time.process_time()
        for image in converted:
            packets += encoder.send(image)
        packets += encoder.flush()
        seconds = time.process_time() - started
        size = sum(packet.size for packet in packets)
        container.mux(packets)
    return 1000 * seconds / len(images), size / len(images)


def distance_db(out: Path, images: Sequence[Frame]) -> float:
    """Of luma."""
    with open_source(out, yuv=True) as source:
        errors = [float(np.mean((_luma(a) - _luma(b)) ** 2)) for a, b in zip(images, source, strict=True)]
    return float(10 * np.log10(255**2 / np.mean(errors)))


def _luma(frame: Frame) -> np.ndarray:
    assert isinstance(frame.image, YuvImage)
    return frame.image.luma.astype(np.float32)


if __name__ == "__main__":
    cli()
