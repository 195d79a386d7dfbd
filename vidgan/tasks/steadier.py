"""What goes through a film's frames in their order: a smoother, or a generator that remembers."""

from pathlib import Path

from vidgan.errors import InputError
from vidgan.session import Session
from vidgan.tasks.effects import label_reader
from vidgan.tasks.settings import ColorizeSettings, Settings, TranslateSettings
from vidgan.temporal import open_smoother
from vidgan.temporal.chroma import ChromaSmoother
from vidgan.temporal.filter import Smoother
from vidgan.temporal.recurrent import SequencePainter


def open_steadier(session: Session, settings: Settings, input: Path) -> Smoother | None:
    """What those settings ask for behind the effects; None for nothing.

    Args:
        session: a model of the task that the settings are for.
        input: where frames come from, for messages.

    Raises:
        InputError: a smoother is asked for behind a model that remembers.
    """
    if session.spec.past and isinstance(settings, TranslateSettings):
        if settings.smoothing(session.spec) != "off":
            raise InputError(f"{session.spec.name} steadies its films itself; leave --smooth off")
        return SequencePainter(session, label_reader(session.spec, settings, input))
    smoothing = settings.smoothing(session.spec)
    if isinstance(settings, ColorizeSettings) and smoothing != "off" and settings.smooth_strength > 0:
        return ChromaSmoother(settings.smooth_strength)
    return open_smoother(smoothing, strength=settings.smooth_strength)
