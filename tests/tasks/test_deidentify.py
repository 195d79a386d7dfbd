"""De-identification of real clips: no face is left as it was, and nothing else changes."""

import json
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

import vidgan
from tests.support.commands import SAMPLES, assert_one_clear_error
from tests.support.commands import vidgan as command
from tests.support.faces import mesh
from tests.support.tiny_models import face_model, info_of, open_step
from vidgan.errors import ClusterError
from vidgan.jobs.chain import Chain
from vidgan.jobs.cluster import Cluster
from vidgan.jobs.plan import Step
from vidgan.media.face_alignment import MESH_TEMPLATE, aligned_by_mesh, inverse, moved
from vidgan.media.face_guides import EYES, LIPS, POINTS
from vidgan.media.frame import Frame
from vidgan.media.image import RgbImage, YuvImage
from vidgan.provenance.check import check_file
from vidgan.sources import open_source
from vidgan.tasks.deidentify import DeidentifySettings
from vidgan.tasks.faces.face_generator import _not_far, is_replaceable, smoothed_points
from vidgan.tasks.faces.finder import CERTAIN_SCORE, FaceFinder, FoundFace

SHARED = Path(__file__).parents[3] / "shared" / "data"
CLIPS = SHARED / "clips_people"
WOMAN, MAN, TALKER = (
    CLIPS / f"{name}.mp4" for name in ("face_intel_female", "face_intel_male", "face_lp_d3")
)
NOBODY = SHARED / "faces" / "nobody"

people = pytest.mark.skipif(not CLIPS.is_dir(), reason=f"needs the clips in {CLIPS}")


def read(path: Path, count: int, *, yuv: bool = True) -> list[Frame]:
    with open_source(path, yuv=yuv) as source:
        return list(islice(source, count))


def through(frames: list[Frame], settings: DeidentifySettings) -> list[Frame]:
    width, height = frames[0].size
    chain = Chain([open_step(settings, info_of(width, height)).step], workers=1)
    return [output.frame for output in chain.run(frames, {"effect": 0.0, "smooth": 0.0})]


@pytest.fixture(scope="module")
def finder() -> FaceFinder:
    return FaceFinder(640)


def faces_of(finder: FaceFinder, frame: Frame) -> list[FoundFace]:
    return [face for face in finder.find(frame.image) if face.score >= CERTAIN_SCORE]


def inside(face: FoundFace, frame: Frame, reach: float) -> np.ndarray:
    """The pixels of the ellipse in a face's box, or one so many times as large."""
    width, height = frame.size
    rows, columns = np.mgrid[:height, :width]
    x, y, across, down = face.box
    return np.hypot((columns - x) / across, (rows - y) / down) < reach / 2


# Finding.


@pytest.mark.skipif(not NOBODY.is_dir(), reason=f"needs the faces in {NOBODY}")
def test_faces_of_all_kinds_of_people_are_found(finder: FaceFinder) -> None:
    missed, off = [], []
    for path in sorted(NOBODY.glob("*.webp"))[::12]:
        with open_source(path) as source:
            image = next(iter(source)).pixels
        framed = np.pad(image, ((60, 60), (60, 60), (0, 0)), mode="edge")
        found = faces_of(finder, Frame(image=RgbImage(framed), pts=0, time_base=info_of(1, 1).time_base))
        if not found:
            missed.append(path.name)
            continue
        # They are aligned already, so the eyes have to be where the template has them.
        off.append(np.abs(found[0].points[:2] - 60 - MESH_TEMPLATE[:2]).max())
    assert len(missed) <= 1, missed
    assert np.median(off) < 4


@people
def test_rgb_and_luma_with_chroma_give_the_same_faces(finder: FaceFinder) -> None:
    for yuv, rgb in zip(read(WOMAN, 3), read(WOMAN, 3, yuv=False), strict=True):
        assert isinstance(yuv.image, YuvImage) and isinstance(rgb.image, RgbImage)
        (one,), (other,) = faces_of(finder, yuv), faces_of(finder, rgb)
        assert np.abs(one.box - other.box).max() < 2


# Hiding.


