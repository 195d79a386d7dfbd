"""``python -m export``: writes model files from training runs."""

from export.cli import main

main()
