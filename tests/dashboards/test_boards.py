"""The dashboards: the same as their code, readable, and about what exists."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from dashboards.grafana.drawing import PROMETHEUS
from dashboards.grafana.generated import BOARDS, rendered
from dashboards.grafana.platform_board import OBJECTIVE_SECONDS
from services.grafana_config.main import lay_out
from services.items.main import SEARCHABLE_BUCKETS
from tests.dashboards.panels import LATER, Panel, panels

ROOT = Path(__file__).parents[2]
GRAFANA = ROOT / "dashboards" / "grafana"
FILES = sorted((GRAFANA / "boards").glob("*.json"))
UNITS = {"bytes", "s", "ms", "percentunit", "short", "ops", "reqps"}
AS_A25 = {
    "RAM",
    "CPU",
    "Click-through rate of groups A and B",
    "Requests per second and latency",
    "Nodes: replicas up",
    "Error rate",
}
"""The panels every operator looks at first."""


@pytest.mark.parametrize("uid", BOARDS)
def test_the_code_gives_what_is_committed(uid: str) -> None:
    written = (GRAFANA / "boards" / f"{uid}.json").read_text()
    assert written == rendered(uid), "run: python -m dashboards.grafana"


def test_there_is_no_dashboard_without_code() -> None:
    assert [file.stem for file in FILES] == sorted(BOARDS)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_panel_can_be_read(file: Path) -> None:
    board = json.loads(file.read_text())
    ids = [panel["id"] for panel in board["panels"]]
    assert sorted(ids) == list(range(1, len(ids) + 1))
    for panel in (panel for panel in board["panels"] if panel["type"] != "row"):
        assert panel["title"], panel
        assert panel["description"].endswith("."), panel["title"]
        assert panel["datasource"] == {"type": PROMETHEUS.type_val, "uid": PROMETHEUS.uid}
        assert panel["targets"], panel["title"]
        assert panel["type"] == "table" or panel["fieldConfig"]["defaults"]["unit"] in UNITS


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_no_panel_lies_on_another(file: Path) -> None:
    taken = [cell for panel in json.loads(file.read_text())["panels"] for cell in cells(panel["gridPos"])]
    assert len(taken) == len(set(taken))
    assert max(x for x, _ in taken) < 24


def cells(place: dict[str, int]) -> Iterator[tuple[int, int]]:
    for x in range(place["x"], place["x"] + place["w"]):
        for y in range(place["y"], place["y"] + place["h"]):
            yield x, y


def test_what_operators_look_at_first_is_there() -> None:
    assert {panel.title for panel in panels("platform")} >= AS_A25
    rows = [panel for panel in json.loads(rendered("platform"))["panels"] if panel["type"] == "row"]
    assert [row["repeat"] for row in rows if "repeat" in row] == ["model"]


def test_variables_are_chosen_above() -> None:
    for uid in BOARDS:
        named = {variable["name"] for variable in json.loads(rendered(uid))["templating"]["list"]}
        used = {name for panel in panels(uid) for query in panel.queries for name in re.findall(r"\$([a-z]\w+)", query)}
        assert used <= named | {"__rate_interval"}


def test_queries_ask_for_what_exists() -> None:
    services = "".join(path.read_text() for path in (ROOT / "services").rglob("*.py"))
    rules = "".join(path.read_text() for path in (ROOT / "dashboards" / "prometheus").glob("**/rules/*.yml"))
    for panel in (panel for uid in BOARDS for panel in panels(uid) if panel.title not in LATER):
        for name in (name for query in panel.queries for name in metrics(query)):
            base = re.sub(r"_(bucket|count|sum|total)$", "", name)
            recorded = f"record: {name}\n" in rules or name in ("service:expected", "up", "ALERTS")
            known = name.startswith(("alertmanager_", "envoy_", "process_"))
            assert recorded or known or re.search(rf'"{base}(_total)?"', services), f"{panel.title}: {name}"


def metrics(expression: str) -> set[str]:
    """Names with an underscore or a colon outside of labels, texts, ranges and lists of labels."""
    bare = re.sub(r"\{.*?\}|\".*?\"|\b(by|on|ignoring|group_left)\s*\(.*?\)|\[.*?\]", "", expression)
    functions = {"histogram_quantile", "label_replace"}
    return {name for name in re.findall(r"[a-zA-Z][\w:]*", bare) if re.search("[_:]", name)} - functions


def test_the_objective_is_the_alerts_and_a_bucket() -> None:
    rules = (ROOT / "dashboards" / "prometheus" / "rules" / "alerts.yml").read_text()
    assert f"items:searchable_seconds:p95_10m > {OBJECTIVE_SECONDS:g} " in rules
    assert OBJECTIVE_SECONDS in SEARCHABLE_BUCKETS


def test_what_grafana_is_given_fits_together(tmp_path: Path) -> None:
    (tmp_path / "boards").mkdir()
    (tmp_path / "boards" / "old.json").write_text("{}")
    lay_out(GRAFANA, tmp_path)
    lay_out(GRAFANA, tmp_path)
    assert {file.name for file in (tmp_path / "boards").iterdir()} == {file.name for file in FILES}
    read: Callable[[str], Any] = lambda name: YAML(typ="safe").load(tmp_path / "provisioning" / name)  # noqa: E731
    (source,) = read("datasources/prometheus.yaml")["datasources"]
    assert (source["uid"], source["type"], source["isDefault"]) == (PROMETHEUS.uid, PROMETHEUS.type_val, True)
    (provider,) = read("dashboards/platform.yaml")["providers"]
    grafana = YAML(typ="safe").load(ROOT / "compose.yaml")["services"]["grafana"]
    assert f"{provider['options']['path']}/platform.json" == grafana["environment"][
        "GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"
    ]  # fmt: skip
    for file in tmp_path.glob("provisioning/*/*.yaml"):
        wanted = set(re.findall(r"\$\{(\w+)\}", file.read_text().partition("\n")[2]))
        assert wanted <= grafana["environment"].keys()


def test_panels_are_told_apart_by_title() -> None:
    def named(panel: Panel) -> str:
        return f"{panel.row}: {panel.title}"

    for uid in BOARDS:
        titles = [named(panel) for panel in panels(uid)]
        assert len(titles) == len(set(titles))
