"""How our dashboards look: lines over time, single figures, tables, rows, and what they have in common."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from grafana_foundation_sdk.builders import common as parts
from grafana_foundation_sdk.builders import dashboard, stat, table, timeseries
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import common as looks
from grafana_foundation_sdk.models.dashboard import (
    AnnotationQuery,
    DashboardCursorSync,
    DashboardLinkType,
    DataSourceRef,
    DataTransformerConfig,
    DynamicConfigValue,
    Panel,
    Threshold,
    ThresholdsMode,
    VariableModel,
    VariableOption,
    VariableRefresh,
    VariableSort,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

PROMETHEUS = DataSourceRef(type_val="prometheus", uid="prometheus")
GRAFANA = DataSourceRef(type_val="datasource", uid="-- Grafana --")
TAG = "platform"
GOOD, WARNING, BAD, RELEASE, TRAINING = "green", "orange", "red", "blue", "purple"
HEIGHT, LOW = 8, 4
WHOLE = 24

BYTES, SECONDS, MILLISECONDS, SHARE, COUNT = "bytes", "s", "ms", "percentunit", "short"
PER_SECOND, REQUESTS_PER_SECOND = "ops", "reqps"


@dataclass(frozen=True)
class Query:
    """What a panel asks Prometheus, and what the answer's lines are called."""

    expr: str
    legend: str = ""


@dataclass(frozen=True)
class RightAxis:
    """Lines of another unit, by what their names have in common."""

    names: str
    unit: str
    label: str


@dataclass(frozen=True)
class Limits:
    """From where on a figure is not good any more; drawn as a line where there is time."""

    warning: float | None = None
    bad: float | None = None

    def steps(self) -> list[Threshold]:
        """Good from the beginning."""
        limits = [Threshold(limit, colour) for limit, colour in ((self.warning, WARNING), (self.bad, BAD))]
        return [Threshold(None, GOOD), *(step for step in limits if step.value is not None)]

    def built(self) -> dashboard.ThresholdsConfig:
        """As Grafana takes it."""
        return dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(self.steps())


def lines(
    title: str,
    description: str,
    unit: str,
    *queries: Query,
    width: int = 8,
    limits: Limits | None = None,
    right: RightAxis | None = None,
    stacked: bool = False,
    most: float | None = None,
) -> Builder[Panel]:
    """Figures over time, from zero up."""
    panel = timeseries.Panel().title(title).description(description).datasource(PROMETHEUS)
    panel.span(width).height(HEIGHT).unit(unit).min(0).line_width(1).fill_opacity(10)
    panel.show_points(looks.VisibilityMode.NEVER)
    panel.legend(parts.VizLegendOptions().display_mode(looks.LegendDisplayMode.LIST).show_legend(True))
    panel.tooltip(parts.VizTooltipOptions().mode(looks.TooltipDisplayMode.MULTI).sort(looks.SortOrder.DESCENDING))
    if most is not None:
        panel.axis_soft_max(most)
    if stacked:
        panel.stacking(parts.StackingConfig().mode(looks.StackingMode.NORMAL).group("A"))
    if limits:
        panel.thresholds(limits.built())
        panel.thresholds_style(parts.GraphThresholdsStyleConfig().mode(looks.GraphThresholdsStyleMode.DASHED))
    if right:
        panel.override_by_regexp(right.names, _on_the_right(right))
    for number, query in enumerate(queries):
        panel.with_target(_asked(query, number).range())
    return panel


def _on_the_right(right: RightAxis) -> list[DynamicConfigValue]:
    return [
        DynamicConfigValue("unit", right.unit),
        DynamicConfigValue("custom.axisPlacement", "right"),
        DynamicConfigValue("custom.axisLabel", right.label),
        DynamicConfigValue("custom.fillOpacity", 0),
    ]


def figure(
    title: str, description: str, unit: str, query: Query, *, limits: Limits | None = None, width: int = 4
) -> Builder[Panel]:
    """One number as it is now, with how it came to be behind it."""
    panel = stat.Panel().title(title).description(description).datasource(PROMETHEUS)
    panel.span(width).height(LOW).unit(unit).min(0)
    panel.graph_mode(looks.BigValueGraphMode.AREA).color_mode(looks.BigValueColorMode.VALUE)
    panel.reduce_options(parts.ReduceDataOptions().calcs(["lastNotNull"]))
    panel.thresholds((limits or Limits()).built())
    return panel.with_target(_asked(query, 0).range())


