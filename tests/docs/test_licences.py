"""The page of licences is the one that would be written now."""

from scripts.runner import licences


def test_every_locked_package_has_its_row() -> None:
    text = licences.PAGE.read_text()
    missing = [name for name in licences.locked() if f"| {name} |" not in text]
    assert not missing, "run `python -m scripts.runner.licences`"


def test_no_licence_is_unknown() -> None:
    rows = [line for line in licences.PAGE.read_text().splitlines() if line.startswith("| ")]
    assert not [row for row in rows if "not stated" in row or "UNKNOWN" in row or "|  |" in row]
