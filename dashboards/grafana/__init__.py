"""Dashboards as code: `python -m dashboards.grafana` writes `boards/`; a test holds both against each other."""
