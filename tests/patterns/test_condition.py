"""Condition: the request's language or client decides who answers."""

import pytest

from services.patterns.condition import NotARule, condition, rules_in
from tests.patterns.answering import Model, request

RULES = "language:ja=challenger, client:Kiosk = http://kiosk:8200/v2/models/a"
VERSIONS = {"challenger": "ja", "http://kiosk:8200/v2/models/a": "kiosk"}


@pytest.mark.parametrize(
    ("language", "client", "version", "group"),
    [
        ("", "", "7", None),
        ("en", "browser", "7", None),
        ("ja", "", "ja", "language:ja"),
        ("ja-JP", "", "ja", "language:ja"),
        ("jav", "", "7", None),
        ("en", "kiosk", "kiosk", "client:kiosk"),
        ("JA", "kiosk", "ja", "language:ja"),
    ],
)
async def test_who_answers(language: str, client: str, version: str, group: str | None) -> None:
    predict = condition(Model(), [(rule, Model(VERSIONS[which])) for rule, which in rules_in(RULES)])
    prediction = await predict(request(language=language, client=client))
    assert (prediction.version, prediction.group) == (version, group)


def test_without_rules_nothing_changes() -> None:
    assert rules_in(" ") == []


@pytest.mark.parametrize("setting", ["ja=challenger", "language:ja", "language:=x", "colour:red=x", "language:ja="])
def test_what_is_no_rule_is_refused(setting: str) -> None:
    with pytest.raises(NotARule, match="looks like"):
        rules_in(setting)
