"""Where the gateway sends requests to, from the addresses that services are given."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from services.chassis.addresses import Address, NotAnAddress, addresses
from services.chassis.ports import socket_path


@dataclass(frozen=True)
class Upstream:
    """A service with its endpoints."""

    name: str
    endpoints: tuple[Address, ...]
    sockets: Path | None = None
    """Where what is on this machine listens too, on sockets named by their port."""
    affinity: bool = False
    """Whether what asks for the same goes to one endpoint, which gets at most twice an equal share; else each is asked
    in turn."""

    @classmethod
    def of(cls, name: str, urls: str, sockets: Path | None = None, *, affinity: bool = False) -> Self:
        """From one URL, or several with commas between them; requests keep their path, so they have none."""
        endpoints = addresses(urls)
        if any(endpoint.path for endpoint in endpoints):
            raise NotAnAddress(f"{NotAnAddress.__doc__} Here is none: {urls!r}")
        return cls(name, endpoints, sockets, affinity)

    def places(self) -> Iterator[Mapping[str, Any]]:
        """The endpoints as Envoy takes them."""
        for endpoint in self.endpoints:
            if self.sockets and endpoint.is_loopback and self.http == "http_protocol_options":
                yield {"pipe": {"path": str(socket_path(self.sockets, endpoint.port))}}
            else:
                yield {"socket_address": {"address": endpoint.host, "port_value": endpoint.port}}

    @property
    def http(self) -> Literal["http_protocol_options", "http2_protocol_options"]:
        """gRPC is HTTP/2 throughout."""
        return "http2_protocol_options" if self.name.endswith("-grpc") else "http_protocol_options"

    @property
    def discovery(self) -> Literal["STATIC", "STRICT_DNS"]:
        """A name is looked up again and again, and every address it has is an endpoint."""
        return "STATIC" if all(endpoint.is_ip for endpoint in self.endpoints) else "STRICT_DNS"
