"""``python -m training``: the command line of training."""

from training.cli import main

main()
