"""Messages of the library, worded for the terminal.

The library names settings as Python callers give them, between backquotes: ```size="256x256"``` or
```vidgan.segment```. The command line names its own options and commands instead: ``--size 256x256`` and
``'vidgan segment'``.
"""

import ast
import re
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

_SPAN = r"(?<![^\s(\"'])`(?!\s)([^`]+)`(?![\w/`]|[.-]\w)"
"""A backquote inside a word is one of a file's name."""
_OPTIONS = {"hints": "hint", "overwrite": "force", "passcode": "passcode-file", "settings": "set"}
"""Options that have another name than the settings that they set."""
_COMMANDS = {
    "vidgan.importer.adding.add_model": "vidgan models add",
    "vidgan.jobs.contact_sheet.contact_sheet": "vidgan models --try",
    "vidgan.models.store.remove": "vidgan models remove",
}
"""Commands of functions; those of tasks have the function's own name."""
_SAFE = re.compile(r"[\w@%+=:,./#-]+")


def note(message: object, *, indent: str = "") -> None:
    """Prints a warning on stderr."""
    click.echo(f"{indent}note: {worded(str(message))}", err=True)


def error(message: object) -> None:
    """Prints an error on stderr."""
    click.echo(f"error: {worded(str(message))}", err=True)


def worded(message: str) -> str:
    """A message with options and commands in the place of settings and functions; names of files stay."""
    pattern = "|".join([*map(re.escape, _quoted_names()), _SPAN])
    return re.sub(pattern, lambda span: (span[1] and _command_line_of(span[1])) or span[0], message)


def _quoted_names() -> list[str]:
    """Words of the command, such as names of files, that hold backquotes themselves; the longest first."""
    words = {part for word in sys.argv[1:] for part in (word, Path(word).stem) if part.count("`") > 1}
    return sorted(words, key=len, reverse=True)


def worded_report(entries: Mapping[str, Any]) -> dict[str, Any]:
    """A report in JSON whose error and warnings are worded."""
    words = dict(entries)
    if isinstance(words.get("error"), str):
        words["error"] = worded(words["error"])
    if "warnings" in words:
        words["warnings"] = [worded(each) for each in words["warnings"]]
    return words


def _command_line_of(span: str) -> str | None:
    """Options or a command for Python's arguments or call; None where it is neither."""
    try:
        call = ast.parse(f"_({span})", mode="eval").body
        assert isinstance(call, ast.Call)
        if call.keywords and not call.args:
            return _options(call.keywords)
        (named,) = call.args
        if isinstance(named, ast.Name):
            return _option(named.id)
        called, keywords, values = named, [], []
        if isinstance(named, ast.Call):
            called, keywords, values = named.func, named.keywords, named.args
        function = ast.unparse(called)
        if not isinstance(called, ast.Attribute) or not function.startswith("vidgan."):
            return None
        command = _COMMANDS.get(function, function.replace(".", " "))
        words = [word for value in values for word in _words(ast.literal_eval(value))]
        line = " ".join([command, *words, *filter(None, [_options(keywords)])])
        return line if '"' in line else f"'{line}'"
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _options(keywords: list[ast.keyword]) -> str:
    """``--name value`` for each argument.

    Raises:
        ValueError: a value is no literal.
    """
    return " ".join(_option(str(each.arg), ast.literal_eval(each.value)) for each in keywords)


def _option(name: str, value: Any = True) -> str:
    option = _OPTIONS.get(name, name.replace("_", "-"))
    if isinstance(value, bool):
        return f"--{option}" if value else f"--no-{option}"
    if isinstance(value, dict):
        return " ".join(f"--{option} {key}={each}" for key, each in value.items())
    return " ".join([f"--{option}", *_words(value)])


def _words(value: Any) -> list[str]:
    """Words of a command for a value; none for ``...``, which stands for what the caller knows."""
    if value is ...:
        return []
    if isinstance(value, list):
        return [f'"{each}"' for each in value]
    text = str(value)
    if _SAFE.fullmatch(text):
        return [text]
    return [shlex.quote(text)] if '"' in text else [f'"{text}"']
