"""A whole running system for a journey: started as a newcomer starts it, spoken to only over its sockets."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tjapi import visit
from tjapi.kernel.embedded import free_port

START_SECONDS = 600


@contextlib.contextmanager
def running(state: Path) -> Iterator[visit.Demo]:
    """`tjapi up` on a state folder, from its ready line to its end by SIGTERM."""
    port = free_port()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TJ_")}
    argv = [sys.executable, "-m", "tjapi.cli", "up", "--port", str(port), "--state", str(state)]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment, text=True)
    assert process.stdout is not None
    said = []
    deadline = time.monotonic() + START_SECONDS
    for line in process.stdout:
        said.append(line)
        if line.startswith("ready ") or time.monotonic() > deadline:
            break
    assert said, "nothing was said"
    assert said[-1] == f"ready http://127.0.0.1:{port}\n", "".join(said)
    try:
        yield visit.Demo.read(state)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=40) == 0


@pytest.fixture(scope="module")
def system() -> Iterator[visit.Demo]:
    """One running system for a module of journeys."""
    state = Path(tempfile.mkdtemp(prefix="tj-journey-"))
    state.chmod(0o711)
    with running(state) as demo:
        yield demo
    shutil.rmtree(state, ignore_errors=True)


@pytest.fixture
async def http(system: visit.Demo) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the running system."""
    async with httpx.AsyncClient(base_url=system.base_url, timeout=30, trust_env=False) as client:
        yield client


@pytest.fixture
async def lis(system: visit.Demo) -> AsyncIterator[httpx.AsyncClient]:
    """The control port of the sandbox LIS."""
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{system.ports['lis_control']}", timeout=30, trust_env=False
    ) as client:
        yield client


async def eventually(seconds: float, check: Callable[[], Awaitable[Any]]) -> Any:
    """Return what an async check gives as soon as it is true; fail after so many seconds."""
    deadline = time.monotonic() + seconds
    while True:
        found = await check()
        if found:
            return found
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.05)
