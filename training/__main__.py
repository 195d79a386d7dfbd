"""``python -m training``: trains vidgan's generators."""

from training.cli import main

main()
