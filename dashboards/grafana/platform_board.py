"""The platform at a glance: is it well, who uses what, how long items take, what the models do."""

from dashboards.grafana.drawing import (
    BYTES,
    COUNT,
    MILLISECONDS,
    PER_SECOND,
    REQUESTS_PER_SECOND,
    SECONDS,
    SHARE,
    Board,
    Choice,
    Column,
    Limits,
    Query,
    RightAxis,
    Row,
    figure,
    lines,
    rows,
)

OBJECTIVE_SECONDS = 3.0
"""registered -> searchable: 95 of 100 items within so many; the alert SearchableTooSlow says the same."""

PUBLIC = 'envoy_http_conn_manager_prefix="public"'
CHOSEN = 'service=~"$service"'
MODEL = 'model=~"$model"'
GROUPED = 'group!="none"'
REGISTERED = "item_registered_to_searchable_seconds"


def quantile(q: float, histogram: str, labels: str = "", window: str = "5m", by: str = "le") -> str:
    """The q-quantile of a histogram over the last while."""
    return f"histogram_quantile({q}, sum by ({by}) (rate({histogram}_bucket{{{labels}}}[{window}])))"


def quantiles(histogram: str, labels: str) -> list[Query]:
    """The middle of a histogram, and its slow end."""
    return [Query(quantile(q, histogram, labels, "$__rate_interval"), f"p{q * 100:.0f}") for q in (0.5, 0.95, 0.99)]


NOW = Row(
    "Now",
    [
        figure(
            "Alerts firing",
            "Alerts of Prometheus that fire. The operator's console lists them.",
            COUNT,
            Query('count(ALERTS{alertstate="firing"}) or vector(0)'),
            limits=Limits(bad=1),
        ),
        figure(
            "Services down",
            "Services of which no replica answers.",
            COUNT,
            Query("count(service:expected unless on (service) (up == 1)) or vector(0)"),
            limits=Limits(bad=1),
        ),
        figure(
            "Requests",
            "Requests at the gateway.",
            REQUESTS_PER_SECOND,
            Query("sum(gateway:requests:rate1m)"),
        ),
        figure(
            "Errors",
            "Share of the gateway's answers that are 5xx.",
            SHARE,
            Query(
                '(sum(gateway:requests:rate1m{code="5xx"}) or vector(0)) / (sum(gateway:requests:rate1m) > 0) '
                "or vector(0)"
            ),
            limits=Limits(warning=0.01, bad=0.05),
        ),
        figure(
            "Registered → searchable, p95",
            "95 of 100 items are found within this time after they were registered; over ten minutes.",
            SECONDS,
            Query("items:searchable_seconds:p95_10m"),
            limits=Limits(bad=OBJECTIVE_SECONDS),
        ),
        figure(
            "Waiting for screening",
            "Items that the models have not judged yet.",
            COUNT,
            Query('sum(items_waiting{state="screening"})'),
            limits=Limits(warning=20, bad=100),
        ),
    ],
)

SYSTEM = Row(
    "System",
    [
        lines(
            "RAM",
            "Memory in use by each service, its replicas together.",
            BYTES,
            Query(f"sum by (service) (replica:memory_bytes{{{CHOSEN}}})", "{{service}}"),
            stacked=True,
        ),
        lines(
            "CPU",
            "Processor time by each service, its replicas together; 100 % is one core.",
            SHARE,
            Query(f"sum by (service) (rate(process_cpu_seconds_total{{{CHOSEN}}}[$__rate_interval]))", "{{service}}"),
            stacked=True,
        ),
        lines(
            "Click-through rate of groups A and B",
            "Clicks for each result shown, by group of the experiment; over an hour.",
            SHARE,
            Query(
                f"sum by (group) (rate(search_clicks_total{{{GROUPED}}}[1h]))"
                f" / (sum by (group) (rate(search_impressions_total{{{GROUPED}}}[1h])) > 0)",
                "group {{group}}",
            ),
        ),
        lines(
            "Warehouse: rows stored",
            "Rows that came into the warehouse on the left; how long the oldest event waits to be stored on the right.",
            PER_SECOND,
            Query("sum by (table) (rate(warehouse_rows_total[$__rate_interval]))", "{{table}}"),
            Query("max(warehouse_oldest_waiting_seconds)", "oldest waits"),
            right=RightAxis("oldest waits", SECONDS, "oldest waits"),
        ),
        lines(
            "Requests per second and latency",
            "At the gateway: requests by kind of answer on the left, how long they take on the right. "
            "A stream of events takes as long as somebody reads it.",
            REQUESTS_PER_SECOND,
            Query(
                f"sum by (envoy_response_code_class) (rate(envoy_http_downstream_rq_xx{{{PUBLIC}}}[$__rate_interval]))",
                "{{envoy_response_code_class}}xx",
            ),
            *quantiles("envoy_http_downstream_rq_time", PUBLIC),
            right=RightAxis("p[0-9]+", MILLISECONDS, "latency"),
        ),
        lines(
            "Nodes: replicas up",
            "Replicas of each service that answer.",
            COUNT,
            Query(f"service:replicas:up{{{CHOSEN}}}", "{{service}}"),
        ),
        lines(
            "Error rate",
            "Share of each service's answers that are 5xx.",
            SHARE,
            Query(f"service:errors:ratio1m{{{CHOSEN}}}", "{{service}}"),
            limits=Limits(bad=0.05),
            most=0.1,
        ),
    ],
)

