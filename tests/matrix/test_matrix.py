"""Every case of the table; ``python -m tests.matrix`` writes it down."""

from pathlib import Path

import pytest

import vidgan
from vidgan.session import Session

from .cases import CASES, Case
from .check import left_out, run
from .reading import READING


@pytest.fixture(scope="module")
def style() -> Session:
    return vidgan.load_style("starry", device="cpu")


@pytest.mark.parametrize("case", [*CASES, *READING], ids=lambda case: case.name)
def test_what_comes_out_is_what_went_in(case: Case, tmp_path: Path, style: Session) -> None:
    if why := left_out(case):
        pytest.skip(why)
    assert run(case, tmp_path, style).wrong == []


def test_the_table_is_as_long_as_it_should_be() -> None:
    names = [case.name for case in [*CASES, *READING]]
    assert len(set(names)) == len(names) >= 44
