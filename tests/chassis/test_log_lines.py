"""A log line is one line, whatever a caller wrote."""

import logging

import pytest

from services.chassis.logs import ReadableLines


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("there is no model a\n04:00:00.000 error   forged", r"a\n04:00:00.000 error   forged"),
        ("a\x1b[31mred", r"a\x1b[31mred"),
        ("NUL \0", r"NUL \x00"),
        ("separator \u2028 of lines", r"separator \u2028 of lines"),
        ("ねこ 🐈", "ねこ 🐈"),
    ],
)
def test_what_a_caller_wrote_stays_in_its_line(said: str, written: str) -> None:
    record = logging.makeLogRecord({"msg": "refused: %s", "args": (said,), "levelname": "INFO"})
    line = ReadableLines().format(record)
    assert written in line
    assert len(line.splitlines()) == 1


def test_a_field_does_not_end_the_line_either() -> None:
    record = logging.makeLogRecord({"msg": "refused", "levelname": "INFO", "model": "a\nb"})
    assert ReadableLines().format(record).endswith(r"model=a\nb")
