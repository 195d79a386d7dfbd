"""The contract of tasks, for every one: :class:`vidgan.tasks.task.Task` and its settings."""

import dataclasses
import json
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import vidgan
from tests.support.tiny_models import image_model, info_of, model_file, open_step
from tests.support.translators import translator_file
from vidgan.cli import cli
from vidgan.cli.process import task_command
from vidgan.errors import InputError, ModelError, ModelTaskError
from vidgan.jobs.chain_order import check_order
from vidgan.media.encoding import EncoderChoice, format_of
from vidgan.models.registry import ModelSpec, bundled_names
from vidgan.tasks import all_tasks, load_models, names_of_models, step_settings, task_for_verb, task_named
from vidgan.tasks.options import Flag, Option, default_of, options_of
from vidgan.tasks.task import Task, TaskSettings

AnyTask = Task[Any]
TASKS = all_tasks()
INFO = info_of(96, 72)
INPUT = Path("in.mp4")
every = pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
OPTIONS = [
    (task, name, described) for task in TASKS for name, described in options_of(task.settings_type).items()
]
every_option = pytest.mark.parametrize(
    ("task", "name", "described"), OPTIONS, ids=[f"{task.name}-{name}" for task, name, _ in OPTIONS]
)
MODELS = [(task, name) for task in TASKS for name in names_of_models(task)]


def settings(task: AnyTask, **options: Any) -> TaskSettings:
    """With a model's name where the task needs one; the model need not exist."""
    if (
        task.model_field is not None
        and default_of(task.settings_type, task.model_field) is dataclasses.MISSING
    ):
        options = {task.model_field: "some.onnx"} | options
    made: TaskSettings = task.settings_type(**options)
    return made


def specs_of(task: AnyTask, model: Path) -> dict[str, ModelSpec]:
    chosen = settings(task, **_model(task, model))
    return task.select(load_models(chosen, device="cpu").variants, chosen, INPUT, INFO)


