"""Options: fields of a settings dataclass that carry their type, default, range and help once.

The command line, the range checks, the text form of a chain's steps and the Python documentation are made
from these fields, so a new option is one field.
"""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import Any, TypeVar

from vidgan.errors import InputError

_METADATA = "vidgan.option"
_FIELD = ""
"""Name of a flag that takes the name of its field."""
S = TypeVar("S")


@dataclass(frozen=True, kw_only=True)
class Flag:
    """One option of the command line.

    Attributes:
        name: what it is called after ``--``, and in the text form of a step.
        help: a noun phrase with the unit; what the default means.
        type: ``bool``, ``int``, ``float``, ``str`` or ``Path``.
        short: another spelling, such as ``"-s"`` or ``"--fps"``.
        metavar: stands for the value in the help text; None for the type's name.
        choices: the values allowed; empty for any.
        minimum, maximum: bounds of a number, inclusive.
        parse: makes the value from text; raises ValueError. None for the type itself.
        repeatable: may be given several times; the value is a tuple then.
        heading: stands above it in the help text.
        shown_default: the default in words; None for the field's own.
    """

    name: str
    help: str
    type: type = str
    short: str | None = None
    metavar: str | None = None
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    parse: Callable[[str], Any] | None = None
    repeatable: bool = False
    heading: str = "Model"
    shown_default: str | None = None

    @property
    def parameter(self) -> str:
        """The name as a Python identifier."""
        return self.name.replace("-", "_")

    def value_of(self, text: str) -> Any:
        """The value that a text stands for.

        Raises:
            ValueError: none; the message says what is expected.
        """
        if self.parse is not None:
            return self.parse(text)
        if self.type is bool:
            return _boolean(text)
        value = self.type(text)
        self.check(value)
        return value

    def check(self, value: Any) -> None:
        """Raises ValueError for a value outside the choices or bounds."""
        if self.choices and str(value) not in self.choices:
            raise ValueError(f"{self.name} must be {_either(self.choices)}, got {value}")
        low, high = self.minimum, self.maximum
        # NaN is inside no bounds.
        if not (low is None or value >= low) or not (high is None or value <= high):
            bounds = (
                f"between {low:g} and {high:g}"
                if low is not None and high is not None
                else (f"at least {low:g}" if low is not None else f"at most {high:g}")
            )
            raise ValueError(f"{self.name} must be {bounds}, got {value:g}")


@dataclass(frozen=True, kw_only=True)
class Option:
    """Description of a field of a settings dataclass.

    Attributes:
        flags: its options of the command line; several where one value is given in parts.
        gather: makes the field's value from those flags that were given, by name.
        convert: makes the field's value from what a Python caller gave; raises ValueError or TypeError.
        to_json, from_json: its form in a journal; None for a value that JSON has.
        doc: documentation of the field in Python, where it differs from the flag's help.
    """

    flags: tuple[Flag, ...]
    gather: Callable[[Mapping[str, Any]], Any] | None = None
    convert: Callable[[Any], Any] | None = None
    to_json: Callable[[Any], Any] | None = None
    from_json: Callable[[Any], Any] | None = None
    doc: str | None = None


