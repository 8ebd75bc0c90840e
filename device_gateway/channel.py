"""A channel: one listener, one protocol, one source name. Frame → journal → answer, in that order and no other."""

import asyncio
import re
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from device_gateway.journal import Arrival, Journal, Stored
from device_gateway.protocols import hl7v2
from device_gateway.settings import GatewaySettings
from device_gateway.transports.tcp import Hangup, TcpListener

_log = structlog.get_logger("device_gateway.channel")
PROTOCOLS = ("mllp",)


@dataclass(frozen=True, slots=True)
class ChannelSpec:
    """Where a channel listens: `lis=mllp://127.0.0.1:2575`."""

    source: str
    protocol: str
    host: str
    port: int


def parse_channels(text: str) -> list[ChannelSpec]:
    """Read the setting `listen`; raises `ValueError` saying which part is wrong."""
    specs = []
    for part in filter(None, (each.strip() for each in text.split(","))):
        found = re.fullmatch(r"([a-z][a-z0-9-]{0,31})=([a-z0-9]+)://\[?([^\]]+?)\]?:(\d{1,5})", part)
        if not found or found[2] not in PROTOCOLS:
            raise ValueError(f"not a channel: {part} (expected name=mllp://host:port)")
        specs.append(ChannelSpec(found[1], found[2], found[3], int(found[4])))
    if len({spec.source for spec in specs}) != len(specs):
        raise ValueError("two channels have the same name")
    return specs


class Channel:
    """One source of messages. `on_stored` is called after each new durable message."""

    def __init__(
        self, spec: ChannelSpec, journal: Journal, settings: GatewaySettings, on_stored: Callable[[], None]
    ) -> None:
        """Nothing listens before `start`."""
        self.spec = spec
        self._listener = TcpListener(
            lambda: _Hl7Conversation(spec.source, journal, settings.max_frame_bytes, on_stored),
            name=spec.source,
            allowed=settings.allowed_peers,
            inter_byte_timeout=settings.inter_byte_timeout,
            max_connections=settings.max_connections,
        )

    async def start(self) -> int:
        """Listen; return the port. Raises `OSError`."""
        return await self._listener.start(self.spec.host, self.spec.port)

    async def stop(self) -> None:
        """Finish the frames that have begun, then go silent."""
        await self._listener.stop()


class _Hl7Conversation:
    """One peer: what it sends is journalled, then answered, in the order it came."""

    def __init__(self, source: str, journal: Journal, max_frame: int, on_stored: Callable[[], None]) -> None:
        self._source = source
        self._journal = journal
        self._session = hl7v2.Session(max_frame)
        self._on_stored = on_stored

    @property
    def mid_frame(self) -> bool:
        return self._session.mid_frame

    async def received(self, data: bytes) -> bytes:
        try:
            frames = self._session.feed(data)
        except hl7v2.TooLarge as error:
            whole = [hl7v2.read_all(body) for body in error.frames]
            raise Hangup("frame too large", await self._keep(whole)) from error
        return await self._keep(frames) if frames else b""

    async def _keep(self, frames: list[list[hl7v2.Frame]]) -> bytes:
        # asked for together, so that a pipelining peer's frames share one fsync
        return b"".join(await asyncio.gather(*map(self._keep_all, frames)))

    async def _keep_all(self, messages: list[hl7v2.Frame]) -> bytes:
        """Keep what came in one frame; one frame is answered by one."""
        return hl7v2.in_one(await asyncio.gather(*map(self._keep_one, messages)))

    async def _keep_one(self, frame: hl7v2.Frame) -> bytes:
        log = _log.bind(source=self._source, message_id=frame.message_id, sha256=frame.sha256, size=len(frame.body))
        now = datetime.now(UTC).astimezone()
        arrival = Arrival(
            self._source, frame.message_id, frame.sha256, frame.content_type, frame.body, now.isoformat(), frame.sender, frame.reason
        )  # fmt: skip
        try:
            stored = await self._journal.store(arrival)
        except (sqlite3.Error, OSError) as error:
            log.critical("journal_failed", error=type(error).__name__)
            # no answer at all: an AE would tell the peer to stop trying, and we do not have its message
            raise Hangup("journal failed") from error
        if stored.new:
            self._on_stored()
        return self._answer(frame, stored, now, log)

    def _answer(self, frame: hl7v2.Frame, stored: Stored, now: datetime, log: structlog.stdlib.BoundLogger) -> bytes:
        if frame.fault:
            log.warning("unreadable", fault=frame.fault, reason=frame.reason, new=stored.new)
            if frame.silent:
                return b""
            return hl7v2.refused(frame, frame.fault, now)
        if stored.conflict:
            log.warning("conflict", new=stored.new)
            return hl7v2.refused(frame, "message id was used before with other content", now)
        log.info("stored" if stored.new else "duplicate")
        return hl7v2.accepted(frame, now)
