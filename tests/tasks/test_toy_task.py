"""Adding a task is one module and one line: a task from outside the package, used everywhere."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import av
import numpy as np
import onnx
import onnx.parser
import pytest

import vidgan
from tests.support.commands import SAMPLES
from vidgan.sources import open_source

SUPPORT = Path(__file__).parents[1] / "support"
MAIN = "import invert_task; from vidgan.cli import main; main()"
# Workers of a cluster import the task's module too.
PATH = os.pathsep.join([str(SUPPORT), *filter(None, [os.environ.get("PYTHONPATH")])])
ENVIRONMENT = {**os.environ, "PYTHONPATH": PATH}
CLIP = SAMPLES / "bunny.mp4"


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", MAIN, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=240,
        env=ENVIRONMENT,
    )


@pytest.fixture(scope="session")
def inverter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    model = onnx.parser.parse_model("""
        <ir_version: 10, opset_import: ["" : 20]>
        g (uint8[N, H, W, 3] x) => (uint8[N, H, W, 3] y) <uint8[1] white = {255}> { y = Sub (white, x) }
    """)
    onnx.helper.set_model_props(model, {"vidgan.task": "invert", "vidgan.name": "inverter"})
    path = tmp_path_factory.mktemp("model") / "inverter.onnx"
    onnx.save(model, path)
    return path


def first_frame(path: Path) -> np.ndarray:
    with open_source(path) as source:
        return next(iter(source)).pixels.astype(int)


def is_inverted(path: Path, source: Path = CLIP) -> bool:
    return bool(np.abs(first_frame(path) - (255 - first_frame(source))).mean() < 6)


def test_on_the_command_line(inverter: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    done = run("invert", CLIP, "-o", out, "--model", inverter, "--frames", 5)
    assert done.returncode == 0, done.stderr
    assert is_inverted(out) and "inverter" in done.stdout
    assert run("invert", CLIP, "-o", tmp_path / "b.mp4", "--model", inverter, "--amount", 2).returncode == 2
    assert "--amount" in run("invert", "--help").stdout and "invert" in run("--help").stdout
    assert run("invert", CLIP, "-o", tmp_path / "c.mp4").returncode == 2


def test_in_python(inverter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(SUPPORT))
    monkeypatch.setattr("vidgan.tasks._registered", [])
    import invert_task  # type: ignore[import-not-found]

    monkeypatch.setattr("vidgan.tasks._registered", [invert_task.InvertTask(invert_task.INVERT)])
    invert = vidgan.__getattr__("invert")
    result = invert(CLIP, tmp_path / "out.mp4", model=str(inverter), amount=1.0, trim=(0, 0.2))
    monkeypatch.delattr(vidgan, "invert")
    assert is_inverted(tmp_path / "out.mp4") and result.model == "inverter"
    assert "amount" in invert.__doc__
    with pytest.raises(vidgan.InputError, match="amount must be between 0 and 1"):
        invert(CLIP, tmp_path / "b.mp4", model=str(inverter), amount=3)
    with pytest.raises(ValueError, match="already"):
        vidgan.tasks.register(invert_task.InvertTask(invert_task.INVERT))


def test_in_a_chain(inverter: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    done = run("run", CLIP, f"invert:model={inverter}", f"invert:{inverter}", "-o", out, "--frames", 3)
    assert done.returncode == 0, done.stderr
    assert np.abs(first_frame(out) - first_frame(CLIP)).mean() < 6
    refused = run("run", CLIP, "segment", f"invert:{inverter}", "-o", tmp_path / "b.mp4")
    assert refused.returncode == 1 and "invert cannot follow segment" in refused.stderr


def test_in_a_batch_by_its_model_alone(inverter: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jpg").write_bytes((SAMPLES / "bunny.jpg").read_bytes())
    done = run("batch", tmp_path / "in", "-o", tmp_path / "out", "--model", inverter, "--amount", "0.5")
    assert done.returncode == 0, done.stderr
    assert [path.name for path in (tmp_path / "out").glob("*.jpg")] == ["a.inverter.jpg"]


def test_a_killed_job_is_resumed(inverter: Path, tmp_path: Path) -> None:
    clip, out, journal = (
        tmp_path / "in.mp4",
        tmp_path / "out.mp4",
        tmp_path / ".out.mp4.vidgan" / "journal.jsonl",
    )
    with av.open(str(clip), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for index in range(700):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), index % 200, np.uint8), "rgb24")
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    command = [
        sys.executable,
        "-c",
        MAIN,
        "invert",
        str(clip),
        "-o",
        str(out),
        "--model",
        str(inverter),
        "-q",
    ]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, env=ENVIRONMENT)
    while not journal.exists() or len(journal.read_text().splitlines()) < 2:
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    process.communicate()
    (job,) = json.loads(run("jobs", "list", tmp_path, "--json").stdout)
    assert job["state"] == "interrupted"
    done = run("jobs", "resume", tmp_path)
    assert done.returncode == 0 and "700 frames" in done.stdout, done.stderr
    assert is_inverted(out, clip)


def test_in_the_benchmark(inverter: Path) -> None:
    done = run("bench", "--model", inverter, "--size", "64x48", "--frames", 20, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)[0]["stages"]["model"]["wall"] > 0


def test_on_a_cluster(inverter: Path, tmp_path: Path) -> None:
    pytest.importorskip("ray")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.mp4").write_bytes(CLIP.read_bytes())
    done = run(
        "batch",
        tmp_path / "in",
        "-o",
        tmp_path / "out",
        "--model",
        inverter,
        "--cluster",
        "local",
        "--frames",
        4,
    )
    assert done.returncode == 0, done.stderr
    assert is_inverted(tmp_path / "out" / "a.inverter.mp4")


@pytest.mark.parametrize("task", ["colorize", "translate"])
def test_a_bundled_task_stands_in_three_places(task: str) -> None:
    """As ``git grep -il TASK -- vidgan`` counts Python files; the package of a task is one place, as a module is.

    They are the module or package, the list of tasks, and the names of vidgan, which type checkers need in full.
    """
    package = Path(vidgan.__file__).parent
    users = {path for path in package.rglob("*.py") if task in path.read_text(encoding="utf-8").lower()}
    own = package / "tasks" / task
    elsewhere = {path for path in users if own != path.with_suffix("") and own not in path.parents}
    assert len(users) > len(elsewhere) and elsewhere <= {
        package / "__init__.py",
        package / "tasks" / "listing.py",
    }
