"""The one list of ports: the same in a container and locally (plus PORT_OFFSET and REPLICA)."""

import os

PORTS: dict[str, int] = {
    "gateway": 8080,
    "gateway-admin": 8090,
    "identity": 8110,
    "items": 8120,
    "images": 8130,
    "texts": 8140,
    "search": 8150,
    "web": 8160,
    "inference-sync": 8200,
    "inference-sync-grpc": 8220,
    "inference-async": 8240,
    "trainer": 8260,
    "mlflow": 8300,
    "postgres": 8320,
    "kafka": 8340,
    "kafka-controller": 8350,
}


def port(name: str) -> int:
    """The port on which this process offers `name`."""
    return PORTS[name] + int(os.environ.get("PORT_OFFSET", "0")) + int(os.environ.get("REPLICA", "0"))
