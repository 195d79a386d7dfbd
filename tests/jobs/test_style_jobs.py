"""Jobs of images, blends, styles over time and masks: what a journal, a batch and a cluster make of them."""

import io
import itertools
import json
import os
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import vidgan
from tests.support.clips import make_clip
from tests.support.universal import write_universal_model
from vidgan.jobs.batch import Batch, run_batch
from vidgan.jobs.batch_inputs import BatchInputs
from vidgan.jobs.fingerprint import file_fingerprint
from vidgan.jobs.paths import Input
from vidgan.jobs.plan import JobRequest, Plan, Step, plan_job
from vidgan.jobs.preview import preview
from vidgan.jobs.runner import LocalBackend, run_job
from vidgan.jobs.segment_worker import SegmentJob, SegmentRange, process_segment
from vidgan.jobs.settings import JobSettings
from vidgan.media.trim import Trim
from vidgan.sinks import segment_encoding
from vidgan.sources import open_source
from vidgan.sources.image import read_image
from vidgan.tasks.style import StyleSettings

LOSSLESS: dict[str, Any] = {"encoder": "libx264rgb", "encoder_options": {"crf": "0"}}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a clip, an image and a moving mask, and a universal style model for it alone."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    write_universal_model(tmp_path / "data" / "vidgan" / "models" / "any")
    make_clip(tmp_path / "clip.mkv", times=range(30))
    strokes = np.random.default_rng(0).integers(0, 200, (90, 120, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "image.png"), strokes)
    (tmp_path / "mask").mkdir()
    for index in range(30):
        mask = np.zeros((64, 96), np.uint8)
        mask[:, 3 * index :] = 255
        cv2.imwrite(str(tmp_path / "mask" / f"{index:04}.png"), mask)
    return tmp_path


def planned(place: Path, style: StyleSettings, job: JobSettings | None = None) -> Plan:
    request = JobRequest(
        input=Input.at(place / "clip.mkv"),
        output=place / "out.mkv",
        steps=[Step(style)],
        settings=job or JobSettings(),
    )
    backend = LocalBackend(request, "cpu")
    with open_source(request.input.path) as source:
        return plan_job(request, backend.models, "cpu", source.info)


@pytest.mark.parametrize(
    "options",
    [
        {"style": "{}/image.png", "stroke": 1.5},
        {"style": "{0}/image.png:0.3,{0}/image.png:0.7"},
        {"style": "starry:0.3333333,wave:0.6666667"},
        {"style": "0s:starry,0.4s:{}/image.png,1s:wave:0.5,scream:0.5", "glide": 0.2},
        {"style": "starry", "mask": "{}/mask", "style_outside": "{}/image.png", "stroke": 2.0},
    ],
)
def test_a_journal_resumes_the_same_job(place: Path, options: dict[str, Any]) -> None:
    options = {key: each.format(place) if isinstance(each, str) else each for key, each in options.items()}
    plan = planned(place, StyleSettings(**options))
    facts = plan.fingerprint()
    # As an unfinished job is resumed: from the JSON in its journal.
    (step,) = json.loads(json.dumps(facts["steps"]))
    again = planned(place, StyleSettings.from_json(step["settings"]))
    assert json.loads(json.dumps(again.fingerprint())) == json.loads(json.dumps(facts))
    assert all(Path(model["path"]).is_file() for model in step["models"].values())


def test_another_mask_makes_another_job(place: Path) -> None:
    settings = StyleSettings(style="starry", mask=place / "mask")
    before = planned(place, settings).fingerprint()
    last = place / "mask" / "0029.png"
    os.utime(last, ns=(last.stat().st_mtime_ns + 10**9,) * 2)
    assert planned(place, settings).fingerprint() != before


def test_a_batch_skips_what_would_come_out_the_same(place: Path) -> None:
    def outcome(style: str, glide: float = 0.2) -> tuple[str, list[str]]:
        settings = StyleSettings(style=style, glide=glide, smooth="off")
        step = Step(settings, Step(settings).loaded(device="cpu"))
        assert step.models is not None
        warnings = step.models.take_warnings()
        batch = Batch(
            inputs=BatchInputs(places=(place / "clip.mkv",), out=place / "out"),
            steps=[step], models=step.models.specs, name="{stem}{ext}", overwrite=True,
            process=lambda request, **options: run_job(request, lambda: LocalBackend(request), **options),
            settings=JobSettings(size="32x32"),
        )  # fmt: skip
        (found,) = run_batch(batch, [place / "clip.mkv"])
        assert not [each for each in found.warnings if "style made" in each], found
        return found.status, warnings

    assert outcome("0s:starry,0.4s:wave") == ("done", [])
    assert outcome("0s:starry,0.4s:wave")[0] == "skipped"
    assert outcome("0s:starry,0.8s:wave")[0] == "done"
    status, warnings = outcome(str(place / "image.png"))
    assert status == "done" and "style made in" in warnings[-1]


def decoded(data: Path | io.BytesIO) -> list[NDArray[np.uint8]]:
    with av.open(str(data) if isinstance(data, Path) else data, "r") as container:
        return [np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for frame in container.decode(video=0)]


@pytest.mark.parametrize("start", [0.0, 0.2])
def test_a_segment_by_itself_has_the_masks_and_styles_of_its_times(place: Path, start: float) -> None:
    settings = StyleSettings(
        style="0s:starry,0.6s:wave", glide=0.4, smooth="off", mask=place / "mask", mask_feather=0
    )
    job_settings = JobSettings(trim=Trim(start=Fraction(start).limit_denominator(10)), **LOSSLESS)
    vidgan.run(
        place / "clip.mkv", place / "whole.mkv", [settings], trim=job_settings.trim, device="cpu", **LOSSLESS
    )
    plan = planned(place, settings, job_settings)
    job = SegmentJob(
        plan=plan,
        fingerprint=file_fingerprint(place / "clip.mkv"),
        precise=(dict.fromkeys(plan.steps[0].specs),),
        encoding=segment_encoding(place / "out.mkv", plan.output_info, plan.encoder),
        yuv=True,
    )
    with open_source(place / "clip.mkv", trim=job_settings.trim) as source:
        times = list(source.times())
        wanted = SegmentRange(
            first=14, warm_up=0, count=8, times=times[14:22], seconds=source.seconds_at(times[14])
        )
    segment = decoded(io.BytesIO(process_segment(job, wanted).segment.data))
    whole = decoded(place / "whole.mkv")[14:22]
    assert len(segment) == 8
    assert all(np.array_equal(one, other) for one, other in zip(segment, whole, strict=True))
    # Neither mask nor glide stands still.
    assert all((one != other).any() for one, other in itertools.pairwise(segment))


def test_a_preview_shows_styles_at_their_times(place: Path) -> None:
    settings = StyleSettings(style="0s:starry,0.5s:wave", glide=0)
    request = JobRequest(input=Input.at(place / "clip.mkv"), steps=[Step(settings)])
    preview(request, place / "sheet.png", device="cpu")
    plain = {}
    for name in ("starry", "wave"):
        request = JobRequest(input=Input.at(place / "clip.mkv"), steps=[Step(StyleSettings(style=name))])
        preview(request, place / f"{name}.png", device="cpu")
        plain[name] = read_image(place / f"{name}.png").pixels
    sheet = read_image(place / "sheet.png").pixels
    half = len(sheet) // 2
    # Four frames at 0, 0.3, 0.6 and 0.9 s.
    assert np.array_equal(sheet[:half], plain["starry"][:half])
    assert np.array_equal(sheet[half:], plain["wave"][half:])
