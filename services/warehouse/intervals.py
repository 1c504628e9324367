"""How sure a rate is: intervals of 95 %, and whether two groups differ."""

from dataclasses import dataclass
from math import sqrt
from typing import Literal

Z = 1.959964
"""Of a normal distribution, 95 % lie so many standard deviations around the mean."""
FEWEST_UNITS = 30
"""With fewer users in a group nothing is said about it."""

Verdict = Literal["higher", "lower", "no difference seen", "too few users"]


@dataclass(frozen=True)
class Rate:
    """A rate and the interval it lies in."""

    rate: float
    low: float
    high: float


@dataclass(frozen=True)
class Sums:
    """Over the units of a group (users; without one, searches): how many, and sums of their clicks and impressions."""

    units: int
    clicks: float
    impressions: float
    clicks_squared: float
    impressions_squared: float
    products: float

    @property
    def rate(self) -> float:
        """Clicks per impression."""
        return self.clicks / self.impressions if self.impressions else 0.0

    @property
    def variance(self) -> float:
        """Of the rate, a ratio of two sums. What one user does is alike, so users count, not impressions."""
        if self.units < 2 or not self.impressions:
            return 0.0
        rate = self.rate
        squares = self.clicks_squared - 2 * rate * self.products + rate**2 * self.impressions_squared
        return max(0.0, squares) * self.units / (self.units - 1) / self.impressions**2

    def interval(self) -> Rate:
        """The rate with its interval; where nobody differs from anybody, as if every impression were a user."""
        if not self.variance:
            return wilson(self.clicks, self.impressions)
        half = Z * sqrt(self.variance)
        return Rate(self.rate, max(0.0, self.rate - half), min(1.0, self.rate + half))


def wilson(successes: float, trials: float) -> Rate:
    """Wilson's interval: right for few trials, and for none at all it is everything."""
    if not trials:
        return Rate(0.0, 0.0, 1.0)
    rate = successes / trials
    middle = (rate + Z**2 / (2 * trials)) / (1 + Z**2 / trials)
    half = Z * sqrt(rate * (1 - rate) / trials + Z**2 / (4 * trials**2)) / (1 + Z**2 / trials)
    return Rate(rate, max(0.0, middle - half), min(1.0, middle + half))


def difference(one: Sums, other: Sums) -> tuple[Rate, Verdict]:
    """How much more the other's rate is, and what may be said of that."""
    between = other.rate - one.rate
    half = Z * sqrt(one.variance + other.variance)
    found = Rate(between, between - half, between + half)
    if min(one.units, other.units) < FEWEST_UNITS:
        return found, "too few users"
    if found.low > 0:
        return found, "higher"
    return found, "lower" if found.high < 0 else "no difference seen"
