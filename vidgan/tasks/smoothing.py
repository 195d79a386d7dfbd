"""Tasks whose output can be smoothed along the motion of the source: their options, and what follows from these."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from vidgan.models.registry import ModelSpec
from vidgan.tasks.options import number_option, option
from vidgan.tasks.task import Task, TaskSettings
from vidgan.temporal import Smooth, open_filter, open_look_ahead
from vidgan.temporal.reuse import REUSE, Reuse, as_reuse, interval_of


def smooth_strength_option() -> Any:
    """The option of a task's settings for the strength of its temporal filter."""
    return number_option(1.0, 0, 1, heading="Temporal", help="Strength of the filter, 0 to 1.")


@dataclass(frozen=True, kw_only=True)
class SmoothedSettings(TaskSettings):
    """Settings of a task whose output can be smoothed along the motion of the source."""

    smooth: Smooth | None = option(
        None,
        choices=("off", "blend", "flow"),
        heading="Temporal",
        help="Filter against flicker: along the motion (flow), or with the previous frame as it was (blend).",
        doc='``"flow"``, ``"blend"`` or ``"off"``; None for the task\'s default.',
    )
    smooth_strength: float = smooth_strength_option()
    look_ahead: int = number_option(
        0,
        0,
        16,
        metavar="FRAMES",
        heading="Temporal",
        help="Also smooth using the next FRAMES frames; steadier after cuts, slower.",
    )
    reuse: Reuse = option(
        "auto",
        choices=REUSE,
        heading="Temporal",
        help="Generate one of N frames and carry it along the motion of the input to the others, where that explains "
        "them; duplicates repeat the former output. auto is 2; off generates every frame.",
        doc='``"off"``, ``"auto"`` or the number of frames of which one is generated and carried to the others.',
        convert=as_reuse,
    )


S = TypeVar("S", bound=SmoothedSettings)


class SmoothedTask(Task[S]):
    """A task with :class:`SmoothedSettings`.

    Attributes:
        default_filter: the temporal filter where the settings say none; tasks for which it depends on the model
            override :meth:`usual_filter`.
    """

    default_filter: ClassVar[Smooth] = "off"

    def usual_filter(self, specs: Mapping[str, ModelSpec]) -> Smooth:
        """The temporal filter where the settings say none."""
        return self.default_filter

    def is_temporal(self, settings: S, specs: Mapping[str, ModelSpec]) -> bool:
        return _is_smoothed(settings, self.usual_filter(specs))

    def smoothing(self, settings: S, specs: Mapping[str, ModelSpec]) -> dict[str, Any]:
        """The temporal filter, the look-ahead and the reuse of a :class:`ChainStep`, as its keyword arguments."""
        default = self.usual_filter(specs)
        kind = settings.smooth or default
        return {
            "reuse": _reuse(settings, default),
            "temporal_filter": open_filter(kind, strength=settings.smooth_strength),
            "look_ahead": open_look_ahead(
                kind, strength=settings.smooth_strength, frames=settings.look_ahead
            ),
        }


def _is_smoothed(settings: SmoothedSettings, default: Smooth) -> bool:
    """Whether a temporal filter has an effect with these settings."""
    return (settings.smooth or default) != "off" and settings.smooth_strength > 0


def _reuse(settings: SmoothedSettings, default: Smooth) -> int:
    interval = interval_of(settings.reuse)
    if settings.look_ahead:
        return 0  # It smooths by every frame's own output.
    carries = (settings.smooth or default) == "flow" and _is_smoothed(settings, default)
    return interval if carries else min(interval, 1)
