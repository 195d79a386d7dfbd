"""The mapping from an input's times to the output's."""

from dataclasses import dataclass, field
from fractions import Fraction


@dataclass(frozen=True, kw_only=True)
class Gap:
    """A discontinuity of all streams of a file, which the output closes.

    Attributes:
        position: byte offset in the file; packets at or after it belong to what follows the gap.
        start: input seconds at which the streams go on after the gap.
        seconds: length of the gap; negative where times go back, as in joined recordings.
    """

    position: int
    start: Fraction
    seconds: Fraction


@dataclass(kw_only=True)
class Timeline:
    """Maps times of an input file to times of the output, for all its streams alike.

    A source makes it and adds the gaps while it demuxes the file, so the timeline is complete once the
    source is exhausted. Whatever is copied from the same file has to go through it.

    Attributes:
        origin: input seconds that are shown at 0: the start of the file plus the start of the trim.
        end: output seconds at which the wanted part ends; None for the end of the file.
        gaps: in the order of the file.
    """

    origin: Fraction = Fraction(0)
    end: Fraction | None = None
    gaps: list[Gap] = field(default_factory=list)

    def map(self, seconds: Fraction, position: int | None = None) -> Fraction:
        """The time in the output; negative before the part that is wanted.

        Args:
            seconds: time in the input.
            position: byte offset of the packet, ``packet.pos``. Without it, as for chapters, a gap counts
                from the time at which it ends.
        """
        return seconds - self.origin - self.closed_before(seconds, position)

    def closed_before(self, seconds: Fraction, position: int | None = None) -> Fraction:
        """The sum of the gaps that lie before a packet or a time of the input."""
        if position is None or position < 0:
            return sum(
                (gap.seconds for gap in self.gaps if gap.seconds > 0 and gap.start <= seconds), Fraction(0)
            )
        return sum((gap.seconds for gap in self.gaps if gap.position <= position), Fraction(0))
