"""A message's way from the inbox to the results: read it (transaction) → parse it → file it and say what became of it (transaction)."""

import contextlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any, get_args
from uuid import UUID

import structlog

from adapters.lis.contract import Batch, BeyondLimits, LabReport, UnparsableReport
from tjapi.kernel import inbox
from tjapi.kernel.child.errors import Broken, Overrun
from tjapi.kernel.db import DATABASE_TROUBLE, is_refused
from tjapi.kernel.inbox import InboundMessageNotFound, MessageNotReplayable
from tjapi.kernel.jobs.spec import GiveUp, JobRun
from tjapi.kernel.problem import naming
from tjapi.kernel.uow import LeaseLostError, UnitOfWork
from tjapi.result import service, views
from tjapi.result.errors import MessageUnreadable, ReleaseInVain
from tjapi.result.rules import Charset
from tjapi.result.rules.releases import may_move_only
from tjapi.result.schemas import ReadingOut, ReadingsOut, ReadValueOut

_SHOWN = 200

log = structlog.get_logger("messages")
NOT_EXCLUDED = "?"
"""In the place of a code: something that nobody could judge, so that nothing excludes that it is critical."""
BEYOND_LIMITS, NOT_STORABLE, NOT_FILED = "unreadable-in-limits", "not-storable", "not-filed"
_TRIES = 3