@people
@pytest.mark.parametrize("way", ["pixelate", "blur"])
def test_no_face_is_left_and_nothing_else_changes(way: str, finder: FaceFinder) -> None:
    frames = read(WOMAN, 23)
    hidden = through(frames, DeidentifySettings(pixelate=way == "pixelate", blur=way == "blur", look_ahead=5))
    assert [each.pts for each in hidden] == [each.pts for each in frames]
    for before, after in zip(frames, hidden, strict=True):
        (face,) = faces_of(finder, before)
        assert isinstance(before.image, YuvImage) and isinstance(after.image, YuvImage)
        outside = ~inside(face, before, 1.8)
        assert (before.image.luma == after.image.luma)[outside].all()
        assert kept_detail(before, after, face) < 0.35


def kept_detail(before: Frame, after: Frame, face: FoundFace) -> float:
    """Correlation of the steps between neighboring pixels of the middle of a face, before and after."""
    x, y, width, height = face.box
    rows, columns = (
        slice(int(y - height / 4), int(y + height / 4)),
        slice(int(x - width / 4), int(x + width / 4)),
    )
    one, other = (
        np.diff(frame.image.yuv().luma[rows, columns].astype(float), axis=1).ravel()
        for frame in (before, after)
    )
    return float(np.corrcoef(one, other)[0, 1])


