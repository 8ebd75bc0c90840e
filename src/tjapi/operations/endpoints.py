"""HTTP of operations."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import Header, Query, Request, Response
from fastapi.responses import StreamingResponse

from tjapi.catalog.errors import PrivateContent
from tjapi.identity.rules import PERMISSIONS
from tjapi.kernel.inbox import InboundMessageNotFound, MessageContentDiffers, MessageNotReplayable
from tjapi.kernel.live import LiveEvent
from tjapi.kernel.paging import Page, Pager, PageSize, PageToken, PageTokenInvalid
from tjapi.kernel.problem import BodyTooLarge, FieldError, Invalid
from tjapi.kernel.routing import AUTHENTICATED, Caller, ReadUnit, Unit, operation, router
from tjapi.kernel.runtime import runtime
from tjapi.kernel.security.principal import Principal
from tjapi.kernel.validation import Moment
from tjapi.operations import service, views
from tjapi.operations.errors import JobEnded, JobNotDead, JobNotFound, MessageEmpty
from tjapi.operations.rules import DICTIONARIES
from tjapi.operations.schemas import (
    AuditEventOut,
    DictionariesOut,
    Dictionary,
    DictionaryEntry,
    JobOut,
    JobState,
    MessageAccepted,
    MessageOut,
    MessageState,
    QuarantineReason,
)

_LONGEST_ID = 18
STREAMS = 6
"""How many streams a caller follows at a time."""
messages = router("inbound-messages")
jobs = router("jobs")
live = router("live")
trail = router("audit")
MessageId = Annotated[
    str, Header(alias="X-Message-Id", min_length=1, max_length=199, pattern=r"^[\x21-\x7e]+$", description="消息编号 · Message id", examples=["LIS202611220001"])
]  # fmt: skip
Source = Annotated[
    str,
    Header(
        alias="X-Source",
        max_length=40,
        pattern=r"^[a-z][a-z0-9-]*$",
        description="来源通道 · Channel",
        examples=["lis"],
    ),
]
Sender = Annotated[
    str,
    Header(
        alias="X-Sender", max_length=199, pattern=r"^[\x21-\x7b\x7d\x7e]*$", examples=["LIS/LAB"],
        description="发送方:同一通道后的两个系统可用相同编号 · Whose number the message id is: two systems behind one channel may use the same",
    ),
]  # fmt: skip
Held = Annotated[
    QuarantineReason | None,
    Header(
        alias="X-Quarantine",
        description="发送方未得到 AA 的原因:消息只隔离保存,须经双人放行 · Why its sender was not told AA: it is kept, and filed only when two people release it",
    ),
]  # fmt: skip
_HL7 = "MSH|^~\\&|LIS|LAB|TJ|TJ|20261122||ORU^R01|1|P|2.4\r"
# Read as bytes, whatever its type: FastAPI would decode a body that calls itself JSON.
_RAW_BODY: dict[str, Any] = {
    "description": "原始字节 · The bytes as they came",
    "required": True,
    "content": {
        media_type: {"schema": {"type": "string", "format": "binary", "minLength": 1}, "example": _HL7}
        for media_type in ("application/hl7-v2", "application/octet-stream")
    },
}
_RECEIVE = operation(
    "receiveMessage", "接收外部消息", "Take in a message from outside", permission="message.push", requirement=["E3.5", "I2"],
    audience="integration", status=202, problems=[MessageContentDiffers, MessageEmpty, BodyTooLarge],
    description="消息以来源 + `X-Sender` + `X-Message-Id` 为键:同键同内容为重复,同键异内容隔离(409)。网关以 MSH-3/4 为发送方、MSH-10 为编号 ·"
    " A message is known by its source, `X-Sender` and `X-Message-Id`: the same bytes again are the same message, other bytes are kept in"
    " quarantine and answered 409. The gateway gives MSH-3/4 as the sender and MSH-10 as the id; who pushes without a sender answers for"
    " its own numbers.",
)  # fmt: skip
_RECEIVE["openapi_extra"]["requestBody"] = _RAW_BODY


class RawBytes(Response):
    """The bytes of a message."""

    media_type = "application/octet-stream"


@messages.post("/inbound-messages", **_RECEIVE)
async def receive_message(
    request: Request,
    uow: Unit,
    source: Source,
    message_id: MessageId,
    sender: Sender = "",
    held: Held = None,
    received_at: Annotated[
        Moment | None, Header(alias="X-Received-At", description="网关接收时间 · When the gateway took it in")
    ] = None,
) -> MessageAccepted:
    body = await request.body()
    if not body:
        raise MessageEmpty
    media_type = request.headers.get("content-type", "application/octet-stream")[:100]
    return await service.receive_message(
        uow, source=source, sender=sender, message_id=message_id, body=body, media_type=media_type, gateway_received_at=received_at, held=held
    )  # fmt: skip


@messages.get(
    "/inbound-messages",
    **operation("listInboundMessages", "入站消息列表", "List inbound messages", permission="message.read", audience="admin", requirement=["X13", "E3.5"],
                problems=[PageTokenInvalid]),
)  # fmt: skip
async def list_messages(
    request: Request,
    uow: ReadUnit,
    page_size: PageSize = 50,
    page_token: PageToken = None,
    state: Annotated[MessageState | None, Query(description="状态 · State")] = None,
    source: Annotated[str | None, Query(max_length=40, description="来源 · Source", examples=["lis"])] = None,
    exam_id: Annotated[UUID | None, Query(description="体检 · Exam")] = None,
    alarming: Annotated[
        bool | None,
        Query(description="是否含检验科标为危急、尚未归属的结果 · Whether it says something critical of nobody known"),
    ] = None,
) -> Page[MessageOut]:
    pager = Pager(runtime(request).keys, f"inbound-messages|{state}|{source}|{exam_id}|{alarming}")
    rows = await views.messages(
        uow,
        state=state,
        source=source,
        exam_id=exam_id,
        alarming=alarming,
        after=pager.read(page_token),
        size=page_size,
    )
    hidden = await service.hidden_words(uow)
    return pager.page(rows, page_size, lambda row: [row.id], lambda row: service.message_out(row, hidden))


@messages.get(
    "/inbound-messages/{message_id:uuid}",
    **operation("getInboundMessage", "入站消息详情", "One inbound message", permission="message.read", audience="admin", requirement=["X13"],
                problems=[InboundMessageNotFound]),
)  # fmt: skip
async def get_message(uow: ReadUnit, message_id: UUID) -> MessageOut:
    return await service.message(uow, message_id)


@messages.get(
    "/inbound-messages/{message_id:uuid}/raw",
    response_class=RawBytes,
    **operation("getRawMessage", "入站消息原文", "The bytes of a message", permission="message.raw", audience="admin", requirement=["X13"],
                problems=[InboundMessageNotFound, PrivateContent]),
)  # fmt: skip
async def get_raw_message(uow: ReadUnit, message_id: UUID) -> Response:
    content = await service.raw_message(uow, message_id)
    return RawBytes(content, headers={"Cache-Control": "no-store"})


@messages.post(
    "/inbound-messages/{message_id:uuid}:replay",
    **operation("replayMessage", "重放消息", "File a message again", permission="message.write", audience="admin", requirement=["X13", "E3.5"],
                problems=[InboundMessageNotFound, MessageNotReplayable]),
)  # fmt: skip
async def replay_message(uow: Unit, message_id: UUID) -> MessageOut:
    return await service.replay_message(uow, message_id)


@jobs.get(
    "/jobs",
    **operation(
        "listJobs",
        "后台任务列表",
        "List jobs",
        permission="job.read_all",
        audience="admin",
        requirement=["P3"],
        problems=[PageTokenInvalid],
    ),
)
async def list_jobs(
    request: Request,
    uow: ReadUnit,
    page_size: PageSize = 50,
    page_token: PageToken = None,
    state: Annotated[JobState | None, Query(description="状态;dead 为死信 · State; dead letters are `dead`")] = None,
    name: Annotated[
        str | None, Query(max_length=80, description="任务名 · Kind of job", examples=["report.render"])
    ] = None,
) -> Page[JobOut]:
    pager = Pager(runtime(request).keys, f"jobs|{state}|{name}")
    rows = await views.jobs(uow, state=state, name=name, owner=None, after=pager.read(page_token), size=page_size)
    return pager.page(rows, page_size, lambda row: [row.seq], service.job_out)


@jobs.get(
    "/jobs/{job_id:uuid}",
    **operation(
        "getJob",
        "任务进度",
        "A job and its progress",
        permission=AUTHENTICATED,
        requirement=["P3"],
        problems=[JobNotFound],
    ),
)
async def get_job(uow: ReadUnit, job_id: UUID) -> JobOut:
    return service.job_out(await service.job(uow, job_id))


@jobs.post(
    "/jobs/{job_id:uuid}:cancel",
    **operation(
        "cancelJob",
        "取消任务",
        "Cancel a job",
        permission="job.write",
        audience="admin",
        requirement=["P3"],
        problems=[JobNotFound, JobEnded],
    ),
)
async def cancel_job(uow: Unit, job_id: UUID) -> JobOut:
    return await service.cancel_job(uow, job_id)


@jobs.post(
    "/jobs/{job_id:uuid}:retry",
    **operation("retryJob", "重试失败任务", "Try a dead job again", permission="job.write", audience="admin", requirement=["P3"],
                problems=[JobNotFound, JobNotDead]),
)  # fmt: skip
async def retry_job(uow: Unit, job_id: UUID) -> JobOut:
    return await service.retry_job(uow, job_id)


class LastEventIdInvalid(Invalid):
    """Last-Event-ID is not one of ours."""

    zh, en = "Last-Event-ID 无效", "The Last-Event-ID is not valid"


class EventStream(StreamingResponse):
    """Server-sent events."""

    media_type = "text/event-stream"


@live.get(
    "/live-events",
    response_class=EventStream,
    **operation("followLiveEvents", "订阅实时事件", "Follow live events (SSE)", permission="live.read", requirement=["P3"],
                description="`text/event-stream`。断线后带 `Last-Event-ID` 继续,至少一次送达 · At least once; resume with `Last-Event-ID`.",
                problems=[LastEventIdInvalid]),
)  # fmt: skip
async def follow(
    request: Request,
    caller: Caller,
    last_event_id: Annotated[
        str | None, Header(max_length=20, description="最后收到的事件编号 · The last event id seen", examples=["120"])
    ] = None,
) -> EventStream:
    if last_event_id is not None and not (
        last_event_id.isascii() and last_event_id.isdigit() and len(last_event_id) <= _LONGEST_ID
    ):
        raise LastEventIdInvalid(
            errors=[FieldError("header:Last-Event-ID", "invalid", "应为数字", "a number is expected")]
        )
    held, claims = runtime(request), request.state.claims
    every = held.settings.stream_seconds
    place = await held.limits.enter(f"stream|{caller.kind}|{caller.id}", STREAMS, every * 2)

    async def again() -> Principal | None:
        """Ask whether the token still stands, and for what."""
        if claims.expires_at <= held.clock.now().timestamp():
            return None
        now = await held.authenticate(held.units.identify(), claims)
        if now is None or not now.may("live.read"):
            return None
        await place(True)
        return now

    left = claims.expires_at - held.clock.now().timestamp()
    events = held.live.stream(caller, int(last_event_id) if last_event_id else None, again, every, left)
    return EventStream(_sse(events, place), headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})


async def _sse(events: AsyncIterator[LiveEvent], place: Callable[[bool], Awaitable[None]]) -> AsyncIterator[str]:
    try:
        yield ": open\nretry: 2000\n\n"
        async for text in _lines(events):
            yield text
    finally:
        await place(False)


async def _lines(events: AsyncIterator[LiveEvent]) -> AsyncIterator[str]:
    async for event in events:
        shown = {"topic": event.topic, "at": event.at.isoformat(), "campus_id": event.campus_id, "data": event.data}
        yield f"id: {event.id}\nevent: {event.topic}\ndata: {json.dumps(shown, ensure_ascii=False)}\n\n"


@trail.get(
    "/audit-events",
    **operation(
        "listAuditEvents",
        "审计记录",
        "The audit trail",
        permission="audit.read",
        audience="admin",
        requirement=["D4"],
        problems=[PageTokenInvalid],
    ),
)
async def list_audit_events(
    request: Request,
    uow: ReadUnit,
    page_size: PageSize = 50,
    page_token: PageToken = None,
    action: Annotated[
        str | None, Query(max_length=80, description="动作 · Action", examples=["exam.checked_in"])
    ] = None,
    object_type: Annotated[
        str | None, Query(max_length=80, description="对象类型 · Kind of object", examples=["exam"])
    ] = None,
    object_id: Annotated[
        str | None, Query(max_length=80, description="对象 · Object", examples=["0192f0c4-7b1a-7c3e-9d55-1f2e3a4b5c6d"])
    ] = None,
) -> Page[AuditEventOut]:
    pager = Pager(runtime(request).keys, f"audit|{action}|{object_type}|{object_id}")
    rows = await views.audit_events(
        uow, action=action, object_type=object_type, object_id=object_id, after=pager.read(page_token), size=page_size
    )
    return pager.page(
        rows, page_size, lambda row: [row.id], lambda row: AuditEventOut.model_validate(row, from_attributes=True)
    )


@trail.get(
    "/dictionaries",
    **operation("listDictionaries", "代码字典", "Labels of every code", permission=AUTHENTICATED, requirement=["P4"]),
)
async def list_dictionaries(caller: Caller) -> DictionariesOut:
    tables = {**DICTIONARIES, "permission": PERMISSIONS}
    return DictionariesOut(
        items=[
            Dictionary(
                name=name, entries=[DictionaryEntry(code=code, zh=zh, en=en) for code, (zh, en) in table.items()]
            )
            for name, table in sorted(tables.items())
        ]
    )
