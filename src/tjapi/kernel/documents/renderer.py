"""Rendering in worker processes, with limits on time and memory (rule 30 of reliability.md).

A worker is a fresh interpreter, not a fork: it inherits neither our memory nor our environment (passwords, keys), and a
template that breaks out of the sandbox finds neither there.
"""

import asyncio
import json
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from tjapi.kernel.documents.engine import NO_ASSETS, RenderedDocument, RenderedLabels, log_missing
from tjapi.kernel.documents.errors import RenderDied, RenderTimeout, RenderTooLarge
from tjapi.kernel.documents.frames import PREFIX, lengths, pack, told
from tjapi.kernel.documents.labels import LANGUAGES
from tjapi.kernel.documents.templating import plain

MAX_ASSET_BYTES = 64 * 2**20
_START_SECONDS = 60.0
_DIED = (asyncio.IncompleteReadError, ConnectionError, ValueError)


@dataclass(frozen=True, slots=True)
class Sheet:
    """One document of a set: its template, its data, its pictures by key."""

    template: str
    data: Mapping[str, Any]
    assets: Mapping[str, bytes] = field(default_factory=lambda: NO_ASSETS)


class _Worker:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.rendered = 0

    @classmethod
    async def start(cls, templates: Path, memory_bytes: int) -> "_Worker":
        environment = {
            # the worker imports what we import, however we were started
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            "PYTHONUTF8": "1",
            "PYTHONDONTWRITEBYTECODE": os.environ.get("PYTHONDONTWRITEBYTECODE", ""),
            "PATH": os.environ.get("PATH", ""),
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            "tjapi.kernel.documents.worker",
            str(templates),
            str(memory_bytes),
            str(os.getpid()),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=environment,
        )
        worker = cls(process)
        try:
            async with asyncio.timeout(_START_SECONDS):
                await worker._receive()
        except BaseException:
            await worker.kill()
            raise
        return worker

    async def ask(self, frame: list[bytes]) -> tuple[dict[str, Any], bytes]:
        assert self.process.stdin is not None
        self.process.stdin.writelines(frame)
        await self.process.stdin.drain()
        self.rendered += 1
        return await self._receive()

    async def kill(self) -> None:
        with suppress(ProcessLookupError):
            self.process.kill()
        if self.process.stdin is not None:
            self.process.stdin.close()
        await self.process.wait()

    async def _receive(self) -> tuple[dict[str, Any], bytes]:
        assert self.process.stdout is not None
        head, body = lengths(await self.process.stdout.readexactly(PREFIX.size))
        text = await self.process.stdout.readexactly(head)
        return json.loads(text), await self.process.stdout.readexactly(body)


