"""Durations as Compose writes them: `1m30s`, `500ms`."""

import re

UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
PART = re.compile(r"(\d+(?:\.\d+)?)(us|ms|s|m|h)")


def seconds(text: str) -> float:
    if not re.fullmatch(f"(?:{PART.pattern})+", text):
        raise ValueError(f"`{text}` is no duration (500ms, 10s, 1m30s)")
    return sum(float(number) * UNITS[unit] for number, unit in PART.findall(text))
