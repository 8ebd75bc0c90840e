"""How the laboratory delivers: one MLLP socket, one message in flight, the same bytes again until they are answered."""

import asyncio
import base64
import contextlib
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from adapters.lis.sandbox.faults import Faults
from adapters.lis.sandbox.laboratory import Outgoing
from adapters.wire import hl7v2, mllp

_HOLD_SECONDS = 3.0


@dataclass(slots=True)
class Delivery:
    """One message on its way. Times are Unix seconds."""

    control_id: str
    kind: str
    barcode: str
    payload: bytes
    due: float
    state: Literal["pending", "accepted", "refused", "given_up"] = "pending"
    attempts: int = 0
    ack_code: str = ""
    ack_text: str = ""
    answered_at: float | None = None
    number: str = field(default_factory=lambda: uuid.uuid4().hex)

    def shown(self) -> dict[str, object]:
        """Return what `GET /sent` shows: no patient data, only that it was sent and how it was answered."""
        names = ("control_id", "kind", "barcode", "state", "attempts", "ack_code", "ack_text", "answered_at")
        return {name: getattr(self, name) for name in names} | {"bytes": len(self.payload)}


@dataclass(slots=True)
class Outbox:
    """Deliveries in order of their due time, and the task that works through them."""

    host: str
    port: int
    faults: Callable[[], Faults]
    remember: Callable[[str, object], None] = lambda _kind, _content: None
    """Told of each delivery queued and settled, so that a restart sends what was not answered, byte for byte."""
    retry_seconds: float = 1.0
    ack_timeout: float = 10.0
    max_attempts: int = 600
    deliveries: list[Delivery] = field(default_factory=list)
    _queue: list[Delivery] = field(default_factory=list)
    _held: list[Outgoing] = field(default_factory=list)
    _held_since: float = 0.0
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    def put(self, message: Outgoing) -> None:
        """Queue a message, subject to the faults in force."""
        faults = self.faults()
        if message.kind != "garbage" and faults.take("out_of_order"):
            self._held_since = self._held_since if self._held else time.time()
            self._held.append(message)
            if faults.out_of_order == 0:
                self._release()
            self._wake.set()
            return
        self._queue_up(message)

    def again(self, control_id: str) -> bool:
        """Queue the same bytes once more; False when nothing of that id was ever sent."""
        earlier = next((each for each in self.deliveries if each.control_id == control_id), None)
        if earlier:
            self._add(Delivery(control_id, earlier.kind, earlier.barcode, earlier.payload, time.time()))
        return earlier is not None

    async def run(self) -> None:
        """Deliver until cancelled."""
        try:
            while True:
                if self._held and time.time() - self._held_since > _HOLD_SECONDS:
                    self._release()
                now = time.time()
                ready = next((each for each in self._queue if each.due <= now), None)
                if ready:
                    await self._deliver(ready)
                else:
                    await self._rest(now)
        finally:
            self._disconnect()

    async def _rest(self, now: float) -> None:
        soonest = min((each.due - now for each in self._queue), default=_HOLD_SECONDS)
        self._wake.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, min(soonest, _HOLD_SECONDS if not self._held else 0.2))):
                await self._wake.wait()

    def _release(self) -> None:
        held, self._held = self._held, []
        for message in reversed(held):
            self._queue_up(message)

    def _queue_up(self, message: Outgoing) -> None:
        faults = self.faults()
        due = time.time() + faults.late_seconds
        delivery = (message.control_id, message.kind, message.barcode)
        self._add(Delivery(*delivery, message.payload, due))
        if message.kind != "garbage" and faults.take("duplicate"):
            self._add(Delivery(*delivery, message.payload, due))
        if message.changed:
            self._add(Delivery(*delivery, message.changed, due))

    def resume(self, unanswered: dict[str, dict[str, str]]) -> None:
        """Take up deliveries that a restart interrupted."""
        for number, kept in unanswered.items():
            payload = base64.b64decode(kept["payload"])
            delivery = Delivery(kept["control_id"], kept["kind"], kept["barcode"], payload, time.time(), number=number)
            self.deliveries.append(delivery)
            self._queue.append(delivery)

    def _add(self, delivery: Delivery) -> None:
        payload = base64.b64encode(delivery.payload).decode()
        kept = {"control_id": delivery.control_id, "kind": delivery.kind, "barcode": delivery.barcode}
        self.remember("sending", {delivery.number: kept | {"payload": payload}})
        self.deliveries.append(delivery)
        self._queue.append(delivery)
        self._wake.set()

    async def _deliver(self, delivery: Delivery) -> None:
        delivery.attempts += 1
        answer = await self._send(delivery)
        if answer is None and delivery.attempts < self.max_attempts:
            await asyncio.sleep(self.retry_seconds)
            return  # still first in the queue: later results must not overtake by accident
        self._queue.remove(delivery)
        delivery.answered_at = time.time()
        self.remember("settled", delivery.number)
        if answer is None:
            delivery.state = "given_up"
            return
        delivery.ack_code, delivery.ack_text = answer
        delivery.state = "accepted" if answer[0] in {"AA", "CA"} else "refused"

    async def _send(self, delivery: Delivery) -> tuple[str, str] | None:
        try:
            async with asyncio.timeout(self.ack_timeout):
                reader, writer = self._connection or await asyncio.open_connection(self.host, self.port)
                self._connection = (reader, writer)
                # garbage may hold framing bytes, so it is not framed by the careful `frame`
                writer.write(mllp.START + delivery.payload + mllp.END)
                await writer.drain()
                answer = await _read_answer(reader, None if delivery.kind == "garbage" else delivery.control_id)
        except (OSError, EOFError, ValueError):
            self._disconnect()
            return None
        if self.faults().take("drop_ack"):
            self._disconnect()
            return None
        return answer

    def _disconnect(self) -> None:
        if self._connection:
            self._connection[1].close()
        self._connection = None


async def send_once(host: str, port: int, payload: bytes, timeout_seconds: float) -> tuple[str, str]:
    """Frame bytes as they are, send them on a socket of their own and return the answer's code and text.

    Raises `OSError` (which includes a time-out) or `EOFError` when no answer comes.
    """
    async with asyncio.timeout(timeout_seconds):
        reader, writer = await asyncio.open_connection(host, port)
        try:
            writer.write(mllp.START + payload + mllp.END)
            await writer.drain()
            return await _read_answer(reader, None)
        finally:
            writer.close()


async def _read_answer(reader: asyncio.StreamReader, control_id: str | None) -> tuple[str, str]:
    """Read until an answer names `control_id` (None: any answer)."""
    decoder = mllp.MllpDecoder()
    while data := await reader.read(65_536):
        for payload in decoder.feed(data):
            msa = hl7v2.decode(payload).first("MSA")
            if msa and control_id in {None, msa.text(2)}:
                return msa.value(1), msa.text(3)
    raise EOFError
