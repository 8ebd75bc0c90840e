"""The process: journal, uplink and channels brought up in that order and let down in the reverse."""

import asyncio
import contextlib
import logging
import signal
import sqlite3
import sys

import structlog

from device_gateway.channel import Channel, parse_channels
from device_gateway.health import serve_health
from device_gateway.journal import Journal
from device_gateway.settings import GatewaySettings
from device_gateway.uplink import Uplink

_PRUNE_SECONDS = 3600.0
_log = structlog.get_logger("device_gateway")


async def run(settings: GatewaySettings) -> None:
    """Work until SIGTERM or SIGINT. Raises `OSError`, `sqlite3.Error` or `ValueError` when it cannot start."""
    _configure_logging(settings.log_level)
    specs = parse_channels(settings.listen, settings.allowed_peers)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)

    journal = Journal(settings.journal, settings.journal_key.get_secret_value(), settings.journal_key_file)
    uplink = Uplink(journal, settings)
    sending = asyncio.create_task(uplink.run())
    pruning = asyncio.create_task(_prune(journal, settings.retention_days))
    channels = [Channel(spec, journal, settings, uplink.wake) for spec in specs]
    ports: dict[str, int] = {}
    try:
        for channel in channels:
            ports[channel.spec.source] = await channel.start()
        said = " ".join(f"{source}={port}" for source, port in ports.items())
        if settings.health_port is not None:
            health = await serve_health(journal, settings.health_host, settings.health_port, lambda: ports)
            said += f" health={health.sockets[0].getsockname()[1]}"
        sys.stdout.write(f"device-gateway listening {said}\n")
        sys.stdout.flush()
        _log.info("started", ports=ports)
        waiting = asyncio.create_task(stop.wait())
        # an uplink that dies is a bug; better a supervisor's restart than a gateway that only collects
        await asyncio.wait({waiting, sending}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
    finally:
        await asyncio.gather(*(channel.stop() for channel in channels))
        await uplink.stop()
        pruning.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await pruning
        await sending
        await asyncio.to_thread(journal.close)
        _log.info("stopped")


async def _prune(journal: Journal, retention_days: float) -> None:
    while True:
        try:
            while await journal.prune(retention_days):
                pass
        except (sqlite3.Error, OSError) as error:
            _log.critical("journal_failed", error=type(error).__name__)
        await asyncio.sleep(_PRUNE_SECONDS)


def _configure_logging(level: str) -> None:
    """JSON lines on stderr. What is logged is chosen at each call: ids, sizes and hashes, never content."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
