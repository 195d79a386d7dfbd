"""Where the files are that tests need, whatever folder a test is in."""

from pathlib import Path

ROOT = Path(__file__).parents[2]

SHARED = ROOT.parent / "shared" / "data"
"""Data beside the checkout that is not part of it; tests that need it skip where it is absent."""
