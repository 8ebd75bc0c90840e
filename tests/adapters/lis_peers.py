"""What the LIS tests share: a sandbox laboratory as a process, a scripted MLLP peer, an order."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

import httpx

from adapters.lis.contract import LabGroup, LabOrder, LabPatient, LabTube
from adapters.wire import hl7v2, mllp

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 8, 1, 9, 30, tzinfo=ZONE)


def order(barcode: str = "B0001", *, groups: tuple[str, ...] = ("CBC", "GLU"), name: str = "陈珅") -> LabOrder:
    lines = tuple(LabGroup(f"{barcode}-{number}", code, f"组合{code}") for number, code in enumerate(groups, 1))
    tube = LabTube(barcode, "EDTA", "BLD", NOW, lines)
    patient = LabPatient("E0001", name, "female", date(1980, 2, 29))
    return LabOrder(f"R-{barcode}", "X0001", "01", patient, (tube,), NOW)


Script = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def mllp_peer(script: Script) -> AsyncIterator[int]:
    """An MLLP server that does to each frame what the script says; yields its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        decoder = mllp.MllpDecoder()
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                for payload in decoder.feed(data):
                    await script(payload, writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def answer(payload: bytes, code: hl7v2.AckCode = "AA", text: str = "") -> bytes:
    return mllp.frame(hl7v2.ack(hl7v2.decode(payload), code, text, NOW, "PEER1"))


@dataclass(frozen=True)
class Sandbox:
    mllp_port: int
    control: httpx.AsyncClient
    process: asyncio.subprocess.Process

    async def post(self, path: str, **body: object) -> httpx.Response:
        return await self.control.post(path, json=body)

    async def sent(self, count: int, *, state: str = "accepted") -> list[dict[str, object]]:
        """Wait until so many messages are answered."""
        async with asyncio.timeout(8):
            while True:
                found = [
                    each for each in (await self.control.get("/sent")).json()["messages"] if each["state"] == state
                ]
                if len(found) >= count:
                    return found
                await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def sandbox(send_to: int, *options: str) -> AsyncIterator[Sandbox]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "adapters.lis.sandbox",
        "--listen=127.0.0.1:0",
        "--control=127.0.0.1:0",
        f"--send-to=127.0.0.1:{send_to}",
        "--auto-delay=0.01",
        "--retry-seconds=0.05",
        *options,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        line = (await asyncio.wait_for(process.stdout.readline(), 10)).decode()
        ports = dict(part.split("=") for part in line.split()[2:])
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{ports['control']}", trust_env=False) as control:
            yield Sandbox(int(ports["mllp"]), control, process)
    finally:
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 5) == 0
