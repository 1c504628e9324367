"""Wraps a model in its patterns, as settings say.

`PATTERNS_<MODEL>=fallback,cache` (or `PATTERNS`, for every model without its own) names them, outermost first;
each is one file in `services/patterns/` with a function `wire(predict, wiring) -> Predict`. A pattern's own
parameters are `<PATTERN>_<MODEL>_<NAME>`. `ACTIVATE_<MODEL>=false` leaves the model alone: its default answers.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter
from pydantic_settings import BaseSettings

from models.contract import Manifest
from services.chassis.backends import Backends
from services.chassis.metrics import Metrics
from services.prediction import AtOnce, NotLoaded, Predict, Prediction, PredictionRequest
from services.sources.remote import remote
from services.spool.writer import Spool

LOGGED_PATTERNS, DEFAULT_PATTERNS = "prediction_log,fallback", "fallback"
"""Around a model whose setting names none: with a spool, and without one."""
LOG, TOGETHER = "prediction_log", "batching"
ORDER = (
    ("ab_test", "cache", "one group gets the other's answers"),
    ("fallback", "circuit_breaker", "who is cut off gets an error and not the default"),
)
"""Which goes outside of which, and what happens otherwise."""
Parameters = TypeVar("Parameters", bound=BaseSettings)


class UnknownPattern(Exception):
    """A setting names a pattern that does not exist."""


class WrongOrder(Exception):
    """A setting names patterns in an order in which they do harm."""


def _no_version() -> str | None:
    return None


def _no_aliases(alias: str) -> Predict:
    async def missing(request: PredictionRequest) -> Prediction:
        raise NotLoaded(f"{request.model}: this host follows no alias {alias}")

    return missing


@dataclass(frozen=True)
class Wiring:
    """What a pattern may need to know about the model it wraps and the host it runs in."""

    model: str
    manifest: Callable[[], Manifest]
    backends: Backends
    metrics: Metrics
    patience_seconds: float
    version: Callable[[], str | None] = _no_version
    alias: Callable[[str], Predict] = _no_aliases
    spool: Spool | None = None

    def other(self, which: str) -> Predict:
        """Another predictor for the same requests: a host's address, or an alias of the registry (`challenger`)."""
        if "://" in which:
            return remote(self.backends.http, which, timeout_seconds=self.patience_seconds)
        return self.alias(which)

    def logged(self, predict: Predict) -> Predict:
        """The same with a prediction log of its own, if the model has one: for answers that nobody is given."""
        return _wire(LOG)(predict, self) if LOG in chosen(self.model) else predict

    def parameters(self, kind: type[Parameters], pattern: str) -> Parameters:
        """The settings `<PATTERN>_<MODEL>_<NAME>`."""
        return kind(_env_prefix=f"{pattern}_{self.model}_".upper())

    @property
    def active(self) -> bool:
        """False when the model is switched off."""
        return TypeAdapter(bool).validate_python(_setting("ACTIVATE", self.model, "true"))


def wired(source: Predict, wiring: Wiring) -> Predict:
    """The source in the patterns that its model's setting names."""
    predict = source
    for name in reversed(chosen(wiring.model)):
        predict = _wire(name)(predict, wiring)
    return predict


def chosen(model: str) -> list[str]:
    """The patterns around a model, outermost first; raises UnknownPattern, WrongOrder."""
    otherwise = os.environ.get("PATTERNS") or (LOGGED_PATTERNS if os.environ.get("SPOOL_DIR") else DEFAULT_PATTERNS)
    names = [name.strip() for name in _setting("PATTERNS", model, otherwise).split(",") if name.strip()]
    for name in names:
        if name not in known():
            raise UnknownPattern(f"PATTERNS_{model.upper()}: {name} is none of {', '.join(sorted(known()))}")
    if LOG in names[1:]:
        raise WrongOrder(f"PATTERNS_{model.upper()}: {LOG} goes first, or what others answer is not in it")
    if TOGETHER in names[:-1]:
        raise WrongOrder(f"PATTERNS_{model.upper()}: {TOGETHER} goes last, or one caller's group is everybody's")
    for outer, inner, why in ORDER:
        if inner in names and outer in names[names.index(inner) :]:
            raise WrongOrder(f"PATTERNS_{model.upper()}: {outer} goes before {inner}, or {why}")
    return names


def wired_at_once(source: AtOnce, wiring: Wiring) -> AtOnce | None:
    """The same for requests that the source answers at once; None where a pattern may wait for something.

    A pattern that waits for nothing itself says so by a function `wire_at_once`.
    """
    predict = source
    for name in reversed(chosen(wiring.model)):
        wire = getattr(import_module(f"services.patterns.{name}"), "wire_at_once", None)
        if wire is None:
            return None
        predict = wire(predict, wiring)
    return predict


def known() -> set[str]:
    """Every pattern there is: the files in services/patterns."""
    return {path.stem for path in (Path(__file__).parent / "patterns").glob("[a-z]*.py")}


def _setting(name: str, model: str, otherwise: str) -> str:
    return os.environ.get(f"{name}_{model}".upper()) or otherwise


def _wire(name: str) -> Callable[[Predict, Wiring], Predict]:
    wire: Callable[[Predict, Wiring], Predict] = import_module(f"services.patterns.{name}").wire
    return wire