def _model(task: AnyTask, model: str | Path) -> dict[str, str]:
    # Its model is that of another task, and shows what another passcode gives.
    field = "generator" if task.name == "reveal" else task.model_field
    return {} if field is None else {field: str(model)}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A small model file of each task."""
    folder = tmp_path_factory.mktemp("models")
    return {task.name: model_file(folder / task.name / "tiny.onnx", task.name) for task in TASKS}


# Names and words.


@every
def test_it_is_found_by_name_and_verb(task: AnyTask) -> None:
    assert task_named(task.name) is task and task_for_verb(task.verb) is task
    assert task.settings_type.task == task.name


@every
def test_its_words_are_set(task: AnyTask) -> None:
    assert task.name.isidentifier() and task.verb.isidentifier()
    assert task.noun and task.noun == task.noun.strip().lower()
    assert task.summary.endswith(".") and task.summary[0].isupper() and "\n" not in task.summary
    assert type(task).open is not Task.open


def test_no_two_have_a_name_or_verb() -> None:
    for attribute in ("name", "verb", "noun", "summary"):
        words = [getattr(task, attribute) for task in TASKS]
        assert len(set(words)) == len(words)


# Options.


@every
def test_settings_are_frozen_keyword_only_and_have_options_alone(task: AnyTask) -> None:
    fields = dataclasses.fields(task.settings_type)
    assert [field.name for field in fields] == [*options_of(task.settings_type)]
    assert all(field.kw_only for field in fields)
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(settings(task), fields[0].name, "other")


@every_option
def test_an_option_has_a_help_and_a_valid_default(task: AnyTask, name: str, described: Option) -> None:
    assert described.flags
    for flag in described.flags:
        assert flag.help and flag.help[0].isupper() and flag.help.endswith(".")
        assert flag.metavar or flag.choices or flag.type is not str
    default = default_of(task.settings_type, name)
    if default is dataclasses.MISSING:
        with pytest.raises((InputError, TypeError), match=name):
            task.settings_type()
        return
    assert getattr(settings(task, **{name: default}), name) == default


@every_option
def test_values_of_another_type_are_refused_by_name(task: AnyTask, name: str, described: Option) -> None:
    with pytest.raises(InputError, match=f"^{name}"):
        settings(task, **{name: object()})


@every_option
def test_ranges_are_enforced(task: AnyTask, name: str, described: Option) -> None:
    for flag in described.flags:
        for value in outside(flag):
            with pytest.raises(InputError, match=f"^{name} must be .*got"):
                settings(task, **{name: value})
        for value in bounds(flag):
            assert getattr(settings(task, **{name: value}), name) == value


def outside(flag: Flag) -> list[Any]:
    """Values just outside the bounds, and one that is no choice."""
    found: list[Any] = []
    if flag.minimum is not None:
        found.append(flag.type(flag.minimum - 1))
    if flag.maximum is not None:
        found.append(flag.type(flag.maximum + 1))
    if flag.choices:
        found.append(flag.type(99))
    return found


def bounds(flag: Flag) -> list[Any]:
    """The bounds and the choices."""
    limits = [each for each in (flag.minimum, flag.maximum) if each is not None]
    return [flag.type(each) for each in (*limits, *flag.choices)]


def other_value(flag: Flag) -> Any:
    """A value of a flag beside its default, as text."""
    if flag.name == "like" and flag.type is not Path:
        return None
    if flag.name == "hint":
        return "8:16=#102030"
    if flag.metavar == "X,Y,WIDTH,HEIGHT":
        return "8:16:64:48"
    if flag.choices:
        return flag.choices[0]
    return {
        bool: "on",
        int: str(max(16, int(flag.minimum or 0))),
        float: "0.25",
        str: "a.onnx",
        Path: "colors.txt",
    }[flag.type]


@every_option
def test_settings_survive_json(task: AnyTask, name: str, described: Option) -> None:
    text = other_value(described.flags[0])
    changed = {} if text is None else {name: described.flags[0].value_of(text)}
    for each in (settings(task), settings(task, **changed)):
        assert task.settings_type.from_json(json.loads(json.dumps(each.as_json()))) == each
    if changed:
        assert settings(task, **changed) != settings(task)


@every
def test_json_of_other_options_is_refused(task: AnyTask) -> None:
    entries = settings(task).as_json()
    for wrong in (entries | {"surprise": 1}, dict(list(entries.items())[1:])):
        with pytest.raises(KeyError):
            task.settings_type.from_json(wrong)


@every_option
def test_the_text_form_of_a_step_sets_an_option(task: AnyTask, name: str, described: Option) -> None:
    flag = described.flags[0]
    text = other_value(flag)
    if text is None:
        return
    model = "" if task.model_field in (None, name) else f"{task.model_field}=some.onnx,"
    value = (flag.value_of(text),) if flag.repeatable else flag.value_of(text)
    expected = getattr(settings(task, **{name: value}), name)
    assert getattr(step_settings(f"{task.verb}:{model}{flag.name}={text}"), name) == expected


@every
def test_the_text_form_names_what_it_does_not_know(task: AnyTask) -> None:
    with pytest.raises(InputError, match="no option 'surprise'; there are"):
        step_settings(f"{task.verb}:surprise=1")


# Command line and Python.


@every
def test_the_help_shows_every_flag(task: AnyTask) -> None:
    assert task_command(task).name == task.verb
    done = CliRunner().invoke(cli, [task.verb, "--help"], terminal_width=110)
    assert done.exit_code == 0, done.output
    assert task.summary in " ".join(done.output.split())
    words = done.output.replace(",", " ").split()
    for described in options_of(task.settings_type).values():
        for flag in described.flags:
            assert f"--{flag.name}" in words
            assert " ".join(flag.help.split()[:4]) in " ".join(done.output.split())
    assert task.verb in CliRunner().invoke(cli, ["--help"]).output


@every
def test_the_command_refuses_what_is_out_of_range(task: AnyTask) -> None:
    for described in options_of(task.settings_type).values():
        for flag in described.flags:
            for value in outside(flag):
                done = CliRunner().invoke(cli, [task.verb, "in.mp4", f"--{flag.name}", str(value)])
                assert done.exit_code == 2 and flag.name in done.output


@every
def test_the_python_function_documents_every_option(task: AnyTask) -> None:
    function = getattr(vidgan, task.verb)
    assert callable(function) and function.__doc__
    for name in options_of(task.settings_type):
        assert name in function.__doc__


# Models.


@pytest.mark.parametrize(("task", "name"), MODELS, ids=[f"{task.name}-{name}" for task, name in MODELS])
def test_a_bundled_model_has_the_tensors_of_its_task(task: AnyTask, name: str) -> None:
    models = load_models(settings(task, **_model(task, name)), device="cpu")
    assert models.specs
    for role, variants in models.variants.items():
        for spec in variants:
            assert spec.task == task.name and spec.license and spec.title
            (session,) = models.sessions({role: spec}).values()
            assert session.tensors == task.tensors(spec)


def test_every_bundled_model_is_of_one_task() -> None:
    found = [
        spec.file.path.parent.name
        for task, name in MODELS
        for spec in load_models(settings(task, **_model(task, name)), device="cpu").specs
    ]
    assert sorted(found) == sorted(bundled_names())


@every
def test_a_model_of_other_tensors_is_refused(task: AnyTask, tmp_path: Path) -> None:
    kind = "segment" if task.name == "colorize" else "colorize"
    scale = {"scale": 2} if task.name == "upscale" else {}
    of_task = "deidentify" if task.name == "reveal" else task.name
    path = translator_file(tmp_path / "wrong.onnx", kind, task=of_task, **scale)
    with pytest.raises(ModelError, match=r"wrong\.onnx"):
        open_step(settings(task, **_model(task, path)), INFO)


@every
def test_a_model_of_another_task_is_refused(task: AnyTask, models: dict[str, Path]) -> None:
    for other in TASKS:
        if other is not task and {task.name, other.name} != {"deidentify", "reveal"}:
            with pytest.raises(ModelTaskError, match=other.name):
                load_models(settings(task, **_model(task, models[other.name])), device="cpu")


@every
def test_settings_are_resolved_to_the_path_of_the_model(task: AnyTask, models: dict[str, Path]) -> None:
    chosen = settings(task, **_model(task, models[task.name]))
    resolved = task.resolve(chosen, specs_of(task, models[task.name]))
    if task.model_field is not None:
        assert Path(getattr(resolved, task.model_field)) == models[task.name]
    assert task.settings_type.from_json(json.loads(json.dumps(resolved.as_json()))) == resolved


# Frames.


def kinds(task: AnyTask, models: dict[str, Path]) -> tuple[str, str]:
    specs = specs_of(task, models[task.name])
    return task.input_kind(specs), task.output_kind(specs)


@every
def test_label_maps_have_palettes_and_images_have_none(
    task: AnyTask, models: dict[str, Path], tmp_path: Path
) -> None:
    files = [models[task.name]]
    if task.name == "translate":
        files.append(translator_file(tmp_path / "labels.onnx", "translate"))
    for file in files:
        specs, chosen = specs_of(task, file), settings(task, **_model(task, file))
        assert (task.input_kind(specs) == "label map") == (task.input_palette(chosen, specs) is not None)
        assert (task.output_kind(specs) == "label map") == (task.output_palette(chosen, specs) is not None)


def test_steps_follow_each_other_where_the_kinds_agree(models: dict[str, Path]) -> None:
    found = {task.name: specs_of(task, models[task.name]) for task in TASKS}
    outcomes = set()
    for before, after in product(TASKS, repeat=2):
        fits = kinds(before, models)[1] == kinds(after, models)[0]
        outcomes.add(fits)
        if fits:
            check_order([before, after], [found[before.name], found[after.name]])
            continue
        with pytest.raises(InputError, match=f"{after.verb} cannot follow {before.verb}"):
            check_order([before, after], [found[before.name], found[after.name]])
    assert outcomes == {True, False}


@every
def test_it_is_temporal_where_it_has_a_filter(task: AnyTask, models: dict[str, Path], tmp_path: Path) -> None:
    vault = tmp_path / "video.vault"
    vault.write_bytes(b"some bytes")
    smooth = options_of(task.settings_type).get("smooth")
    choices: list[dict[str, Any]] = [{}]
    if smooth is not None:
        choices += [{"smooth": each} for each in smooth.flags[0].choices]
        choices += [each | {"smooth_strength": 0} for each in choices]
    for options in choices:
        if task.name == "reveal":
            options = options | {"vault": vault, "passcode": "of the tests"}
        opened = open_step(settings(task, **_model(task, models[task.name]), **options), INFO)
        assert opened.step.effect is not None or opened.step.temporal_filter is not None
        assert opened.is_temporal == (opened.step.temporal_filter is not None)
        assert not (options.get("smooth") == "off" and opened.is_temporal)


@every
def test_its_default_output_is_one_that_vidgan_writes(task: AnyTask) -> None:
    suffix = task.default_suffix()
    for each in {".mp4", ".mkv", ".mov", ".webm", *([suffix] if suffix else [])}:
        choice = task.default_encoder(each)
        assert choice is None or isinstance(choice, EncoderChoice)
        format_of(Path(f"out{each}"), INFO, *([] if choice is None else [choice]))


def test_a_model_in_the_text_form_alone_is_enough(models: dict[str, Path], tmp_path: Path) -> None:
    for task in (each for each in TASKS if each.name != "reveal"):
        path = image_model(tmp_path / f"{task.name}.onnx", task.name)
        assert step_settings(str(path)).task == task.name
