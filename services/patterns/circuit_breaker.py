"""Circuit breaker: under sudden load a part is cut off, so that not everything goes down.

At most 300 requests a second are answered by the model, and the rest at once by the default. A model that keeps
failing, or is late, is left alone for a while; then one request tries whether it is back.
Stands inside `fallback`, which answers for what is refused here.
"""

import asyncio
import time
from collections.abc import Callable

from prometheus_client import Counter, Gauge
from pydantic import Field
from pydantic_settings import BaseSettings

from services.circuit import Circuit
from services.patterns.fallback import callers_fault
from services.prediction import NotLoaded, OverLimit, Overloaded, Predict, Prediction, PredictionRequest
from services.token_bucket import TokenBucket
from services.wiring import Wiring


class CircuitBreakerParameters(BaseSettings):
    """Parameters of the pattern."""

    max_per_second: float = Field(300, ge=0, description="Requests that this process's model answers; 0: no limit.")
    max_running: int = Field(64, ge=1, description="Requests in the model at once.")
    failures: int = Field(5, ge=1, description="Failures in a row that open the circuit.")
    slow_seconds: float | None = Field(
        None, gt=0, description="An answer that takes longer is a failure; the host's limit if unset."
    )
    rest_seconds: float = Field(5, gt=0, description="How long the model is left alone.")


def circuit_breaker(
    predict: Predict,
    circuit: Circuit,
    limit: TokenBucket,
    *,
    max_running: int,
    slow_seconds: float,
    clock: Callable[[], float] = time.monotonic,
) -> Predict:
    """Raises OverLimit, CircuitOpen and Overloaded instead of asking a model that could not answer well."""
    running = 0

    async def answered(request: PredictionRequest) -> Prediction:
        nonlocal running
        if not limit.take():
            raise OverLimit(f"{request.model} is asked more often than it may be")
        if running >= max_running:
            raise Overloaded(f"{running} requests are in {request.model}")
        tries = circuit.enter()
        running += 1
        try:
            return await watched(request)
        finally:
            running -= 1
            if tries:
                circuit.trying = False

    async def watched(request: PredictionRequest) -> Prediction:
        started = clock()
        try:
            prediction = await predict(request)
        except (Exception, asyncio.CancelledError) as error:
            # Cancelled: whoever waits outside has lost patience. Who asks wrongly, or too early, says nothing about it.
            if not callers_fault(error) and not isinstance(error, NotLoaded | Overloaded):
                circuit.note(failed=True)
            raise
        circuit.note(failed=clock() - started > slow_seconds or prediction.served_by == "default")
        return prediction

    return answered


def wire(predict: Predict, wiring: Wiring) -> Predict:
    """As settings say."""
    parameters = wiring.parameters(CircuitBreakerParameters, "circuit_breaker")
    is_open = wiring.metrics.made(Gauge, "circuit_open", "1 while a model is left alone.", ["model"])
    opened = wiring.metrics.made(Counter, "circuit_opened_total", "How often a model was cut off.", ["model"])
    state = is_open.labels(wiring.model)
    was_open = False

    def turned(now_open: bool) -> None:
        nonlocal was_open
        if now_open and not was_open:
            opened.labels(wiring.model).inc()
        if now_open != was_open:
            state.set(now_open)
        was_open = now_open

    return circuit_breaker(
        predict,
        Circuit(parameters.failures, parameters.rest_seconds, time.monotonic, turned),
        TokenBucket(parameters.max_per_second),
        max_running=parameters.max_running,
        slow_seconds=parameters.slow_seconds or wiring.patience_seconds,
    )
