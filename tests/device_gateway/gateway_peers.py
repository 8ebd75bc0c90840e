"""What the gateway tests share: the API's inbound side as a small real server, the gateway as a process, a sender."""

import asyncio
import contextlib
import hashlib
import os
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.wire import hl7v2, mllp
from tjapi.kernel.embedded import free_port

NAME = "陈珅"


def oru(message_id: str, value: str = "5.1", *, charset: str = "utf-8") -> bytes:
    declared = {"utf-8": "UNICODE UTF-8", "gb18030": "GB 18030-2000"}[charset]
    header = f"MSH|^~\\&|LIS|LAB|TJ||20260801093000||ORU^R01|{message_id}|P|2.5.1||||||{declared}"
    return f"{header}\rPID|1||E1||{NAME}\rOBR|1|L1\rOBX|1|NM|GLU||{value}\r".encode(charset)


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@dataclass
class Api:
    """The contract of inbound messages, kept in memory: idempotent by (source, message id)."""

    port: int = field(default_factory=free_port)
    inbox: dict[tuple[str, str], tuple[str, bytes]] = field(default_factory=dict)
    quarantined: list[tuple[str, bytes]] = field(default_factory=list)
    reasons: dict[str, str] = field(default_factory=dict)
    senders: dict[str, str] = field(default_factory=dict)
    posts: list[tuple[str, str, str]] = field(default_factory=list)
    tokens: int = 0
    valid_token: str = ""
    failing: list[int] = field(default_factory=list)
    poison: dict[str, int] = field(default_factory=dict)

    async def token(self, request: Request) -> Response:
        given = await request.json()
        if given != {"client_id": "gw", "client_secret": "s3cret"}:
            return JSONResponse({"code": "unknown-client"}, 401)
        self.tokens += 1
        self.valid_token = f"token-{self.tokens}"
        return JSONResponse({"access_token": self.valid_token, "expires_in": 300})

    async def inbound(self, request: Request) -> Response:
        body = await request.body()
        source, message_id = request.headers["x-source"], request.headers["x-message-id"]
        assert request.headers["x-received-at"][10] == "T"
        self.posts.append((message_id, request.headers["content-type"], hashlib.sha256(body).hexdigest()))
        if request.headers["authorization"] != f"Bearer {self.valid_token}":
            return JSONResponse({"code": "token-expired"}, 401)
        if self.failing:
            return JSONResponse({"code": "try-later"}, self.failing.pop())
        if message_id in self.poison:
            return JSONResponse({"code": "poison"}, self.poison[message_id])
        reason, sender = request.headers.get("x-quarantine", ""), request.headers.get("x-sender", "")
        self.reasons[message_id], self.senders[message_id] = reason, sender
        if reason == "content-differs":
            self.quarantined.append((message_id, body))
            return JSONResponse({}, 202)
        known = self.inbox.setdefault((source, message_id), (request.headers["content-type"], body))
        if known[1] != body:
            self.quarantined.append((message_id, body))
            return JSONResponse({"code": "message-id-reused"}, 409)
        return JSONResponse({}, 202)

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        routes = [
            Route("/api/v1/auth/client-token", self.token, methods=["POST"]),
            Route("/api/v1/inbound-messages", self.inbound, methods=["POST"]),
        ]
        config = uvicorn.Config(Starlette(routes=routes), port=self.port, log_level="warning", lifespan="off")
        server = _Server(config)
        task = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 - uvicorn offers a flag only
            await asyncio.sleep(0.01)
        try:
            yield
        finally:
            server.should_exit = True
            await task

    async def has(self, *message_ids: str) -> None:
        async with asyncio.timeout(10):
            while not {("lis", each) for each in message_ids} <= self.inbox.keys():  # noqa: ASYNC110 - as a client would
                await asyncio.sleep(0.02)


@dataclass(frozen=True)
class Gateway:
    port: int
    health_port: int
    process: asyncio.subprocess.Process
    log: Path

    async def health(self) -> dict[str, object]:
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.get(f"http://127.0.0.1:{self.health_port}/health")
            content: dict[str, object] = answer.json()
            return content

    async def drained(self) -> dict[str, object]:
        async with asyncio.timeout(10):
            while (health := await self.health())["pending"]:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.02)
            return health


@contextlib.asynccontextmanager
async def gateway(folder: Path, api: Api, **settings: str) -> AsyncIterator[Gateway]:
    environment = {
        "LISTEN": "lis=mllp://127.0.0.1:0",
        "HEALTH_PORT": "0",
        "API_URL": f"http://127.0.0.1:{api.port}",
        "CLIENT_ID": "gw",
        "CLIENT_SECRET": "s3cret",
        "JOURNAL": str(folder / "journal.sqlite3"),
    } | settings
    log = folder / "gateway.log"
    with log.open("ab") as errors:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "device_gateway",
            env=os.environ | {f"TJ_GATEWAY_{name}": value for name, value in environment.items()},
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
        )
    assert process.stdout is not None
    try:
        line = (await asyncio.wait_for(process.stdout.readline(), 10)).decode()
        assert line.startswith("device-gateway listening lis="), log.read_text()
        ports = {name: int(port) for name, port in (part.split("=") for part in line.split()[2:])}
        yield Gateway(ports["lis"], ports["health"], process, log)
    finally:
        if process.returncode is None:
            process.terminate()
            assert await asyncio.wait_for(process.wait(), 10) == 0
        assert NAME not in log.read_text(encoding="utf-8")  # logs hold no personal data, whatever happened


async def exchange(port: int, *payloads: bytes) -> list[tuple[str, str]]:
    """Send payloads on one connection without waiting in between; return MSA-1 and MSA-2 of each answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"".join(map(mllp.frame, payloads)))
    decoder = mllp.MllpDecoder()
    answers: list[tuple[str, str]] = []
    async with asyncio.timeout(5):
        while len(answers) < len(payloads) and (data := await reader.read(65_536)):
            for frame in decoder.feed(data):
                msa = hl7v2.decode(frame).first("MSA")
                assert msa is not None
                answers.append((msa.value(1), msa.value(2)))
    writer.close()
    return answers
