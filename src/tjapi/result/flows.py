"""A message's way from the inbox to the results: read it (transaction) → parse it → file it and say what became of it (transaction)."""

import contextlib
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from adapters.lis.contract import BeyondLimits, UnparsableReport
from tjapi.kernel import inbox
from tjapi.kernel.child.errors import Broken, Overrun
from tjapi.kernel.inbox import InboundMessageNotFound, MessageNotReplayable
from tjapi.kernel.jobs.spec import GiveUp, JobRun
from tjapi.result import service

BEYOND_LIMITS = "unreadable-in-limits"


async def file_message(run: JobRun) -> Mapping[str, Any]:
    """File a received message; one that has ended is left alone, so running twice is running once.

    Parsing lies outside of any transaction and of this process: it is the vendor's code, given what a stranger sent. What takes more than it may is
    a verdict on the message, which a person looks at; it is not tried again. Filing and ending are one transaction: a worker that is killed
    leaves the message received, and its next run files it from the beginning.
    """
    message_id = UUID(run.payload["message_id"])
    try:
        async with run.unit() as uow:
            message = await inbox.get(uow, message_id)
            state, source = message.state, message.source
            raw = inbox.open_body(uow, message) if state == "received" else b""
    except InboundMessageNotFound as error:
        raise GiveUp("no-such-message") from error
    if state != "received":
        return {"outcome": state}
    try:
        report = await run.services.lis.read(source, raw)
    except BeyondLimits as excess:
        return await _quarantine(run, message_id, BEYOND_LIMITS, excess.reason)
    except UnparsableReport as fault:
        return await _quarantine(run, message_id, "unparsable", fault.reason)
    except Overrun as excess:
        return await _quarantine(run, message_id, BEYOND_LIMITS, excess.what)
    except Broken as bug:
        # The same bytes meet it again: a person looks, and so does whoever reads the log.
        return await _quarantine(run, message_id, "unparsable", f"the reader failed: {bug.kind}")
    async with run.unit() as uow:
        filing = await service.file_report(uow, message_id, source, report)
        await inbox.end(
            uow, message_id, filing.outcome, reason=filing.reason, exam_id=filing.exam_id, campus_id=filing.campus_id,
            detail=filing.detail,
        )  # fmt: skip
    return {"outcome": filing.outcome, "reason": filing.reason}


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