@dataclass(frozen=True)
class Column:
    """A column of a table: a query whose labels say which row."""

    name: str
    expr: str
    unit: str


def rows(title: str, description: str, labels: Sequence[str], *columns: Column, width: int = WHOLE) -> Builder[Panel]:
    """One row for each set of labels, one column for each query."""
    panel = table.Panel().title(title).description(description).datasource(PROMETHEUS).span(width).height(HEIGHT)
    for number, column in enumerate(columns):
        panel.with_target(_asked(Query(column.expr), number).instant().format(PromQueryFormat.TABLE))
    names = {f"Value #{_reference(number)}": column.name for number, column in enumerate(columns)}
    order = {name: number for number, name in enumerate([*labels, *names])}
    panel.with_transformation(DataTransformerConfig("merge", options={}))
    panel.with_transformation(
        DataTransformerConfig(
            "organize", options={"excludeByName": {"Time": True}, "indexByName": order, "renameByName": names}
        )
    )
    for column in columns:
        panel.override_by_name(column.name, [DynamicConfigValue("unit", column.unit)])
    return panel


def _asked(query: Query, number: int) -> Dataquery:
    return Dataquery().expr(query.expr).legend_format(query.legend or "__auto").ref_id(_reference(number))


def _reference(number: int) -> str:
    return chr(ord("A") + number)


@dataclass(frozen=True)
class Row:
    """Panels under one heading; repeated for every value of a variable."""

    title: str
    panels: Sequence[Builder[Panel]]
    repeat: str | None = None

    def heading(self) -> dashboard.Row:
        """The heading alone: in an open row the panels come after it."""
        heading = dashboard.Row(self.title)
        return heading.repeat(self.repeat) if self.repeat else heading


@dataclass(frozen=True)
class Choice:
    """What the reader chooses above the dashboard: values of a label."""

    name: str
    title: str
    metric: str
    first: str | None = None

    def built(self) -> Builder[VariableModel]:
        """Several may be chosen. Without a first one, all are."""
        chosen = (
            VariableOption(True, [self.first], [self.first])
            if self.first
            else VariableOption(True, ["All"], ["$__all"])
        )
        choice = dashboard.QueryVariable(self.name).label(self.title).datasource(PROMETHEUS)
        choice.query({"query": f"label_values({self.metric}, {self.name})", "refId": "choice", "qryType": 1})
        choice.multi(True).include_all(True).all_value(".+").current(chosen)
        return choice.refresh(VariableRefresh.ON_TIME_RANGE_CHANGED).sort(VariableSort.ALPHABETICAL_ASC)


@dataclass(frozen=True)
class Board:
    """A dashboard."""

    uid: str
    title: str
    description: str
    rows: Sequence[Row]
    choices: Sequence[Choice] = field(default_factory=tuple)

    def built(self) -> dashboard.Dashboard:
        """Everything, with ids in the order of reading."""
        board = dashboard.Dashboard(self.title).uid(self.uid).description(self.description).tags([TAG]).readonly()
        board.time("now-1h", "now").refresh("10s").timezone("browser").tooltip(DashboardCursorSync.CROSSHAIR)
        board.link(_others()).annotation(happened("Releases", "release", RELEASE))
        board.annotation(happened("Training", "training", TRAINING))
        for choice in self.choices:
            board.with_variable(choice.built())
        for row in self.rows:
            board.with_row(row.heading())
            for panel in row.panels:
                board.with_panel(panel)
        for number, shown in enumerate(board.build().panels or [], 1):
            shown.id_val = number
        return board


def happened(name: str, tag: str, colour: str) -> Builder[AnnotationQuery]:
    """Notes that the service `monitoring` sends."""
    target = dashboard.AnnotationTarget().limit(100).match_any(False).tags([tag]).type("tags")
    note = dashboard.AnnotationQuery().name(name).datasource(GRAFANA).enable(True)
    return note.icon_color(colour).target(target)


def _others() -> dashboard.DashboardLink:
    link = dashboard.DashboardLink("Dashboards").type(DashboardLinkType.DASHBOARDS).tags([TAG])
    return link.as_dropdown(True).keep_time(True).include_vars(False)
