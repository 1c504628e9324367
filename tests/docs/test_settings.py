"""docs/settings.md names every setting there is, with what it means."""

import re
from collections.abc import Iterator
from pathlib import Path

from scripts.runner import settings_page
from scripts.runner.site import ROOT

READ = re.compile(r"(?:environ(?:\.get)?[\[(]|getenv\()[\"']([A-Z_]+)[\"']")
NOT_OURS = {"PATH"}


def told() -> set[str]:
    by_hand = {name for settings in settings_page.TOLD_BY_HAND.values() for name in settings}
    return by_hand | {setting.name for group in settings_page.groups() for setting in group.settings}


def sources() -> Iterator[Path]:
    for folder in ("services", "models", "pipelines"):
        yield from (ROOT / folder).rglob("*.py")


def test_the_page_is_up_to_date() -> None:
    assert settings_page.PAGE.read_text() == settings_page.page(), "run `python -m scripts.runner.settings_page`"


def test_every_setting_says_what_it_means() -> None:
    silent = [
        f"{group.file}: {setting.name}"
        for group in settings_page.groups()
        for setting in group.settings
        if not setting.about.rstrip().endswith(".")
    ]
    assert silent == []


def test_every_settings_class_is_on_the_page() -> None:
    files = {path.relative_to(ROOT).as_posix() for path in sources() if "description=" in path.read_text()}
    known = {group.file for group in settings_page.groups()}
    assert {file for file in files if re.search(r"class \w+\(\w*Settings\b", (ROOT / file).read_text())} == known


def test_every_variable_that_is_read_is_on_the_page() -> None:
    read = {name for path in sources() for name in READ.findall(path.read_text())}
    assert len(read) > 5
    assert read - told() - NOT_OURS == set()


def test_every_variable_of_compose_is_on_the_page() -> None:
    named = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "compose.yaml").read_text()))
    assert named - settings_page.COMMANDS.keys() == set()
