"""The platform's own MLflow server for tests: the lean one, from its own virtual environment, on PostgreSQL."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from services.chassis.ports import PORTS
from tests.servers import free_port, running

ROOT = Path(__file__).parents[1]


def mlflow_python() -> str:
    """The interpreter that has the server's libraries; skips the test where it was not installed."""
    own = Path(os.environ.get("MLFLOW_PYTHON") or ROOT / ".venv-mlflow" / "bin" / "python")
    found = shutil.which(own)
    if found is None:
        pytest.skip(f"no MLflow server: {own} is missing, run scripts/setup")
    return found


@contextmanager
def mlflow(postgres_address: str, folder: Path) -> Iterator[str]:
    """A server on the database `mlflow` of that PostgreSQL, its artefacts in `folder`; yields its address."""
    python, port = mlflow_python(), free_port()
    password = folder / "password"
    password.write_text("any, the server trusts\n")
    settings = {
        "DATABASE_URL": postgres_address.replace("postgres@", "mlflow@").replace("/postgres", "/mlflow"),
        "DATABASE_PASSWORD_FILE": str(password),
        "MLFLOW_ARTIFACTS": str(folder / "artifacts"),
        "LISTEN_HOST": "127.0.0.1",
        "PORT_OFFSET": str(port - PORTS["mlflow"]),
    }
    address = f"http://127.0.0.1:{port}"

    def ready() -> bool:
        try:
            return httpx.get(f"{address}/health/ready", timeout=1).status_code == 200
        except httpx.TransportError:
            return False

    with running([python, "-m", "services", "mlflow"], ready, cwd=ROOT, env={**os.environ, **settings}):
        yield address
