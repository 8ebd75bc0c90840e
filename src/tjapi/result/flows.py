"""A message's way from the inbox to the results: read it (transaction) → parse it → file it and say what became of it (transaction)."""

import contextlib
from collections.abc import Mapping
from typing import Any, get_args
from uuid import UUID

from adapters.lis.contract import UnparsableReport
from tjapi.kernel import inbox
from tjapi.kernel.inbox import InboundMessageNotFound, MessageNotReplayable
from tjapi.kernel.jobs.spec import GiveUp, JobRun
from tjapi.result import service
from tjapi.result.rules import Charset
from tjapi.result.schemas import ReadingOut, ReadingsOut, ReadValueOut

_SHOWN = 200


async def file_message(run: JobRun) -> Mapping[str, Any]:
    """File a received message; one that has ended is left alone, so running twice is running once.

    Parsing lies outside of any transaction: it is the vendor's code. Filing and ending are one transaction: a worker that is killed
    leaves the message received, and its next run files it from the beginning.
    """
    message_id = UUID(run.payload["message_id"])
    try:
        async with run.unit() as uow:
            message = await inbox.get(uow, message_id)
            state, source = message.state, message.source
            arrived_at = message.gateway_received_at or message.received_at
            raw = inbox.open_body(uow, message) if state == "received" else b""
            released, charset = await service.word_on(uow, message_id)
    except InboundMessageNotFound as error:
        raise GiveUp("no-such-message") from error
    if state != "received":
        return {"outcome": state}
    messages, faults = run.services.lis.split(source, raw)
    if len(messages) > 1:
        return await _part(run, message_id, messages, () if released else faults)
    try:
        report = run.services.lis.parse(source, raw, charset)
    except UnparsableReport as fault:
        async with run.unit() as uow:
            await inbox.end(uow, message_id, "quarantined", reason=fault.kind, detail={"fault": fault.reason})
        return {"outcome": "quarantined", "reason": fault.kind}
    left_out = {"left_out": list(report.left_out)} if report.left_out else {}
    async with run.unit() as uow:
        filing = await service.file_report(uow, message_id, source, report, arrived_at)
        await inbox.end(
            uow, message_id, filing.outcome, reason=filing.reason, exam_id=filing.exam_id, campus_id=filing.campus_id,
            detail={**left_out, **filing.detail},
        )  # fmt: skip
    return {"outcome": filing.outcome, "reason": filing.reason}


async def _part(
    run: JobRun, message_id: UUID, messages: tuple[bytes, ...], faults: tuple[str, ...]
) -> Mapping[str, Any]:
    """Take up each message of a batch by itself; what is wrong around them a person sees."""
    detail: dict[str, Any] = {"messages": len(messages)}
    async with run.unit() as uow:
        batch = await inbox.locked(uow, message_id)
        if batch.state == "received":
            for number, body in enumerate(messages, 1):
                await inbox.take_part(uow, batch, number, body)
            outcome, reason = ("quarantined", "batch-differs") if faults else ("filed", None)
            detail |= {"faults": list(faults)} if faults else {}
            await inbox.end(uow, message_id, outcome, reason=reason, detail=detail)
    return {"outcome": batch.state, **detail}


def readings(lis: Any, source: str, raw: bytes, *, whose: bool) -> ReadingsOut:
    """Return a message as each charset would read it; `whose` shows in full who it is about."""
    return ReadingsOut(items=[_reading(lis, source, raw, charset, whose=whose) for charset in get_args(Charset)])


def _reading(lis: Any, source: str, raw: bytes, charset: Charset, *, whose: bool) -> ReadingOut:
    unreadable = raw.decode(charset, errors="replace").count("\ufffd")
    try:
        report = lis.parse(source, raw, charset)
    except UnparsableReport as fault:
        return ReadingOut(
            charset=charset, fault=fault.reason, unreadable=unreadable, exam_no=None, name="", birth_date=None, left_out=[], values=[]
        )  # fmt: skip
    name = report.patient_name if whose else report.patient_name[:1] + "*" * len(report.patient_name[1:])
    values = [
        ReadValueOut(code=o.code, name=o.name, value=o.raw_value, unit=o.unit, flags=" ".join(o.abnormal_flags), remarks=list(o.remarks))
        for result in report.results
        for o in result.observations
    ]  # fmt: skip
    return ReadingOut(
        charset=charset, fault=None, unreadable=unreadable, exam_no=report.exam_no, name=name,
        birth_date=report.patient_birth_date if whose else None, left_out=list(report.left_out), values=values[:_SHOWN],
    )  # fmt: skip


async def replay_mapped(run: JobRun) -> Mapping[str, Any]:
    """A code leads to an item now: file the messages again that waited for it, each in a transaction of its own."""
    system, code = str(run.payload["system"]), str(run.payload["code"])
    done = 0
    async with run.unit() as uow:
        waiting = await inbox.waiting_for_code(uow, system, code)
    for message_id in waiting:
        async with run.unit() as uow:
            with contextlib.suppress(MessageNotReplayable):  # somebody was faster
                await inbox.replay(uow, message_id)
                done += 1
        await run.progress(done, len(waiting))
    return {"replayed": done}