ITEMS = Row(
    "Items",
    [
        lines(
            "Registered → searchable",
            "From the registration of an item to the moment it is found, where no person decided; "
            "the dashed line is the objective for p95.",
            SECONDS,
            Query(quantile(0.5, REGISTERED), "p50"),
            Query(quantile(0.95, REGISTERED), "p95"),
            limits=Limits(bad=OBJECTIVE_SECONDS),
            most=OBJECTIVE_SECONDS,
        ),
        lines(
            "Found within the objective",
            f"Share of items that are found within {OBJECTIVE_SECONDS:.0f} s; the objective is 95 %. Over an hour.",
            SHARE,
            Query(
                f'sum(increase({REGISTERED}_bucket{{le="{OBJECTIVE_SECONDS}"}}[1h])) '
                f"/ (sum(increase({REGISTERED}_count[1h])) > 0)",
                "within",
            ),
            Query("vector(0.95)", "objective"),
            most=1,
        ),
        lines(
            "Screening backlog",
            "Items without a verdict on the left, the age of the oldest of them on the right.",
            COUNT,
            Query('sum by (state) (items_waiting{state="screening"})', "waiting for the models"),
            Query('sum by (state) (items_waiting{state="needs_review"})', "waiting for a moderator"),
            Query('max(items_waiting_oldest_seconds{state="screening"})', "oldest"),
            right=RightAxis("oldest", SECONDS, "age"),
        ),
        lines(
            "Verdicts",
            "What screening says, and from registration to the verdict on the right.",
            PER_SECOND,
            Query("sum by (verdict) (rate(screened_total[$__rate_interval]))", "{{verdict}}"),
            Query(quantile(0.95, "screening_delay_seconds"), "p95"),
            right=RightAxis("p95", SECONDS, "delay"),
        ),
        lines(
            "Events handled",
            "Events taken from the log, by service and outcome.",
            PER_SECOND,
            Query(
                f"sum by (service, outcome) (rate(events_handled_total{{{CHOSEN}}}[$__rate_interval]))",
                "{{service}} {{outcome}}",
            ),
        ),
        lines(
            "Events without effect",
            "Rows of the outboxes: sent, and not acted on yet; the age of the oldest on the right.",
            COUNT,
            Query(f"sum by (service) (outbox_rows{{{CHOSEN}}})", "{{service}}"),
            Query("max(outbox_oldest_seconds)", "oldest"),
            right=RightAxis("oldest", SECONDS, "age"),
        ),
    ],
)

VERSIONS = Row(
    "Model versions",
    [
        rows(
            "Versions that answer",
            "One row for each version of a model: how much it predicts, its share of the model's answers, "
            "how many replicas have it loaded. The version `default` is the declared default.",
            ("model", "version"),
            Column("predictions", f"sum by (model, version) (rate(predictions_total{{{MODEL}}}[5m]))", PER_SECOND),
            Column(
                "share",
                f"sum by (model, version) (rate(predictions_total{{{MODEL}}}[5m])) "
                f"/ on (model) group_left () (sum by (model) (rate(predictions_total{{{MODEL}}}[5m])) > 0)",
                SHARE,
            ),
            Column("loaded by", f"count by (model, version) (model_info{{{MODEL}}} == 1)", COUNT),
            Column(
                "seconds to load",
                f"max by (model, version) (model_info{{{MODEL}}} * on (service, replica, model) "
                f"group_left () model_load_seconds{{{MODEL}}})",
                SECONDS,
            ),
        ),
    ],
)