@people
def test_a_face_that_is_not_found_for_a_while_is_hidden_all_the_same(
    finder: FaceFinder, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = read(MAN, 14)
    wanted = [faces_of(finder, each) for each in frames]
    blind = {id(frame.image) for frame in frames[4:10]}
    find = FaceFinder.find
    monkeypatch.setattr(
        FaceFinder, "find", lambda self, image: () if id(image) in blind else find(self, image)
    )
    hidden = through(frames, DeidentifySettings(pixelate=True, look_ahead=12))
    for before, after, (face,) in zip(frames, hidden, wanted, strict=True):
        changed = (before.image.yuv().luma != after.image.yuv().luma)[inside(face, before, 1.0)]
        assert changed.mean() > 0.8


@people
def test_regions_choose_faces(finder: FaceFinder) -> None:
    (frame,) = read(WOMAN, 1)
    (face,) = faces_of(finder, frame)
    here = (int(face.box[0]) - 20, int(face.box[1]) - 20, 40, 40)
    elsewhere = (0, 0, 40, 40)

    def changes(**options: object) -> bool:
        (output,) = through([frame], DeidentifySettings(pixelate=True, look_ahead=0, **options))  # type: ignore[arg-type]
        return bool((output.pixels != frame.pixels).any())

    assert changes() and changes(only_region=[here]) and changes(except_region=[elsewhere])
    assert not changes(only_region=[elsewhere]) and not changes(except_region=[elsewhere, here])
    assert not changes(only_region=[here], except_region=[here])


# Replacing.


@pytest.fixture(scope="module")
def generator(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return face_model(tmp_path_factory.mktemp("model") / "tiny.onnx")


@pytest.fixture
def salt(tmp_path: Path) -> Path:
    path = tmp_path / "salt"
    path.write_bytes(b"a secret of the tests")
    return path


@people
@pytest.mark.parametrize("yuv", [False, True])
def test_a_generator_processes_the_face_in_its_place(
    yuv: bool, generator: Path, salt: Path, finder: FaceFinder
) -> None:
    frames = read(WOMAN, 4, yuv=yuv)
    settings = DeidentifySettings(model=str(generator), salt=salt, look_ahead=2)
    stylized = through(frames, settings)
    colors = []
    for before, after in zip(frames, stylized, strict=True):
        (face,) = faces_of(finder, before)
        middle = inside(face, before, 0.5)
        assert after.pixels[middle].std(0).max() < 3
        colors.append(after.pixels[middle].mean(0))
        far = ~inside(face, before, 1.8)
        same = (
            (before.image.yuv().luma == after.image.yuv().luma)
            if yuv
            else (before.pixels == after.pixels).all(2)
        )
        assert same[far].all() and not same[middle].all()
    # A track has one identity, and a salt gives the same one again.
    assert np.ptp(colors, axis=0).max() < 3
    again = through(frames, settings)
    assert all((a.pixels == b.pixels).all() for a, b in zip(stylized, again, strict=True))
    (other,) = through(frames[:1], settings.with_(salt=None))
    (face,) = faces_of(finder, frames[0])
    assert np.abs(other.pixels[inside(face, frames[0], 0.5)].mean(0) - colors[0]).max() > 3


@people
def test_a_face_that_is_too_small_is_pixelated_and_reported(
    generator: Path, salt: Path, finder: FaceFinder
) -> None:
    (frame,) = read(WOMAN, 1, yuv=False)
    small = Frame(
        image=RgbImage(np.ascontiguousarray(frame.pixels[::3, ::3])), pts=10, time_base=frame.time_base
    )
    step = open_step(DeidentifySettings(model=str(generator), salt=salt), info_of(*small.size)).step
    chain = Chain([step], workers=1)
    (output,) = chain.run([small], {"effect": 0.0, "smooth": 0.0})
    (face,) = faces_of(finder, small)
    changed = (output.frame.pixels != small.pixels).any(2)
    assert changed[inside(face, small, 1.0)].mean() > 0.9
    (warning,) = chain.warnings()
    assert "in 1 frame a face could not be replaced" in warning


def frontal() -> np.ndarray:
    """Points of a face that looks ahead, in an aligned image, ``(468, 2)``."""
    around = np.linspace(0, 2 * np.pi, POINTS, endpoint=False)
    points = np.stack([72 + 38 * np.sin(around), 78 - 50 * np.cos(around)], 1).astype(np.float32)
    angles = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    for rim, (x, y), start in zip(EYES, MESH_TEMPLATE[1::-1], (0, np.pi), strict=True):
        points[list(rim)] = np.stack([x + 10 * np.cos(angles + start), y + 4 * np.sin(angles)], 1)
    points[[4, 61, 291]] = MESH_TEMPLATE[2:]
    return points


def test_faces_too_small_turned_or_cut_off_are_not_given_to_a_generator() -> None:
    points, size = frontal(), (300, 300)
    assert is_replaceable(points, size)
    assert not is_replaceable(points * np.float32(0.28), size)
    assert not is_replaceable(points - np.array([80, 0], np.float32), size)
    turned = points.copy()
    turned[4] = points[33] + np.array([3, 8], np.float32)
    assert not is_replaceable(turned, size)
    placed = aligned_by_mesh(points)
    there = moved(moved(points, placed), inverse(placed))
    assert np.abs(there - points).max() < 1e-2


def test_smoothed_points_are_never_far_behind() -> None:
    points = frontal()
    ahead = points + np.array([9, 0], np.float32)
    near = _not_far(points, ahead, 3.0)
    assert np.allclose(near, points + np.array([6, 0], np.float32), atol=1e-4)
    assert (_not_far(points, ahead, 10.0) == points).all()


def test_a_mouth_speaks_in_a_head_that_stands_still() -> None:
    """Lips that open five times a second do so in the smoothed points; a head that trembles is held."""
    random, still = np.random.default_rng(0), mesh()
    lips, rim = [*LIPS[0], *LIPS[1]], [10, 152, 234, 454]
    points, speed = still, np.zeros_like(still)
    heights, rims = [], []
    for number in range(60):
        measured = still + random.normal(0, 0.5, 2).astype(np.float32)
        center = measured[lips].mean(0)
        opening = 1 + 0.5 * np.sin(2 * np.pi * 5 * number / 30)
        measured[lips] = center + np.array([1, opening], np.float32) * (measured[lips] - center)
        points, speed = smoothed_points(measured, points, speed, 30.0)
        heights.append([np.ptp(each[lips, 1]) for each in (measured, points)])
        rims.append([each[rim].mean() for each in (measured, points)])
    (before, after), (trembling, held) = (np.std(each, 0) for each in (heights, rims))
    assert after > 0.6 * before
    assert np.corrcoef(np.transpose(heights))[0, 1] > 0.8
    assert held < 0.5 * trembling


@people
def test_an_eye_that_shuts_leaves_the_look_of_the_other(
    generator: Path, salt: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = iter([[[0.1, 0], [0.2, 0]], [[np.nan, np.nan], [0.2, 0]], [[0.1, 0], [0.2, 0]]])
    monkeypatch.setattr(
        "vidgan.tasks.faces.face_generator.find_gaze",
        lambda image, points: np.array(next(looks), np.float32),
    )
    frames = read(MAN, 3)
    step = open_step(
        DeidentifySettings(model=str(generator), salt=salt, look_ahead=0), info_of(*frames[0].size)
    ).step
    outputs = list(Chain([step], workers=1).run(frames, {"effect": 0.0, "smooth": 0.0}))
    gazes = [output.states[0][5][0] for output in outputs]  # type: ignore[index]
    assert [np.isnan(gaze).any(1).tolist() for gaze in gazes] == [
        [False, False],
        [True, False],
        [False, False],
    ]
    assert np.allclose(gazes[2], [[0.1, 0], [0.2, 0]], atol=1e-6)


@people
@pytest.mark.parametrize("replaces", [False, True])
def test_a_state_continues_exactly(replaces: bool, generator: Path) -> None:
    frames = read(TALKER, 12)
    settings = DeidentifySettings(look_ahead=0, pixelate=not replaces, model=str(generator))
    info = info_of(*frames[0].size)
    busy = {"effect": 0.0, "smooth": 0.0}
    chain = Chain([open_step(settings, info).step], workers=1)
    whole = list(chain.run(frames, busy))
    # The secret that was drawn is part of the state.
    rest = Chain([open_step(settings, info).step], workers=1)
    rest.states = whole[6].states
    continued = list(rest.run(frames[7:], busy, before=frames[6]))
    for one, other in zip(whole[7:], continued, strict=True):
        assert (one.frame.image.yuv().luma == other.frame.image.yuv().luma).all()
    # What could not be replaced before is reported too.
    assert rest.warnings() == chain.warnings()


# Commands.


def test_two_ways_at_once_are_refused(tmp_path: Path) -> None:
    both = command("deidentify", SAMPLES / "bunny.jpg", "--pixelate", "--blur", "-o", tmp_path / "out.jpg")
    assert both.returncode == 2 and "give one of them" in both.stderr


def test_a_file_without_faces_stays_as_it_is(tmp_path: Path) -> None:
    done = command("deidentify", SAMPLES / "bunny.jpg", "--blur", "-o", tmp_path / "out.png")
    assert done.returncode == 0, done.stderr
    assert (read(tmp_path / "out.png", 1)[0].pixels == read(SAMPLES / "bunny.jpg", 1)[0].pixels).all()


@people
def test_a_clip_gets_a_name_and_credentials(tmp_path: Path, finder: FaceFinder) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(MAN.read_bytes())
    done = command("deidentify", clip, "--pixelate", "--frames", 10, "--no-credentials", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert Path(result["output"]).name == "clip.deidentify.mp4" and result["frames"] == 10
    for before, after in zip(read(clip, 10), read(Path(result["output"]), 10), strict=True):
        (face,) = faces_of(finder, before)
        away = ~inside(face, before, 2.2)
        difference = np.abs(before.image.yuv().luma.astype(int) - after.image.yuv().luma)
        assert difference[away].mean() < 1.5 < difference[inside(face, before, 1.0)].mean()


@people
def test_faces_of_nobody_are_always_signed_and_marked(generator: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    arguments = ("deidentify", MAN, "-o", out, "--model", generator, "--frames", 6)
    refused = command(*arguments, "--no-credentials")
    assert_one_clear_error(refused, "cannot be left out")
    done = command(*arguments)
    assert done.returncode == 0, done.stderr
    report = check_file(out)
    assert "Faces replaced by faces of nobody" in json.dumps(report.as_dict())


@people
def test_it_is_a_step_of_a_chain(identity: str, tmp_path: Path, finder: FaceFinder) -> None:
    region = "deidentify:pixelate,only-region=0:0:480:270"
    result = vidgan.run(MAN, tmp_path / "out.mp4", [region, f"stylize:{identity}"], trim=(0, 0.2))
    assert result.frames > 1
    before, after = read(MAN, 1)[0], read(tmp_path / "out.mp4", 1)[0]
    (face,) = faces_of(finder, before)
    assert kept_detail(before, after, face) < 0.4


@people
def test_the_array_function_hides_a_face(finder: FaceFinder) -> None:
    (frame,) = read(WOMAN, 1, yuv=False)
    hidden = vidgan.deidentify(frame.pixels, blur=True)
    (face,) = faces_of(finder, frame)
    assert (hidden != frame.pixels).any(2)[inside(face, frame, 1.0)].mean() > 0.9


def test_a_cluster_does_not_make_another_person_in_each_segment() -> None:
    with pytest.raises(ClusterError, match="deidentify with these options needs all frames in one place"):
        Cluster("local", [Step(DeidentifySettings(model="some.onnx"))])


def test_the_page_makes_faces_of_nobody() -> None:
    from vidgan.live.provenance import LiveProvenance
    from vidgan.live.settings import LiveSettings
    from vidgan.live.web.upload_tasks import upload_job, upload_tasks

    assert "deidentify" in [offer.name for offer in upload_tasks()]
    job = upload_job("deidentify", "", LiveSettings(style="starry"), "cpu", LiveProvenance())
    assert job.options == {"model": "nobody"}
