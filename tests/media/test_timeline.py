"""From the input's times to the output's."""

from fractions import Fraction

from vidgan.media.timeline import Gap, Timeline


def test_the_origin_is_shown_at_0() -> None:
    assert Timeline(origin=Fraction(7, 5)).map(Fraction(2)) == Fraction(3, 5)
    assert Timeline(origin=Fraction(2)).map(Fraction(1)) < 0


def test_gaps_count_by_position_where_it_is_known() -> None:
    timeline = Timeline(
        gaps=[
            Gap(position=1000, start=Fraction(36000), seconds=Fraction(35990)),
            Gap(position=2000, start=Fraction(0), seconds=Fraction(-36005)),
        ]
    )
    assert timeline.map(Fraction(9), 999) == 9
    assert timeline.map(Fraction(36001), 1000) == 11
    assert timeline.map(Fraction(1), 2000) == 16
    assert timeline.map(Fraction(9)) == 9
    assert timeline.map(Fraction(36001)) == 11
