"""Builds the API reference from the docstrings: ``python -m docs.reference``.

Every module of the package must import and be documented; a warning is an error (``make docs``).
"""

import inspect
import sys
from pathlib import Path

import pdoc

import vidgan

OUTPUT = Path("build") / "reference"
_PACKAGES = ("jobs", "media", "models", "segments", "session", "sinks", "sources", "tasks", "temporal")
"""Of the library; the command line and the live path are programs."""


def main() -> None:
    pdoc.render.configure(docformat="google", show_source=False)
    if undocumented := [name for name in vidgan.__all__ if not inspect.getdoc(getattr(vidgan, name))]:
        sys.exit(f"without a docstring: {', '.join(undocumented)}")
    # The cluster needs Ray, which is optional.
    packages = [f"vidgan.{name}" for name in _PACKAGES]
    pdoc.pdoc("vidgan", *packages, "!vidgan.jobs.cluster", output_directory=OUTPUT)
    print(OUTPUT / "index.html")


if __name__ == "__main__":
    main()
