"""The bus on Apache Kafka or anything that speaks its protocol.

A broker may vanish and come back empty: every retriable error is weather, topics are made again,
consumers subscribe (never assign), and the producer is not idempotent, because an idempotent one
never recovers from a broker that forgot it. Lossless delivery is the outbox's work.
"""

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from kafka import KafkaConsumer, KafkaProducer
from kafka.admin import KafkaAdminClient, NewTopic
from kafka.errors import KafkaError, KafkaTimeoutError, TopicAlreadyExistsError
from kafka.structs import OffsetAndMetadata, TopicPartition

from services.chassis.bus import MOST, BusUnavailable, Message, Place, Subscription
from services.chassis.pace import Pace
from services.chassis.settings import Settings
from services.contracts import CloudEvent, live_topics, topics

log = logging.getLogger(__name__)
T = TypeVar("T")
PARTITIONS = 4
LOOK_SECONDS = 0.5
AWAY = (KafkaTimeoutError,)
JOINING_SESSIONS = 3
"""A group waits for a dead member for one session; who has not got in after so many never will."""


class KafkaBus:
    """One producer a process, one thread for it; consumers have a thread each."""

    def __init__(self, settings: Settings) -> None:
        self._servers = (settings.kafka_bootstrap_servers or "").split(",")
        self._settings = settings
        self._thread = ThreadPoolExecutor(1, "kafka-producer")
        self._producer: Any = None
        self._topics = Topics(self._servers)
        self._waiting: list[_Sent] = []
        self._settled: deque[tuple[_Sent, Exception | None]] = deque()
        self._told = False

    async def publish(self, event: CloudEvent, topic: str | None = None) -> None:
        """Send and wait for the broker's acknowledgement."""
        await self.send(topic or event.type, event.key, event.model_dump_json().encode())

    async def send(self, topic: str, key: str, value: bytes) -> None:
        """Send and wait for the broker's acknowledgement."""
        loop = asyncio.get_running_loop()
        acknowledged: asyncio.Future[None] = loop.create_future()
        if not self._waiting:  # what is sent in the same turn of the event loop goes to the thread together
            loop.call_soon(self._hand_over, loop)
        self._waiting.append(_Sent(topic, key, value, acknowledged))
        try:
            async with asyncio.timeout(10):
                await acknowledged
        except TimeoutError as error:
            raise BusUnavailable("the broker did not acknowledge in 10 s") from error

    def subscribe(self, topics: Sequence[str], group: str) -> Subscription:
        """A member of the group; it connects at its first poll."""
        return KafkaSubscription(self._settings, topics, group, self._topics)

    async def close(self) -> None:
        """Send what is waiting and disconnect."""
        if self._producer is not None:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._producer.close, 5)
        self._thread.shutdown(wait=False)

    def _hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        several, self._waiting = self._waiting, []
        try:
            self._thread.submit(self._send, several, loop)
        except RuntimeError as error:  # the bus is closed
            for one in several:
                self._settle(one, loop, BusUnavailable(repr(error)))

    def _send(self, several: Sequence["_Sent"], loop: asyncio.AbstractEventLoop) -> None:
        away: Exception | None = None
        for one in several:
            try:
                if away is not None:
                    raise away
                self._topics.ensure()
                future = self._connected().send(one.topic, value=one.value, key=one.key.encode())
            except Exception as error:
                if isinstance(error, AWAY):  # it has been waited for, once for all
                    away = error
                self._failed(one, loop, error)
            else:
                future.add_callback(lambda _, one=one: self._settle(one, loop, None))
                future.add_errback(lambda error, one=one: self._failed(one, loop, error))

    def _failed(self, one: "_Sent", loop: asyncio.AbstractEventLoop, error: Exception) -> None:
        if isinstance(error, KafkaError):
            self._topics.forget()
            error = BusUnavailable(repr(error))
        self._settle(one, loop, error)

    def _settle(self, one: "_Sent", loop: asyncio.AbstractEventLoop, error: Exception | None) -> None:
        """From any thread. The loop is woken once for all that is settled until it looks."""
        self._settled.append((one, error))
        if not self._told:
            self._told = True
            with contextlib.suppress(RuntimeError):  # nobody waits any more
                loop.call_soon_threadsafe(self._tell)

    def _tell(self) -> None:
        self._told = False
        while self._settled:
            one, error = self._settled.popleft()
            if one.acknowledged.done():
                continue
            if error is None:
                one.acknowledged.set_result(None)
            else:
                one.acknowledged.set_exception(error)

    def _connected(self) -> Any:
        if self._producer is None:
            self._producer = KafkaProducer(
                bootstrap_servers=self._servers,
                enable_idempotence=False,
                acks="all",
                compression_type="zstd",
                linger_ms=0,
                max_in_flight_requests_per_connection=1,  # what comes meanwhile goes as one batch, not as one each
                retries=3,
                request_timeout_ms=5000,
                max_block_ms=4000,
                reconnect_backoff_ms=50,
                reconnect_backoff_max_ms=500,
            )
        return self._producer


@dataclass(frozen=True)
class _Sent:
    """What waits for the broker's acknowledgement."""

    topic: str
    key: str
    value: bytes
    acknowledged: "asyncio.Future[None]"


