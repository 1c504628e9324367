"""The tracking server and model registry: MLflow's own web application, without what this platform does not use.

`mlflow server` starts several processes and takes 400 MB; its application alone, served by waitress, takes a third.
The names with an underscore are MLflow's private ones: the pin is exact, a test starts this, and
`mlflow server --waitress-opts` with the same addresses is the way back.
"""

import logging
import os
import resource
import signal
import sys
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from services.chassis.ports import port

ARTIFACT_ROOT = "mlflow-artifacts:/"
THREADS = 4


def run(arguments: list[str]) -> int:
    """Serve until a signal comes. Waits for PostgreSQL and makes the tables before it listens."""
    if "MALLOC_ARENA_MAX" not in os.environ:
        start_again({"MALLOC_ARENA_MAX": "2"})
    database = database_address()
    os.environ.update(environment(database))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    app = measured(application(database))
    from waitress import serve  # type: ignore[import-untyped]

    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a request that waits a moment is no news
    serve(app, host=os.environ.get("LISTEN_HOST") or "0.0.0.0", port=port("mlflow"), threads=THREADS, ident=None)  # noqa: S104
    return 0


def start_again(added: dict[str, str]) -> None:
    """The C library reads this setting when a process starts (166 MB become 145 MB under load)."""
    os.execve(sys.executable, [sys.executable, "-m", "services", "mlflow"], {**os.environ, **added})  # noqa: S606


def database_address() -> str:
    """DATABASE_URL with the password from its file, as SQLAlchemy takes it."""
    url = urlsplit(os.environ["DATABASE_URL"])
    password = url.password or ""
    if file := os.environ.get("DATABASE_PASSWORD_FILE"):
        password = quote(Path(file).read_text("utf-8").strip(), safe="")
    place = f"{url.hostname}:{url.port or 5432}"
    return f"postgresql+psycopg2://{url.username}{':' if password else ''}{password}@{place}{url.path}"


def environment(database: str) -> dict[str, str]:
    """What MLflow's application reads when it is imported."""
    folder = Path(os.environ.get("MLFLOW_ARTIFACTS") or "/artifacts")
    return {
        "_MLFLOW_SERVER_FILE_STORE": database,
        "_MLFLOW_SERVER_REGISTRY_STORE": database,
        "_MLFLOW_SERVER_ARTIFACT_ROOT": ARTIFACT_ROOT,
        "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
        "_MLFLOW_SERVER_ARTIFACT_DESTINATION": str(folder),
        "_MLFLOW_SGI_NAME": "waitress",
        "_MLFLOW_SERVER_BOOT_ID": uuid.uuid4().hex,
        "_MLFLOW_IN_JOB_EXECUTOR": "false",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_SERVER_ALLOWED_HOSTS": os.environ.get("MLFLOW_ALLOWED_HOSTS") or "localhost:*,127.0.0.1:*",
    }


def application(database: str) -> Any:
    """MLflow's application on a database that is ready for it."""
    # Without this, runs/search sometimes fails under concurrency: it imports the half-initialised module.
    sys.modules["mlflow.server.auth"] = None  # type: ignore[assignment]
    from mlflow.server import app
    from mlflow.server.handlers import initialize_backend_stores

    initialize_backend_stores(database, database, ARTIFACT_ROOT)
    for path in ("/health/live", "/health/ready"):
        app.add_url_rule(path, path, lambda: "OK")
    return app


def measured(app: Any) -> Any:
    """With /metrics in front, where nobody asks for the name of the host: Prometheus comes by address."""

    def answered(asked: Any, start: Any) -> Any:
        if asked["PATH_INFO"] != "/metrics":
            return app(asked, start)
        start("200 OK", [("Content-Type", "text/plain; version=0.0.4")])
        return [metrics().encode()]

    return answered


def metrics() -> str:
    """What this process takes, for Prometheus; its client library is not worth a place in this venv."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    figures = {"process_cpu_seconds_total": used.ru_utime + used.ru_stime}
    pages = Path("/proc/self/statm")
    if pages.is_file():
        figures["process_resident_memory_bytes"] = int(pages.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return "".join(f"{name} {value}\n" for name, value in figures.items())
