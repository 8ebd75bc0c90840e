"""`python -m adapters.lis.sandbox`: the laboratory as a process."""

import argparse
import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import uvicorn

from adapters.lis.sandbox.control import Auto, Control
from adapters.lis.sandbox.dictionary import BUILT_IN, Dictionary
from adapters.lis.sandbox.laboratory import Laboratory
from adapters.lis.sandbox.outbox import Outbox
from adapters.wire import mllp


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: this process has its own."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _Desk:
    """The order desk: an MLLP server, and the tubes that are worked on by themselves."""

    def __init__(self, laboratory: Laboratory, outbox: Outbox, auto: Auto) -> None:
        self._laboratory = laboratory
        self._outbox = outbox
        self._auto = auto
        self._visits: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        decoder = mllp.MllpDecoder()
        task = asyncio.current_task()
        assert task is not None
        self._visits.add(task)
        try:
            while data := await reader.read(65_536):
                for payload in decoder.feed(data):
                    answer, barcodes = self._laboratory.order(payload)
                    writer.write(mllp.frame(answer))
                    for barcode in barcodes:
                        self.receive_later(barcode)
                await writer.drain()
        except (OSError, mllp.FrameTooLarge):
            pass
        except asyncio.CancelledError:
            pass  # stopping; asyncio's own callback would log a cancelled visit as an error
        finally:
            self._visits.discard(task)
            writer.close()

    def receive_later(self, barcode: str) -> None:
        if self._auto.enabled:
            asyncio.get_running_loop().call_later(self._auto.delay, self._receive, barcode)

    def stop(self) -> None:
        for visit in self._visits:
            visit.cancel()

    def _receive(self, barcode: str) -> None:
        message = self._laboratory.receive(barcode)
        if message:
            self._outbox.put(message)


async def _run(options: argparse.Namespace) -> None:
    journal = None
    if options.state:
        options.state.mkdir(parents=True, exist_ok=True)
        journal = options.state / "laboratory.jsonl"
    laboratory = Laboratory(Dictionary.load(options.dictionary), journal)
    auto = Auto(enabled=options.auto_delay >= 0, delay=max(0.0, options.auto_delay))
    gateway_host, gateway_port = options.send_to
    outbox = Outbox(
        gateway_host,
        gateway_port,
        lambda: laboratory.faults,
        laboratory.note,
        retry_seconds=options.retry_seconds,
        ack_timeout=options.ack_timeout,
    )
    outbox.resume(laboratory.unanswered)
    desk = _Desk(laboratory, outbox, auto)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)

    orders = await asyncio.start_server(desk.serve, *options.listen)
    listening = socket.create_server(options.control)
    http = _Server(uvicorn.Config(Control(laboratory, outbox, auto), log_level="warning", lifespan="off", ws="none"))
    serving = asyncio.create_task(http.serve(sockets=[listening]))
    sending = asyncio.create_task(outbox.run())
    for barcode, tube in laboratory.tubes.items():  # what a restart interrupted
        if tube.open_lines():
            desk.receive_later(barcode)
    mllp_port, control_port = orders.sockets[0].getsockname()[1], listening.getsockname()[1]
    sys.stdout.write(f"lis-sandbox listening mllp={mllp_port} control={control_port}\n")
    sys.stdout.flush()

    waiting = asyncio.create_task(stop.wait())
    await asyncio.wait({waiting, serving, sending}, return_when=asyncio.FIRST_COMPLETED)
    orders.close()
    desk.stop()
    waiting.cancel()
    sending.cancel()
    http.should_exit = True
    await serving
    with contextlib.suppress(asyncio.CancelledError):
        await sending


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host.strip("[]") or "127.0.0.1", int(port)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m adapters.lis.sandbox", description=__doc__)
    parser.add_argument("--listen", type=_address, default="127.0.0.1:2576", help="MLLP for orders, host:port")
    parser.add_argument("--control", type=_address, default="127.0.0.1:2577", help="HTTP control port, host:port")
    parser.add_argument("--send-to", type=_address, default="127.0.0.1:2575", help="where results go, host:port")
    parser.add_argument("--dictionary", type=Path, default=BUILT_IN, help="JSON file of groups and their tests")
    parser.add_argument("--state", type=Path, help="folder in which orders survive a restart")
    parser.add_argument("--auto-delay", type=float, default=0.3, help="seconds from order to result; negative: by hand")
    parser.add_argument("--retry-seconds", type=float, default=1.0, help="pause before the same message is sent again")
    parser.add_argument("--ack-timeout", type=float, default=10.0, help="seconds to wait for an acknowledgement")
    return parser.parse_args()


if __name__ == "__main__":
    asyncio.run(_run(_options()))
