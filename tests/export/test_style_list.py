"""The list of named styles, and their vectors beside a universal style model."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from export.named_styles import bundled_paintings, cli, predict, read_list
from tests.support.images import write_noise
from tests.support.universal import write_universal_model
from training.data.paintings import held_out_paintings
from vidgan.models.registry import bundled_names
from vidgan.models.universal.installation import FACTS, STYLES, version_of
from vidgan.models.universal.named_styles import card_of_named, named_vector, read_facts


@pytest.fixture
def paintings(tmp_path: Path) -> Path:
    """A folder of noise under the names of all paintings."""
    folder = tmp_path / "paintings"
    folder.mkdir()
    for seed, name in enumerate([*read_list().values(), *bundled_paintings().values()]):
        write_noise(folder / Path(name).with_suffix(".png").name, 40, 50, seed).rename(folder / name)
    return folder


def test_the_list_names_a_dozen_paintings_in_the_public_domain() -> None:
    listed = read_list()
    names = [style.name for style in listed]
    assert len(names) >= 12 and not set(names) & set(bundled_names())
    assert all(name.isascii() and name.isalpha() and name.islower() for name in names)
    assert len(set(listed.values())) == len(listed)
    # What the benchmark measures with stays unseen.
    assert not set(listed.values()) & set(held_out_paintings())
    for style in listed:
        card = card_of_named(style)
        assert style.terms == "public domain" and style.source and int(style.year[-4:]) < 1930
        for fact in (style.title, style.artist, style.year, style.terms, style.source, style.license):
            assert fact in card


def test_vectors_are_written_beside_the_model(paintings: Path, tmp_path: Path) -> None:
    folder = write_universal_model(tmp_path / "any")
    arguments = [str(folder), "--paintings", str(tmp_path), "--paintings", str(paintings)]
    assert CliRunner().invoke(cli, arguments).exit_code == 0
    assert named_vector(folder, "starry") is None
    done = CliRunner().invoke(cli, [*arguments, "--bundled"])
    assert done.exit_code == 0, done.output
    assert [each.name for each in read_facts(folder)] == [each.name for each in read_list()]
    assert json.loads((folder / FACTS).read_text())["universal"] == version_of(folder)
    for name, image in {**{s.name: i for s, i in read_list().items()}, **bundled_paintings()}.items():
        vector = named_vector(folder, name)
        assert vector is not None and np.array_equal(vector, predict(folder, paintings / image))
    assert named_vector(folder, "nobody") is None and (folder / STYLES).stat().st_size < 200_000


def test_what_is_missing_is_said(paintings: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, [str(tmp_path), "--paintings", str(paintings)])
    assert done.exit_code == 2 and "no universal style model" in done.output
    folder = write_universal_model(tmp_path / "any")
    next(paintings.iterdir()).unlink()
    done = CliRunner().invoke(cli, [str(folder), "--paintings", str(paintings)])
    assert isinstance(done.exception, FileNotFoundError) and not (folder / STYLES).exists()
