"""compose.yaml as data: read as YAML 1.2, merged with a fork's override, variables filled in, every key known."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from scripts.runner.interpolation import interpolate
from scripts.runner.keys import BadCompose, check

REPLACED = ("command", "entrypoint", "test")  # lists that an override replaces; others it adds to


def read(path: Path, variables: Mapping[str, str]) -> dict[str, Any]:
    tree = _load(path)
    override = path.with_name("compose.override.yaml")
    if override.is_file():
        tree = merge(tree, _load(override))
    filled: dict[str, Any] = interpolate(_without_extensions(tree), variables)
    _check(filled)
    return filled


def _load(path: Path) -> dict[str, Any]:
    yaml = YAML(typ="safe", pure=True)
    try:
        tree = yaml.load(path)
    except (YAMLError, OSError) as error:
        raise BadCompose(f"{path}: {error}") from error
    if not isinstance(tree, dict):
        raise BadCompose(f"{path}: a mapping is expected at the top level")
    return tree


def _without_extensions(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Anchors have done their work when the file is read; `x-local` alone means something to us."""
    return {key: value for key, value in tree.items() if not key.startswith("x-") or key == "x-local"}


def merge(under: Any, over: Any, key: str = "") -> Any:
    """An override file as Compose lays it over the first: mappings by key, lists added, commands replaced."""
    if isinstance(under, dict) and isinstance(over, dict):
        return {name: merge(under.get(name), over.get(name), name) for name in [*under, *(over.keys() - under.keys())]}
    if key == "environment" and under and over:
        return merge(as_mapping(under), as_mapping(over))
    if isinstance(under, list) and isinstance(over, list) and key not in REPLACED:
        return [*under, *(item for item in over if item not in under)]
    return under if over is None else over


def as_mapping(node: Any) -> dict[str, Any]:
    """`environment` may be a list of NAME=VALUE; a name alone takes the runner's own value."""
    if isinstance(node, dict):
        return node
    pairs = (str(item).partition("=") for item in node or [])
    return {name: value if equals else None for name, equals, value in pairs}


def _check(tree: dict[str, Any]) -> None:
    check("top level", "compose.yaml", tree)
    check("x-local of the top level", "x-local", tree.get("x-local") or {})
    for name, volume in (tree.get("volumes") or {}).items():
        check("volumes", f"volumes.{name}", volume or {})
    for name, service in (tree.get("services") or {}).items():
        _check_service(f"services.{name}", service)


def _check_service(where: str, service: dict[str, Any]) -> None:
    check("service", where, service)
    for place in ("deploy", "healthcheck", "x-local"):
        check(place, f"{where}.{place}", service.get(place) or {})
    check("healthcheck", f"{where}.x-local.healthcheck", (service.get("x-local") or {}).get("healthcheck") or {})
    dependencies = service.get("depends_on") or {}
    for name, dependency in dependencies.items() if isinstance(dependencies, dict) else ():
        check("depends_on", f"{where}.depends_on.{name}", dependency or {})
    for index, volume in enumerate(service.get("volumes") or []):
        if isinstance(volume, dict):
            check("volumes of a service", f"{where}.volumes[{index}]", volume)