async def file_message(run: JobRun) -> Mapping[str, Any]:
    """File a received message; one that has ended is left alone, so running twice is running once.

    Parsing lies outside of any transaction and of this process: it is the vendor's code, given what a stranger sent. What takes more than it may is
    a verdict on the message, which a person looks at; it is not tried again. Filing and ending are one transaction: a worker that is killed
    leaves the message received, and its next run files it from the beginning. What the database refuses to store is a verdict as well; any other
    failure of filing is ours to mend, and after a few tries the message waits for a person, not for ever.
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
    try:
        report = await _read(run.services.lis, source, raw, charset)
    except _Unread as verdict:
        return await _quarantine(run, message_id, (source, raw), verdict.reason, verdict.fault)
    if isinstance(report, tuple):
        messages, faults = report
        return await _part(run, message_id, raw, messages, () if released else faults)
    try:
        filing = await _file(run, message_id, source, report, arrived_at)
    except Exception as error:
        if is_refused(error):
            return await _quarantine(run, message_id, (source, raw), NOT_STORABLE, type(error).__name__)
        if isinstance(error, (LeaseLostError, *DATABASE_TROUBLE)) or run.attempts + 1 < _TRIES:
            raise
        log.warning("message.not_filed", id=str(message_id), exc_info=error)
        return await _quarantine(run, message_id, (source, raw), NOT_FILED, type(error).__name__)
    return {"outcome": filing.outcome, "reason": filing.reason}


class _Unread(Exception):  # noqa: N818 - a verdict
    """Why a message is quarantined, and what is wrong with it."""

    def __init__(self, reason: str, fault: str) -> None:
        super().__init__(reason)
        self.reason, self.fault = reason, fault


async def _read(lis: Any, source: str, raw: bytes, charset: str | None) -> LabReport | Batch:
    """Return what a message says, or the messages of a batch. Raises _Unread."""
    try:
        read: LabReport | Batch = await lis.read(source, raw, charset)
    except BeyondLimits as excess:
        raise _Unread(BEYOND_LIMITS, excess.reason) from None
    except UnparsableReport as fault:
        raise _Unread(fault.kind, fault.reason) from None
    except Overrun as excess:
        raise _Unread(BEYOND_LIMITS, excess.what) from None
    except Broken as bug:  # the same bytes meet it again: a person looks, and so does whoever reads the log
        raise _Unread("unparsable", f"the reader failed: {bug.kind}") from None
    return read


async def _file(run: JobRun, message_id: UUID, source: str, report: LabReport, arrived_at: datetime) -> service.Filing:
    left_out = {"left_out": list(report.left_out)} if report.left_out else {}
    async with run.unit() as uow:
        filing = await service.file_report(uow, message_id, source, report, arrived_at)
        await inbox.end(
            uow, message_id, filing.outcome, reason=filing.reason, exam_id=filing.exam_id, campus_id=filing.campus_id,
            detail={**left_out, **filing.detail},
        )  # fmt: skip
    return filing


async def set_message_aside(uow: UnitOfWork, payload: Mapping[str, Any], error: str) -> None:
    """End a message whose job was set aside: a person looks at it, where a message that is received would wait for ever."""
    message_id = UUID(payload["message_id"])
    try:
        message = await inbox.get(uow, message_id)
    except InboundMessageNotFound:
        log.warning("message.aside_unknown", id=str(message_id))
        return
    detail = {"fault": error, **await _alarm_or_say(uow, message)}
    await inbox.end(uow, message_id, "quarantined", reason=NOT_FILED, detail=detail)


async def _alarm_or_say(uow: UnitOfWork, message: inbox.InboxMessage) -> dict[str, Any]:
    """Return what is critical in a message that was set aside. What cannot be opened or judged may be critical: it alarms, and says why.

    What nobody could judge may be the very reason why it was set aside; the message ends all the same.
    """
    try:
        async with uow.session.begin_nested():
            return await _alarm(uow, NOT_FILED, message.source, inbox.open_body(uow, message))
    except DATABASE_TROUBLE:
        raise
    except Exception as fault:  # noqa: BLE001 - whatever it is: nothing of it is known to be harmless
        log.warning("message.not_judged", id=str(message.id), error=type(fault).__name__)
        return {inbox.ALARMING: [NOT_EXCLUDED], "not_judged": type(fault).__name__}


async def _quarantine(
    run: JobRun, message_id: UUID, came: tuple[str, bytes], reason: str, fault: str
) -> Mapping[str, Any]:
    """End a message that is not filed, for a person to look at; `fault` names places and kinds, never content."""
    async with run.unit() as uow:
        detail = {"fault": fault, **await _alarm(uow, reason, *came)}
        await inbox.end(uow, message_id, "quarantined", reason=reason, detail=detail)
    return {"outcome": "quarantined", "reason": reason}


async def _alarm(uow: UnitOfWork, reason: str, source: str, raw: bytes) -> dict[str, Any]:
    codes = await service.alarming(uow, reason, source, raw)
    return {inbox.ALARMING: codes} if codes else {}


async def refuse_unreadable(lis: Any, uow: UnitOfWork, message_id: UUID, charset: str | None) -> None:
    """Let nobody release what still cannot be read. Raises InboundMessageNotFound, MessageUnreadable."""
    kept = await service.to_be_read(uow, message_id)
    if kept is None:
        return
    try:
        await _read(lis, *kept, charset)
    except _Unread as verdict:
        raise MessageUnreadable from verdict


async def refuse_in_vain(
    lis: Any, uow: UnitOfWork, message_id: UUID, charset: str | None, exam_id: UUID | None
) -> None:
    """Let nobody release what would not be filed all the same. Raises InboundMessageNotFound, MessageUnreadable, ReleaseInVain."""
    await refuse_unreadable(lis, uow, message_id, charset)
    if exam_id is None:
        return
    message = await inbox.get(uow, message_id)
    if message.state not in ("quarantined", "unmatched"):
        return  # it waits for nobody, which is said by itself
    _, said = await service.word_on(uow, message_id)
    try:
        report = await _read(lis, message.source, inbox.open_body(uow, message), charset or said)
    except _Unread:
        return  # what it lacks to be read is asked for by itself
    if isinstance(report, tuple):
        return
    with naming("/exam_id"):
        elsewhere = await service.leads_elsewhere(
            uow, message.source, report, exam_id, moved=may_move_only(message.reason)
        )
    if elsewhere:
        raise ReleaseInVain


async def refuse_agreeing(lis: Any, uow: UnitOfWork, release_id: UUID) -> None:
    """Look again, before a second person agrees, whether it would be filed: much may have come since it was proposed. Raises as above."""
    proposed = await service.proposed(uow, release_id)
    if proposed is not None:
        await refuse_in_vain(lis, uow, proposed.message_id, proposed.charset, proposed.exam_id)


async def _part(
    run: JobRun, message_id: UUID, raw: bytes, messages: tuple[bytes, ...], faults: tuple[str, ...]
) -> Mapping[str, Any]:
    """Take up each message of a batch by itself; what is wrong around them a person sees."""
    detail: dict[str, Any] = {"messages": len(messages)}
    async with run.unit() as uow:
        batch = await inbox.locked(uow, message_id)
        if batch.state == "received":
            for number, body in enumerate(messages, 1):
                await inbox.take_part(uow, batch, number, body)
            outcome, reason = ("quarantined", "batch-differs") if faults else ("filed", None)
            if faults:
                # What is no message of its own in it is seen by nobody but whoever looks at the batch.
                detail |= {"faults": list(faults), **await _alarm(uow, "batch-differs", batch.source, raw)}
            await inbox.end(uow, message_id, outcome, reason=reason, detail=detail)
    return {"outcome": batch.state, **detail}


async def readings(lis: Any, source: str, raw: bytes, *, whose: bool) -> ReadingsOut:
    """Return a message as each charset would read it; `whose` shows in full who it is about."""
    return ReadingsOut(items=[await _reading(lis, source, raw, charset, whose=whose) for charset in get_args(Charset)])


async def _reading(lis: Any, source: str, raw: bytes, charset: Charset, *, whose: bool) -> ReadingOut:
    unreadable = raw.decode(charset, errors="replace").count("\ufffd")
    fault = ""
    try:
        report = await lis.read(source, raw, charset)
    except UnparsableReport as unread:
        fault = unread.reason
    except Overrun as excess:
        fault = excess.what
    except Broken as bug:
        fault = f"the reader failed: {bug.kind}"
    else:
        fault = f"a batch of {len(report[0])} messages" if isinstance(report, tuple) else ""
    if fault:
        return ReadingOut(
            charset=charset, fault=fault, unreadable=unreadable, exam_no=None, name="", birth_date=None, left_out=[], values=[]
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


async def find_signed(run: JobRun) -> Mapping[str, Any]:
    """What is in use is signed: each open exam that was judged unsigned is looked at again, in a transaction of its own. Twice is once."""
    version_id = UUID(str(run.payload["version_id"]))
    async with run.unit() as uow:
        waiting = await views.unfound(uow, version_id)
    done, failed = 0, []
    for exam_id in waiting:
        try:
            async with run.unit() as uow:
                done += await service.find_signed(uow, exam_id, version_id)
        except Exception as error:
            if isinstance(error, (LeaseLostError, *DATABASE_TROUBLE)) and not is_refused(error):
                raise
            # Whatever it is: it is no fault of the exams after it.
            log.warning("exam.not_found_signed", id=str(exam_id), exc_info=error)
            failed.append(exam_id)
        await run.progress(done, len(waiting))
    if failed:  # the next run looks at these alone
        raise NotAllFound(f"{len(failed)} of {len(waiting)}")
    return {"found_anew": done}


class NotAllFound(Exception):  # noqa: N818 - a verdict
    """Of how many exams what is signed could not be found: the next run looks at these."""


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
