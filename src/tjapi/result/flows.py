"""A message's way from the inbox to the results: read it (transaction) → parse it → file it and say what became of it (transaction)."""

import contextlib
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import structlog

from adapters.lis.contract import BeyondLimits, LabReport, UnparsableReport
from tjapi.kernel import inbox
from tjapi.kernel.child.errors import Broken, Overrun
from tjapi.kernel.db import DATABASE_TROUBLE, is_refused
from tjapi.kernel.inbox import InboundMessageNotFound, MessageNotReplayable
from tjapi.kernel.jobs.spec import GiveUp, JobRun
from tjapi.kernel.uow import LeaseLostError, UnitOfWork
from tjapi.result import service

log = structlog.get_logger("messages")
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
    except InboundMessageNotFound as error:
        raise GiveUp("no-such-message") from error
    if state != "received":
        return {"outcome": state}
    report = await _read(run, source, raw)
    if isinstance(report, tuple):
        return await _quarantine(run, message_id, *report)
    try:
        filing = await _file(run, message_id, source, report)
    except Exception as error:
        if is_refused(error):
            return await _quarantine(run, message_id, NOT_STORABLE, type(error).__name__)
        if isinstance(error, (LeaseLostError, *DATABASE_TROUBLE)) or run.attempts + 1 < _TRIES:
            raise
        log.warning("message.not_filed", id=str(message_id), exc_info=error)
        return await _quarantine(run, message_id, NOT_FILED, type(error).__name__)
    return {"outcome": filing.outcome, "reason": filing.reason}


async def _read(run: JobRun, source: str, raw: bytes) -> LabReport | tuple[str, str]:
    """Return what a message says, or why it is quarantined, and what is wrong with it."""
    try:
        report: LabReport = await run.services.lis.read(source, raw)
    except BeyondLimits as excess:
        return BEYOND_LIMITS, excess.reason
    except UnparsableReport as fault:
        return "unparsable", fault.reason
    except Overrun as excess:
        return BEYOND_LIMITS, excess.what
    except Broken as bug:  # the same bytes meet it again: a person looks, and so does whoever reads the log
        return "unparsable", f"the reader failed: {bug.kind}"
    return report


async def _file(run: JobRun, message_id: UUID, source: str, report: LabReport) -> service.Filing:
    async with run.unit() as uow:
        filing = await service.file_report(uow, message_id, source, report, arrived_at)
        await inbox.end(
            uow, message_id, filing.outcome, reason=filing.reason, exam_id=filing.exam_id, campus_id=filing.campus_id,
            detail=filing.detail,
        )  # fmt: skip
    return filing


async def set_message_aside(uow: UnitOfWork, payload: Mapping[str, Any], error: str) -> None:
    """End a message whose job was set aside: a person looks at it, where a message that is received would wait for ever."""
    await inbox.end(uow, UUID(payload["message_id"]), "quarantined", reason=NOT_FILED, detail={"fault": error})


async def _quarantine(run: JobRun, message_id: UUID, reason: str, fault: str) -> Mapping[str, Any]:
    """End a message that is not filed, for a person to look at; `fault` names places and kinds, never content."""
    async with run.unit() as uow:
        await inbox.end(uow, message_id, "quarantined", reason=reason, detail={"fault": fault})
    return {"outcome": "quarantined", "reason": reason}


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
