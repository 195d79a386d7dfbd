"""The examples of docs/python.md run."""

import re
from pathlib import Path

import pytest

import vidgan
from tests.support.clips import make_clip

GUIDE = (Path(__file__).parents[1] / "docs" / "python.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"^## (.+?)\n.*?```python\n(.*?)```", GUIDE, re.MULTILINE | re.DOTALL))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a video of 12 frames and sound."""
    make_clip(tmp_path / "in.mp4", times=range(12), sound="aac")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_section_has_an_example() -> None:
    assert set(EXAMPLES) == set(re.findall(r"^## (.+)$", GUIDE, re.MULTILINE)) - {"Results"}


@pytest.mark.parametrize("title", [each for each in EXAMPLES if each != "FastAPI"])
def test_example(folder: Path, title: str) -> None:
    exec(compile(EXAMPLES[title], title, "exec"), {"__name__": "example"})
    made = {path.name for path in folder.iterdir()} - {"in.mp4"}
    assert made and not [name for name in made if name.startswith(".")]
    for name in made:
        with vidgan.open_source(folder / name) as source:
            assert sum(1 for _ in source) == 12


@pytest.mark.filterwarnings("ignore")  # Those of starlette are not ours.
def test_fastapi(folder: Path) -> None:
    pytest.importorskip("fastapi")
    pytest.importorskip("httpx")
    from fastapi.testclient import TestClient

    example: dict[str, object] = {"__name__": "example"}
    exec(compile(EXAMPLES["FastAPI"], "FastAPI", "exec"), example)
    client = TestClient(example["app"])
    answer = client.post("/stylize", content=(folder / "in.mp4").read_bytes())
    assert answer.status_code == 200 and answer.headers["content-type"] == "video/mp4"
    (folder / "out.mp4").write_bytes(answer.content)
    with vidgan.open_source(folder / "out.mp4") as source:
        assert sum(1 for _ in source) == 12
    assert client.post("/stylize", content=b"no video").status_code == 400