def option(
    default: Any = dataclasses.MISSING,
    *,
    help: str = "",
    flags: Iterable[Flag] = (),
    gather: Callable[[Mapping[str, Any]], Any] | None = None,
    convert: Callable[[Any], Any] | None = None,
    to_json: Callable[[Any], Any] | None = None,
    from_json: Callable[[Any], Any] | None = None,
    doc: str | None = None,
    factory: Callable[[], Any] | None = None,
    **flag: Any,
) -> Any:
    """A dataclass field that is an option.

    Args:
        default: of the field; without one it is required.
        help: of its flag on the command line.
        flags: its flags, where there is not exactly one with the field's own name.
        flag: further attributes of that one :class:`Flag`.
    """
    described = Option(
        flags=tuple(flags) or (Flag(name=_FIELD, help=help, **flag),),
        gather=gather,
        convert=convert,
        to_json=to_json,
        from_json=from_json,
        doc=doc,
    )
    metadata = {_METADATA: described}
    if factory is not None:
        return dataclasses.field(default_factory=factory, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def number_option(default: Any, minimum: float, maximum: float, *, help: str, **flag: Any) -> Any:
    """An option for a number from ``minimum`` to ``maximum``, whole where the default is."""
    return option(default, type=type(default), minimum=minimum, maximum=maximum, help=help, **flag)


def list_option(
    flag: Flag, convert: Callable[[Any], tuple[Any, ...]], to_json: Callable[[Any], Any], *, doc: str
) -> Any:
    """An option that may be given several times, empty by default.

    Args:
        flag: of one entry, which has another name than the field.
        convert: makes the field's value from a list, also from that of a journal.
        to_json: of one entry.
        doc: see :class:`Option`.
    """
    return option(
        (),
        flags=[dataclasses.replace(flag, repeatable=True)],
        gather=lambda given: tuple(given[flag.parameter]),
        convert=convert,
        to_json=lambda entries: [to_json(each) for each in entries],
        from_json=convert,
        doc=doc,
    )


def path_option(metavar: str, *, help: str, **flag: Any) -> Any:
    """An option that names a file; None by default."""
    return option(None, type=Path, metavar=metavar, help=help, **flag)


def options_of(settings: type) -> dict[str, Option]:
    """The options of a settings class by field, in order."""
    found = {}
    for field in dataclasses.fields(settings):
        described = field.metadata.get(_METADATA)
        if described is None:
            continue
        flags = tuple(
            each if each.name != _FIELD else dataclasses.replace(each, name=field.name.replace("_", "-"))
            for each in described.flags
        )
        found[field.name] = dataclasses.replace(described, flags=flags)
    return found


def default_of(settings: type, name: str) -> Any:
    """A field's default; ``dataclasses.MISSING`` for a required one."""
    (field,) = (each for each in dataclasses.fields(settings) if each.name == name)
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def from_flags(settings: type[S], values: Mapping[str, Any]) -> S:
    """Settings from flags of the command line.

    Args:
        values: by the flag's parameter name; None and empty tuples count as not given.

    Raises:
        InputError: a value is out of its range.
    """
    return settings(**_gathered(settings, values))


def _gathered(settings: type, values: Mapping[str, Any]) -> dict[str, Any]:
    given = {key: value for key, value in values.items() if value is not None and value != ()}
    arguments = {}
    for name, described in options_of(settings).items():
        own = {flag.parameter: given[flag.parameter] for flag in described.flags if flag.parameter in given}
        if own:
            arguments[name] = described.gather(own) if described.gather else own[described.flags[0].parameter]
    return arguments


def arguments_of_text(settings: type, text: str, *, positional: str | None) -> dict[str, Any]:
    """Arguments of a settings class from ``name=value,name=value``.

    Args:
        positional: the field that a value without a name is for; several are joined again.

    Raises:
        ValueError: there is no such option, or its value is none.
    """
    flags = {flag.parameter: flag for each in options_of(settings).values() for flag in each.flags}
    values: dict[str, Any] = {}
    for part in filter(None, text.split(",")):
        name, equals, value = part.partition("=")
        name = name.replace("-", "_")
        if not equals and name not in flags and positional is not None:
            # Commas may be part of the value: a.jpg:0.5,b.jpg:0.5.
            before = values.get(positional)
            name, value = positional, part if before is None else f"{before},{part}"
        if name not in flags:
            raise ValueError(f"no option {name!r}; there are {', '.join(flags)}")
        read = flags[name].value_of(value)
        values[name] = (*values.get(name, ()), read) if flags[name].repeatable else read
    return _gathered(settings, values)


class OptionSettings:
    """Base of settings dataclasses: checks and converts its options, and goes to JSON and back."""

    def __post_init__(self) -> None:
        for name, described in options_of(type(self)).items():
            value = getattr(self, name)
            if value is None:
                if default_of(type(self), name) is dataclasses.MISSING:
                    raise InputError(f"{name} is missing")
                continue
            object.__setattr__(self, name, _checked(name, described, value))

    def as_json(self) -> dict[str, Any]:
        """In JSON's own types."""
        entries = {}
        for name, described in options_of(type(self)).items():
            value = getattr(self, name)
            if value is not None and described.to_json is not None:
                value = described.to_json(value)
            entries[name] = str(value) if isinstance(value, Path) else value
        return entries

    @classmethod
    def from_json(cls, entries: Mapping[str, Any]) -> Any:
        """The reverse of :meth:`as_json`.

        Raises:
            ValueError, TypeError, KeyError: the entries are not of that kind.
            InputError: one is out of its range.
        """
        described = options_of(cls)
        if set(entries) != set(described):
            raise KeyError(", ".join(sorted(set(entries) ^ set(described))))
        settings = cls(**{name: _from_json(described[name], value) for name, value in entries.items()})
        # What a Python caller may give in several forms has one in a journal.
        if settings.as_json() != entries:
            raise ValueError(f"{entries!r} are no settings")
        return settings


def _from_json(described: Option, value: Any) -> Any:
    return value if value is None or described.from_json is None else described.from_json(value)


def _checked(name: str, described: Option, value: Any) -> Any:
    flag = described.flags[0]
    try:
        if described.convert is not None:
            return described.convert(value)
        value = _as_type(value, flag.type)
        flag.check(value)
    except (ValueError, TypeError) as exc:
        message = str(exc)
        if flag.parameter == name:
            # A flag speaks of itself, with dashes.
            message = message.replace(f"{flag.name} ", f"{name} ", 1)
        raise InputError(message if message.startswith(name) else f"{name}: {message}") from None
    return value


def _as_type(value: Any, wanted: type) -> Any:
    """The value, where it is of that type or plainly means one."""
    if wanted is float and not isinstance(value, bool) and isinstance(value, Real):
        return float(value)
    if wanted is Path and isinstance(value, str):
        return Path(value)
    if wanted is str and isinstance(value, Path):
        return str(value)
    if wanted is int and not isinstance(value, bool) and _is_whole(value):
        return int(value)
    if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
        raise TypeError(f"must be {_TYPE_NAMES.get(wanted, wanted.__name__)}, got {value!r}")
    return value


def _is_whole(value: Any) -> bool:
    return hasattr(value, "__index__") or (isinstance(value, Real) and float(value).is_integer())


_TYPE_NAMES = {bool: "True or False", int: "a whole number", float: "a number", str: "a text", Path: "a path"}


def _boolean(text: str) -> bool:
    values = {"": True, "on": True, "true": True, "yes": True, "1": True,
              "off": False, "false": False, "no": False, "0": False}  # fmt: skip
    if text.lower() not in values:
        raise ValueError(f"{text!r} is neither on nor off")
    return values[text.lower()]


def _either(choices: tuple[str, ...]) -> str:
    return " or ".join(choices) if len(choices) < 3 else f"one of {', '.join(choices)}"
