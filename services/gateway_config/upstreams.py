"""Where the gateway sends requests to, from the addresses that services are given."""

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Literal, Self
from urllib.parse import urlsplit


class NotAnAddress(ValueError):
    """An address must look like `http://host:port`."""


@dataclass(frozen=True)
class Endpoint:
    """One process that answers."""

    host: str
    port: int

    @property
    def is_ip(self) -> bool:
        """Whether nothing has to be looked up."""
        try:
            ip_address(self.host)
        except ValueError:
            return False
        return True


@dataclass(frozen=True)
class Upstream:
    """A service with its endpoints."""

    name: str
    endpoints: tuple[Endpoint, ...]

    @classmethod
    def of(cls, name: str, addresses: str) -> Self:
        """From one URL, or several with commas between them."""
        return cls(name, tuple(_endpoint(address.strip()) for address in addresses.split(",")))

    @property
    def http(self) -> Literal["http_protocol_options", "http2_protocol_options"]:
        """gRPC is HTTP/2 throughout."""
        return "http2_protocol_options" if self.name.endswith("-grpc") else "http_protocol_options"

    @property
    def discovery(self) -> Literal["STATIC", "STRICT_DNS"]:
        """A name is looked up again and again, and every address it has is an endpoint."""
        return "STATIC" if all(endpoint.is_ip for endpoint in self.endpoints) else "STRICT_DNS"


def _endpoint(address: str) -> Endpoint:
    parts = urlsplit(address)
    if parts.scheme != "http" or not parts.hostname or parts.path.strip("/"):
        raise NotAnAddress(f"{NotAnAddress.__doc__} This does not: {address!r}")
    return Endpoint(parts.hostname, parts.port or 80)
