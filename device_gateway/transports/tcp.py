"""A TCP listener: peers by allow-list, silence bounded, and a stop that finishes what has begun."""

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Protocol

import structlog

_CHUNK = 65_536
_log = structlog.get_logger("device_gateway.tcp")


class Hangup(Exception):  # noqa: N818 - said by a conversation that is over
    """The connection must be closed; `answer` is sent first. `reason` is for the log."""

    def __init__(self, reason: str, answer: bytes = b"") -> None:
        """Keep both."""
        super().__init__(reason)
        self.answer = answer


class Conversation(Protocol):
    """What a channel says to one peer."""

    @property
    def mid_frame(self) -> bool:
        """Whether the peer has begun something and not ended it."""
        ...

    async def received(self, data: bytes) -> bytes:
        """Take bytes, return the answer to send (or nothing); raises `Hangup`."""
        ...


class TcpListener:
    """Accepts connections and holds one conversation on each. Reading waits while a conversation works: backpressure."""

    def __init__(
        self,
        conversation: Callable[[], Conversation],
        *,
        name: str,
        allowed: tuple[IPv4Network | IPv6Network, ...],
        inter_byte_timeout: float,
        max_connections: int,
        tls: ssl.SSLContext | None = None,
        handshake_timeout: float = 10.0,
    ) -> None:
        """`inter_byte_timeout` is seconds of silence allowed within a frame; between frames silence is welcome.

        Under `tls` a peer that may connect has `handshake_timeout` seconds to show its certificate, and counts as connected meanwhile.
        """
        self._conversation = conversation
        self._log = _log.bind(channel=name)
        self._allowed = allowed
        self._inter_byte_timeout = inter_byte_timeout
        self._max_connections = max_connections
        self._tls, self._handshake_timeout = tls, handshake_timeout
        self._server: asyncio.Server | None = None
        self._busy: dict[asyncio.Task[None], bool] = {}
        self._stopping = False

    async def start(self, host: str, port: int) -> int:
        """Listen; return the port. Raises `OSError`."""
        self._server = await asyncio.start_server(self._accept, host, port, limit=_CHUNK)
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    async def stop(self, grace: float = 3.0) -> None:
        """Accept nobody new, drop idle peers, let a frame that has begun be answered within `grace` seconds."""
        self._stopping = True
        if self._server:
            self._server.close()
        for task, busy in list(self._busy.items()):
            if not busy:
                task.cancel()
        if self._busy:
            await asyncio.wait(list(self._busy), timeout=grace)
        for task in list(self._busy):
            task.cancel()
        if self._busy:
            await asyncio.wait(list(self._busy), timeout=grace)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        peer = writer.get_extra_info("peername")
        host = peer[0] if peer else ""
        log = self._log.bind(peer=host)
        if not self._may_connect(host) or len(self._busy) >= self._max_connections:
            log.warning("peer_turned_away", connections=len(self._busy))
            writer.transport.abort()
            return
        self._busy[task] = False
        log.info("peer_connected")
        try:
            if self._tls is not None:
                await writer.start_tls(self._tls, ssl_handshake_timeout=self._handshake_timeout)
            await self._converse(task, reader, writer)
        except ssl.SSLError as error:
            log.warning("hung_up", reason="no TLS handshake", error=error.reason)
        except Hangup as hangup:
            log.warning("hung_up", reason=str(hangup))
            with contextlib.suppress(OSError):
                writer.write(hangup.answer)
                await writer.drain()
        except TimeoutError:
            log.warning("hung_up", reason="silence within a frame")
        except OSError as error:
            log.info("peer_lost", error=type(error).__name__)
        except asyncio.CancelledError:
            pass  # stopping; asyncio's own callback would report a cancelled connection as an error
        finally:
            del self._busy[task]
            writer.close()
            log.info("peer_gone")

    async def _converse(
        self, task: asyncio.Task[None], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        conversation = self._conversation()
        while not (self._stopping and not conversation.mid_frame):
            self._busy[task] = conversation.mid_frame
            async with asyncio.timeout(self._inter_byte_timeout if conversation.mid_frame else None):
                data = await reader.read(_CHUNK)
            if not data:
                return
            self._busy[task] = True
            answer = await conversation.received(data)
            if answer:
                writer.write(answer)
                # a peer that sends and never reads its answers must not hold us for ever
                async with asyncio.timeout(self._inter_byte_timeout):
                    await writer.drain()

    def _may_connect(self, host: str) -> bool:
        try:
            address = ip_address(host.partition("%")[0])
        except ValueError:
            return False
        if isinstance(address, IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        return any(address in network for network in self._allowed)
