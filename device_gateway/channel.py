"""A channel: one listener, one protocol, one source name. Frame → journal → answer, in that order and no other."""

import asyncio
import re
import sqlite3
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from pathlib import Path
from urllib.parse import parse_qsl

import structlog

from device_gateway.journal import Arrival, Journal, Stored
from device_gateway.protocols import hl7v2
from device_gateway.settings import THIS_MACHINE, GatewaySettings, Network
from device_gateway.transports.tcp import Hangup, TcpListener

_log = structlog.get_logger("device_gateway.channel")
PROTOCOLS = ("mllp", "mllps")
_SETTINGS = frozenset(("peers", "plain", "cert", "key", "clients"))


@dataclass(frozen=True, slots=True)
class Certificates:
    """PEM files of a channel under TLS: ours, its key, and the authorities of which a client needs a certificate."""

    cert: Path
    key: Path
    clients: Path


@dataclass(frozen=True, slots=True)
class ChannelSpec:
    """Where a channel listens, for whom, and under which certificates: `lis=mllp://127.0.0.1:2575`."""

    source: str
    protocol: str
    host: str
    port: int
    peers: tuple[Network, ...] = THIS_MACHINE
    tls: Certificates | None = None


def parse_channels(text: str, peers: tuple[Network, ...] = THIS_MACHINE) -> list[ChannelSpec]:
    """Read the setting `listen`; `peers` may connect to channels that name none. Raises `ValueError` saying which part is wrong."""
    specs = [_channel(part, peers) for part in filter(None, (each.strip() for each in text.split(",")))]
    if len({spec.source for spec in specs}) != len(specs):
        raise ValueError("two channels have the same name")
    return specs


def _channel(part: str, peers: tuple[Network, ...]) -> ChannelSpec:
    found = re.fullmatch(r"([a-z][a-z0-9-]{0,31})=([a-z0-9]+)://\[?([^\]?]+?)\]?:(\d{1,5})(?:\?(.*))?", part)
    if not found or found[2] not in PROTOCOLS:
        raise ValueError(f"not a channel: {part} (expected name=mllp://host:port)")
    said = dict(parse_qsl(found[5] or "", keep_blank_values=True))
    if unknown := sorted(set(said) - _SETTINGS):
        raise ValueError(f"not a setting of a channel: {', '.join(unknown)} (there are {', '.join(sorted(_SETTINGS))})")
    if "peers" in said:
        peers = tuple(ip_network(one.strip()) for one in said["peers"].split("|") if one.strip())
    spec = ChannelSpec(found[1], found[2], found[3], int(found[4]), peers, _certificates(found[1], found[2], said))
    if not _is_here(spec.host):
        if not peers or peers == THIS_MACHINE:
            raise ValueError(f"channel {spec.source}: say who may connect from outside this machine (?peers=10.1.2.3)")
        if spec.tls is None and "plain" not in said:
            raise ValueError(f"channel {spec.source}: use mllps, or say that it is not encrypted (&plain)")
    return spec


def _certificates(source: str, protocol: str, said: Mapping[str, str]) -> Certificates | None:
    if protocol != "mllps":
        return None
    missing = [name for name in ("cert", "key", "clients") if not said.get(name)]
    if missing:
        raise ValueError(f"channel {source}: mllps needs {', '.join(missing)} (PEM files)")
    return Certificates(Path(said["cert"]), Path(said["key"]), Path(said["clients"]))


def _is_here(host: str) -> bool:
    """Say whether a channel listens to this machine alone; a name may be anything."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _context(files: Certificates) -> ssl.SSLContext:
    """TLS 1.2 or later, and no client without a certificate of an authority that we know. Raises `OSError`, `ssl.SSLError`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(files.cert, files.key)
    context.load_verify_locations(files.clients)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


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
            allowed=spec.peers,
            tls=_context(spec.tls) if spec.tls else None,
            handshake_timeout=settings.handshake_timeout,
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
