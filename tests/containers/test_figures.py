"""The table of scripts/test-compose: what was measured, beside its bounds."""

from pathlib import Path

import pytest

from scripts.containers.figures import Figures, table
from scripts.containers.project import held, ports
from services.chassis.ports import PORTS
from tests.containers.conftest import ROOT


def test_figures_of_several_processes_make_one_table(tmp_path: Path) -> None:
    one, other = Figures(tmp_path / "figures"), Figures(tmp_path / "figures")
    assert one.add("start", 12.34, "s", bound=20).holds
    assert not other.add("size", 700, "MB", bound=650).holds
    other.add("items", 1234, "items")
    lines = table(one).splitlines()
    assert [line.split()[0] for line in lines] == ["what", "start", "size", "items"]
    assert lines[1].split() == ["start", "12", "s", "20", "s", "ok"]
    assert lines[2].endswith("700 MB  650 MB  TOO MUCH")
    assert lines[3].split() == ["items", "1,234", "items"]


def test_nothing_was_measured(tmp_path: Path) -> None:
    assert list(Figures(tmp_path / "none")) == []


@pytest.mark.parametrize(
    ("text", "megabytes"), [("0B", 0), ("512KiB", 0.524288), ("100MiB", 104.8576), ("1GiB", 1073.741824)]
)
def test_memory_is_read_as_docker_tells_it(text: str, megabytes: float) -> None:
    assert held(text) == pytest.approx(megabytes)


def test_a_copy_has_ports_of_its_own() -> None:
    moved = ports(ROOT, 18080)
    assert moved["PORT"] == 18080
    assert moved["PORT_MLFLOW"] == 10000 + PORTS["mlflow"]
    assert len(set(moved.values())) == len(moved)
