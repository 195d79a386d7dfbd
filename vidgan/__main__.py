"""``python -m vidgan``."""

from vidgan.cli import main

main()
