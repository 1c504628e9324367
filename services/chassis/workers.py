"""The loop of every consumer: done, try again, or dead letter; each is counted.

Weather (a database, broker or neighbour that is away) is waited out without limit. Anything else
fails three times at most, then the event goes to the topic's dead letters with the reason.
"""

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar
from datetime import UTC, datetime
from math import inf
from typing import Any

import httpx
import psycopg
import psycopg_pool

from services.chassis.bus import Bus, BusUnavailable, Message, Subscription
from services.chassis.errors import Unavailable
from services.chassis.flight import Flight
from services.chassis.logs import request_id
from services.chassis.metrics import Metrics
from services.contracts import DEAD_LETTER_REASON, CloudEvent, EventData, dead_letter_topic

log = logging.getLogger(__name__)

ATTEMPTS = 3
BACKOFF_SECONDS = (0.1, 0.5, 2.0)
AT_ONCE = 24
"""Messages worked on side by side: a handler mostly waits."""
AHEAD = 4
"""Messages taken for each that is worked on."""
HEARD_SECONDS = 0.5
COMMIT_SECONDS = 0.25
WEATHER = (
    psycopg.OperationalError,
    psycopg_pool.PoolTimeout,
    psycopg_pool.PoolClosed,
    httpx.TransportError,
    BusUnavailable,
    Unavailable,
    ConnectionError,
)

LIMITS = (psycopg.errors.ProgramLimitExceeded, psycopg.errors.StatementTooComplex)
"""Operational by name, but they come again with the same event."""

sent_at: ContextVar[float] = ContextVar("sent_at", default=inf)
"""When the message was sent that is being handled; the same event may be sent again and again."""

Handler = Callable[[Any, CloudEvent], Awaitable[None]]


class TryAgain(Exception):
    """The event cannot be handled yet; this attempt does not count as a failure."""


def passes_by_itself(error: Exception) -> bool:
    """Whether the same event may well succeed later."""
    return isinstance(error, (*WEATHER, TryAgain)) and not isinstance(error, LIMITS)


