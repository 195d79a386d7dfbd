"""Every row of the table; ``python -m tests.matrix`` writes it to docs/fidelity.md."""

from pathlib import Path

import pytest

import vidgan
from vidgan.session import Session

from .case import Case
from .cases import CASES
from .run import run, skip_reason


@pytest.fixture(scope="module")
def style() -> Session:
    return vidgan.load_style("starry", device="cpu")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_output_has_what_the_input_has(case: Case, tmp_path: Path, style: Session) -> None:
    if why := skip_reason(case):
        pytest.skip(why)
    assert run(case, tmp_path, style).wrong == []


def test_every_row_is_there_once() -> None:
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names) >= 104
