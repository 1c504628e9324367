"""Addresses of services: one URL, or several with commas between them, one a replica."""

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit


class NotAnAddress(ValueError):
    """An address must look like `http://host:port`, with a path only where it says what is asked for."""


@dataclass(frozen=True)
class Address:
    """Where one process answers, or several behind one name."""

    host: str
    port: int
    path: str = ""

    @property
    def is_ip(self) -> bool:
        """Whether nothing has to be looked up."""
        try:
            ip_address(self.host)
        except ValueError:
            return False
        return True

    @property
    def is_loopback(self) -> bool:
        """Whether it is on this machine, by its number."""
        return self.is_ip and ip_address(self.host).is_loopback

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def addresses(urls: str) -> tuple[Address, ...]:
    """All of them; raises NotAnAddress."""
    return tuple(_address(url.strip()) for url in urls.split(","))


def _address(url: str) -> Address:
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        raise NotAnAddress(f"{NotAnAddress.__doc__} This does not: {url!r}")
    return Address(parts.hostname, parts.port or 80, parts.path.rstrip("/"))