class Topics:
    """Makes the topics, and makes them again when the broker has forgotten them."""

    def __init__(self, servers: Sequence[str]) -> None:
        self._servers = servers
        self._made = False

    def ensure(self) -> None:
        """Make what is missing, once a connection. Raises KafkaError."""
        if self._made:
            return
        admin = KafkaAdminClient(bootstrap_servers=self._servers, request_timeout_ms=4000)
        try:
            for topic in sorted(set(topics()) - set(admin.list_topics())):
                self._make(admin, topic)
        finally:
            admin.close()
        self._made = True

    def forget(self) -> None:
        """The connection was lost: look again at the next call."""
        self._made = False

    def _make(self, admin: Any, topic: str) -> None:
        try:
            partitions = PARTITIONS if topic in live_topics() else 1
            admin.create_topics([NewTopic(topic, num_partitions=partitions, replication_factor=1)])
            log.info("made topic %s", topic, extra={"action": "topic.made"})
        except TopicAlreadyExistsError:
            return


class KafkaSubscription:
    """One consumer in a thread of its own (kafka-python's consumer is not thread-safe)."""

    def __init__(self, settings: Settings, topics: Sequence[str], group: str, made: Topics) -> None:
        self._arguments: dict[str, Any] = {
            "bootstrap_servers": (settings.kafka_bootstrap_servers or "").split(","),
            "group_id": group,
            "enable_auto_commit": False,
            "auto_offset_reset": "earliest",
            "session_timeout_ms": settings.kafka_session_timeout_ms,
            "heartbeat_interval_ms": min(300, settings.kafka_session_timeout_ms // 3),
            "fetch_max_wait_ms": settings.kafka_fetch_max_wait_ms,
            "max_poll_records": MOST,
            "max_poll_interval_ms": settings.kafka_max_poll_interval_ms,
            "metadata_max_age_ms": 5000,
            "reconnect_backoff_ms": 50,
            "reconnect_backoff_max_ms": 500,
        }
        self._topics = list(topics)
        self._made = made
        self._thread = ThreadPoolExecutor(1, f"kafka-{group}")
        self._pace = Pace(settings.kafka_gather_seconds)
        self._consumer: Any = None
        self._joined_at: float | None = None
        self._looked_at = self._member_at = 0.0

    async def poll(self, most: int = MOST) -> Sequence[Message]:
        """The next messages, or none after 0.4 s at most; raises BusUnavailable."""
        await asyncio.sleep(self._pace.pause())
        found = await self._in_thread(lambda: self._poll(most))
        self._pace.came(len(found), full=len(found) >= most)
        return found

    async def commit(self, positions: Mapping[Place, int] | None = None) -> bool:
        """Commit positions. What a rebalance prevents is delivered again: consumers are idempotent."""
        try:
            await self._in_thread(lambda: self._commit(positions))
        except BusUnavailable as error:
            log.info("not committed: %s", error, extra={"action": "commit.skipped"})
            return False
        return True

    async def close(self) -> None:
        """Leave the group."""
        await self._in_thread(self._close)
        self._thread.shutdown(wait=False)

    async def _in_thread(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._guarded, call)

    def _guarded(self, call: Callable[[], T]) -> T:
        try:
            return call()
        except KafkaError as error:
            self._made.forget()
            raise BusUnavailable(repr(error)) from error

    def _poll(self, most: int) -> Sequence[Message]:
        if self._consumer is None:
            self._made.ensure()
            self._consumer = KafkaConsumer(**self._arguments)
            self._consumer.subscribe(self._topics)
            self._joined_at = None
        if most:
            self._consumer.resume(*self._consumer.paused())
        else:
            self._consumer.pause(*self._consumer.assignment())
        batches = self._consumer.poll(timeout_ms=200, max_records=most or MOST)
        if self._expelled():
            self._leave()
            raise BusUnavailable("the heartbeat stopped and the group went on without us; joining again")
        return [_message(record) for records in batches.values() for record in records]

    def _commit(self, positions: Mapping[Place, int] | None) -> None:
        if self._consumer is None:
            return
        if positions is None:
            self._consumer.commit()
            return
        assigned = self._consumer.assignment()
        places = {TopicPartition(*place): at for place, at in positions.items()}
        ours = {place: OffsetAndMetadata(at, "", -1) for place, at in places.items() if place in assigned}
        if ours:
            self._consumer.commit(ours)

    def _expelled(self) -> bool:
        """Whether we are no member any more and will never hear of it.

        The heartbeat of kafka-python can end for good when a broker dies at the wrong moment; the consumer then keeps
        its assignment, gets nothing, and polls as fast as it can. Or its question for the group's coordinator is lost,
        and it waits for that answer for ever.
        """
        now = time.monotonic()
        if now - self._looked_at < LOOK_SECONDS:
            return False
        self._looked_at = now  # to read the client's metrics costs as much as to read its messages
        self._joined_at = self._joined_at or now
        self._member_at = now if self._is_member() else max(self._member_at, self._joined_at)
        session_seconds = self._arguments["session_timeout_ms"] / 1000
        if now - self._member_at > session_seconds * JOINING_SESSIONS:
            return True
        told = self._consumer.metrics().get("consumer-coordinator-metrics", {})
        silent = min(told.get("last-heartbeat-seconds-ago", 0.0), now - self._joined_at)
        return bool(self._consumer.assignment() and silent > session_seconds)

    def _is_member(self) -> bool:
        """Whether the group has us. Only the client's inside tells: its version is pinned, and a test holds this."""
        coordinator = self._consumer._coordinator
        return bool(coordinator.stable() and not coordinator.coordinator_unknown())

    def _leave(self) -> None:
        consumer, self._consumer = self._consumer, None
        consumer.close(autocommit=False, timeout_ms=1000)

    def _close(self) -> None:
        if self._consumer is not None:
            self._leave()


def _message(record: Any) -> Message:
    key = (record.key or b"").decode(errors="replace")
    return Message(record.topic, key, record.value, record.partition, record.offset, (record.timestamp or 0) / 1000)
