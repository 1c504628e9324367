"""Takes events from the broker, many at a time: gathers for a moment, stores, and only then says so to the broker."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from services.chassis.bus import Bus, BusUnavailable, Message, Place, Subscription
from services.chassis.metrics import Metrics
from services.chassis.workers import ATTEMPTS, BACKOFF_SECONDS, passes_by_itself
from services.contracts import DEAD_LETTER_REASON, CloudEvent, dead_letter_topic
from services.warehouse.keeping import Keeping, Stored, StoredMeanwhile
from services.warehouse.tables import TABLES
from services.warehouse.taken import Taken, taken_of
from services.warehouse.warehouse_metrics import WarehouseMetrics

log = logging.getLogger(__name__)
GROUP = "warehouse"
AT_ONCE = 500


@dataclass(frozen=True)
class Limits:
    """When a batch is stored: at an age, or when it is so large."""

    seconds: float = 2.0
    events: int = 2000
    bytes: int = 8 * 1024 * 1024


@dataclass
class Gathered:
    """What has been taken and is not stored."""

    messages: list[Message] = field(default_factory=list)
    bytes: int = 0
    since: float = 0.0

    def add(self, messages: Sequence[Message], now: float) -> None:
        """More of it."""
        if messages and not self.messages:
            self.since = now
        self.messages += messages
        self.bytes += sum(len(message.value) for message in messages)

    def full(self, limits: Limits, now: float) -> bool:
        """Whether it is time to store it."""
        large = len(self.messages) >= limits.events or self.bytes >= limits.bytes
        return bool(self.messages) and (large or now - self.since >= limits.seconds)

    def positions(self) -> Mapping[Place, int]:
        """Where each partition goes on after these."""
        return {message.place: message.offset + 1 for message in sorted(self.messages, key=lambda one: one.offset)}


class Taking:
    """The one consumer; nothing is said to the broker before it is stored."""

    def __init__(
        self,
        bus: Bus,
        keeping: Keeping,
        metrics: Metrics,
        own: WarehouseMetrics,
        limits: Limits,
        *,
        stored: Callable[[], None] = lambda: None,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bus, self._keeping, self._metrics, self._own, self._limits = bus, keeping, metrics, own, limits
        self._told, self._pause, self._clock = stored, pause, clock
        self._gathered, self._storing = Gathered(), Gathered()
        metrics.expect(TABLES)
        own.waiting.set_function(self.oldest_seconds)

    async def run(self) -> None:
        """Take until cancelled."""
        subscription = self._bus.subscribe(list(TABLES), GROUP)
        try:
            while True:
                await self.turn(subscription)
        finally:
            await asyncio.shield(subscription.close())

    async def turn(self, subscription: Subscription) -> None:
        """Take what there is; store it when it is time. What was taken is stored even if the broker goes away."""
        try:
            self._gathered.add(await subscription.poll(AT_ONCE), self._clock())
        except BusUnavailable as error:
            log.warning("broker away: %s", error, extra={"action": "broker.away", "group": GROUP})
            await self._pause(BACKOFF_SECONDS[1])
        if self._gathered.full(self._limits, self._clock()):
            await self._store(subscription)

    def oldest_seconds(self) -> float:
        """How long the oldest event that was taken has waited."""
        since = [some.since for some in (self._storing, self._gathered) if some.messages]
        return self._clock() - min(since) if since else 0.0

    async def _store(self, subscription: Subscription) -> None:
        batch = self._storing = self._gathered
        self._gathered = Gathered()
        read = [await self._read(message) for message in batch.messages]
        await self._stored([taken for taken in read if taken], subscription)
        await subscription.commit(batch.positions())
        self._storing = Gathered()
        self._told()

    async def _stored(self, taken: Sequence[Taken], subscription: Subscription) -> None:
        """Weather is waited out; of a batch that cannot be stored, each event is tried by itself."""
        failures = tries = 0
        while taken:
            try:
                with self._own.seconds.time():
                    self._count(taken, await self._keeping.store(taken))
                return
            except Exception as error:
                passes = passes_by_itself(error) or isinstance(error, (StoredMeanwhile, OSError))
                log.warning("not stored: %r", error, extra={"action": "batch.not_stored", "events": len(taken)})
                if not passes and len(taken) > 1:
                    for one in taken:
                        await self._stored([one], subscription)
                    return
                failures += 0 if passes else 1
                if failures >= ATTEMPTS:
                    await self._dead(CloudEvent.model_validate_json(taken[0].message.value), repr(error))
                    return
            await self._wait(subscription, BACKOFF_SECONDS[min(tries, len(BACKOFF_SECONDS) - 1)])
            tries += 1

    async def _wait(self, subscription: Subscription, seconds: float) -> None:
        """The group must hear that we are there."""
        await self._pause(seconds)
        try:
            self._gathered.add(await subscription.poll(0), self._clock())
        except BusUnavailable:
            return

    def _count(self, taken: Sequence[Taken], stored: Stored) -> None:
        self._own.stored(stored)
        now = datetime.now(UTC)
        for one in taken:
            self._metrics.events.labels(one.message.topic, "done").inc()
            self._metrics.event_delay.labels(one.message.topic).observe((now - one.event.time).total_seconds())

    async def _read(self, message: Message) -> Taken | None:
        """What is to be kept of it; what cannot be read goes to the dead letters."""
        try:
            event = CloudEvent.model_validate_json(message.value)
        except ValueError as error:
            unreadable = {"unreadable": message.value.decode(errors="replace")}
            wrapped = CloudEvent(source=f"/{GROUP}", type=message.topic, subject=message.key, data=unreadable)
            await self._dead(wrapped, str(error))
            return None
        try:
            return taken_of(message, event, TABLES[message.topic])
        except ValueError as error:
            await self._dead(event, str(error))
            return None

    async def _dead(self, event: CloudEvent, reason: str) -> None:
        """Publish it where events go that failed for good, however long that takes."""
        dead = event.model_copy(update={"data": event.data | {DEAD_LETTER_REASON: reason}})
        while True:
            try:
                await self._bus.publish(dead, dead_letter_topic(event.type))
                break
            except BusUnavailable:
                await self._pause(BACKOFF_SECONDS[1])
        log.error("dead letter: %s", reason, extra={"action": "event.dead_letter", "event_id": event.id})
        self._metrics.events.labels(event.type, "dead_letter").inc()
