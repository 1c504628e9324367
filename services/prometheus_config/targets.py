"""Whom Prometheus asks, from the addresses that services are given."""

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Self
from urllib.parse import urlsplit

from services.chassis.names import service_name


class NotAnAddress(ValueError):
    """An address must look like `http://host:port` or `http://host:port/path`."""


@dataclass(frozen=True)
class Address:
    """Where one process, or several behind one name, show metrics."""

    host: str
    port: int
    path: str

    @property
    def is_ip(self) -> bool:
        """Whether nothing has to be looked up."""
        try:
            ip_address(self.host)
        except ValueError:
            return False
        return True

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Target:
    """A service with its replicas."""

    name: str
    addresses: tuple[Address, ...]

    @classmethod
    def of(cls, name: str, urls: str) -> Self:
        """From one URL, or several with commas between them; `name` may be that of a variable."""
        return cls(service_name(name), tuple(_address(url.strip()) for url in urls.split(",")))

    @property
    def path(self) -> str:
        """The same for all replicas."""
        return self.addresses[0].path

    @property
    def looked_up(self) -> bool:
        """A name is looked up again and again, and every address it has is a replica."""
        return not any(address.is_ip for address in self.addresses)


def _address(url: str) -> Address:
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        raise NotAnAddress(f"{NotAnAddress.__doc__} This does not: {url!r}")
    return Address(parts.hostname, parts.port or 80, parts.path.rstrip("/") or "/metrics")