class DocumentRenderer:
    """Renders in up to `max_workers` child processes; belongs to the event loop that uses it first.

    `timeout` in seconds and `memory_bytes` (address space) hold for one document; a worker is replaced after
    `recycle_after` documents. Workers end when `close()` is called or this process ends.
    """

    def __init__(
        self,
        templates: Path,
        *,
        max_workers: int = 1,
        timeout: float = 20.0,
        memory_bytes: int = 2 * 2**30,
        recycle_after: int = 500,
    ) -> None:
        self._templates = templates.resolve()
        self._timeout = timeout
        self._memory_bytes = memory_bytes
        self._recycle_after = recycle_after
        self._gate = asyncio.Semaphore(max_workers)
        self._max_workers = max_workers
        self._idle: list[_Worker] = []
        self._busy: set[_Worker] = set()
        self._closed = False

    async def __aenter__(self) -> Self:
        """Start the workers, so that the first document need not wait for fonts."""
        started = await asyncio.gather(*(self._start() for _ in range(self._max_workers)))
        self._idle.extend(started)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close."""
        await self.close()

    @property
    def worker_pids(self) -> list[int]:
        """Process ids of the living workers."""
        return [worker.process.pid for worker in (*self._idle, *self._busy)]

    async def render(
        self,
        template: str,
        data: Mapping[str, Any],
        assets: Mapping[str, bytes] = NO_ASSETS,
        *,
        now: datetime,
        timeout: float | None = None,  # noqa: ASYNC109  # it kills a process, which cancelling an await cannot
    ) -> RenderedDocument:
        """Render like `engine.render`, to the same bytes, in a worker; a render whose worker dies is tried once more.

        `timeout` in seconds starts when a worker is free. Raises TemplateNotFound, TemplateInvalid, RenderTooLarge,
        RenderTimeout, RenderFailed, RenderDied; TypeError or ValueError when `data` is not plain JSON; RuntimeError when closed.
        """
        return await self.render_set([Sheet(template, data, assets)], now=now, timeout=timeout)

    async def render_set(
        self,
        sheets: Sequence[Sheet],
        *,
        now: datetime,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> RenderedDocument:
        """Render several documents, at least one, into one file; else like `render`."""
        answer, pdf = await self._ask({"form": "pdf", "now": now.isoformat()}, sheets, timeout)
        place = tuple(answer["seal"]) if answer["seal"] else None
        document = RenderedDocument(pdf, answer["pages"], answer["sha256"], tuple(answer["missing"]), place)
        log_missing(sheets[0].template, document)
        return document

    async def render_labels(
        self,
        sheets: Sequence[Sheet],
        language: str,
        *,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> RenderedLabels:
        """Render documents, at least one, as labels in a printer's language (`zpl`, `tspl`); raises like `render`."""
        if language not in LANGUAGES:
            raise ValueError(f"no such language: {language}")
        answer, content = await self._ask({"form": language}, sheets, timeout)
        labels = RenderedLabels(content, answer["pages"], tuple(answer["missing"]))
        log_missing(sheets[0].template, labels)
        return labels

    async def _ask(
        self,
        head: dict[str, Any],
        sheets: Sequence[Sheet],
        timeout: float | None,  # noqa: ASYNC109
    ) -> tuple[dict[str, Any], bytes]:
        template = sheets[0].template
        if sum(len(picture) for sheet in sheets for picture in sheet.assets.values()) > MAX_ASSET_BYTES:
            raise RenderTooLarge(template, f"assets of more than {MAX_ASSET_BYTES} bytes")
        parts, blobs = [], []
        for sheet in sheets:
            text = plain(sheet.template, sheet.data).encode("utf-8")
            assets = [[key, len(picture)] for key, picture in sheet.assets.items()]
            parts.append({"template": sheet.template, "data": len(text), "assets": assets})
            blobs += [text, *sheet.assets.values()]
        frame = pack({**head, "parts": parts}, *blobs)
        seconds = self._timeout if timeout is None else timeout
        async with self._gate:
            for _ in range(2):
                try:
                    answer, made = await self._once(frame, template, seconds)
                except _DIED:
                    continue
                if "error" in answer:
                    raise told(answer)
                return answer, made
        raise RenderDied(template, "the worker died twice")

    async def close(self) -> None:
        """End all workers; renders under way fail with RuntimeError. May be called twice."""
        self._closed = True
        workers = [*self._idle, *self._busy]
        self._idle.clear()
        await asyncio.gather(*(worker.kill() for worker in workers))

    async def _start(self) -> _Worker:
        return await _Worker.start(self._templates, self._memory_bytes)

    async def _once(self, frame: list[bytes], template: str, seconds: float) -> tuple[dict[str, Any], bytes]:
        if self._closed:
            raise RuntimeError("the renderer is closed")
        worker = self._idle.pop() if self._idle else await self._start()
        self._busy.add(worker)
        healthy = False
        try:
            async with asyncio.timeout(seconds):
                answer, pdf = await worker.ask(frame)
            healthy = not answer.get("retire") and worker.rendered < self._recycle_after and not self._closed
        except TimeoutError:
            raise RenderTimeout(template, seconds) from None
        finally:
            self._busy.discard(worker)
            if healthy:
                self._idle.append(worker)
            else:  # also after a cancelled await: nobody knows what it is doing
                await worker.kill()
        return answer, pdf
