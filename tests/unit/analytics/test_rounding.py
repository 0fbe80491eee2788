"""Exact results are rounded once, half-even, whatever their sign."""

from fractions import Fraction

from hypothesis import example, given
from hypothesis import strategies as st

from tcgtracker.domain.money import divide_half_even


@given(st.integers() | st.integers(-40, 40), st.integers(1, 12) | st.integers(1))
@example(1, 2)
@example(3, 2)
@example(-1, 2)
@example(-3, 2)
def test_a_quotient_rounds_as_the_fraction_does(number: int, divisor: int) -> None:
    assert divide_half_even(number, divisor) == round(Fraction(number, divisor))
