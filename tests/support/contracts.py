"""What conformance suites share: finding the implementations of a contract, and comparing frames."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np

from vidgan.media.frame import Frame


def implementations(contract: type, *packages: ModuleType) -> set[type]:
    """Classes of the packages, or modules, that have the methods of a protocol, each taking as many parameters.

    A suite compares them with the classes that its cases are of, so that it cannot forget one.
    """
    wanted = _methods(contract)
    return {
        each
        for each in _classes(*packages)
        if not getattr(each, "_is_protocol", False) and _has(_methods(each), wanted)
    }


def assert_same_frame(found: Frame, expected: Frame) -> None:
    """Time, image and alpha are the same, bit for bit."""
    assert (found.pts, found.time_base, found.duration) == (
        expected.pts,
        expected.time_base,
        expected.duration,
    )
    np.testing.assert_array_equal(found.pixels, expected.pixels)
    assert (found.alpha is None) == (expected.alpha is None)
    if found.alpha is not None and expected.alpha is not None:
        np.testing.assert_array_equal(found.alpha, expected.alpha)


def _classes(*packages: ModuleType) -> Iterator[type]:
    for package in packages:
        inside = pkgutil.walk_packages(getattr(package, "__path__", []), f"{package.__name__}.")
        for module in [package, *(importlib.import_module(found.name) for found in inside)]:
            yield from (each for each in vars(module).values() if _is_class_of(module, each))


def _is_class_of(module: ModuleType, value: Any) -> bool:
    return inspect.isclass(value) and value.__module__ == module.__name__


def _has(methods: dict[str, inspect.Signature], wanted: dict[str, inspect.Signature]) -> bool:
    return all(name in methods and _takes(methods[name], len(wanted[name].parameters)) for name in wanted)


def _takes(signature: inspect.Signature, count: int) -> bool:
    """Whether a method takes that many parameters; ``*_`` stands for any number of them."""
    own = signature.parameters.values()
    rest = [each for each in own if each.kind is inspect.Parameter.VAR_POSITIONAL]
    return len(own) - 1 <= count if rest else len(own) == count


def _methods(kind: type) -> dict[str, inspect.Signature]:
    """The methods of a class by their names."""
    return {
        name: inspect.signature(method)
        for name, method in inspect.getmembers(kind, inspect.isfunction)
        if name not in ("__init__", "__subclasshook__") and not (name[0] == "_" and name[1] != "_")
    }
