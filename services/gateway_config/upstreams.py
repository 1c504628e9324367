"""Where the gateway sends requests to, from the addresses that services are given."""

from dataclasses import dataclass
from typing import Literal, Self

from services.chassis.addresses import Address, NotAnAddress, addresses


@dataclass(frozen=True)
class Upstream:
    """A service with its endpoints."""

    name: str
    endpoints: tuple[Address, ...]

    @classmethod
    def of(cls, name: str, urls: str) -> Self:
        """From one URL, or several with commas between them; requests keep their path, so they have none."""
        endpoints = addresses(urls)
        if any(endpoint.path for endpoint in endpoints):
            raise NotAnAddress(f"{NotAnAddress.__doc__} Here is none: {urls!r}")
        return cls(name, endpoints)

    @property
    def http(self) -> Literal["http_protocol_options", "http2_protocol_options"]:
        """gRPC is HTTP/2 throughout."""
        return "http2_protocol_options" if self.name.endswith("-grpc") else "http_protocol_options"

    @property
    def discovery(self) -> Literal["STATIC", "STRICT_DNS"]:
        """A name is looked up again and again, and every address it has is an endpoint."""
        return "STATIC" if all(endpoint.is_ip for endpoint in self.endpoints) else "STRICT_DNS"