class Worker:
    """One member of one consumer group."""

    def __init__(
        self,
        bus: Bus,
        group: str,
        handlers: Mapping[type[EventData], Handler],
        metrics: Metrics,
        *,
        dead_letters_of: Mapping[type[EventData], Handler] | None = None,
        concurrency: int = AT_ONCE,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._bus, self._group, self._metrics, self._pause = bus, group, metrics, pause
        self._handlers = {kind.type: (kind, handler) for kind, handler in handlers.items()}
        for kind, handler in (dead_letters_of or {}).items():
            self._handlers[dead_letter_topic(kind.type)] = (kind, handler)
        self._slots = asyncio.Semaphore(concurrency)
        self._most, self._flight = concurrency * AHEAD, Flight()
        self._queues: dict[str, deque[Message]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._room = asyncio.Event()
        self._committed_at = 0.0
        metrics.expect(self._handlers)

    async def run(self) -> None:
        """Consume until cancelled: what comes is worked on while the next is asked for."""
        subscription = self._bus.subscribe(list(self._handlers), self._group)
        lost = 0
        try:
            while True:
                try:
                    await self._turn(subscription)
                    lost = 0
                except BusUnavailable as error:
                    log.warning("broker away: %s", error, extra={"action": "broker.away", "group": self._group})
                    await self._pause(BACKOFF_SECONDS[min(lost, 1)])
                    lost += 1
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.shield(subscription.close())

    async def handle(self, messages: Sequence[Message]) -> None:
        """Handle some messages and nothing else: events of one key in order, different keys side by side."""
        for message in messages:
            self._start(message)
        while self._tasks:
            await asyncio.gather(*self._tasks)

    async def _turn(self, subscription: Subscription) -> None:
        """Take as much as there is room for; where there is none, only be heard of, so that the group waits."""
        await self._until_room()
        for message in await subscription.poll(max(0, self._most - len(self._flight))):
            if self._flight.take(message):
                self._start(message)
        await self._commit(subscription)

    async def _until_room(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(HEARD_SECONDS):
                while len(self._flight) > self._most // 2:
                    self._room.clear()
                    await self._room.wait()
        for task in [task for task in self._tasks if task.done()]:
            task.result()

    async def _commit(self, subscription: Subscription) -> None:
        now = time.monotonic()
        if len(self._flight) and now - self._committed_at < COMMIT_SECONDS:
            return
        positions = self._flight.committable()
        if positions and await subscription.commit(positions):
            self._flight.committed(positions)
        self._committed_at = now

    def _start(self, message: Message) -> None:
        if message.key in self._queues:
            self._queues[message.key].append(message)
            return
        self._queues[message.key] = deque([message])
        task = asyncio.create_task(self._in_order(message.key))
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        """A handler's errors are dealt with; what fails beyond that ends the consumer (`_until_room` raises it)."""
        if task.cancelled() or task.exception() is None:
            self._tasks.discard(task)
        self._room.set()

    async def _in_order(self, key: str) -> None:
        queue = self._queues[key]
        while queue:
            async with self._slots:
                await self._one(queue[0])
            self._flight.done(queue.popleft())
            self._room.set()
        del self._queues[key]

    async def _one(self, message: Message) -> None:
        try:
            event = CloudEvent.model_validate_json(message.value)
            kind, handler = self._handlers[message.topic]
            data = kind.model_validate(event.data)
        except ValueError as error:
            await self._unreadable(message, error)
            return
        token, sending = request_id.set(event.requestid), sent_at.set(message.at or inf)
        self._metrics.event_delay.labels(message.topic).observe((datetime.now(UTC) - event.time).total_seconds())
        try:
            with self._metrics.event_seconds.labels(message.topic).time():
                outcome = await self._attempts(handler, data, event, message)
            self._metrics.events.labels(message.topic, outcome).inc()
        finally:
            request_id.reset(token)
            sent_at.reset(sending)

    async def _attempts(self, handler: Handler, data: EventData, event: CloudEvent, message: Message) -> str:
        failures = 0
        tries = 0
        while True:
            try:
                await handler(data, event)
                return "done"
            except Exception as error:
                reason = repr(error)
                failures += 0 if passes_by_itself(error) else 1
                if not passes_by_itself(error):
                    log.exception("event failed", extra={"action": "event.failed", "event_id": event.id})
                if failures >= ATTEMPTS:
                    await self._dead_letter(event, message.topic, reason)
                    return "dead_letter"
            log.warning("%s again: %s", message.topic, reason, extra={"action": "event.retried", "event_id": event.id})
            self._metrics.events.labels(message.topic, "retried").inc()
            await self._pause(BACKOFF_SECONDS[min(tries, len(BACKOFF_SECONDS) - 1)])
            tries += 1

    async def _dead_letter(self, event: CloudEvent, topic: str, reason: str) -> None:
        if topic.endswith(".dead-letter"):
            log.error("dead letter failed: %s", reason, extra={"action": "event.given_up", "event_id": event.id})
            return
        dead = event.model_copy(update={"data": event.data | {DEAD_LETTER_REASON: reason}})
        await self._sent(dead, dead_letter_topic(topic))
        log.error(
            "dead letter: %s",
            reason,
            extra={"action": "event.dead_letter", "event_id": event.id, "topic": topic},
        )

    async def _sent(self, event: CloudEvent, topic: str) -> None:
        while True:
            try:
                await self._bus.publish(event, topic)
                return
            except BusUnavailable:
                await self._pause(BACKOFF_SECONDS[1])

    async def _unreadable(self, message: Message, error: Exception) -> None:
        log.error("unreadable event on %s: %s", message.topic, error, extra={"action": "event.unreadable"})
        self._metrics.events.labels(message.topic, "dead_letter").inc()
        if not message.topic.endswith(".dead-letter"):
            wrapped = CloudEvent(
                source=f"/{self._group}",
                type=message.topic,
                subject=message.key,
                data={"unreadable": message.value.decode(errors="replace"), DEAD_LETTER_REASON: str(error)},
            )
            await self._sent(wrapped, dead_letter_topic(message.topic))