ONE_MODEL = Row(
    "Model: $model",
    [
        lines(
            "Predictions",
            "By version and who gave the answer.",
            PER_SECOND,
            Query(
                f"sum by (version, served_by) (rate(predictions_total{{{MODEL}}}[$__rate_interval]))",
                "{{version}} by {{served_by}}",
            ),
            width=6,
        ),
        lines(
            "Latency",
            "Time to answer, waiting included.",
            SECONDS,
            *quantiles("prediction_duration_seconds", MODEL),
            width=6,
        ),
        lines(
            "Default share",
            "Share of the answers that the declared default gave.",
            SHARE,
            Query(
                f'(sum by (model) (rate(predictions_total{{{MODEL}, served_by="default"}}[5m])) '
                f"or sum by (model) (rate(predictions_total{{{MODEL}}}[5m])) * 0) "
                f"/ (sum by (model) (rate(predictions_total{{{MODEL}}}[5m])) > 0)",
                "{{model}}",
            ),
            limits=Limits(bad=0.1),
            most=0.2,
            width=6,
        ),
        lines(
            "Versions refused",
            "Versions that a host would not serve, in the last hour, and champions that are refused now.",
            COUNT,
            Query(
                f"sum by (model, reason) (increase(model_refused_total{{{MODEL}}}[1h])) or on (model) "
                f'label_replace(sum by (model) (model_champion_refused{{{MODEL}}}) * 0, "reason", "none", "", "")',
                "{{reason}}",
            ),
            Query(f"sum by (model) (model_champion_refused{{{MODEL}}})", "champion refused"),
            limits=Limits(bad=1),
            most=1,
            width=6,
        ),
    ],
    repeat="model",
)

LOG = Row(
    "Prediction log",
    [
        lines(
            "Predictions logged",
            "Predictions in the log before they were answered, and those that could not be logged.",
            PER_SECOND,
            Query("sum by (service) (rate(predictions_logged_total[$__rate_interval]))", "{{service}}"),
            Query("sum by (reason) (rate(predictions_not_logged_total[$__rate_interval]))", "not logged: {{reason}}"),
        ),
        lines(
            "Segments",
            "Files of the spool by state; replicas share the folder.",
            COUNT,
            Query("max by (service, state) (spool_segments)", "{{service}} {{state}}"),
        ),
        lines(
            "Spool",
            "Bytes of the spool by state, and the age of the oldest segment that is not sent on the right.",
            BYTES,
            Query("max by (service, state) (spool_bytes)", "{{service}} {{state}}"),
            Query("max by (service) (spool_oldest_unsent_seconds)", "{{service}} oldest"),
            right=RightAxis(".* oldest", SECONDS, "age"),
        ),
    ],
)

ALERTS = Row(
    "Alerts",
    [
        lines(
            "Alerts firing",
            "By name and severity.",
            COUNT,
            Query(
                'sum by (alertname, severity) (ALERTS{alertstate="firing"}) '
                'or label_replace(vector(0), "alertname", "none", "", "")',
                "{{alertname}} {{severity}}",
            ),
            width=12,
        ),
        lines(
            "Alerts delivered",
            "What Alertmanager sent, and what did not arrive.",
            PER_SECOND,
            Query('sum(rate(alertmanager_notifications_total{integration="webhook"}[$__rate_interval]))', "sent"),
            Query(
                'sum(rate(alertmanager_notifications_failed_total{integration="webhook"}[$__rate_interval]))', "failed"
            ),
            width=12,
        ),
    ],
)

PLATFORM = Board(
    "platform",
    "Platform",
    "Is it well, who uses what, how long items take, what the models do. Generated: dashboards/grafana.",
    (NOW, SYSTEM, ITEMS, VERSIONS, ONE_MODEL, LOG, ALERTS),
    (Choice("service", "Service", "up"), Choice("model", "Model", "predictions_total")),
)
