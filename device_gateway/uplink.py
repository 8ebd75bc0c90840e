"""The way up: journalled messages to the API, oldest first, until it has them.

The API is idempotent by (source, message id), so a message may be posted twice (we were killed between its answer and
our note of it) and is never lost. Several are in flight; one that fails waits by itself while others pass, because a
single message the API cannot digest must not hold up a laboratory.
"""

import asyncio
import functools
import json
import random
import sqlite3
import time
from dataclasses import dataclass
from http import HTTPStatus

import httpx
import structlog

from device_gateway.journal import Entry, Journal
from device_gateway.settings import GatewaySettings

_log = structlog.get_logger("device_gateway.uplink")
_ACCEPTED = {HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.ACCEPTED}
_REFUSED = {
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.CONFLICT,  # the API holds it in quarantine
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
}
_LONGEST_WAIT = 5.0
_TOKEN_MARGIN = 30.0  # seconds before its end at which a token is renewed
_LOOK_AGAIN = 0.5
_FETCH = 256
_ANSWER_KEPT = 200


class _TokenRefused(Exception):  # noqa: N818 - named for what happened
    """The API does not know us (yet)."""


@dataclass(slots=True)
class _Token:
    value: str = ""
    ends_at: float = 0.0

    @property
    def usable(self) -> bool:
        return bool(self.value) and time.monotonic() < self.ends_at


