"""Whether a model and a base may become one image: the libraries it was made with, the contract the code expects."""

from models.contract import Manifest
from services.chassis.errors import Conflict, Fault
from services.image_builder.base import Base
from services.sources.onnx_model import Unfit, check_declared, check_library


class DoesNotFit(Conflict):
    """The model and the base image do not fit together."""


def check_fit(manifest: Manifest, base: Base) -> None:
    """Raises DoesNotFit with everything that differs, by the same rules as a host that loads a model."""
    faults = [*_libraries(manifest, base), *_contract(manifest, base)]
    if faults:
        raise DoesNotFit(f"{manifest.name} on base {base.id}: {'; '.join(fault.what for fault in faults)}", *faults)


def _libraries(manifest: Manifest, base: Base) -> list[Fault]:
    faults = []
    for name, wanted in sorted(manifest.requires.items()):
        try:
            check_library(name, wanted, base.versions.get(name.lower()))
        except Unfit as unfit:
            allowed = ".".join(wanted.split(".")[:2]) + ".*"
            faults.append(Fault(where=f"requires.{name}", what=str(unfit), allowed=f"a base with {name} {allowed}"))
    return faults


def _contract(manifest: Manifest, base: Base) -> list[Fault]:
    expected = base.contract(manifest.name)
    if expected is None:
        known = ", ".join(sorted(base.contracts))
        return [Fault(where="name", what=f"the base has no code for {manifest.name}", allowed=known)]
    try:
        check_declared(manifest, expected)
    except Unfit as unfit:
        return [Fault(where="contract", what=str(unfit), allowed="the contract of the base's code")]
    return []
