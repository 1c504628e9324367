"""The one list of ports: the same in a container and locally (plus PORT_OFFSET and REPLICA)."""

import os
from pathlib import Path

PORTS: dict[str, int] = {
    "gateway": 8080,
    "gateway-admin": 8090,
    "gateway-metrics": 8100,
    "identity": 8110,
    "items": 8120,
    "images": 8130,
    "texts": 8140,
    "search": 8150,
    "web": 8160,
    "proxy": 8170,
    "monitoring": 8180,
    "warehouse": 8190,
    "inference-sync": 8200,
    "inference-sync-grpc": 8220,
    "inference-in-image": 8230,
    "inference-async": 8240,
    "inference-batch": 8250,
    "trainer": 8260,
    "image-builder": 8270,
    "mlflow": 8300,
    "prometheus": 8310,
    "postgres": 8320,
    "kafka": 8340,
    "kafka-controller": 8350,
    "alertmanager": 8360,
    "grafana": 8370,
    "registry": 8380,
}

LONGEST_PATH = 103
"""Bytes of a socket's path that every system takes (macOS 103, Linux 107)."""


def socket_path(folder: Path, port: int) -> Path:
    """Where what listens on this port is also reached on its own machine."""
    return folder / str(port)


def port(name: str) -> int:
    """The port on which this process offers `name`."""
    return PORTS[name] + int(os.environ.get("PORT_OFFSET", "0")) + int(os.environ.get("REPLICA", "0"))
