"""The vault that goes with the output of a job: one that a step makes, or that of the input."""

from __future__ import annotations

from vidgan.errors import InputError
from vidgan.jobs.plan import Plan
from vidgan.sources.vault import find_vault

_STEP_BITS = 2
"""Files that are longer get the length of the next of four steps between two powers of two."""


class JobVault:
    """The vault of the output of a job.

    Args:
        plan: of the job.

    Attributes:
        made: by a step, once its frames are done.
        warnings: sentences for the user.

    Raises:
        InputError: a step makes one, and the output has no place for it; or the input cannot be read.
    """

    def __init__(self, plan: Plan) -> None:
        self.made: bytes | None = None
        self.warnings: list[str] = []
        self._input: bytes | None = None
        self._least_bytes: int | None = None
        _check(plan)
        if any(each.task.opens_vault(each.settings) for each in plan.steps):
            self._least_bytes = plan.input.path.stat().st_size
            return
        found = find_vault(plan.input.path)
        if found is None:
            return
        if any(each.task.makes_vault(each.settings) for each in plan.steps):
            self.warnings.append(
                f"{plan.output.path}: has a vault of its own; that of {plan.input.path} stays there"
            )
        elif plan.output.kind in ("video", "image"):
            from vidgan.tasks.faces.vault.layout import begun_at

            self._input = begun_at(found, round(plan.settings.trim.start * 1_000_000))
        else:
            self.warnings.append(
                f"{plan.output.path}: has no place for the vault of {plan.input.path}, which keeps it"
            )

    def take(self) -> bytes | None:
        """The vault, once the frames are done; None for none."""
        return self._input if self.made is None else self.made

    def padded_bytes(self, length: int) -> int:
        """At least that of the input where a vault was opened, so that the length does not say with what success."""
        if self._least_bytes is None:
            return length
        step = max(1 << length.bit_length() - 1 - _STEP_BITS, 1)
        return max(self._least_bytes, -(-length // step) * step)


def _check(plan: Plan) -> None:
    """Refuses a vault that nothing could hold, or whose faces would not fit the output."""
    makers = [number for number, each in enumerate(plan.steps) if each.task.makes_vault(each.settings)]
    if not makers:
        return
    if makers != [len(plan.steps) - 1]:
        raise InputError("with a passcode, deidentify is the last step, so that its faces fit the output")
    if plan.output.kind not in ("video", "image"):
        raise InputError(f"{plan.output.path}: has no place for a vault; a video or an image file has")
    if plan.settings.compare:
        raise InputError("a comparison shows the faces themselves; leave out the passcode")
