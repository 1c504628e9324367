"""What the calendar says of a week, known years ahead: its place in the year, and its holidays."""

from datetime import date, timedelta

HOLIDAYS = (((12, 28), (1, 3)), ((4, 29), (5, 5)), ((8, 13), (8, 16)))
"""The turn of the year, Golden Week, Obon: first and last day, as month and day."""


def season(week: date) -> float:
    """The place of the week's middle in the year, from 0 to 1."""
    middle = week + timedelta(days=3)
    length = (date(middle.year + 1, 1, 1) - date(middle.year, 1, 1)).days
    return (middle - date(middle.year, 1, 1)).days / length


def holidays(week: date) -> tuple[float, ...]:
    """For each of them, the part of its days that lie in the week."""
    return tuple(part(week, first, last) for first, last in HOLIDAYS)


def part(week: date, first: tuple[int, int], last: tuple[int, int]) -> float:
    """The part of this holiday's days that lie in the week."""
    days = [week + timedelta(days=number) for number in range(7)]
    inside = [day for day in days if within((day.month, day.day), first, last)]
    start = date(2001, *first)
    end = date(2002 if last < first else 2001, *last)
    return len(inside) / ((end - start).days + 1)


def within(day: tuple[int, int], first: tuple[int, int], last: tuple[int, int]) -> bool:
    """Whether the day of the year is in the holiday, which may cross the year's end."""
    return first <= day <= last if first <= last else day >= first or day <= last
