"""Whom Prometheus asks, from the addresses that services are given."""

from dataclasses import dataclass
from typing import Self

from services.chassis.addresses import Address, addresses
from services.chassis.names import service_name


@dataclass(frozen=True)
class Target:
    """A service with its replicas."""

    name: str
    addresses: tuple[Address, ...]

    @classmethod
    def of(cls, name: str, urls: str) -> Self:
        """From one URL, or several with commas between them; `name` may be that of a variable."""
        return cls(service_name(name), addresses(urls))

    @property
    def path(self) -> str:
        """The same for all replicas."""
        return self.addresses[0].path or "/metrics"

    @property
    def looked_up(self) -> bool:
        """A name is looked up again and again, and every address it has is a replica."""
        return not any(address.is_ip for address in self.addresses)
