"""The laboratory's HTTP control port: what a test or an integrator turns. Bare ASGI; JSON in, JSON out."""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from adapters.lis.sandbox.faults import Faults
from adapters.lis.sandbox.laboratory import Laboratory, NextValue, Outgoing
from adapters.lis.sandbox.outbox import Outbox, send_once

_Event = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Event]]
_Send = Callable[[_Event], Awaitable[None]]
_MAX_BODY = 16 * 1024 * 1024


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Receive1(_Body):
    barcode: str


class _Value(_Body):
    code: str
    value: str
    barcode: str | None = None
    group: str | None = None
    flag: str | None = None
    status: str = "F"


class _Correct(_Body):
    barcode: str
    code: str
    value: str
    flag: str | None = None


class _Withdraw(_Body):
    barcode: str
    code: str
    status: str = "W"


class _Refuse(_Body):
    barcode: str
    reason: str = "RH"
    text: str = "溶血"


class _Auto(_Body):
    enabled: bool
    delay: float | None = Field(default=None, ge=0)


class _Flood(_Body):
    count: int = Field(ge=1, le=100_000)
    barcode: str | None = None


class _Resend(_Body):
    control_id: str


@dataclass(slots=True)
class Auto:
    """Whether an ordered tube is worked on by itself, `delay` seconds after its order."""

    enabled: bool
    delay: float


class ControlFault(Exception):  # noqa: N818 - an answer, not an accident
    """An HTTP status and a sentence."""

    def __init__(self, status: HTTPStatus, detail: str) -> None:
        """Keep both."""
        super().__init__(detail)
        self.status = status


class Control:
    """The ASGI application."""

    def __init__(self, laboratory: Laboratory, outbox: Outbox, auto: Auto) -> None:
        """Turn these three."""
        self._laboratory = laboratory
        self._outbox = outbox
        self._auto = auto
        self._routes: dict[tuple[str, str], Callable[[bytes], Awaitable[object]]] = {
            ("GET", "/health"): self._health,
            ("GET", "/orders"): self._orders,
            ("GET", "/sent"): self._sent,
            ("GET", "/faults"): self._faults_now,
            ("POST", "/faults"): self._set_faults,
            ("POST", "/receive"): self._receive,
            ("POST", "/next-value"): self._next_value,
            ("POST", "/correct"): self._correct,
            ("POST", "/withdraw"): self._withdraw,
            ("POST", "/refuse"): self._refuse,
            ("POST", "/auto"): self._set_auto,
            ("POST", "/resend"): self._resend,
            ("POST", "/flood"): self._flood,
            ("POST", "/send-raw"): self._send_raw,
        }

    async def __call__(self, scope: _Event, receive: _Receive, send: _Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        try:
            status, content = HTTPStatus.OK, await self._answer(scope["method"], scope["path"], receive)
        except ControlFault as fault:
            status, content = fault.status, {"detail": str(fault)}
        except ValidationError as error:
            status = HTTPStatus.UNPROCESSABLE_ENTITY
            content = {"detail": error.errors(include_url=False, include_context=False)}
        except KeyError as error:
            status, content = HTTPStatus.NOT_FOUND, {"detail": f"unknown here: {error}"}
        headers = [(b"content-type", b"application/json; charset=utf-8")]
        await send({"type": "http.response.start", "status": int(status), "headers": headers})
        body = json.dumps(content, ensure_ascii=False).encode()
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, method: str, path: str, receive: _Receive) -> object:
        handler = self._routes.get((method, path))
        if handler is None:
            known = ", ".join(f"{verb} {where}" for verb, where in self._routes)
            raise ControlFault(HTTPStatus.NOT_FOUND, f"there are: {known}")
        body = bytearray()
        while True:
            event = await receive()
            body += event.get("body", b"")
            if len(body) > _MAX_BODY:
                raise ControlFault(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body too large")
            if not event.get("more_body"):
                return await handler(bytes(body))

    async def _health(self, _: bytes) -> object:
        pending = sum(each.state == "pending" for each in self._outbox.deliveries)
        return {"status": "ok", "tubes": len(self._laboratory.tubes), "pending": pending}

    async def _orders(self, _: bytes) -> object:
        return {"tubes": [asdict(tube) for tube in self._laboratory.tubes.values()]}

    async def _sent(self, _: bytes) -> object:
        return {"messages": [each.shown() for each in self._outbox.deliveries]}

    async def _faults_now(self, _: bytes) -> object:
        return self._laboratory.faults.model_dump()

    async def _set_faults(self, body: bytes) -> object:
        given = Faults.model_validate_json(body).model_dump(exclude_unset=True)
        for name, value in given.items():
            setattr(self._laboratory.faults, name, value)
        while self._laboratory.faults.take("garbage"):
            self._outbox.put(self._laboratory.garbage())
        return self._laboratory.faults.model_dump()

    async def _receive(self, body: bytes) -> object:
        message = self._laboratory.receive(_Receive1.model_validate_json(body).barcode)
        if message is None:
            raise ControlFault(HTTPStatus.CONFLICT, "nothing is open on this tube")
        return self._put(message)

    async def _next_value(self, body: bytes) -> object:
        wanted = _Value.model_validate_json(body)
        self._laboratory.next_values.append(NextValue(**wanted.model_dump()))
        return {"waiting": len(self._laboratory.next_values)}

    async def _correct(self, body: bytes) -> object:
        asked = _Correct.model_validate_json(body)
        message = self._laboratory.revise(asked.barcode, asked.code, asked.value, flag=asked.flag, status="C")
        return self._put(message)

    async def _withdraw(self, body: bytes) -> object:
        asked = _Withdraw.model_validate_json(body)
        return self._put(self._laboratory.revise(asked.barcode, asked.code, None, flag=None, status=asked.status))

    async def _refuse(self, body: bytes) -> object:
        asked = _Refuse.model_validate_json(body)
        message = self._laboratory.refuse(asked.barcode, asked.reason, asked.text)
        if message is None:
            raise ControlFault(HTTPStatus.CONFLICT, "nothing is open on this tube")
        return self._put(message)

    async def _set_auto(self, body: bytes) -> object:
        asked = _Auto.model_validate_json(body)
        self._auto.enabled = asked.enabled
        self._auto.delay = self._auto.delay if asked.delay is None else asked.delay
        return {"enabled": self._auto.enabled, "delay": self._auto.delay}

    async def _resend(self, body: bytes) -> object:
        control_id = _Resend.model_validate_json(body).control_id
        if not self._outbox.again(control_id):
            raise KeyError(control_id)
        return {"control_id": control_id}

    async def _flood(self, body: bytes) -> object:
        asked = _Flood.model_validate_json(body)
        tubes = self._laboratory.tubes
        chosen = [asked.barcode] if asked.barcode else [code for code, tube in tubes.items() if tube.values]
        if not chosen:
            raise ControlFault(HTTPStatus.CONFLICT, "no tube is reported yet")
        sent = [self._laboratory.again(chosen[number % len(chosen)]) for number in range(asked.count)]
        for message in sent:
            self._outbox.put(message)
        return {"control_ids": [message.control_id for message in sent]}

    async def _send_raw(self, body: bytes) -> object:
        try:
            code, text = await send_once(self._outbox.host, self._outbox.port, body, self._outbox.ack_timeout)
        except (OSError, EOFError, ValueError) as error:
            raise ControlFault(HTTPStatus.BAD_GATEWAY, f"no answer: {type(error).__name__}") from error
        return {"ack_code": code, "ack_text": text}

    def _put(self, message: Outgoing) -> object:
        self._outbox.put(message)
        return {"control_id": message.control_id}
