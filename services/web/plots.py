"""Small plots as SVG, drawn by the server: they need no script and say the same to everybody."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

WIDTH, HEIGHT = 360, 150
LEFT, RIGHT, TOP, BOTTOM = 40, 8, 10, 22
Scale = Callable[[float], float]


@dataclass(frozen=True)
class Week:
    """What is known of a week: what came, what was expected of it, or both."""

    week: date
    came: int | None = None
    simulated: bool = False
    expected: float | None = None
    low: float | None = None
    high: float | None = None
    baseline: float | None = None


@dataclass(frozen=True)
class Mark:
    """A number on an axis, with its place."""

    at: float
    text: str


@dataclass(frozen=True)
class Plot:
    """Points and paths in the picture's own units."""

    happened: str
    simulated: str
    expected: str
    baseline: str
    band: str
    dots: list[tuple[float, float]]
    rows: list[Mark]
    columns: list[Mark]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    floor: int = HEIGHT - BOTTOM


def plotted(weeks: Sequence[Week]) -> Plot:
    """The weeks from left to right, on a scale that begins with nothing."""
    most = nice(max([value for week in weeks for value in _values(week)], default=1.0))
    across, up = _scales(len(weeks), most)
    first_real = next((at for at, week in enumerate(weeks) if week.came is not None and not week.simulated), len(weeks))
    came = [(across(at), up(week.came)) for at, week in enumerate(weeks) if week.came is not None]
    real = [(across(at), up(week.came)) for at, week in enumerate(weeks) if week.came is not None and at >= first_real]
    made = came[: len(came) - len(real) + (1 if real else 0)]  # up to where what happened begins
    expected = [(across(at), up(week.expected)) for at, week in enumerate(weeks) if week.expected is not None]
    baseline = [(across(at), up(week.baseline)) for at, week in enumerate(weeks) if week.baseline is not None]
    return Plot(
        happened=path(real),
        simulated=path(made) if len(made) > 1 else "",
        expected=path(expected),
        baseline=path(baseline),
        band=_band(weeks, across, up),
        dots=expected[-1:],
        rows=[Mark(up(value), f"{value:g}") for value in (0.0, most / 2, most)],
        columns=[Mark(across(at), f"{weeks[at].week:%m-%d}") for at in _spread(len(weeks))],
    )


def _values(week: Week) -> list[float]:
    found = (week.came, week.expected, week.high, week.baseline)
    return [float(value) for value in found if value is not None]


def nice(most: float) -> float:
    """The next number that people like to read: 1, 2 or 5 times a power of ten."""
    size = 1.0
    while size * 10 <= most:
        size *= 10
    return next((size * times for times in (1, 2, 3, 4, 5, 6, 8, 10) if size * times >= most), size * 10)


def _scales(number: int, most: float) -> tuple[Scale, Scale]:
    step = (WIDTH - LEFT - RIGHT) / max(1, number - 1)
    tall = HEIGHT - TOP - BOTTOM

    def across(at: float) -> float:
        return round(LEFT + at * step, 1)

    def up(value: float) -> float:
        return round(HEIGHT - BOTTOM - tall * value / most, 1)

    return across, up


def path(points: Sequence[tuple[float, float]]) -> str:
    """A line through the points; of a single one a short stroke, so that it is seen."""
    if len(points) == 1:
        ((x, y),) = points
        return f"M{x - 2:g},{y:g} L{x + 2:g},{y:g}"
    return " ".join(f"{'L' if at else 'M'}{x:g},{y:g}" for at, (x, y) in enumerate(points))


def _band(weeks: Sequence[Week], across: Scale, up: Scale) -> str:
    """The area between low and high; of a single week a small box."""
    held = [(across(at), up(one.low), up(one.high)) for at, one in enumerate(weeks) if one.low is not None and one.high]
    if len(held) == 1:
        ((x, low, high),) = held
        held = [(x - 4, low, high), (x + 4, low, high)]
    corners = [(x, high) for x, _, high in held] + [(x, low) for x, low, _ in reversed(held)]
    return f"{path(corners)} Z" if corners else ""


def _spread(number: int, marks: int = 4) -> list[int]:
    """Places of a few marks over the whole width."""
    if number <= marks:
        return list(range(number))
    return [round(at * (number - 1) / (marks - 1)) for at in range(marks)]