class Uplink:
    """Posts what the journal holds. `wake` after each arrival; `run` until `stop`."""

    def __init__(self, journal: Journal, settings: GatewaySettings) -> None:
        """Nothing is sent before `run`."""
        self._journal = journal
        self._settings = settings
        self._http = httpx.AsyncClient(
            base_url=settings.api_url,
            timeout=settings.uplink_timeout,
            trust_env=False,
            follow_redirects=False,
            limits=httpx.Limits(max_connections=settings.uplink_concurrency + 1),
        )
        self._token = _Token()
        self._token_turn = asyncio.Lock()
        self._wake = asyncio.Event()
        self._stopping = False
        self._in_flight: dict[int, asyncio.Task[None]] = {}
        self._queue: list[int] = []
        self._failures = 0
        self._paused_until = 0.0

    def wake(self) -> None:
        """Something new is in the journal, or a place has come free."""
        self._wake.set()

    async def run(self) -> None:
        """Send until stopped; whatever goes wrong is logged and tried again."""
        while not self._stopping:
            self._wake.clear()
            try:
                await self._fill()
            except (sqlite3.Error, OSError) as error:
                _log.critical("journal_failed", error=type(error).__name__)
            try:
                async with asyncio.timeout(max(_LOOK_AGAIN, self._paused_until - time.monotonic())):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def stop(self, grace: float = 5.0) -> None:
        """Start nothing new, let what is in flight end, close the connections."""
        self._stopping = True
        self.wake()
        if self._in_flight:
            _, late = await asyncio.wait(list(self._in_flight.values()), timeout=grace)
            for task in late:
                task.cancel()
        await self._http.aclose()

    async def _fill(self) -> None:
        """Start as many posts as there are places: one only while the API is known to be down."""
        if time.monotonic() < self._paused_until:
            return
        places = (1 if self._failures else self._settings.uplink_concurrency) - len(self._in_flight)
        if places <= 0:
            return
        if len(self._queue) < places:
            busy = set(self._in_flight)  # as it is now: what ends while we read was still waiting when we asked
            due = await self._journal.waiting(_FETCH + len(busy))
            self._queue = [entry_id for entry_id in due if entry_id not in busy]
        taken, self._queue = self._queue[:places], self._queue[places:]
        for entry_id in taken:
            task = asyncio.create_task(self._post(entry_id))
            self._in_flight[entry_id] = task
            task.add_done_callback(functools.partial(self._freed, entry_id))

    def _freed(self, entry_id: int, _: asyncio.Task[None]) -> None:
        del self._in_flight[entry_id]
        self.wake()

    async def _post(self, entry_id: int) -> None:
        try:
            entry = await self._journal.read(entry_id)
            try:
                response = await self._send(entry)
            except (httpx.HTTPError, _TokenRefused, OSError) as error:
                await self._later(entry, type(error).__name__)
                return
            await self._settle(entry, response)
        except (sqlite3.Error, OSError) as error:
            # not noted, hence posted again: the API will recognise it
            _log.critical("journal_failed", error=type(error).__name__)
            self._pause()
        except Exception as error:  # noqa: BLE001 - a bug met by one message must not become a tight loop
            _log.critical("uplink_bug", entry=entry_id, error=type(error).__name__)
            self._pause()

    async def _settle(self, entry: Entry, response: httpx.Response) -> None:
        log = _log.bind(source=entry.source, message_id=entry.message_id, status=response.status_code)
        answer = f"{response.status_code} {_problem(response)}".strip()
        if response.status_code in _ACCEPTED:
            await self._journal.settle(entry.id, "delivered", answer)
            log.info("delivered", attempts=entry.attempts + 1)
        elif response.status_code in _REFUSED:
            await self._journal.settle(entry.id, "refused", answer)
            log.error("refused_by_api", problem=_problem(response))
        else:
            await self._later(entry, answer)
            return
        self._failures = 0

    async def _later(self, entry: Entry, why: str) -> None:
        self._pause()
        wait = min(_LONGEST_WAIT, 0.25 * 2 ** min(entry.attempts, 10)) * _jitter()
        await self._journal.postpone(entry.id, wait, why)
        _log.warning(
            "not_delivered", source=entry.source, message_id=entry.message_id, why=why, again_in=round(wait, 2)
        )

    def _pause(self) -> None:
        """Each failure in a row doubles how long everything waits, so that a backlog does not batter a sick API."""
        wait = min(_LONGEST_WAIT, 0.1 * 2 ** min(self._failures, 10)) * _jitter()
        self._failures += 1
        self._paused_until = time.monotonic() + wait

    async def _send(self, entry: Entry) -> httpx.Response:
        token = await self._bearer()
        response = await self._post_once(entry, token)
        if response.status_code == HTTPStatus.UNAUTHORIZED:
            # expired early or revoked; whoever of us is first fetches the new one
            if self._token.value == token:
                self._token = _Token()
            response = await self._post_once(entry, await self._bearer())
        return response

    async def _post_once(self, entry: Entry, token: str) -> httpx.Response:
        headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": entry.content_type,
            "X-Source": entry.source,
            "X-Message-Id": entry.message_id,
            "X-Received-At": entry.received_at,
        }
        if entry.sender:
            headers["X-Sender"] = entry.sender
        if entry.reason:
            headers["X-Quarantine"] = entry.reason
        return await self._http.post("/api/v1/inbound-messages", content=entry.body, headers=headers)

    async def _bearer(self) -> str:
        async with self._token_turn:
            if not self._token.usable:
                settings = self._settings
                credentials = {"client_id": settings.client_id, "client_secret": settings.secret()}
                response = await self._http.post("/api/v1/auth/client-token", json=credentials)
                if response.status_code != HTTPStatus.OK:
                    _log.error("no_token", status=response.status_code)
                    raise _TokenRefused
                try:
                    answer = response.json()
                    lasts = float(answer["expires_in"])
                    value = str(answer["access_token"])
                except (ValueError, KeyError, TypeError) as error:
                    raise _TokenRefused from error
                # a short-lived token is used for half its life rather than fetched for each message
                self._token = _Token(value, time.monotonic() + max(lasts - _TOKEN_MARGIN, lasts / 2))
            return self._token.value


def _problem(response: httpx.Response) -> str:
    """Return the problem's code (RFC 9457) and nothing that might quote the message."""
    try:
        problem = response.json()
    except (json.JSONDecodeError, UnicodeDecodeError):
        return ""
    return str(problem.get("code", ""))[:_ANSWER_KEPT] if isinstance(problem, dict) else ""


def _jitter() -> float:
    return random.uniform(0.6, 1.0)  # noqa: S311 - spreads retries, guards nothing
