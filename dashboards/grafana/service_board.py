"""One service in detail: each of its replicas, each of its routes, what it waits for."""

from dashboards.grafana.drawing import (
    BYTES,
    COUNT,
    PER_SECOND,
    REQUESTS_PER_SECOND,
    SECONDS,
    SHARE,
    Board,
    Choice,
    Limits,
    Query,
    RightAxis,
    Row,
    lines,
)
from dashboards.grafana.platform_board import quantile, quantiles

ONE = 'service=~"$service"'
ANSWERS = f'{ONE}, route!~".*/events"'

ONE_SERVICE = Row(
    "$service",
    [
        lines(
            "Requests by route",
            "Requests answered; by program or page.",
            REQUESTS_PER_SECOND,
            Query(
                f"sum by (method, route) (rate(http_requests_total{{{ONE}}}[$__rate_interval]))", "{{method}} {{route}}"
            ),
        ),
        lines(
            "Latency",
            "Time to answer, without streams of events.",
            SECONDS,
            *quantiles("http_request_duration_seconds", ANSWERS),
        ),
        lines(
            "Answers by status",
            "Requests by the status they were answered with.",
            REQUESTS_PER_SECOND,
            Query(f"sum by (status) (rate(http_requests_total{{{ONE}}}[$__rate_interval]))", "{{status}}"),
            stacked=True,
        ),
        lines(
            "RAM by replica",
            "Memory in use, and what the service may use at most.",
            BYTES,
            Query(f"replica:memory_bytes{{{ONE}}}", "{{service}} {{replica}}"),
            Query(f"max by (service) (memory_limit_bytes{{{ONE}}})", "limit"),
        ),
        lines(
            "CPU by replica",
            "Processor time; 100 % is one core.",
            SHARE,
            Query(f"rate(process_cpu_seconds_total{{{ONE}}}[$__rate_interval])", "{{service}} {{replica}}"),
        ),
        lines(
            "Up",
            "1 while the replica answers.",
            COUNT,
            Query(f"up{{{ONE}}}", "{{service}} {{replica}}"),
            most=1,
        ),
        lines(
            "What it needs",
            "1 while a check of the service's readiness holds.",
            COUNT,
            Query(f"min by (service, check) (ready_check_ok{{{ONE}}})", "{{check}}"),
            most=1,
        ),
        lines(
            "Events handled",
            "Events taken from the log by topic and outcome, and from their making to their end on the right.",
            PER_SECOND,
            Query(
                f"sum by (topic, outcome) (rate(events_handled_total{{{ONE}}}[$__rate_interval]))",
                "{{topic}} {{outcome}}",
            ),
            Query(quantile(0.95, "event_delay_seconds", ONE), "p95"),
            right=RightAxis("p95", SECONDS, "delay"),
        ),
        lines(
            "Disk",
            "Share of the disk that is left where the service works.",
            SHARE,
            Query(f"min by (service) (disk_free_bytes{{{ONE}}} / disk_size_bytes{{{ONE}}})", "{{service}}"),
            limits=Limits(),
            most=1,
        ),
    ],
    repeat="service",
)

SERVICE = Board(
    "service",
    "One service",
    "Each replica, each route, what it waits for. Generated: dashboards/grafana.",
    (ONE_SERVICE,),
    (Choice("service", "Service", "up", first="items"),),
)
