"""Colorization: see :mod:`vidgan.tasks.colorize.task`."""

from vidgan.tasks.colorize.task import TASK, ColorizeSettings

__all__ = ["TASK", "ColorizeSettings"]
