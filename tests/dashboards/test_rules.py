"""The rules: valid, tested by promtool, explained to whoever is woken, and about metrics that exist."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from scripts.runner.parts import packaged

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "dashboards" / "prometheus"
RULES = sorted((PROMETHEUS / "rules").glob("*.yml"))
TESTS = sorted((PROMETHEUS / "tests").glob("*.yml"))
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()
NOT_OURS = ("alertmanager_", "envoy_", "process_")


def promtool(*words: str | Path) -> str:
    if packaged.find("promtool") is None:
        pytest.skip("promtool is not offered here")
    command = [packaged.program("promtool"), *map(str, words)]
    done = subprocess.run(command, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def rules(kind: str) -> list[dict[str, Any]]:
    groups = [group for file in RULES for group in YAML(typ="safe").load(file.read_text())["groups"]]
    return [rule for group in groups for rule in group["rules"] if kind in rule]


ALERTS = rules("alert")
RECORDED = rules("record")


def test_the_rules_are_valid() -> None:
    assert promtool("check", "rules", *RULES).count("SUCCESS") == len(RULES)


@pytest.mark.parametrize("file", TESTS, ids=lambda file: file.stem)
def test_what_fires_when(file: Path) -> None:
    promtool("test", "rules", file)


def test_every_alert_fires_in_a_test() -> None:
    cases = [
        case
        for file in TESTS
        for test in YAML(typ="safe").load(file.read_text())["tests"]
        for case in test.get("alert_rule_test", [])
    ]
    fired = {case["alertname"] for case in cases if case["exp_alerts"]}
    assert {rule["alert"] for rule in ALERTS} == fired


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: f"{rule['alert']}-{rule['labels']['severity']}")
def test_who_is_woken_knows_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in ("critical", "warning", "info")
    assert rule["annotations"].keys() == {"summary", "description", "runbook"}
    assert rule["annotations"]["runbook"] == f"docs/runbook.md#{rule['alert'].lower()}"
    assert f"\n## {rule['alert']}\n" in RUNBOOK


def test_the_runbook_has_no_section_too_many() -> None:
    assert set(re.findall(r"^## (.+)$", RUNBOOK, re.MULTILINE)) == {rule["alert"] for rule in ALERTS}


def test_rules_ask_for_what_is_recorded_or_made_by_a_service() -> None:
    sources = "".join(path.read_text() for path in (ROOT / "services").rglob("*.py"))
    recorded = {rule["record"] for rule in RECORDED} | {"service:expected", "up"}
    for rule in [*ALERTS, *RECORDED]:
        for name in metrics(rule["expr"]) - recorded:
            base = re.sub(r"_(bucket|count|sum|total)$", "", name)
            assert name.startswith(NOT_OURS) or f'"{base}"' in sources or f'"{base}_total"' in sources, name


def metrics(expression: str) -> set[str]:
    """What is asked for: names with an underscore or a colon outside of labels, texts and lists of labels."""
    bare = re.sub(r"\{.*?\}|\".*?\"|\b(by|on)\s*\(.*?\)|\[.*?\]", "", expression)
    functions = {"histogram_quantile", "label_replace", "present_over_time"}
    return {name for name in re.findall(r"[a-z][\w:]*", bare) if "_" in name or ":" in name or name == "up"} - functions
